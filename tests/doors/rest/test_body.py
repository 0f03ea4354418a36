"""Bodies into objects: every complaint at once, and nothing taken of a body that has one."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.base.errors import Kind, Problem
from keystead.doors.rest.body import REQUIRED, decoded, taken
from keystead.kinds.call import SYSTEM, Call
from keystead.kinds.state import State
from keystead.people.user import USER
from keystead.store import Store
from tests.house import BEGIN, VAULT, House
from tests.kinds.toys import SHELF, Shelf

USERS = "/api/v3/core/users/"


class Asked(msgspec.Struct):
    """A request of an action."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=5)]
    count: int
    at: datetime | None = None
    more: dict[str, object] = {}


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"name", "count"}),
        ({"name": "a", "count": "1"}, {"count"}),
        ({"name": " ", "count": None}, {"name", "count"}),
        ({"name": "abcdef", "count": 1, "at": "x", "more": []}, {"name", "at", "more"}),
        ({"name": "a\x00", "count": 10**30, "more": {"a": "\x00"}}, {"name", "count", "more"}),
    ],
)
def test_a_request_complains_about_every_member_at_once(body: dict[str, object], wrong: set[str]) -> None:
    with pytest.raises(Problem) as found:
        decoded(body, Asked)
    assert found.value.kind is Kind.INVALID
    assert set(found.value.fields or {}) == wrong
    if not body:
        assert found.value.fields == {"name": [REQUIRED], "count": [REQUIRED]}


def test_a_request_is_taken_with_its_defaults_and_without_what_is_unknown() -> None:
    body = {"name": " a ", "count": 1, "at": "2026-01-01T00:00:00", "unknown": 5}
    assert decoded(body, Asked) == Asked("a", 1, datetime(2026, 1, 1, tzinfo=UTC))


@given(
    st.dictionaries(
        st.sampled_from(["name", "count", "at", "more"]), st.none() | st.booleans() | st.integers() | st.text()
    )
)
def test_whatever_comes_is_taken_or_complained_about_by_member(body: dict[str, object]) -> None:
    try:
        made = decoded(body, Asked)
    except Problem as exc:
        assert exc.kind is Kind.INVALID  # noqa: PT017 - whether it raises is up to the body
        assert set(exc.fields or {}) <= {"name", "count", "at", "more"}  # noqa: PT017 - as above
    else:
        assert isinstance(made, Asked)


@pytest.fixture
async def state(store: Store) -> State:
    made = State(store, (SHELF, USER), VAULT)
    await made.load()
    return made


async def test_complaints_of_every_sort_come_together(state: State) -> None:
    call = Call(SYSTEM, BEGIN, state.settings)
    missing = "00000000-0000-4000-8000-000000000009"
    body: dict[str, object] = {"colour": "pink", "main": missing, "row": [missing], "order": "x"}
    with pytest.raises(Problem) as found:
        await taken(call, state, SHELF, body, None, partial=False, pk="1")
    assert set(found.value.fields or {}) == {"name", "colour", "main", "row", "order"}


async def test_what_is_not_sent_keeps_its_value_and_null_is_a_value(state: State) -> None:
    call = Call(SYSTEM, BEGIN, state.settings)
    old = Shelf(pk="1", name="old", order=5)
    assert await taken(call, state, SHELF, {}, old, partial=True, pk="1") == old
    assert (await taken(call, state, SHELF, {"name": "new"}, old, partial=False, pk="1")).order == 5
    assert (await taken(call, state, SHELF, {"order": None}, old, partial=True, pk="1")).order is None
    with pytest.raises(Problem) as found:
        await taken(call, state, SHELF, {"name": None}, old, partial=True, pk="1")
    assert found.value.fields == {"name": ["May not be null."]}


async def test_what_older_clients_send_is_understood(house: House) -> None:
    """documented-calls.md: first_name and last_name make a name, groups may be named by name or key."""
    body = {
        "username": "grace",
        "email": "grace@example.org",
        "first_name": " Grace ",
        "last_name": "Hopper",
        "is_active": True,
        "groups": ["authentik Admins", house.admins.pk],
    }
    made = await house.admin.post(USERS, body)
    assert made.status == 201, made.text
    assert made.json["name"] == "Grace Hopper"
    assert made.json["groups"] == [house.admins.pk]
    named = await house.admin.post(USERS, {**body, "username": "ada", "name": "Ada"})
    assert named.json["name"] == "Ada", "a name that is given counts"
    for groups in (["no such group"], ["a\x00"], [5], [None], "authentik Admins", [["x"]]):
        answered = await house.admin.post(USERS, {**body, "username": "other", "groups": groups})
        assert answered.status == 400, groups
        assert "groups" in answered.json


async def test_members_are_trimmed_and_json_is_left_alone(house: House) -> None:
    body = {"username": " u ", "name": "  N  ", "path": " a/b ", "attributes": {" k ": " v "}}
    made = await house.admin.post(USERS, body)
    assert (made.json["username"], made.json["name"], made.json["path"]) == ("u", "N", "a/b")
    assert made.json["attributes"] == {" k ": " v "}


async def test_nobody_makes_themselves_more_than_they_are_by_naming_members(house: House) -> None:
    """SECURITY AP-03: members that no request may set, sent all the same."""
    body = {
        "username": "mallory",
        "name": "Mallory",
        "pk": 1,
        "uuid": "00000000-0000-4000-8000-000000000001",
        "is_superuser": True,
        "password": "$argon2id$v=19$m=19456,t=2,p=1$AAAA$AAAA",
        "date_joined": "2000-01-01T00:00:00Z",
        "last_updated": "2000-01-01T00:00:00Z",
        "groups_obj": [{"pk": house.admins.pk}],
        "uid": "x",
    }
    made = (await house.admin.post(USERS, body)).json
    assert made["pk"] not in {1, house.superuser.pk}
    assert made["uuid"] != body["uuid"]
    assert made["is_superuser"] is False
    assert made["groups"] == []
    assert made["date_joined"].startswith("2026-09-01")
    (row,) = (await house.admin.get(f"{USERS}?username=mallory")).json["results"]
    assert "password" not in row
    token = (await house.user.post("/api/v3/core/tokens/", {"identifier": "t", "managed": None, "key": "chosen"})).json
    assert token["user"] == house.plain.pk
    viewed = await house.user.get("/api/v3/core/tokens/t/view_key/")
    assert viewed.json["key"] != "chosen"


@pytest.mark.parametrize(("path", "member"), [("rac/endpoints", "provider"), ("endpoints/agents/psso/ise", "user")])
async def test_nought_is_no_key(house: House, path: str, member: str) -> None:
    answered = await house.admin.post(f"/api/v3/{path}/", {member: 0})
    assert answered.json[member] == ['Invalid pk "0" - object does not exist.']
