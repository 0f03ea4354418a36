"""Authorization codes: bound to everything, worth something once (SECURITY OA-07 to OA-15)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from keystead.base.clock import unix
from keystead.people.user import USER
from keystead.providers.oidc.provider import OAUTH2_PROVIDER, ClientTypeEnum, GrantTypeEnum
from keystead.trust import keys
from keystead.wire import pkce
from tests.providers.place import ROOT, VERIFIER, Party, Place, pair
from tests.providers.said import claims, error, header, ok

OFFLINE = ("openid", "email", "profile", "offline_access")


async def dead(place: Place, party: Party, got: dict[str, Any]) -> bool:
    """Whether no token of a family counts any more, wherever it is shown."""
    refused = error(await place.userinfo(got["access_token"])) == "invalid_token"
    inactive = await place.introspect(party, got["access_token"]) == {"active": False}
    refresh = await place.token(party, grant_type="refresh_token", refresh_token=got["refresh_token"])
    gone = await place.introspect(party, got["refresh_token"]) == {"active": False}
    return refused and inactive and gone and error(refresh) == "invalid_grant"


async def test_a_code_becomes_tokens_with_the_members_of_the_contract(place: Place) -> None:
    anna = await place.person()
    party = await place.party()
    visitor = await place.visit(anna)
    got = await place.tokens(party, visitor)
    assert set(got) == {"access_token", "token_type", "scope", "expires_in", "id_token"}
    assert (got["token_type"], got["scope"], got["expires_in"]) == ("Bearer", "openid email profile", 3600)

    said = claims(got["id_token"])
    assert visitor.session is not None
    now = unix(place.at)
    assert visitor.session.auth["auth_time"] == now
    assert said["iss"] == f"{ROOT}/application/o/{party.application.slug}/"
    assert (said["aud"], said["nonce"], said["amr"], said["auth_time"]) == (party.id, "n-1", ["pwd"], now)
    assert (said["iat"], said["exp"], said["sid"]) == (now, now + 3600, visitor.session.digest)
    assert said["acr"] == "goauthentik.io/providers/oauth2/default"
    assert (said["email"], said["email_verified"], said["preferred_username"]) == ("anna@example.org", False, "anna")
    assert {"azp", "uid", "scope"} & set(said) == set()

    access = claims(got["access_token"])
    assert (access["azp"], access["scope"], access["sub"]) == (party.id, "openid email profile", said["sub"])
    assert access["jti"] != said["jti"]
    assert header(got["access_token"])["typ"] == "at+jwt"
    assert header(got["id_token"])["typ"] == "JWT"
    assert header(got["id_token"])["kid"] == header(got["access_token"])["kid"]


@pytest.mark.parametrize("alg", ["RS256", "ES256", "HS256"])
async def test_every_key_signs(place: Place, alg: str) -> None:
    key = {"RS256": pair(keys.NewKey.RSA).pk, "ES256": pair(keys.NewKey.ECDSA).pk, "HS256": None}[alg]
    party = await place.party(signing_key=key)
    got = await place.tokens(party, await place.visit(await place.person()))
    assert header(got["access_token"])["alg"] == header(got["id_token"])["alg"] == alg
    assert ("kid" in header(got["id_token"])) is (alg != "HS256")
    assert ok(await place.userinfo(got["access_token"]))["email"] == "anna@example.org"


async def test_without_openid_there_is_no_id_token(place: Place) -> None:
    party = await place.party()
    got = await place.tokens(party, await place.visit(await place.person()), scope="email")
    assert "id_token" not in got
    assert got["scope"] == "email"


async def test_claims_stay_out_of_tokens_when_the_provider_says_so(place: Place) -> None:
    party = await place.party(include_claims_in_id_token=False)
    got = await place.tokens(party, await place.visit(await place.person()))
    assert "email" not in claims(got["id_token"]) | claims(got["access_token"])
    assert ok(await place.userinfo(got["access_token"]))["email"] == "anna@example.org"


async def test_an_authorization_is_one_event_and_tokens_are_none(place: Place) -> None:
    party = await place.party()
    await place.tokens(party, await place.visit(await place.person()))
    told = await place.events("authorize_application")
    assert [one["authorized_application"]["pk"] for one in told] == [party.application.pk.replace("-", "")]
    assert told[0]["scopes"] == "openid email profile"
    assert await place.rows("SELECT count(*) FROM events") == [(1,)]


async def test_oa_07_another_clients_code_is_refused_burnt_and_told(place: Place) -> None:
    anna = await place.person()
    mine, thief = await place.party(), await place.party(redirect_uris=(await place.party()).provider.redirect_uris)
    code = await place.code(mine, await place.visit(anna))
    assert error(await place.redeem(thief, code, redirect_uri=mine.uri)) == "invalid_grant"
    assert error(await place.redeem(mine, code)) == "invalid_grant"
    assert "another client" in (await place.events("suspicious_request"))[0]["message"]


async def test_oa_07_a_public_client_gets_no_further(place: Place) -> None:
    mine = await place.party()
    thief = await place.party(client_type=ClientTypeEnum.PUBLIC)
    code = await place.code(mine, await place.visit(await place.person()))
    stolen = await place.redeem(thief, code, redirect_uri=mine.uri, client_id=thief.id)
    assert error(stolen) == "invalid_grant"
    assert error(await place.redeem(mine, code)) == "invalid_grant"


@pytest.mark.parametrize("uri", ["https://app1.example/cb/", "https://app1.example/other", ""])
async def test_oa_08_another_redirect_uri_or_none_is_refused(place: Place, uri: str) -> None:
    party = await place.party()
    code = await place.code(party, await place.visit(await place.person()))
    assert error(await place.redeem(party, code, redirect_uri=uri)) == "invalid_grant"


async def test_oa_09_of_twenty_parallel_redemptions_one_succeeds_and_then_nothing_counts(place: Place) -> None:
    party = await place.party(OFFLINE)
    code = await place.code(party, await place.visit(await place.person()), scope=" ".join(OFFLINE))
    answers = await asyncio.gather(*(place.redeem(party, code) for _ in range(20)))
    good = [answer for answer in answers if answer.status == 200]
    assert len(good) == 1
    assert {error(answer) for answer in answers if answer.status != 200} == {"invalid_grant"}
    assert await place.rows("SELECT count(*) FROM oauth_grants") == [(1,)]
    assert await dead(place, party, ok(good[0]))


async def test_oa_09_a_second_use_ends_the_family(place: Place) -> None:
    party = await place.party(OFFLINE)
    code = await place.code(party, await place.visit(await place.person()), scope=" ".join(OFFLINE))
    got = ok(await place.redeem(party, code))
    assert ok(await place.userinfo(got["access_token"]))["sub"]
    place.later(seconds=30)
    assert error(await place.redeem(party, code)) == "invalid_grant"
    assert await dead(place, party, got)
    assert len(await place.events("suspicious_request")) == 1


ALTERED: dict[str, Callable[[str, str], str]] = {
    "first byte": lambda code, _other: "x" + code[1:],
    "middle byte": lambda code, _other: code[:20] + ("A" if code[20] != "A" else "B") + code[21:],
    "last byte": lambda code, _other: code[:-1] + ("A" if code[-1] != "A" else "B"),
    "truncated": lambda code, _other: code[:-1],
    "suffixed": lambda code, _other: code + "A",
    "padded": lambda code, _other: code + "=",
    "swapped halves": lambda code, other: code[:26] + other[26:],
    "upper case": lambda code, _other: code.upper(),
    "not ascii": lambda code, _other: code[:-1] + "é",
    "refresh prefix": lambda code, _other: code.replace("ksc_", "ksr_"),
    "empty": lambda _code, _other: " ",
}


@pytest.mark.parametrize("how", list(ALTERED))
async def test_oa_10_an_altered_code_is_no_code(place: Place, how: str) -> None:
    party = await place.party()
    visitor = await place.visit(await place.person())
    code, other = await place.code(party, visitor), await place.code(party, visitor)
    assert error(await place.redeem(party, ALTERED[how](code, other))) == "invalid_grant"
    assert ok(await place.redeem(party, code))


@pytest.mark.parametrize(("seconds", "good"), [(59, True), (60, False), (61, False)])
async def test_oa_11_a_code_lives_a_minute_whether_or_not_anybody_cleans(
    place: Place, seconds: int, *, good: bool
) -> None:
    party = await place.party()
    code = await place.code(party, await place.visit(await place.person()))
    place.later(seconds=seconds)
    answer = await place.redeem(party, code)
    assert (answer.status == 200) is good
    assert good or error(answer) == "invalid_grant"


@pytest.mark.parametrize(
    "verifier", ["", VERIFIER[:-1], VERIFIER + "x", "short", pkce.s256(VERIFIER), VERIFIER.upper()]
)
async def test_oa_13_a_missing_or_wrong_verifier_is_refused(place: Place, verifier: str) -> None:
    party = await place.party()
    code = await place.code(party, await place.visit(await place.person()))
    assert error(await place.redeem(party, code, code_verifier=verifier)) == "invalid_grant"


async def test_oa_14_a_verifier_for_a_code_without_challenge_is_refused(place: Place) -> None:
    party = await place.party()
    visitor = await place.visit(await place.person())
    bare = {"code_challenge": "", "code_challenge_method": ""}
    code = await place.code(party, visitor, **bare)
    assert error(await place.redeem(party, code)) == "invalid_grant"
    assert ok(await place.redeem(party, await place.code(party, visitor, **bare), code_verifier=""))


async def test_oa_12_plain_is_for_confidential_clients(place: Place) -> None:
    party = await place.party()
    code = await place.code(
        party, await place.visit(await place.person()), code_challenge=VERIFIER, code_challenge_method="plain"
    )
    assert ok(await place.redeem(party, code))


async def _deactivate(place: Place, _party: Party, user: Any) -> None:  # noqa: ANN401 - a user
    await place.change(USER, user, is_active=False)


async def _exclude(place: Place, party: Party, _user: Any) -> None:  # noqa: ANN401 - as above
    await place.only(party.application, await place.group("insiders"))


async def _forbid(place: Place, party: Party, _user: Any) -> None:  # noqa: ANN401 - as above
    await place.change(OAUTH2_PROVIDER, party.provider, grant_types=(GrantTypeEnum.REFRESH_TOKEN,))


@pytest.mark.parametrize(
    ("change", "code"),
    [(_deactivate, "invalid_grant"), (_exclude, "invalid_grant"), (_forbid, "unauthorized_client")],
    ids=["OA-17 deactivated", "OA-15 excluded by policy", "grant withdrawn"],
)
async def test_what_changed_since_the_authorization_counts_at_redemption(
    place: Place, change: Callable[[Place, Party, Any], Awaitable[None]], code: str
) -> None:
    anna = await place.person()
    party = await place.party()
    value = await place.code(party, await place.visit(anna))
    await change(place, party, anna)
    assert error(await place.redeem(party, value)) == code


async def test_a_code_of_an_ended_session_is_worthless(place: Place) -> None:
    party = await place.party()
    visitor = await place.visit(await place.person())
    code = await place.code(party, visitor)
    await place.leave(visitor)
    assert error(await place.redeem(party, code)) == "invalid_grant"


async def test_oa_59_codes_are_kept_as_digests_only(place: Place) -> None:
    party = await place.party(OFFLINE)
    visitor = await place.visit(await place.person())
    code = await place.code(party, visitor, scope=" ".join(OFFLINE))
    got = ok(await place.redeem(party, code))
    kept = str(await place.rows("SELECT * FROM oauth_codes")) + str(
        await place.rows("SELECT * FROM oauth_refresh_tokens")
    )
    assert code not in kept
    assert got["refresh_token"] not in kept
    assert code.startswith("ksc_")
    assert got["refresh_token"].startswith("ksr_")
    assert len(code) == 4 + 43 + 6  # prefix, 256 bits, checksum
