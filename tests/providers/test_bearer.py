"""Access tokens at userinfo, introspection and revocation (SECURITY OA-19, OA-20, OA-54)."""

import asyncio
from typing import Any

import pytest

from keystead.people.group import GROUP
from keystead.people.user import USER
from keystead.providers.oidc.bearer import api_actor
from keystead.providers.oidc.provider import OAUTH2_PROVIDER, ClientTypeEnum
from tests.providers.place import Party, Place
from tests.providers.said import basic, claims, error, json_reply, ok

USERINFO, INTROSPECT = "/application/o/userinfo/", "/application/o/introspect/"
SCOPES = ("openid", "email", "profile", "offline_access")
INACTIVE = {"active": False}


async def tokens(place: Place, scope: str = "openid email profile offline_access", **members: Any) -> tuple[Party, Any]:  # noqa: ANN401 - JSON
    """A client and the tokens of its person."""
    party = await place.party(SCOPES, **members)
    return party, await place.tokens(party, await place.visit(await place.person()), scope=scope)


@pytest.mark.parametrize(
    ("scope", "members"),
    [
        ("openid", {"sub"}),
        ("openid email", {"sub", "email", "email_verified"}),
        ("openid profile", {"sub", "name", "given_name", "preferred_username", "nickname", "groups"}),
    ],
)
async def test_oa_54_userinfo_tells_of_granted_scopes_only(place: Place, scope: str, members: set[str]) -> None:
    _, got = await tokens(place, scope)
    assert set(ok(await place.userinfo(got["access_token"]))) == members


async def test_oa_54_userinfo_wants_openid(place: Place) -> None:
    _, got = await tokens(place, "email profile")
    answer = await place.userinfo(got["access_token"])
    assert (answer.status, error(answer)) == (403, "insufficient_scope")
    assert 'error="insufficient_scope"' in dict(answer.headers)["WWW-Authenticate"]


async def test_userinfo_takes_a_token_in_header_or_form(place: Place) -> None:
    _, got = await tokens(place)
    token = got["access_token"]
    body = {"access_token": token}
    header = f"Bearer {token}"
    assert ok(json_reply(await place.send("POST", USERINFO, body)))["sub"]
    assert ok(json_reply(await place.send("POST", USERINFO, authorization=header)))["sub"]
    assert ok(json_reply(await place.send("GET", USERINFO, authorization=f"bearer {token}")))["sub"]


@pytest.mark.parametrize("how", ["none", "basic", "in the address", "twice", "id token", "refresh token", "rubbish"])
async def test_oa_54_other_ways_to_userinfo_are_closed(place: Place, how: str) -> None:
    party, got = await tokens(place)
    token = got["access_token"]
    fields: dict[str, str] = {}
    query = header = ""
    status, code = 401, "invalid_token"
    match how:
        case "none":
            pass
        case "basic":
            header = basic(party.id, party.secret)
        case "in the address":
            query, status, code = f"access_token={token}", 400, "invalid_request"
        case "twice":
            fields, header, status, code = {"access_token": token}, f"Bearer {token}", 400, "invalid_request"
        case "id token":
            header = f"Bearer {got['id_token']}"
        case "refresh token":
            header = f"Bearer {got['refresh_token']}"
        case _:
            header = f"Bearer {token[:-2]}"
    answer = json_reply(await place.send("POST", USERINFO, fields, query=query, authorization=header))
    assert (answer.status, error(answer)) == (status, code)
    assert dict(answer.headers)["WWW-Authenticate"].startswith("Bearer")


async def test_claims_follow_the_person(place: Place) -> None:
    anna = await place.person()
    party = await place.party()
    got = await place.tokens(party, await place.visit(anna))
    staff = await place.group("staff", anna)
    await place.change(USER, anna, name="Anna Lang")
    said = ok(await place.userinfo(got["access_token"]))
    assert (said["name"], said["groups"]) == ("Anna Lang", ["staff"])
    await place.remove(GROUP, staff)
    assert ok(await place.userinfo(got["access_token"]))["groups"] == []


async def test_introspection_tells_a_client_of_its_own_tokens(place: Place) -> None:
    party, got = await tokens(place)
    said = await place.introspect(party, got["access_token"])
    assert said["active"] is True
    assert (said["client_id"], said["username"], said["token_type"]) == (party.id, "anna", "Bearer")
    assert {name: said[name] for name in ("iss", "sub", "aud", "exp", "iat", "jti", "scope")} == {
        name: claims(got["access_token"])[name] for name in ("iss", "sub", "aud", "exp", "iat", "jti", "scope")
    }
    seen = await place.introspect(party, got["refresh_token"])
    assert (seen["active"], seen["sub"], seen["scope"]) == (True, said["sub"], got["scope"])
    assert seen["exp"] == said["iat"] + 30 * 86400
    assert await place.introspect(party, got["id_token"]) == INACTIVE
    assert await place.introspect(party, "rubbish") == INACTIVE


