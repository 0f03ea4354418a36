"""Events: the contract's shape (platform.md §7), and nothing secret in them (SECURITY AP-17)."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.base.secret import Secret
from keystead.kinds import ledger
from keystead.kinds.call import NOBODY, Actor, Call, Origin
from keystead.kinds.ledger import MASK, cleaned, told_path
from keystead.kinds.snapshot import Snapshot
from keystead.store import Write
from tests.house import BEGIN
from tests.kinds.toys import BOX, SAMPLE, SETTINGS, SHELF, Box, Sample, Shelf

COLUMNS = (
    "id action app user_pk username actor model model_pk context client_ip created expires brand".split()  # noqa: SIM905 - a list of columns reads best so
)
UUID = "0b6a3c1e-9d55-4c3a-8a53-1b8a1f0c2d3e"
SECRETS = (
    "password",
    "new_password",
    "client_secret",
    "token",
    "id_token_hint",
    "private_key",
    "Authorization",
    "cookie",
)
CALL = Call(
    Actor(pk=7, username="alice", email="alice@example.org"),
    BEGIN,
    Snapshot({kind.model: kind for kind in SETTINGS}),
    "192.0.2.1",
    "f" * 32,
    Origin("POST", "/api/v3/toys/", query={"next": "/x"}, user_agent="agent/1.0", brand='{"pk":"b"}'),
)


def row(write: Write) -> dict[str, Any]:
    found = dict(zip(COLUMNS, write.args, strict=True))
    for name in ("actor", "context", "brand"):
        found[name] = msgspec.json.decode(str(found[name]))
    return found


def test_an_event_has_the_shape_of_the_contract() -> None:
    box = Box(pk=UUID, name="box")
    made = row(ledger.event(CALL, "model_created", "toys", {"note": "hello"}, about=(BOX, box)))
    assert list(made["context"]) == ["model", "note", "http_request"]
    assert list(made["context"]["model"].items()) == [
        ("pk", UUID.replace("-", "")),
        ("app", "toys"),
        ("name", "box"),
        ("model_name", "box"),
    ]
    assert made["context"]["http_request"] == {
        "args": {"next": "/x"},
        "path": "/api/v3/toys/",
        "method": "POST",
        "request_id": "f" * 32,
        "user_agent": "agent/1.0",
    }
    assert made["actor"] == {"pk": 7, "email": "alice@example.org", "username": "alice"}
    assert (made["user_pk"], made["username"], made["client_ip"]) == (7, "alice", "192.0.2.1")
    assert (made["model"], made["model_pk"]) == ("toys.box", UUID)
    assert made["brand"] == {"pk": "b"}
    assert made["expires"] - made["created"] == 365 * 86_400_000_000


def test_a_number_stays_a_number_and_a_name_is_found_where_there_is_one() -> None:
    assert ledger.reference(SAMPLE, Sample(pk=5, code="five"))["pk"] == 5
    assert ledger.reference(SHELF, Shelf(pk=UUID, name="s"))["name"] == "s"
    assert ledger.plain_pk("not-a-uuid") == "not-a-uuid"
    assert ledger.plain_pk(UUID) == UUID.replace("-", "")


def test_who_acted_may_be_somebody_else_than_the_caller() -> None:
    nobody = Call(NOBODY, BEGIN, CALL.settings)
    made = row(ledger.event(nobody, "login", "flows", {}, user={"pk": 9, "username": "bob", "email": "b@example.org"}))
    assert (made["user_pk"], made["username"]) == (9, "bob")
    assert made["context"] == {}
    assert made["client_ip"] is None
    assert row(ledger.event(nobody, "login_failed", "flows", {}))["user_pk"] is None


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize(
    "shape",
    [
        lambda secret: secret,
        lambda secret: [secret],
        lambda secret: (secret, [secret]),
        lambda secret: {"password": secret},
        lambda secret: {"token": [secret]},
    ],
    ids=["text", "list", "nested", "object", "object of lists"],
)
def test_what_stands_under_a_secret_name_does_not_get_into_an_event(name: str, shape: Any) -> None:  # noqa: ANN401 - a shape of JSON
    secret = "hunter2-hunter2"
    context = {"outer": {name: shape(secret)}, "list": [{name: shape(secret)}], name: shape(secret)}
    made = ledger.event(CALL, "custom_x", "toys", context)
    assert secret not in repr(made.args)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.builds(Secret, st.just("s3cret-s3cret")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), JSON))
def test_any_context_becomes_json_that_every_engine_can_search(context: dict[str, object]) -> None:
    text = str(ledger.event(CALL, "custom_x", "toys", context).args[8])
    assert "s3cret" not in text
    assert "\\u0000" not in text.replace("\\\\", "")
    msgspec.json.decode(text)


def test_what_is_cleaned_keeps_its_meaning() -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    given_context = {"a": [1, None, True, "x"], "at": at, "box": Box(pk=UUID, name="n", key=Secret("s")), "token": 5}
    assert cleaned(given_context) == {
        "a": [1, None, True, "x"],
        "at": "2026-01-02T00:00:00+00:00",
        "box": {"pk": UUID, "name": "n", "size": 0, "key": MASK},
        "token": 5,
    }
    assert cleaned({"token": {"pk": 1, "name": "t"}}) == {"token": {"pk": 1, "name": "t"}}, "a reference to a token"
    assert cleaned({"password": ""}) == {"password": ""}
    assert cleaned({"access_token_validity": {"previous_value": "minutes=5", "new_value": "minutes=9"}}) == {
        "access_token_validity": {"previous_value": "minutes=5", "new_value": "minutes=9"}
    }


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/recovery/use-token/" + "aB3" * 20 + "/", f"/recovery/use-token/{MASK}/"),
        ("/recovery/use-token/" + "aB3" * 20, f"/recovery/use-token/{MASK}"),
        (f"/api/v3/flows/instances/{UUID}/", f"/api/v3/flows/instances/{UUID}/"),
        ("/if/flow/default-authentication-flow-of-the-house/", "/if/flow/default-authentication-flow-of-the-house/"),
        ("/" + "a/" * 5000, ("/" + "a/" * 5000)[:1024]),
    ],
)
def test_a_key_in_a_path_is_not_told(path: str, told: str) -> None:
    assert told_path(path) == told
    call = Call(CALL.actor, BEGIN, CALL.settings, origin=Origin("GET", path, query={"code": "abc", "q": "x" * 5000}))
    request = row(ledger.event(call, "login", "flows", {}))["context"]["http_request"]
    assert request["path"] == told
    assert request["args"] == {"code": MASK, "q": "x" * 1024}


def test_a_difference_tells_what_changed_and_of_hidden_members_only_that() -> None:
    old = Sample(pk=1, code="one", text="a", hidden="h1", typed="t1", attributes={"password": "p", "b": 1})
    new = Sample(pk=1, code="one", text="b", hidden="h2", typed="t2", attributes={"password": "q", "b": 2})
    masked = {"previous_value": MASK, "new_value": MASK}
    assert ledger.difference(SAMPLE, old, new) == {
        "text": {"previous_value": "a", "new_value": "b"},
        "hidden": masked,
        "typed": masked,
        "attributes": {"previous_value": {"password": MASK, "b": 1}, "new_value": {"password": MASK, "b": 2}},
    }
    assert ledger.difference(SAMPLE, old, old) == {}
    first, second = Box(pk=UUID, name="n", key=Secret("one")), Box(pk=UUID, name="n", key=Secret("two"))
    assert ledger.difference(BOX, first, second) == {"key": masked}
