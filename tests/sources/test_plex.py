"""People with an account at Plex sign in, enrol and connect, if the source is for them; Plex is asked for real."""

import threading
from typing import Any

import msgspec
import pytest

from keystead.sources.plex import tv
from keystead.store import Statement, Unit, Write
from tests.client import Client
from tests.doors.http.signed_in import sign_in, token_of
from tests.house import House
from tests.sources.plex_tv import API, CONNECT, OWNER, REDEEM, Plex, me

SEALED = Statement("test.secret", "SELECT secret FROM user_connections")


async def test_a_friend_enrols_and_comes_back(house: House, plex: Plex) -> None:
    source = await plex.source()
    token, browser = plex.friend(), Client(house.app)
    led = await plex.redeem(token, browser)
    assert (led.status, led.json) == (200, {"component": "xak-flow-redirect", "to": "/"}), led.text
    assert await me(browser) == "anna"
    (kept,) = await plex.connections()
    assert (kept["identifier"], kept["source"]) == ("7", source["pk"])
    user = (await house.admin.get(f"{API}/core/users/{kept['user']}/")).json
    assert (user["name"], user["email"], user["is_active"]) == ("Anna", "anna@example.org", True)
    assert (user["path"], user["type"]) == ("goauthentik.io/sources/plex", "external")
    (linked,) = await plex.events("source_linked")
    assert (linked["user"]["username"], linked["context"]["identifier"]) == ("anna", "7")
    (login,) = await plex.events("login")
    assert (login["context"]["auth_method"], login["user"]["username"]) == ("source", "anna")
    assert login["context"]["auth_method_args"]["source"]["name"] == "Plex"
    again = Client(house.app)
    assert (await plex.redeem(token, again)).status == 200
    assert await me(again) == "anna"
    assert len(await plex.connections()) == 1


async def test_plex_is_asked_as_it_wants_to_be(plex: Plex) -> None:
    await plex.source()
    await plex.redeem(plex.friend())
    assert {one.path for one in plex.asked} == {"/api/v2/user", "/api/users"}
    assert {one.headers["x-plex-client-identifier"] for one in plex.asked} == {"the-client"}
    assert all(one.method == "GET" and "token" not in one.path for one in plex.asked)


async def test_whom_the_flow_asks_for_a_name(house: House, plex: Plex) -> None:
    await plex.source()
    browser = Client(house.app)
    led = await plex.redeem(plex.friend(username="two words"), browser)
    assert led.json["to"] == "/if/flow/default-source-enrollment/"
    assert await plex.connections() == []
    page = f"{API}/flows/executor/default-source-enrollment/"
    assert (await browser.get(page)).json["component"] == "ak-stage-prompt"
    done = await browser.post(page, {"username": "anna"})
    assert (done.status, done.json["to"]) == (200, "/"), done.text
    assert await me(browser) == "anna"
    assert len(await plex.connections()) == 1


async def test_where_the_browser_goes_on(house: House, plex: Plex) -> None:
    await plex.source()
    url, body = f"{REDEEM}&next=/application/launch/x/", {"plex_token": plex.friend()}
    assert (await Client(house.app).post(url, body)).json["to"] == "/application/launch/x/"
    for there in ("https://evil.example/", "//evil.example", "/\\evil.example"):
        refused = await Client(house.app).post(REDEEM, body, query={"next": there})
        assert (refused.status, next(iter(refused.json))) == (400, "next")


@pytest.mark.parametrize("token", ["", "nobody-has-this", "with blank", "line\r\nbreak", "ü", "x" * 2000])
async def test_a_token_that_is_none(house: House, plex: Plex, token: str) -> None:
    await plex.source()
    for answered in (await plex.redeem(token), await house.user.post(CONNECT, {"plex_token": token})):
        assert (answered.status, next(iter(answered.json))) == (400, "plex_token"), answered.text
    assert await plex.connections() == []


async def test_another_source(house: House, plex: Plex) -> None:
    token = plex.friend()
    for url in (REDEEM, f"{API}/sources/plex/redeem_token/"):
        answered = await house.nobody.post(url, {"plex_token": token})
        assert (answered.status, next(iter(answered.json))) == (400, "slug"), answered.text
    assert plex.asked == []