async def test_oa_19_no_one_else_learns_anything(place: Place) -> None:
    party, got = await tokens(place)
    other = await place.party(client_type=ClientTypeEnum.PUBLIC)
    for value in (got["access_token"], got["refresh_token"]):
        assert await place.introspect(await place.party(), value) == INACTIVE
        for header, fields in (
            (basic(party.id, "wrong"), {}),
            ("", {"client_id": party.id}),
            ("", {"client_id": other.id}),
            ("", {}),
            ("Bearer rubbish", {}),
        ):
            answer = await place.send("POST", INTROSPECT, {"token": value, **fields}, authorization=header)
            assert ok(json_reply(answer)) == INACTIVE
    bearer = f"Bearer {got['access_token']}"
    own = await place.send("POST", INTROSPECT, {"token": got["access_token"]}, authorization=bearer)
    assert ok(json_reply(own))["active"] is True


async def test_oa_20_revoking_an_access_token_ends_its_family(place: Place) -> None:
    party, got = await tokens(place)
    assert (await place.revoke(party, got["access_token"])).status == 200
    assert (await place.userinfo(got["access_token"])).status == 401
    assert await place.introspect(party, got["refresh_token"]) == INACTIVE
    refresh = await place.token(party, grant_type="refresh_token", refresh_token=got["refresh_token"])
    assert error(refresh) == "invalid_grant"
    assert (await place.revoke(party, got["access_token"])).status == 200


async def test_oa_20_revoking_a_refresh_token_ends_access_too(place: Place) -> None:
    party, got = await tokens(place)
    assert (await place.revoke(party, got["refresh_token"], token_type_hint="access_token")).status == 200
    assert (await place.userinfo(got["access_token"])).status == 401


async def test_oa_20_others_revoke_nothing(place: Place) -> None:
    party, got = await tokens(place)
    other = await place.party()
    for value in (got["access_token"], got["refresh_token"], "rubbish"):
        assert (await place.revoke(other, value)).status == 200
    assert ok(await place.userinfo(got["access_token"]))
    for header, fields in ((basic(party.id, "wrong"), {}), ("", {"client_id": party.id}), ("", {})):
        answer = await place.send(
            "POST", "/application/o/revoke/", {"token": got["access_token"], **fields}, authorization=header
        )
        assert (json_reply(answer).status, error(json_reply(answer))) == (401, "invalid_client")
    assert error(json_reply(await place.send("POST", "/application/o/revoke/", {}, authorization=party.basic)))
    assert (await place.introspect(party, got["refresh_token"]))["active"] is True


async def test_oa_20_a_public_client_revokes_its_own(place: Place) -> None:
    party = await place.party(SCOPES, client_type=ClientTypeEnum.PUBLIC)
    code = await place.code(party, await place.visit(await place.person()))
    got = ok(await place.redeem(party, code, authorization="", client_id=party.id))
    assert (await place.revoke(party, got["access_token"], client_id=party.id)).status == 200
    assert (await place.userinfo(got["access_token"])).status == 401


async def test_a_machine_gives_back_one_token_of_many(place: Place) -> None:
    party = await place.party()
    one, other = [ok(await place.token(party, grant_type="client_credentials"))["access_token"] for _ in range(2)]
    answers = await asyncio.gather(*(place.revoke(party, one) for _ in range(5)))
    assert {answer.status for answer in answers} == {200}
    assert await place.introspect(party, one) == INACTIVE
    assert (await place.introspect(party, other))["active"] is True


async def test_tokens_die_with_their_session_client_key_and_time(place: Place) -> None:
    anna = await place.person()
    party, visitor = await place.party(SCOPES), await place.visit(anna)
    got = await place.tokens(party, visitor, scope="openid offline_access")
    token = got["access_token"]
    assert ok(await place.userinfo(token))
    changed = await place.change(OAUTH2_PROVIDER, party.provider, signing_key=None)
    assert (await place.userinfo(token)).status == 401
    await place.change(OAUTH2_PROVIDER, changed, signing_key=party.provider.signing_key)
    assert ok(await place.userinfo(token))
    place.later(hours=1)
    assert (await place.userinfo(token)).status == 401
    fresh = ok(await place.token(party, grant_type="refresh_token", refresh_token=got["refresh_token"]))
    assert ok(await place.userinfo(fresh["access_token"]))
    await place.leave(visitor)
    assert (await place.userinfo(fresh["access_token"])).status == 401
    assert await place.introspect(party, fresh["refresh_token"]) == INACTIVE


async def test_a_deleted_client_leaves_no_live_token(place: Place) -> None:
    party, got = await tokens(place)
    await place.remove(OAUTH2_PROVIDER, party.provider)
    assert (await place.userinfo(got["access_token"])).status == 401


async def test_the_api_takes_tokens_of_its_scope(place: Place) -> None:
    anna = await place.person()
    party = await place.party(("openid", "goauthentik.io/api"))
    visitor = await place.visit(anna)
    good = await place.tokens(party, visitor, scope="openid goauthentik.io/api")
    less = await place.tokens(party, visitor, scope="openid")
    actor = await api_actor(place.call(), place.state, good["access_token"])
    assert actor is not None
    assert (actor.pk, actor.means) == (anna.pk, "oauth")
    for value in (less["access_token"], good["id_token"], "a.b.c"):
        assert await api_actor(place.call(), place.state, value) is None
    await place.change(USER, anna, is_active=False)
    assert await api_actor(place.call(), place.state, good["access_token"]) is None
