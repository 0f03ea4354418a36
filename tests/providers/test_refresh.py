"""Refresh tokens: rotation, reuse, limits, and what is looked at each time (SECURITY OA-16, OA-17, OA-21 to OA-23)."""

import asyncio
from typing import Any

import pytest

from keystead.people.user import USER, User
from keystead.providers.oidc.provider import OAUTH2_PROVIDER, ClientTypeEnum, GrantTypeEnum
from keystead.providers.oidc.tokens import length
from tests.providers.place import Party, Place
from tests.providers.said import claims, error, ok

SCOPE = "openid email offline_access"
SCOPES = ("openid", "email", "profile", "offline_access")


async def family(place: Place, **members: Any) -> tuple[Party, User, dict[str, Any]]:  # noqa: ANN401 - of a provider
    """A client, its person and their first tokens."""
    anna = await place.person()
    party = await place.party(SCOPES, **members)
    return party, anna, await place.tokens(party, await place.visit(anna), scope=SCOPE)


async def again(place: Place, party: Party, value: str, **more: str) -> Any:  # noqa: ANN401 - JSON
    """Use a refresh token."""
    return await place.token(party, grant_type="refresh_token", refresh_token=value, **more)


async def alive(place: Place, party: Party, got: dict[str, Any]) -> bool:
    """Whether the family's newest tokens count."""
    seen = await place.introspect(party, got["refresh_token"])
    return bool(seen["active"]) and (await place.userinfo(got["access_token"])).status == 200


async def test_a_refresh_token_comes_with_offline_access_only(place: Place) -> None:
    party = await place.party(SCOPES)
    visitor = await place.visit(await place.person())
    assert "refresh_token" not in await place.tokens(party, visitor, scope="openid email")
    assert "refresh_token" in await place.tokens(party, visitor, scope=SCOPE)


async def test_a_client_without_the_grant_gets_none(place: Place) -> None:
    party = await place.party(SCOPES, grant_types=(GrantTypeEnum.AUTHORIZATION_CODE,))
    got = await place.tokens(party, await place.visit(await place.person()), scope=SCOPE)
    assert "refresh_token" not in got


async def test_each_use_replaces_the_token_and_keeps_the_family(place: Place) -> None:
    party, _, first = await family(place)
    place.later(minutes=5)
    second = ok(await again(place, party, first["refresh_token"]))
    assert second["refresh_token"] != first["refresh_token"]
    assert second["scope"] == SCOPE
    old, new = claims(first["access_token"]), claims(second["access_token"])
    assert (new["uid"], new["sub"], new["sid"], new["auth_time"]) == (
        old["uid"],
        old["sub"],
        old["sid"],
        old["auth_time"],
    )
    assert new["jti"] != old["jti"]
    assert "nonce" not in claims(second["id_token"])
    assert claims(second["id_token"])["iat"] == claims(first["id_token"])["iat"] + 300


async def test_oa_21_of_twenty_parallel_uses_one_wins_and_the_family_lives(place: Place) -> None:
    party, _, first = await family(place)
    answers = await asyncio.gather(*(again(place, party, first["refresh_token"]) for _ in range(20)))
    good = [ok(answer) for answer in answers if answer.status == 200]
    assert len(good) == 1
    assert {error(answer) for answer in answers if answer.status != 200} == {"invalid_grant"}
    assert await alive(place, party, good[0])
    assert await place.rows("SELECT count(*) FROM oauth_refresh_tokens") == [(2,)]
    assert await place.events("suspicious_request") == []


@pytest.mark.parametrize(("seconds", "survives"), [(0, True), (10, True), (11, False), (3600, False)])
async def test_oa_21_the_token_before_is_refused_and_after_the_grace_period_ends_the_family(
    place: Place, seconds: int, *, survives: bool
) -> None:
    party, _, first = await family(place)
    second = ok(await again(place, party, first["refresh_token"]))
    place.later(seconds=seconds)
    assert error(await again(place, party, first["refresh_token"])) == "invalid_grant"
    assert await alive(place, party, second) is survives
    assert len(await place.events("suspicious_request")) == (0 if survives else 1)


async def test_oa_21_an_older_token_ends_the_family_at_once(place: Place) -> None:
    party, _, first = await family(place)
    second = ok(await again(place, party, first["refresh_token"]))
    third = ok(await again(place, party, second["refresh_token"]))
    assert error(await again(place, party, first["refresh_token"])) == "invalid_grant"
    assert not await alive(place, party, third)
    assert error(await again(place, party, third["refresh_token"])) == "invalid_grant"
    # A dead family is not told of again.
    assert error(await again(place, party, first["refresh_token"])) == "invalid_grant"
    assert len(await place.events("suspicious_request")) == 1


async def test_another_clients_token_is_refused_and_its_family_ended(place: Place) -> None:
    party, _, first = await family(place)
    thief = await place.party(SCOPES)
    assert error(await again(place, thief, first["refresh_token"])) == "invalid_grant"
    assert not await alive(place, party, first)


