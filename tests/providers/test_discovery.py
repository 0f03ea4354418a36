"""What a provider publishes: discovery and keys (SECURITY OA-57, oauth2.md §2)."""

import asyncio
from typing import Any

import msgspec
import pytest

from keystead.providers.oidc.provider import OAUTH2_PROVIDER, ClientTypeEnum, GrantTypeEnum, IssuerModeEnum
from keystead.providers.oidc.setup import setup_urls
from keystead.providers.pages import Redirect
from keystead.trust import keys
from keystead.trust.jwks import PRIVATE_MEMBERS
from tests.providers.place import ROOT, Party, Place, pair
from tests.providers.said import header, json_reply, ok

DISCOVERY = "/application/o/{slug}/.well-known/openid-configuration"
JWKS = "/application/o/{slug}/jwks/"


async def published(place: Place, party: Party, path: str = DISCOVERY, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - of a request
    """A published document."""
    return ok(json_reply(await place.send("GET", path, slug=party.application.slug, **more)))


async def test_discovery_says_what_there_is(place: Place) -> None:
    party = await place.party(("openid", "email", "profile", "offline_access"))
    said = await published(place, party)
    own = f"{ROOT}/application/o/{party.application.slug}"
    assert {name: value for name, value in said.items() if name.endswith(("endpoint", "uri")) or name == "issuer"} == {
        "issuer": f"{own}/",
        "authorization_endpoint": f"{ROOT}/application/o/authorize/",
        "token_endpoint": f"{ROOT}/application/o/token/",
        "userinfo_endpoint": f"{ROOT}/application/o/userinfo/",
        "introspection_endpoint": f"{ROOT}/application/o/introspect/",
        "revocation_endpoint": f"{ROOT}/application/o/revoke/",
        "end_session_endpoint": f"{own}/end-session/",
        "jwks_uri": f"{own}/jwks/",
    }
    assert said["response_types_supported"] == ["code"]
    assert said["response_modes_supported"] == ["query", "fragment", "form_post"]
    assert said["grant_types_supported"] == ["authorization_code", "refresh_token", "client_credentials"]
    assert said["id_token_signing_alg_values_supported"] == ["ES256"]
    assert said["subject_types_supported"] == ["public"]
    assert said["token_endpoint_auth_methods_supported"] == ["client_secret_post", "client_secret_basic"]
    assert said["scopes_supported"] == ["openid", "email", "profile", "offline_access"]
    assert said["acr_values_supported"] == ["goauthentik.io/providers/oauth2/default"]
    assert {"sub", "nonce", "email", "groups", "preferred_username"} <= set(said["claims_supported"])
    assert said["claims_supported"].count("sub") == 1
    assert said["authorization_response_iss_parameter_supported"] is True
    assert said["request_parameter_supported"] is said["claims_parameter_supported"] is False


@pytest.mark.parametrize(
    ("members", "name", "value"),
    [
        ({"client_type": ClientTypeEnum.PUBLIC}, "code_challenge_methods_supported", ["S256"]),
        ({"client_type": ClientTypeEnum.PUBLIC}, "token_endpoint_auth_methods_supported", ["none"]),
        ({}, "code_challenge_methods_supported", ["plain", "S256"]),
        ({"signing_key": None}, "id_token_signing_alg_values_supported", ["HS256"]),
        ({"signing_key": pair(keys.NewKey.RSA).pk}, "id_token_signing_alg_values_supported", ["RS256"]),
        ({"issuer_mode": IssuerModeEnum.GLOBAL}, "issuer", f"{ROOT}/"),
        ({"grant_types": (GrantTypeEnum.IMPLICIT,)}, "grant_types_supported", []),
        ({"property_mappings": ()}, "scopes_supported", ["openid"]),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, dict) else str(one),
)
async def test_discovery_follows_the_provider(place: Place, members: dict[str, Any], name: str, value: object) -> None:
    assert (await published(place, await place.party(**members)))[name] == value


async def test_discovery_follows_changes(place: Place) -> None:
    party = await place.party()
    assert (await published(place, party))["id_token_signing_alg_values_supported"] == ["ES256"]
    await place.change(OAUTH2_PROVIDER, party.provider, signing_key=pair(keys.NewKey.RSA).pk)
    assert (await published(place, party))["id_token_signing_alg_values_supported"] == ["RS256"]


async def test_oa_57_the_issuer_is_the_address_that_the_door_says(place: Place) -> None:
    party = await place.party()
    one = await published(place, party)
    other = await published(place, party, root="https://other.example/sub")
    assert other["issuer"] == f"https://other.example/sub/application/o/{party.application.slug}/"
    assert await published(place, party) == one
    # Strangers' names do not fill the memory.
    await asyncio.gather(*(published(place, party, root=f"https://h{n}.example") for n in range(300)))
    assert len(place.state.settings.memo("oidc.discovery", dict)) < 100
    assert await published(place, party) == one


@pytest.mark.parametrize("path", [DISCOVERY, JWKS])
async def test_documents_are_for_everybody_and_travel_once(place: Place, path: str) -> None:
    slug = (await place.party()).application.slug
    first = json_reply(await place.send("GET", path, slug=slug))
    headers = dict(first.headers)
    assert headers["Access-Control-Allow-Origin"] == "*"
    etag = headers["ETag"]
    for tags in (etag, f"W/{etag}", f'"other", {etag}'):
        again = json_reply(await place.send("GET", path, slug=slug, if_none_match=tags))
        assert (again.status, again.body, dict(again.headers)["ETag"]) == (304, b"", etag)
    other = json_reply(await place.send("GET", path, slug=slug, if_none_match='"other"'))
    assert (other.status, other.body) == (200, first.body)


@pytest.mark.parametrize("path", [DISCOVERY, JWKS, "/application/o/{slug}/"])
async def test_there_is_nothing_of_applications_that_speak_no_oauth(place: Place, path: str) -> None:
    party = await place.party()
    await place.remove(OAUTH2_PROVIDER, party.provider)
    for slug in (party.application.slug, "unknown"):
        assert json_reply(await place.send("GET", path, slug=slug)).status == 404


@pytest.mark.parametrize("alg", [keys.NewKey.RSA, keys.NewKey.ECDSA])
async def test_the_key_set_holds_the_public_key_of_the_header(place: Place, alg: keys.NewKey) -> None:
    party = await place.party(signing_key=pair(alg).pk)
    got = await place.tokens(party, await place.visit(await place.person()))
    (jwk,) = (await published(place, party, JWKS))["keys"]
    assert (jwk["kid"], jwk["alg"]) == (header(got["id_token"])["kid"], header(got["id_token"])["alg"])
    assert jwk["use"] == "sig"
    assert {"x5c", "x5t", "x5t#S256"} <= set(jwk)
    assert not PRIVATE_MEMBERS & set(jwk)


async def test_a_secret_publishes_no_key(place: Place) -> None:
    party = await place.party(signing_key=None)
    assert await published(place, party, JWKS) == {"keys": []}


async def test_the_issuers_own_address_leads_to_discovery(place: Place) -> None:
    slug = (await place.party()).application.slug
    reply = await place.send("GET", "/application/o/{slug}/", slug=slug)
    assert reply == Redirect(f"{ROOT}/application/o/{slug}/.well-known/openid-configuration")


async def test_pages_of_registered_origins_may_read_answers(place: Place) -> None:
    party = await place.party()
    for origin, allowed in (
        ("https://app1.example", True),
        ("https://evil.example", False),
        ("null", False),
        ("", False),
    ):
        preflight = json_reply(await place.send("OPTIONS", "/application/o/token/", origin=origin))
        answer = json_reply(await place.send("POST", "/application/o/token/", origin=origin, authorization=party.basic))
        for reply in (preflight, answer):
            assert dict(reply.headers).get("Access-Control-Allow-Origin") == (origin if allowed else None)
            assert "Access-Control-Allow-Credentials" not in dict(reply.headers)


async def test_administrators_see_the_same_addresses(place: Place) -> None:
    party = await place.party()
    said, shown = await published(place, party), await setup_urls(place.call(), place.state, party.provider, {})
    assert msgspec.to_builtins(shown.body) == {
        "issuer": said["issuer"],
        "authorize": said["authorization_endpoint"],
        "token": said["token_endpoint"],
        "user_info": said["userinfo_endpoint"],
        "provider_info": f"{said['issuer']}.well-known/openid-configuration",
        "logout": said["end_session_endpoint"],
        "jwks": said["jwks_uri"],
        "dcr_registration": None,
    }
