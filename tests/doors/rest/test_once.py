"""Idempotency-Key: what is sent again is not done again."""

import asyncio

import pytest

from keystead.store import Statement
from tests.client import Answered
from tests.house import House

USERS = "/api/v3/core/users/"
GROUPS = "/api/v3/core/groups/"
_ROWS = Statement("test.idempotency", "SELECT answer FROM idempotency")


async def post(house: House, path: str, body: dict[str, object], key: str) -> Answered:
    return await house.admin.post(path, body, headers={"Idempotency-Key": key})


async def count(house: House, path: str) -> int:
    return int((await house.admin.get(path)).json["pagination"]["count"])


@pytest.mark.parametrize("key", ["k-1", '"8e03978e-40d5-43e8-bc93-6894a57f9324"'])
async def test_the_second_time_is_answered_like_the_first_and_does_nothing(house: House, key: str) -> None:
    before = await count(house, USERS)
    first = await post(house, USERS, {"username": "once", "name": "Once"}, key)
    again = await post(house, USERS, {"username": "once", "name": "Once"}, key)
    assert (first.status, again.status) == (201, 201)
    assert again.json == first.json
    assert again.header("etag") == first.header("etag")
    assert (first.header("idempotency-replayed"), again.header("idempotency-replayed")) == ("", "true")
    assert await count(house, USERS) == before + 1


async def test_of_many_at_once_one_acts(house: House) -> None:
    answers = await asyncio.gather(*(post(house, GROUPS, {"name": "many"}, "same") for _ in range(12)))
    assert sum(one.status == 201 and not one.header("idempotency-replayed") for one in answers) == 1
    assert {one.status for one in answers} <= {201, 409}
    listed = await house.admin.get(GROUPS, query={"name": "many"})
    assert listed.json["pagination"]["count"] == 1


async def test_a_key_belongs_to_one_request_of_one_caller(house: House) -> None:
    assert (await post(house, GROUPS, {"name": "one"}, "mine")).status == 201
    other = await post(house, GROUPS, {"name": "two"}, "mine")
    assert other.status == 409
    assert "another request" in other.json["detail"]
    assert (await post(house, USERS, {"username": "one", "name": ""}, "mine")).status == 409
    token = await house.user.post("/api/v3/core/tokens/", {"identifier": "own"}, headers={"Idempotency-Key": "mine"})
    assert token.status == 201, "somebody else's key is another one"


async def test_what_was_refused_may_be_put_right_under_its_key(house: House) -> None:
    assert (await post(house, GROUPS, {}, "again")).status == 400
    assert (await post(house, GROUPS, {"name": "right"}, "again")).status == 201
    refused = await house.user.post(GROUPS, {"name": "not mine"}, headers={"Idempotency-Key": "plain"})
    assert refused.status == 403


async def test_a_key_ends_after_a_day(house: House) -> None:
    assert (await post(house, GROUPS, {"name": "first day"}, "daily")).status == 201
    house.clock.move(days=1, seconds=1)
    assert (await post(house, GROUPS, {"name": "second day"}, "daily")).status == 201


async def test_an_action_that_shows_a_secret_shows_it_again_and_keeps_it_sealed(house: House) -> None:
    body: dict[str, object] = {"name": "robot", "create_group": False}
    first = await post(house, f"{USERS}service_account/", body, "robot")
    again = await post(house, f"{USERS}service_account/", body, "robot")
    assert first.status == again.status == 200
    assert again.json == first.json
    rows = await house.state.store.fetch(_ROWS)
    assert rows
    assert not [row for row in rows if first.json["token"] in str(row[0])]


async def test_a_request_that_was_broken_off_is_not_repeated(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_given: object) -> None:
        raise RuntimeError("the machine broke")

    monkeypatch.setattr("keystead.doors.rest.verbs._shown", broken)
    assert (await post(house, GROUPS, {"name": "half"}, "half")).status == 500
    monkeypatch.undo()
    again = await post(house, GROUPS, {"name": "half"}, "half")
    assert again.status == 409
    assert "broken off" in again.json["detail"]


@pytest.mark.parametrize("key", [" ", "two words", "k" * 256, '"open', "käse"])
async def test_a_key_that_is_none_is_told_so(house: House, key: str) -> None:
    refused = await post(house, GROUPS, {"name": "none"}, key)
    assert refused.status == 400
    assert "Idempotency-Key" in refused.text
    assert (await house.admin.get(GROUPS, query={"name": "none"})).json["pagination"]["count"] == 0


async def test_nobody_gets_a_row(house: House) -> None:
    refused = await house.nobody.post(GROUPS, {"name": "none"}, headers={"Idempotency-Key": "nobody"})
    assert refused.status == 403
    assert await house.state.store.fetch(_ROWS) == []
