"""The dispatch table: what answers on a path, against a naive model that tries one template after the other."""

import re
from collections.abc import Awaitable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.doors.http.message import Request, Response
from keystead.doors.http.routes import Endpoint, Routes
from keystead.doors.http.site import Site
from keystead.doors.rest import errors
from keystead.kinds.call import Call

PART = st.sampled_from(["a", "b", "users", "{id}", "{key}"])
TEMPLATE = st.builds(
    lambda parts, tail: "/" + "/".join(parts) + tail,
    st.lists(PART, min_size=1, max_size=4).filter(lambda parts: parts.count("{id}") < 2 and parts.count("{key}") < 2),
    st.sampled_from(["/", "", "/{*path}"]),
)
PATH = st.builds(
    lambda parts, tail: "/" + "/".join(parts) + tail,
    st.lists(st.sampled_from(["a", "b", "users", "1", "", "x y"]), max_size=5),
    st.sampled_from(["/", ""]),
)


def endpoint(name: str) -> Endpoint:
    def run(_request: Request, _call: Call, _site: Site, _params: dict[str, str]) -> Awaitable[Response]:
        raise AssertionError(name)

    return Endpoint(run, errors.answer)


def pattern(template: str) -> re.Pattern[str]:
    text = re.escape(template).replace(r"\{\*path\}", "(.*)")
    return re.compile(re.sub(r"\\\{[a-z]+\\\}", "([^/]+)", text), re.DOTALL)


@given(templates=st.lists(TEMPLATE, unique=True, max_size=8), path=PATH)
def test_what_is_found_is_one_of_the_templates_that_fit_and_something_is_if_one_does(
    templates: list[str], path: str
) -> None:
    routes = Routes()
    added: dict[Endpoint, str] = {}
    for template in templates:
        made = endpoint(template)
        try:
            routes.add("GET", template, made)
        except ValueError:
            continue  # the same places under other names
        added[made] = template
    fitting = {template: fits for template in added.values() if (fits := pattern(template).fullmatch(path))}
    found = routes.find(path)
    if not fitting:
        assert found is None
        return
    assert found is not None
    template = added[found.methods["GET"]]
    assert template in fitting
    assert tuple(found.params.values()) == fitting[template].groups()
    if path in fitting:
        assert template == path, "a path that is spelled out wins"


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/core/users/", "/core/users/"),
        ("/core/users/me/", "/core/users/me/"),
        ("/core/users/5/", "/core/users/{id}/"),
        ("/core/users/me/paths/", "/core/users/{id}/paths/"),
        ("/core/users/5/paths/", "/core/users/{id}/paths/"),
        ("/static/a/b.css", "/static/{*path}"),
        ("/static/", "/static/{*path}"),
        ("/static/special/x", "/static/special/{id}"),
        ("/core/users", None),
        ("/core//users/", None),
        ("/core/users//", None),
        ("//core/users/", None),
        ("", None),
        ("/", None),
        ("/core/users/5/paths/more/", None),
        ("/" * 100_000, None),
        ("/static/" + "x/" * 100_000, "/static/{*path}"),
    ],
)
def test_literal_parts_win_and_empty_parts_are_no_parameters(path: str, template: str | None) -> None:
    routes = Routes()
    added = {
        text: endpoint(text)
        for text in (
            "/core/users/",
            "/core/users/{id}/",
            "/core/users/me/",
            "/core/users/{id}/paths/",
            "/static/{*path}",
            "/static/special/{id}",
        )
    }
    for text, made in added.items():
        routes.add("GET", text, made)
    found = routes.find(path)
    assert (found.methods["GET"] if found else None) is (added[template] if template else None)


def test_nothing_answers_twice() -> None:
    routes = Routes()
    routes.add("GET", "/a/{id}/", endpoint("first"))
    routes.add("POST", "/a/{id}/", endpoint("second"))
    for template in ("/a/{id}/", "/a/{other}/"):
        with pytest.raises(ValueError, match="answered twice"):
            routes.add("GET", template, endpoint("third"))
    routes.add("GET", "/b/", endpoint("fourth"))
    with pytest.raises(ValueError, match="answered twice"):
        routes.add("GET", "/b/", endpoint("fifth"))
    assert [template for _, template in routes.templates].count("/a/{id}/") == 3