@pytest.mark.parametrize("status", [302, 404, 410, 429, 500])
async def test_plex_is_out_of_order(plex: Plex, status: int) -> None:
    await plex.source()
    token = plex.friend()
    plex.status = status
    answered = await plex.redeem(token)
    assert (answered.status, answered.header("retry-after")) == (503, "5"), answered.text


@pytest.mark.parametrize("said", [b"", b"[]", b"{}", b'{"id": "7"}', b'{"id": true}', b"<user/>", b"\xff"])
async def test_plex_talks_nonsense(plex: Plex, said: bytes) -> None:
    await plex.source()
    token = plex.friend()
    plex.accounts[token] = msgspec.Raw(said or b" ")  # type: ignore[assignment]  # what it says, byte for byte
    assert (await plex.redeem(token)).status == 503


async def test_too_many_at_once(plex: Plex, monkeypatch: pytest.MonkeyPatch) -> None:
    await plex.source()
    monkeypatch.setattr(tv, "_places", threading.BoundedSemaphore(0))
    assert (await plex.redeem(plex.friend())).status == 503
    assert plex.asked == []


def server(name: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - members of a resource
    shared = {"owned": False, "ownerId": 1}
    return {"name": "S", "clientIdentifier": name, "provides": "server", **shared, **more}


OURS = {"owned": True, "ownerId": None}
FOR: dict[str, tuple[str, dict[str, Any], list[dict[str, Any]], int]] = {
    "the owner": ("owner", {}, [], 200),
    "a stranger": ("stranger", {}, [], 403),
    "a friend": ("friend", {}, [], 200),
    "a friend, where none may come": ("friend", {"allow_friends": False}, [], 403),
    "who shares a server": ("stranger", {"allowed_servers": ["a", "b"]}, [server("b")], 200),
    "who shares another": ("stranger", {"allowed_servers": ["a"]}, [server("b")], 403),
    "with a player of that name": ("stranger", {"allowed_servers": ["a"]}, [server("a", provides="player")], 403),
    "with an own server of that name": ("stranger", {"allowed_servers": ["a"]}, [server("a", **OURS)], 403),
    "with somebody else's of that name": ("stranger", {"allowed_servers": ["a"]}, [server("a", ownerId=5)], 403),
    "with nobody's of that name": ("stranger", {"allowed_servers": ["a"]}, [server("a", ownerId=None)], 403),
    "who shares a third one's": ("stranger", {"allowed_servers": ["t"]}, [server("t", ownerId=3)], 200),
    "who claims a third one's": ("stranger", {"allowed_servers": ["t"]}, [server("t", **OURS)], 403),
}


@pytest.mark.parametrize("who", FOR)
async def test_whom_it_is_for(plex: Plex, who: str) -> None:
    part, members, sees, status = FOR[who]
    await plex.source(**members)
    plex.resources[OWNER] = [server("a", **OURS), server("b", **OURS, provides="client,server"), server("t", ownerId=3)]
    plex.account("stranger", 9, "stranger")
    token = {"owner": OWNER, "stranger": "stranger"}.get(part) or plex.friend()
    plex.resources[token] = plex.resources.get(token) or sees
    answered = await plex.redeem(token)
    assert answered.status == status, answered.text
    assert len(await plex.connections()) == (status == 200)


async def test_an_owner_whom_plex_does_not_know(plex: Plex) -> None:
    await plex.source(plex_token="spent")
    answered = await plex.redeem(plex.friend())
    assert (answered.status, "not set up" in answered.json["detail"]) == (403, True)


@pytest.mark.parametrize("guest", ["guest", "anonymous"])
async def test_guests_are_nobody(plex: Plex, guest: str) -> None:
    await plex.source()
    assert (await plex.redeem(plex.friend("anna", 7, **{guest: True}))).status == 403


async def test_who_is_signed_in_connects(house: House, plex: Plex) -> None:
    await plex.source()
    token = plex.friend()
    assert (await house.user.post(CONNECT, {"plex_token": token})).status == 204
    (kept,) = await plex.connections()
    assert (kept["user"], kept["identifier"]) == (house.plain.pk, "7")
    assert "plex_token" not in kept
    (linked,) = await plex.events("source_linked")
    assert linked["user"]["username"] == "plain"
    assert (await house.user.post(CONNECT, {"plex_token": token})).status == 204
    refused = await house.admin.post(CONNECT, {"plex_token": token})
    assert (refused.status, "somebody else" in refused.json["detail"]) == (403, True)
    assert len(await plex.connections()) == len(await plex.events("source_linked")) == 1
    assert (await house.nobody.post(CONNECT, {"plex_token": token})).status == 403
    browser = Client(house.app)
    assert (await plex.redeem(token, browser)).status == 200
    assert await me(browser) == "plain"


async def test_a_browser_that_is_signed_in_connects(house: House, plex: Plex) -> None:
    await plex.source()
    token = plex.friend()
    browser, _ = await sign_in(house, house.plain)
    assert (await plex.redeem(token, browser)).status == 403, "without the cross-site token"
    led = await plex.redeem(token, browser, headers=token_of(browser))
    assert (led.status, led.json["to"]) == (200, "/if/user/"), led.text
    assert [one["user"] for one in await plex.connections()] == [house.plain.pk]
    other, _ = await sign_in(house, house.superuser)
    assert (await plex.redeem(token, other, headers=token_of(other))).status == 403
    assert await me(other) == "akadmin"


async def test_no_other_site_signs_a_browser_in(house: House, plex: Plex) -> None:
    await plex.source()
    token = plex.friend()
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        assert (await plex.redeem(token, headers=headers)).status == 403
    plain = {"content-type": "text/plain"}
    answered = await house.nobody.post(REDEEM, body=b'{"plex_token": "x"}', headers=plain)
    assert answered.status == 415
    assert plex.asked == []


async def test_the_newest_token_is_kept(house: House, plex: Plex) -> None:
    await plex.source()
    await plex.redeem(plex.friend())
    first = await sealed(house)
    assert "token" not in first
    await plex.redeem("token-of-anna")
    assert await sealed(house) == first
    plex.account("a-newer-one", 7, "anna")
    await plex.redeem("a-newer-one")
    assert await sealed(house) != first
    assert len(await plex.events("source_linked")) == 1


async def sealed(house: House) -> str:
    (row,) = await house.state.store.fetch(SEALED)
    return str(row[0])


async def test_it_is_offered_where_people_say_who_they_are(house: House, plex: Plex) -> None:
    source = await plex.source(promoted=True)
    stage = (await house.admin.get(f"{API}/stages/identification/")).json["results"][0]
    where = f"{API}/stages/identification/{stage['pk']}/"
    assert (await house.admin.patch(where, {"sources": [source["pk"]]})).status == 200
    page = f"{API}/flows/executor/default-authentication-flow/"
    challenge = {"component": "ak-source-plex", "client_id": "the-client", "slug": "plex"}
    (offered,) = (await Client(house.app).get(page)).json["sources"]
    assert (offered["name"], offered["promoted"], offered["challenge"]) == ("Plex", True, challenge)
    seen = await Client(house.app).get("/if/flow/default-authentication-flow/?next=/a%26b/")
    assert seen.status == 200
    assert 'href="/source/plex/plex/?next=%2Fa%26b%2F"' in seen.text
    assert (await house.admin.patch(where, {"user_fields": []})).status == 200
    alone = (await Client(house.app).get(page)).json
    assert {key: alone[key] for key in challenge} == challenge
    led = await Client(house.app).get("/if/flow/default-authentication-flow/?next=/a/")
    assert (led.status, led.header("location")) == (302, "/source/plex/plex/?next=%2Fa%2F")
    await plex.change(enabled=False)
    assert (await Client(house.app).get(page)).json["sources"] == []


async def test_a_token_that_cannot_be_opened_any_more(house: House, plex: Plex) -> None:
    await plex.source()
    token = plex.friend()
    assert (await house.user.post(CONNECT, {"plex_token": token})).status == 204
    spoilt = Write(Statement("test.spoil", "UPDATE user_connections SET secret = 'sealed with another key'"))
    await house.state.store.commit(Unit((spoilt,)))
    assert (await house.user.post(CONNECT, {"plex_token": token})).status == 204
    assert await sealed(house) != "sealed with another key"
