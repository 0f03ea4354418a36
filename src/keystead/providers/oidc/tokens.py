"""Tokens: making access and ID tokens, and reading them back (oauth2.md §4, RFC 9068, OIDC Core §2)."""

from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from keystead.base import duration, rand
from keystead.base.clock import unix
from keystead.base.secret import digest
from keystead.kinds.call import Call
from keystead.people.person import Person
from keystead.providers import application as applications
from keystead.providers.application import Application
from keystead.providers.oidc.claims import OPENID, subject
from keystead.providers.oidc.issuer import issuer
from keystead.providers.oidc.keys import keys_of
from keystead.providers.oidc.provider import OAuth2Provider, by_client_id
from keystead.providers.oidc.standing import Proof
from keystead.wire import jsonstrict, jws
from keystead.wire.jws import JoseError
from keystead.wire.jwt import check_times

ACR: Final = "goauthentik.io/providers/oauth2/default"
"""The one authentication context class there is (oauth2.md §4)."""
ACCESS: Final = "at+jwt"
"""An access token's ``typ`` (RFC 9068 §2.1): nothing else is taken for one, and it is taken for nothing else."""
ID: Final = "JWT"
MAX_TOKEN: Final = 64 * 1024
"""Bytes of a token of our own that we read: people may be in many groups."""
_REMEMBERED: Final = 4096
_REMEMBERED_BYTES: Final = 8 * 1024


class Issued(NamedTuple):
    """What a token request yields, without the refresh token.

    :param id_token: empty when ``openid`` was not granted.
    :param life: seconds.
    """

    access_token: str
    id_token: str
    life: int
    scope: tuple[str, ...]


class Read(NamedTuple):
    """A token of ours, its signature and times checked."""

    provider: OAuth2Provider
    application: Application
    claims: dict[str, object]

    def text(self, name: str) -> str:
        """The claim ``name`` if it is a text, else empty."""
        value = self.claims.get(name)
        return value if isinstance(value, str) else ""

    @property
    def scope(self) -> tuple[str, ...]:
        """The scopes it was made for."""
        return tuple(self.text("scope").split())


@lru_cache(maxsize=256)
def length(text: str) -> timedelta:
    """A provider's validity as a length of time; 0 for what does not parse, so that it lets nothing through."""
    try:
        return max(duration.parse(text), timedelta())
    except ValueError:
        return timedelta()


async def issue(  # noqa: PLR0913 - a token tells of this many things
    call: Call,
    provider: OAuth2Provider,
    application: Application,
    person: Person,
    *,
    scope: tuple[str, ...],
    grant_id: str,
    proof: Proof,
    claims: Mapping[str, object],
    nonce: str = "",
    root: str,
) -> Issued:
    """Make the tokens of one grant.

    :param claims: what the mappings told; they go in only where the provider says so, and never in the place of ours.
    :raises Problem: ``BUSY``: too many signatures wait.
    """
    signer = keys_of(call.settings, provider).signer
    now = unix(call.at)
    life = int(length(provider.access_token_validity).total_seconds())
    told = dict(claims) if provider.include_claims_in_id_token else {}
    common: dict[str, object] = {
        **told,
        "iss": issuer(provider, application, root),
        "sub": subject(provider, person),
        "aud": told.get("aud", provider.client_id),
        "exp": now + life,
        "iat": now,
        "acr": ACR,
    }
    if proof.auth_time:
        common["auth_time"] = proof.auth_time
    if proof.amr:
        common["amr"] = proof.amr
    if proof.sid:
        common["sid"] = proof.sid
    access = await signer.sign_async(
        {
            **common,
            "jti": rand.hex128(),
            "azp": provider.client_id,
            "uid": grant_id,
            "scope": " ".join(scope),
        },
        typ=ACCESS,
    )
    if OPENID not in scope:
        return Issued(access, "", life, scope)
    common["jti"] = rand.hex128()
    common["at_hash"] = signer.half_hash(access)
    if nonce:
        common["nonce"] = nonce
    if "aud" in told:
        common["azp"] = provider.client_id  # OIDC Core §2: told where the audience alone does not say it
    return Issued(access, await signer.sign_async(common, typ=ID), life, scope)


def read_access(call: Call, token: str) -> Read:
    """An access token of any of our providers.

    What it says of its client only chooses the key; the key then says whether that was true. Whether the token *still*
    counts is :func:`keystead.providers.oidc.family.live`'s to say.

    :raises JoseError: it is none, or not by that provider's key, or has run out.
    """
    # The same token comes again and again. As long as the settings stay, so does what its signature says of it.
    known: dict[bytes, Read] = call.settings.kept("oidc.tokens", _REMEMBERED)
    name = digest(token)
    found = known.get(name)
    if found is None:
        found = _verified(call, token)
        if len(token) <= _REMEMBERED_BYTES:
            known[name] = found
    # Not before when it was made: the clocks of our nodes may differ, and whoever made it has our key.
    check_times({key: value for key, value in found.claims.items() if key == "exp"}, call.at)
    return found


def _verified(call: Call, token: str) -> Read:
    unverified = jws.parse(token, max_bytes=MAX_TOKEN)
    if unverified.typ != ACCESS:
        raise JoseError("The token is of another type than is expected here.")
    try:
        claims = jsonstrict.decode_object(unverified.payload)
    except ValueError:
        raise JoseError("The token's payload is not a JSON object with unique names.") from None
    client_id = claims.get("azp")
    provider = by_client_id(call.settings, client_id) if isinstance(client_id, str) else None
    application = applications.of_provider(call.settings, provider.pk) if provider else None
    if provider is None or application is None:
        raise JoseError("The token was made for no client that is known here.")
    _check(call, provider, unverified)
    return Read(provider, application, claims)


def read_id(call: Call, provider: OAuth2Provider, application: Application, token: str, root: str) -> Read:
    """An ID token of ``provider``, as a hint at whom it is about; it may have run out (OIDC RP-Initiated Logout §2).

    :raises JoseError: it is none, not by this provider's key, or made by another issuer or for another client.
    """
    unverified = jws.parse(token, max_bytes=MAX_TOKEN)
    if unverified.typ != jws.media_type(ID):
        raise JoseError("The token is of another type than is expected here.")
    _check(call, provider, unverified)
    try:
        claims = jsonstrict.decode_object(unverified.payload)
    except ValueError:
        raise JoseError("The token's payload is not a JSON object with unique names.") from None
    audience = claims.get("azp") or claims.get("aud")
    if claims.get("iss") != issuer(provider, application, root):
        raise JoseError("The token was made by another issuer.")
    if provider.client_id not in (audience if isinstance(audience, list) else [audience]):
        raise JoseError("The token was made for another client.")
    return Read(provider, application, claims)


def _check(call: Call, provider: OAuth2Provider, unverified: jws.Jws) -> None:
    keys = keys_of(call.settings, provider)
    if unverified.alg != keys.signer.alg or unverified.kid != keys.signer.kid:
        raise JoseError("The token was not signed with the provider's present key.")
    keys.verifier.check(unverified.signature, unverified.signing_input)
