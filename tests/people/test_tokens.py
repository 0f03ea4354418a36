"""Tokens: whose they are, how long they live, how their keys are found, shown and changed."""

from datetime import timedelta

import pytest

from keystead.base.secret import fingerprint
from keystead.people import token
from keystead.people.token import IntentEnum, Token
from tests.house import BEGIN, House

TOKENS = "/api/v3/core/tokens/"
SOON, LATE = (BEGIN + timedelta(hours=2)).isoformat(), (BEGIN + timedelta(days=400)).isoformat()
LATEST = BEGIN + timedelta(days=1)


def moment(text: str) -> str:
    return text.replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("body", "expires"),
    [
        ({}, LATEST.isoformat()),
        ({"expires": SOON}, SOON),
        ({"expires": LATE}, LATEST.isoformat()),
        ({"expiring": False}, LATEST.isoformat()),
        ({"expiring": False, "expires": LATE}, LATEST.isoformat()),
        ({"expires": None}, LATEST.isoformat()),
    ],
)
async def test_a_token_of_somebody_plain_ends_soon_and_is_their_own(
    house: House, body: dict[str, object], expires: str
) -> None:
    made = await house.user.post(TOKENS, {"identifier": "mine", **body})
    assert made.status == 201, made.text
    assert (made.json["user"], made.json["expiring"]) == (house.plain.pk, True)
    assert made.json["expires"] == moment(expires)
    patched = await house.user.patch(f"{TOKENS}mine/", body)
    assert patched.json["expires"] == moment(expires)


@pytest.mark.parametrize(
    ("body", "expires", "expiring"),
    [
        ({}, LATEST.isoformat(), True),
        ({"expires": LATE}, LATE, True),
        ({"expiring": False}, None, False),
        ({"expiring": False, "expires": LATE}, None, False),
    ],
)
async def test_a_superuser_says_how_long_a_token_lives_and_whose_it_is(
    house: House,
    body: dict[str, object],
    expires: str | None,
    expiring: bool,  # noqa: FBT001 - a table's column
) -> None:
    made = await house.admin.post(TOKENS, {"identifier": "theirs", "user": house.plain.pk, **body})
    assert made.json["user"] == house.plain.pk
    assert made.json["user_obj"]["username"] == "plain"
    assert (made.json["expires"], made.json["expiring"]) == (expires and moment(expires), expiring)
    own = await house.admin.post(TOKENS, {"identifier": "own"})
    assert own.json["user"] == house.superuser.pk


async def test_changing_something_else_leaves_the_end_of_a_token_where_it_was(house: House) -> None:
    made = await house.admin.post(TOKENS, {"identifier": "given", "user": house.plain.pk, "expires": LATE})
    changed = await house.user.patch(f"{TOKENS}given/", {"description": "for the printer"})
    assert changed.status == 200
    assert changed.json["expires"] == made.json["expires"]
    shorter = await house.user.patch(f"{TOKENS}given/", {"expires": SOON})
    assert shorter.json["expires"] == moment(SOON)
    longer = await house.user.patch(f"{TOKENS}given/", {"expires": LATE})
    assert longer.json["expires"] == moment(LATEST.isoformat())


async def test_a_key_is_shown_to_its_owner_and_the_showing_is_written_down(house: House) -> None:
    await house.user.post(TOKENS, {"identifier": "mine", "intent": "api"})
    viewed = await house.user.get(f"{TOKENS}mine/view_key/")
    assert viewed.status == 200
    key = viewed.json["key"]
    assert len(key) == 60
    assert (await house.nobody.with_token(key).get("/api/v3/core/users/me/")).status == 200
    found = await token.by_key(house.state, key, house.clock.now())
    assert found
    assert found.key_digest == fingerprint(key)
    assert key not in found.key_sealed
    told = (await house.admin.get("/api/v3/events/events/?action=secret_view")).json["results"]
    assert [one["context"]["secret"]["pk"] for one in told] == [found.pk.replace("-", "")]
    assert key not in str(told)


async def test_another_key_takes_the_place_of_the_first(house: House) -> None:
    await house.user.post(TOKENS, {"identifier": "mine", "intent": "api"})
    first = (await house.user.get(f"{TOKENS}mine/view_key/")).json["key"]
    assert (await house.user.post(f"{TOKENS}mine/set_key/", {"key": "chosen by me"})).status == 204
    assert (await house.user.get(f"{TOKENS}mine/view_key/")).json["key"] == "chosen by me"
    assert (await house.nobody.with_token(first).get("/api/v3/core/users/me/")).status == 403
    assert (await house.nobody.with_token("chosen by me").get("/api/v3/core/users/me/")).status == 200
    for body in ({}, {"key": ""}, {"key": "  "}, {"key": 5}, {"key": "a\x00"}):
        assert (await house.user.post(f"{TOKENS}mine/set_key/", body)).status == 400


@pytest.mark.parametrize("key", ["", "x" * 1025, "a\x00b", "é", "\ud800"])
async def test_a_text_that_is_no_key_finds_nothing(house: House, key: str) -> None:
    assert await token.by_key(house.state, key, BEGIN) is None


def test_a_token_lives_until_its_instant_or_for_ever() -> None:
    made = Token(pk="1", identifier="t", expires=BEGIN)
    assert token.alive(made, BEGIN - timedelta(microseconds=1))
    assert not token.alive(made, BEGIN)
    assert token.alive(Token(pk="1", identifier="t", expiring=False, expires=BEGIN), BEGIN)
    assert token.alive(Token(pk="1", identifier="t", expires=None), BEGIN)


async def test_keys_are_drawn_anew(house: House) -> None:
    keys = {token.issue(house.state, identifier="x", user=1, intent=IntentEnum.API)[1].reveal() for _ in range(50)}
    assert len(keys) == 50
    _, given = token.issue(house.state, identifier="x", user=1, intent=IntentEnum.API, key="given")
    assert given.reveal() == "given"
