"""Authlib as a relying party: everything a client needs, with each algorithm that signs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey

from tests.journeys import furnish
from tests.journeys.furnish import Client
from tests.journeys.person import VERIFIER, Person
from tests.journeys.server import Node
from tests.patience import PATIENCE

REDIRECT: Final = "https://party.example/callback"
LOGGED_OUT: Final = "https://party.example/bye"
NONCE: Final = "drawn once"


@asynccontextmanager
async def speaking(client: Client, **options: object) -> AsyncIterator[Any]:
    """Authlib's client, told nothing but what a developer is told, and what it discovered."""
    given = {"client_secret": client.client_secret, "token_endpoint_auth_method": "client_secret_basic", **options}
    async with AsyncOAuth2Client(
        client_id=client.client_id,
        redirect_uri=client.redirect_uri,
        scope="openid profile email offline_access",
        code_challenge_method="S256",
        trust_env=False,
        timeout=PATIENCE,
        **given,
    ) as made:
        answered = await made.request("GET", f"{client.issuer}.well-known/openid-configuration", withhold_token=True)
        made.metadata = answered.raise_for_status().json()
        yield made


async def signed_in(party: Any, person: Person) -> dict[str, Any]:  # noqa: ANN401 - Authlib has no types
    """The tokens of somebody who is sent to the provider and comes back with a code."""
    places = party.metadata
    url, state = party.create_authorization_url(places["authorization_endpoint"], code_verifier=VERIFIER, nonce=NONCE)
    back = await person.visit(url)
    token = await party.fetch_token(
        places["token_endpoint"], authorization_response=back, state=state, code_verifier=VERIFIER
    )
    return dict(token)


async def id_claims(party: Any, token: dict[str, Any], client: Client, alg: str) -> dict[str, Any]:  # noqa: ANN401 - as above
    """The claims of an ID token, once joserfc has checked its signature and Authlib its claims."""
    keys = (await party.request("GET", party.metadata["jwks_uri"], withhold_token=True)).raise_for_status().json()
    key = KeySet.import_key_set(keys) if keys["keys"] else OctKey.import_key(client.client_secret)
    decoded = jwt.decode(token["id_token"], key, algorithms=[alg])
    claims = CodeIDToken(
        decoded.claims,
        decoded.header,
        options={"iss": {"essential": True, "value": party.metadata["issuer"]}, "aud": {"value": client.client_id}},
        params={"nonce": NONCE, "client_id": client.client_id, "access_token": token["access_token"]},
    )
    claims.validate(leeway=5)
    return dict(claims)


async def active(party: Any, token: str) -> bool:  # noqa: ANN401 - Authlib has no types
    """Whether introspection says that a token counts."""
    answered = await party.introspect_token(party.metadata["introspection_endpoint"], token=token)
    return bool(answered.raise_for_status().json()["active"])


# Clients know Ed25519 by this name, which RFC 9864 replaces.
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA", "HS256"])
async def test_a_relying_party_from_discovery_to_logout(pair: tuple[Node, Node], alg: str) -> None:
    node = pair[0]
    async with node.client() as api, Person(node.url) as person:
        client = await furnish.application(api, f"party-{alg.lower()}", REDIRECT, alg=alg, logout_uri=LOGGED_OUT)
        await person.sign_in()
        async with speaking(client) as party:
            assert party.metadata["issuer"] == client.issuer
            assert party.metadata["id_token_signing_alg_values_supported"] == [alg]

            first = await signed_in(party, person)
            assert first["token_type"] == "Bearer"
            claims = await id_claims(party, first, client, alg)
            assert (claims["preferred_username"], claims["email"]) == ("akadmin", "akadmin@example.org")
            told = (await party.get(party.metadata["userinfo_endpoint"])).raise_for_status().json()
            assert told["sub"] == claims["sub"]
            assert told["groups"] == ["authentik Admins"]
            assert await active(party, first["access_token"])
            assert await active(party, first["refresh_token"])

            second = await party.refresh_token(party.metadata["token_endpoint"], refresh_token=first["refresh_token"])
            assert second["refresh_token"] != first["refresh_token"]
            assert second["access_token"] != first["access_token"]
            assert not await active(party, first["refresh_token"])
            with pytest.raises(OAuthError, match="invalid_grant"):
                await party.refresh_token(party.metadata["token_endpoint"], refresh_token=first["refresh_token"])

            revoked = await party.revoke_token(
                party.metadata["revocation_endpoint"], token=second["refresh_token"], token_type_hint="refresh_token"
            )
            assert revoked.status_code == 200
            assert not await active(party, second["refresh_token"])
            assert not await active(party, second["access_token"])
            assert (await party.get(party.metadata["userinfo_endpoint"])).status_code == 401

            third = await signed_in(party, person)
            ending = urlencode(
                {"id_token_hint": third["id_token"], "post_logout_redirect_uri": LOGGED_OUT, "state": "bye"}
            )
            left = await person.visit(f"{party.metadata['end_session_endpoint']}?{ending}")
            assert left == f"{LOGGED_OUT}?state=bye"
            assert not await active(party, third["access_token"])
            assert not await active(party, third["refresh_token"])


async def test_a_public_client_has_its_verifier_only(pair: tuple[Node, Node]) -> None:
    node = pair[0]
    async with node.client() as api, Person(node.url) as person:
        client = await furnish.application(api, "party-public", REDIRECT, client_type="public")
        await person.sign_in()
        async with speaking(client, client_secret=None, token_endpoint_auth_method="none") as party:
            token = await signed_in(party, person)
            assert (await id_claims(party, token, client, "ES256"))["aud"] == client.client_id
            again = await party.refresh_token(party.metadata["token_endpoint"], refresh_token=token["refresh_token"])
            assert again["refresh_token"] != token["refresh_token"]

            url, state = party.create_authorization_url(
                party.metadata["authorization_endpoint"], code_verifier=VERIFIER
            )
            back = await person.visit(url)
            assert parse_qs(urlsplit(back).query)["iss"] == [client.issuer]
            with pytest.raises(OAuthError, match="invalid_grant"):
                await party.fetch_token(
                    party.metadata["token_endpoint"],
                    authorization_response=back,
                    state=state,
                    code_verifier="x" * 43,
                )
