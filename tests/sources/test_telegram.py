"""Telegram's login proof connects whoever brings it, once, while it is fresh; everything else is refused."""

import hashlib
import hmac
from typing import Any

import pytest

from keystead.base.secret import Secret
from keystead.sources.telegram import TelegramAuthRequest, is_proven
from tests.client import Client
from tests.doors.http.signed_in import sign_in, token_of
from tests.house import House

API = "/api/v3"
URL = f"{API}/sources/telegram/t/connect_user/"
TOKEN = "12345:the-token-of-a-bot"


def proof(house: House, token: str = TOKEN, **members: Any) -> dict[str, Any]:  # noqa: ANN401 - members of a proof
    given = {"id": 7, "first_name": " Anna ", "auth_date": int(house.clock.now().timestamp()), **members}
    text = "\n".join(f"{name}={given[name]}" for name in sorted(given))
    key = hashlib.sha256(token.encode()).digest()
    return {**given, "hash": hmac.new(key, text.encode(), hashlib.sha256).hexdigest()}


async def bot(house: House, **members: Any) -> dict[str, Any]:  # noqa: ANN401 - members of a source
    flow = {"name": "f", "title": "f", "slug": "f", "designation": "stage_configuration"}
    before = (await house.admin.post(f"{API}/flows/instances/", flow)).json["pk"]
    body = {"name": "T", "slug": "t", "bot_username": "b", "bot_token": TOKEN, "pre_authentication_flow": before}
    made = await house.admin.post(f"{API}/sources/telegram/", {**body, **members})
    assert made.status == 201, made.text
    found: dict[str, Any] = made.json
    return found


def test_a_proof_as_telegram_makes_it() -> None:
    given = TelegramAuthRequest(id=1, auth_date=2, hash="x", username="u")
    key = hashlib.sha256(b"t").digest()
    good = hmac.new(key, b"auth_date=2\nid=1\nusername=u", hashlib.sha256).hexdigest()
    assert is_proven(Secret("t"), TelegramAuthRequest(id=1, auth_date=2, hash=good, username="u"))
    assert is_proven(Secret("t"), TelegramAuthRequest(id=1, auth_date=2, hash=good.upper(), username="u"))
    assert not is_proven(Secret("t"), given)
    assert not is_proven(Secret("T"), TelegramAuthRequest(id=1, auth_date=2, hash=good, username="u"))
    assert not is_proven(Secret("t"), TelegramAuthRequest(id=1, auth_date=3, hash=good, username="u"))
    assert not is_proven(Secret("t"), TelegramAuthRequest(id=1, auth_date=2, hash="é" * 64, username="u"))


async def test_who_brings_a_proof_is_connected(house: House) -> None:
    source = await bot(house)
    made = await house.user.post(URL, proof(house))
    assert made.status == 201, made.text
    assert (made.json["user"], made.json["identifier"]) == (house.plain.pk, "7")
    assert made.json["source_obj"]["slug"] == "t"
    (found,) = (await house.user.get(f"{API}/sources/user_connections/telegram/")).json["results"]
    assert found["pk"] == made.json["pk"]
    (told,) = (await house.admin.get(f"{API}/events/events/", query={"action": "source_linked"})).json["results"]
    assert told["user"]["username"] == "plain"
    assert told["context"]["source"]["pk"] == source["pk"].replace("-", "")
    house.clock.move(seconds=5)
    again = await house.user.post(URL, proof(house))
    assert (again.status, again.json["pk"]) == (201, made.json["pk"])


async def refused(client: Client, body: dict[str, Any], word: str) -> None:
    answered = await client.post(URL, body)
    assert answered.status == 400, answered.text
    assert word in answered.json["non_field_errors"][0]


async def test_what_is_no_proof_connects_nobody(house: House) -> None:
    await bot(house)
    good = proof(house)
    await refused(house.user, proof(house, token="another"), "does not come from Telegram")
    for changed in ({"id": 8}, {"first_name": "Anna"}, {"username": "x"}, {"hash": "0" * 64}):
        await refused(house.user, {**good, **changed}, "does not come from Telegram")
    now = int(house.clock.now().timestamp())
    for stamp in (now - 601, now + 120, 0, -1, 2**62):
        await refused(house.user, proof(house, auth_date=stamp), "too old")
    assert (await house.admin.get(f"{API}/sources/user_connections/telegram/")).json["results"] == []
    assert (await house.nobody.post(URL, good)).status == 403


async def test_a_proof_counts_once(house: House) -> None:
    await bot(house)
    good = proof(house)
    pk = (await house.user.post(URL, good)).json["pk"]
    await refused(house.user, good, "used already")
    await refused(house.admin, proof(house, username="u"), "somebody else")
    assert (await house.user.delete(f"{API}/sources/user_connections/telegram/{pk}/")).status == 204
    await refused(house.admin, {**good, "hash": good["hash"].upper()}, "used already")


@pytest.mark.parametrize("how", ["off", "policy"])
async def test_only_those_whom_the_source_is_for(house: House, how: str) -> None:
    source = await bot(house, enabled=how != "off")
    if how == "policy":
        bound = {"target": source["pk"], "user": house.superuser.pk, "order": 0}
        assert (await house.admin.post(f"{API}/policies/bindings/", bound)).status == 201
    assert (await house.user.post(URL, proof(house))).status == 403


async def test_nobody_connects_somebody_else_by_acting_as_them(house: House) -> None:
    await bot(house)
    browser, _ = await sign_in(house, house.superuser)
    begun = await browser.post(
        f"{API}/core/users/{house.plain.pk}/impersonate/", {"reason": "x"}, headers=token_of(browser)
    )
    assert begun.status == 204, begun.text
    assert (await browser.post(URL, proof(house), headers=token_of(browser))).status == 403