async def test_oa_22_there_is_an_end_however_often_it_is_renewed(place: Place) -> None:
    party, _, got = await family(place)
    begin = place.at
    for _ in range(13):
        place.later(days=28)
        got = ok(await again(place, party, got["refresh_token"]))
    assert (place.at - begin).days == 364
    place.later(days=2)
    assert error(await again(place, party, got["refresh_token"])) == "invalid_grant"


@pytest.mark.parametrize(("days", "good"), [(29.99, True), (30, False)])
async def test_a_token_not_used_runs_out(place: Place, days: float, *, good: bool) -> None:
    party, _, first = await family(place)
    place.later(days=days)
    assert ((await again(place, party, first["refresh_token"])).status == 200) is good


async def test_a_threshold_keeps_a_token_with_life_enough(place: Place) -> None:
    party, _, first = await family(place, refresh_token_threshold="days=10")
    place.later(days=19)
    for _ in range(2):
        assert ok(await again(place, party, first["refresh_token"]))["refresh_token"] == first["refresh_token"]
    place.later(days=2)
    second = ok(await again(place, party, first["refresh_token"]))
    assert second["refresh_token"] != first["refresh_token"]


@pytest.mark.parametrize(
    ("asked", "scope"), [("openid", "openid"), ("email openid", "email openid"), ("", SCOPE)], ids=str
)
async def test_a_refresh_may_ask_for_less(place: Place, asked: str, scope: str) -> None:
    party, _, first = await family(place)
    got = ok(await again(place, party, first["refresh_token"], **({"scope": asked} if asked else {})))
    assert got["scope"] == scope
    assert ok(await again(place, party, got["refresh_token"]))["scope"] == SCOPE


@pytest.mark.parametrize("asked", ["openid profile", "profile", "openid goauthentik.io/api", "nonsense"])
async def test_oa_16_a_refresh_may_not_ask_for_more(place: Place, asked: str) -> None:
    party, _, first = await family(place)
    assert error(await again(place, party, first["refresh_token"], scope=asked)) == "invalid_scope"


async def test_a_scope_that_the_provider_lost_is_lost(place: Place) -> None:
    party, _, first = await family(place)
    left = tuple(pk for pk in party.provider.property_mappings if pk != place.scopes["email"].pk)
    await place.change(OAUTH2_PROVIDER, party.provider, property_mappings=left)
    got = ok(await again(place, party, first["refresh_token"]))
    assert got["scope"] == "openid offline_access"
    assert "email" not in claims(got["id_token"])


CHANGES = ("deactivated", "excluded by policy", "password changed", "session ended", "user deleted", "grant withdrawn")


@pytest.mark.parametrize("what", CHANGES)
async def test_oa_17_oa_23_what_changed_since_counts_at_once(place: Place, what: str) -> None:
    anna = await place.person()
    party = await place.party(SCOPES)
    visitor = await place.visit(anna)
    got = await place.tokens(party, visitor, scope=SCOPE)
    place.later(minutes=1)
    expected = {"invalid_grant"}
    match what:
        case "deactivated":
            await place.change(USER, anna, is_active=False)
        case "excluded by policy":
            await place.only(party.application, await place.group("insiders"))
        case "password changed":
            await place.change(USER, anna, password="another", password_change_date=place.at)
        case "session ended":
            await place.leave(visitor)
        case "user deleted":
            await place.remove(USER, anna)
        case _:
            await place.change(OAUTH2_PROVIDER, party.provider, grant_types=(GrantTypeEnum.AUTHORIZATION_CODE,))
            expected = {"unauthorized_client"}
    assert error(await again(place, party, got["refresh_token"])) in expected
    if what in {"deactivated", "session ended", "user deleted"}:
        assert (await place.userinfo(got["access_token"])).status == 401
        assert await place.introspect(party, got["access_token"]) == {"active": False}


async def test_a_session_that_ran_out_by_itself_leaves_offline_access(place: Place) -> None:
    party, _, first = await family(place)
    place.later(days=2)
    assert ok(await again(place, party, first["refresh_token"]))


async def test_public_clients_refresh_without_a_secret(place: Place) -> None:
    party = await place.party(SCOPES, client_type=ClientTypeEnum.PUBLIC)
    code = await place.code(party, await place.visit(await place.person()), scope=SCOPE)
    got = ok(await place.redeem(party, code, authorization="", client_id=party.id))
    more = {"authorization": "", "client_id": party.id}
    assert ok(await again(place, party, got["refresh_token"], **more))["access_token"]


@pytest.mark.parametrize("value", ["x", "ksr_", "ksc_" + "a" * 49, "ksr_" + "a" * 49])
async def test_oa_59_what_is_no_refresh_token_is_refused(place: Place, value: str) -> None:
    party, _, first = await family(place)
    assert error(await again(place, party, value)) == "invalid_grant"
    assert error(await again(place, party, first["refresh_token"] + "x")) == "invalid_grant"
    assert error(await again(place, party, first["refresh_token"][:-1])) == "invalid_grant"


@pytest.mark.parametrize(("text", "seconds"), [("hours=1", 3600), ("nonsense", 0), ("seconds=-5", 0), ("", 0)])
def test_a_length_that_is_none_lets_nothing_through(text: str, seconds: int) -> None:
    assert length(text).total_seconds() == seconds
