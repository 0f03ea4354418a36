import gzip
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import msgspec
import pytest

from keystead.doors.web import assets, render
from tests.doors.web.examples import CHALLENGES, FLOW, LIMIT, NONCE, PAGE, PROMPTS, flow, others, pages, prompt, spoil

NAMES = sorted(pages())
VOID = frozenset({"img", "input", "link", "meta", "hr", "source", "br"})
NESTED_SVG = frozenset({"svg", "path", "circle"})


class Tree(HTMLParser):
    """The elements of a page, and whether each was closed where it was opened."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.faults: list[str] = []
        self.labelled_inside: set[str] = set()
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.faults.append(f"{tag} has an attribute twice: {names}")
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes something else")

    def all(self, *tags: str) -> Iterator[dict[str, str | None]]:
        return (attrs for tag, attrs in self.elements if tag in tags)


def hostile(value: object) -> object:
    """Shorthand for :func:`spoil` as a parameter."""
    return spoil(value)


@pytest.fixture(scope="module", params=["believable", "hostile"])
def drawn(request: pytest.FixtureRequest) -> dict[str, bytes]:
    """All pages, in both kinds of data."""
    return pages(hostile) if request.param == "hostile" else pages()


@pytest.mark.parametrize("name", NAMES)
def test_page_is_sound_html(drawn: dict[str, bytes], name: str) -> None:
    tree = Tree(drawn[name])
    assert drawn[name].startswith(b"<!doctype html>")
    assert not tree.faults
    assert not tree.open
    ids = [attrs["id"] for _, attrs in tree.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert [tag for tag, _ in tree.elements].count("h1") == 1
    (html,) = tree.all("html")
    assert html["lang"] == "en"
    assert html["dir"] == "ltr"


@pytest.mark.parametrize("name", NAMES)
def test_nothing_inline_runs_or_styles(drawn: dict[str, bytes], name: str) -> None:
    tree = Tree(drawn[name])
    for tag, attrs in tree.elements:
        assert tag != "style"
        assert "style" not in attrs
        assert not [attr for attr in attrs if attr.startswith("on")]
        for attr in ("href", "src", "action", "formaction", "srcset"):
            assert not (attrs.get(attr) or "").strip().lower().startswith(("javascript:", "vbscript:"))
    assert [attrs for attrs in tree.all("script") if attrs.get("nonce") != NONCE or "src" not in attrs] == []


@pytest.mark.parametrize("name", NAMES)
def test_hostile_text_stays_text(name: str) -> None:
    page = pages(hostile)[name].decode()
    assert "<img src=x" not in page
    assert "49" not in re.sub(r"\{\{7\*7\}\}|\.[0-9a-f]{8}\.", "", re.sub(r"<svg.*?</svg>", "", page))
    assert not [attrs for attrs in Tree(page.encode()).all("img") if attrs.get("src") == "x"]
    assert "&lt;img src=x onerror=alert(1)&gt;{{7*7}}" in page


@pytest.mark.parametrize("name", NAMES)
def test_every_control_has_a_name_and_what_it_refers_to_exists(drawn: dict[str, bytes], name: str) -> None:
    tree = Tree(drawn[name])
    ids = {attrs["id"] for _, attrs in tree.elements if "id" in attrs}
    labels = {attrs["for"] for attrs in tree.all("label")}
    assert labels <= ids
    for attrs in tree.all("input", "select", "textarea"):
        if attrs.get("type") != "hidden":
            assert attrs.get("id") in labels or attrs.get("aria-label")
    for _, attrs in tree.elements:
        for attr in ("aria-describedby", "aria-labelledby", "aria-controls"):
            assert set((attrs.get(attr) or "").split()) <= ids
        if (attrs.get("href") or "").startswith("#"):
            assert (attrs["href"] or "")[1:] in ids


@pytest.mark.parametrize("name", NAMES)
def test_first_view_is_light(name: str) -> None:
    page = pages()[name]
    sheets = [attrs["href"] for attrs in Tree(page).all("link") if attrs.get("rel") == "stylesheet"]
    scripts = [attrs["src"] for attrs in Tree(page).all("script")]
    assert (len(sheets), len(scripts)) == (1, 1)
    weight = len(gzip.compress(page, 6))
    for path in sheets + scripts:
        asset = assets.lookup(str(path))
        assert asset is not None
        weight += len(asset.gzipped)
    assert weight <= LIMIT


@pytest.mark.parametrize("name", NAMES)
def test_forms_are_posted_with_the_token_and_never_carry_a_password_in_the_address(name: str) -> None:
    tree = Tree(pages()[name])
    forms = list(tree.all("form"))
    for form in forms:
        assert form["method"] == ("get" if form.get("role") == "search" else "post")
    tokens = [attrs for attrs in tree.all("input") if attrs.get("name") == "_csrf"]
    expected = sum(form["method"] == "post" and "data-autosubmit" not in form for form in forms)
    assert [attrs["value"] for attrs in tokens] == ["csrf-of-this-session"] * expected


def controls(page: bytes) -> dict[str, dict[str, str | None]]:
    """Form controls by name."""
    return {str(attrs.get("name")): attrs for attrs in Tree(page).all("input", "select", "textarea", "button")}


def test_answers_have_the_names_of_the_contract() -> None:
    assert {"uid_field", "password", "_csrf"} <= set(controls(flow("identification-password")))
    assert "password" not in controls(flow("identification"))
    assert {"password", "_csrf"} <= set(controls(flow("password")))
    assert controls(flow("consent"))["token"]["value"] == "consent-token"
    assert controls(flow("user_login"))["remember_me"]["value"] in {"true", "false"}
    asked = {str(field["field_key"]) for field in PROMPTS if field["type"] not in {"static", "separator"}}
    assert set(controls(flow("prompt"))) - {"None", "_csrf"} == asked
    assert set(controls(flow("autosubmit"))) - {"None"} == {"SAMLResponse", "RelayState"}


def test_browsers_are_told_what_to_fill_in() -> None:
    assert controls(flow("identification"))["uid_field"]["autocomplete"] == "username"
    assert controls(flow("password"))["password"]["autocomplete"] == "current-password"
    prompts = controls(flow("prompt"))
    tokens = {name: prompts[name].get("autocomplete") for name in ("username", "email", "password", "name")}
    assert tokens == {"username": "username", "email": "email", "password": "new-password", "name": "name"}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("username", "text"),
        ("text", "text"),
        ("email", "email"),
        ("password", "password"),
        ("number", "number"),
        ("date", "date"),
        ("date-time", "datetime-local"),
        ("file", "file"),
        ("checkbox", "checkbox"),
        ("radio-button-group", "radio"),
        ("hidden", "hidden"),
        ("text_read_only", "text"),
    ],
)
def test_prompt_kinds_are_drawn_as_the_matching_control(kind: str, expected: str) -> None:
    field = prompt(kind, "answer", "Answer", choices=["a", "b"] if kind.startswith("radio") else None)
    page = render.flow_page({"component": "ak-stage-prompt", "flow_info": FLOW, "fields": [field]}, PAGE)
    assert controls(page)["answer"]["type"] == expected


def test_choices_keep_their_value_label_and_initial_choice() -> None:
    page = flow("prompt").decode()
    assert '<option value="Blue">Blue</option>' in page
    assert '<option value="g" selected>Green</option>' in page
    assert '<option value="de" lang="de" selected>Deutsch</option>' in page


def test_a_password_is_never_written_into_the_page() -> None:
    field = prompt("password", "password", "Password", initial_value="hunter2-hunter2")
    page = render.flow_page({"component": "ak-stage-prompt", "flow_info": FLOW, "fields": [field]}, PAGE)
    assert b"hunter2" not in page


def test_a_file_makes_the_form_multipart_and_nothing_else_does() -> None:
    (form,) = Tree(flow("prompt")).all("form")
    assert form["enctype"] == "multipart/form-data"
    (form,) = Tree(flow("password")).all("form")
    assert "enctype" not in form


@pytest.mark.parametrize("name", [name for name in CHALLENGES if name.endswith("-errors")])
def test_problems_are_focused_linked_and_described(name: str) -> None:
    page = flow(name)
    tree = Tree(page)
    (summary,) = (attrs for attrs in tree.all("div") if attrs.get("role") == "alert")
    assert summary["tabindex"] == "-1"
    assert [attrs for _, attrs in tree.elements if "autofocus" in attrs] == [summary]
    links = {str(attrs["href"])[1:] for attrs in tree.all("a") if str(attrs["href"]).startswith("#")}
    wrong = {attrs["id"]: attrs for _, attrs in tree.elements if attrs.get("aria-invalid") == "true"}
    assert links == set(wrong)
    assert all(f"{at}-problem" in str(attrs["aria-describedby"]) for at, attrs in wrong.items())
    assert b"<title>Problem: " in page


@pytest.mark.parametrize("name", ["identification", "password", "user_login", "prompt"])
def test_the_first_control_is_focused_when_nothing_is_wrong(name: str) -> None:
    focused = [tag for tag, attrs in Tree(flow(name)).elements if "autofocus" in attrs]
    assert len(focused) == 1


def test_an_unknown_component_has_no_page() -> None:
    with pytest.raises(KeyError):
        render.flow_page({"component": "ak-stage-of-the-future"}, PAGE)


def test_identification_with_sources_only_asks_for_no_name() -> None:
    page = render.flow_page({**CHALLENGES["identification"], "user_fields": None, "flow_info": FLOW}, PAGE)
    assert "uid_field" not in controls(page)
    assert b"Continue with Forge" in page
    assert page.index(b"University") < page.index(b"Forge")


def test_the_brand_replaces_name_logo_and_sheet() -> None:
    page = msgspec.structs.replace(
        PAGE,
        brand="Acme",
        logo="/files/media/acme-%(theme)s.svg",
        custom_css="/brand.css",
        root="/auth",
        theme="dark",
        lang="ar",
    )
    text = render.message_page("Hello", "World", page).decode()
    assert "Hello · Acme</title>" in text
    assert 'src="/files/media/acme-dark.svg"' in text
    assert text.index("/auth/static/dist/keystead.") < text.index('href="/brand.css"')
    assert '<html lang="ar" dir="rtl" data-theme="dark">' in text
    assert "Keystead" not in text


def test_themed_images_follow_the_browser_unless_the_theme_is_fixed() -> None:
    page = msgspec.structs.replace(PAGE, logo="/logo-%(theme)s.svg")
    assert (
        'media="(prefers-color-scheme: dark)" srcset="/logo-dark.svg"' in render.message_page("A", "B", page).decode()
    )


def test_a_background_is_loaded_only_if_the_brand_sets_one() -> None:
    assert b"backdrop" not in flow("password")
    info = {**FLOW, "background": "https://example.org/hills.jpg", "layout": "sidebar_left_frame_background"}
    page = render.flow_page({"flow_info": info, **CHALLENGES["password"]}, PAGE)
    (image,) = (attrs for attrs in Tree(page).all("img") if attrs.get("class") == "backdrop")
    assert (image["src"], image["loading"]) == ("https://example.org/hills.jpg", "lazy")
    assert b"sidebar-left" in page


def test_a_redirect_goes_on_by_itself_and_never_into_script() -> None:
    assert b'content="0;url=https://grafana.example.org/login/callback?code=abc&amp;state=x"' in flow("redirect")
    for to in (
        "javascript:alert(1)",
        " javascript:alert(1)",
        "data:text/html,x",
        "java\tscript:alert(1)",
        "JaVaScRiPt:x",
    ):
        page = render.flow_page({"component": "xak-flow-redirect", "to": to, "flow_info": FLOW}, PAGE)
        assert b"refresh" not in page
        assert b"script:" not in page.replace(b"\t", b"").lower()
        assert b"data:text" not in page


@pytest.mark.parametrize(
    ("url", "link", "onward", "image"),
    [
        ("https://a.example/x?y=1#z", True, True, True),
        ("/path", True, True, True),
        ("", False, False, False),
        (None, False, False, False),
        ("org.example.app:/callback", False, True, False),
        ("data:image/png;base64,AAAA", False, False, True),
        ("data:text/html,<script>", False, False, False),
        ("javascript:alert(1)", False, False, False),
        ("\x01javascript:alert(1)", False, False, False),
        ("vbscript:x", False, False, False),
        ("https://a.example/\r\nSet-Cookie: x", False, False, False),
        ("/\\evil.example", False, True, False),
        ("fa://fa-book", False, True, False),
    ],
)
def test_addresses_are_let_through_by_shape(url: object, link: bool, onward: bool, image: bool) -> None:  # noqa: FBT001 - a table's columns
    judged = (bool(render.safe_link(url)), bool(render.safe_onward(url)), bool(render.safe_image(url)))
    assert judged == (link, onward, image)


def test_initials() -> None:
    names = ["Anna Berg", "grafana", "anna.maria.berg", "", "東京 大学"]
    assert [render.initials(name) for name in names] == ["AB", "G", "AB", "·", "東大"]


def test_portal_tiles_open_where_they_say() -> None:
    page = others()["portal"].decode()
    assert '<a href="/application/launch/grafana/">Grafana</a>' in page
    assert 'href="/application/launch/proxmox/" target="_blank" rel="noopener noreferrer"' in page
    assert "<h3>Bare</h3>" in page
    assert "fa://" not in page
    assert page.index("Operations") < page.index("Everyday")


def test_portal_says_what_is_missing() -> None:
    assert b"No applications yet." in others()["portal-empty"]
    assert b"No application matches." in others()["portal-none"]
    assert b'value="graf"' in others()["portal-none"]
