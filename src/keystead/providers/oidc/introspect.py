"""Introspection: whether a token of the client's own still counts, and what it says (RFC 7662)."""

from typing import Final

from keystead.base import log
from keystead.base.clock import micros
from keystead.kinds.call import Call
from keystead.kinds.state import State
from keystead.providers import application as applications
from keystead.providers.oidc import bearer, family, opaque
from keystead.providers.oidc import client as clients
from keystead.providers.oidc.claims import subject
from keystead.providers.oidc.issuer import issuer
from keystead.providers.oidc.provider import OAuth2Provider
from keystead.providers.oidc.wire import NO_STORE, Json, OidcRequest, Refusal, body_of, one, refused, reply

_LOG = log.get("providers.oidc.introspect")
INACTIVE: Final = Json(200, b'{"active":false}', NO_STORE)
"""The answer to everything that does not count, and to everybody whose business it is not: nothing tells them apart."""
_SECOND: Final = 1_000_000  # microseconds


async def handle(request: OidcRequest, call: Call, state: State) -> Json:
    """Answer an introspection request.

    A caller who proves nothing learns that the token is inactive, as documented clients expect (divergence from
    RFC 7662 §2.3, which answers 401).
    """
    try:
        token = one(body_of(request), "token")
    except Refusal as refusal:
        return refused(refusal, call.request_id)
    try:
        provider = await _asker(request, call, state)
    except Refusal as refusal:
        _LOG.info("introspection was refused", error=refusal.error, reason=refusal.reason, request_id=call.request_id)
        return INACTIVE
    if opaque.whole(token, opaque.REFRESH):
        return await _refresh(request, call, state, provider, token)
    found = await bearer.live(call, state, token)
    if found is None or found.read.provider.pk != provider.pk:
        return INACTIVE
    body = {
        **found.read.claims,
        "active": True,
        "scope": " ".join(found.scope),
        "client_id": provider.client_id,
        "token_type": "Bearer",
        "username": found.standing.user.username,
    }
    return reply(body)


async def _asker(request: OidcRequest, call: Call, state: State) -> OAuth2Provider:
    """The provider in whose name the caller asks: its client, or the bearer of one of its tokens.

    :raises Refusal: neither.
    """
    if request.authorization.partition(" ")[0].lower() == "bearer":
        found = await bearer.live(call, state, request.authorization.partition(" ")[2].strip())
        if found is None:
            raise Refusal("invalid_token", "The bearer token does not count.")
        return found.read.provider
    client = clients.proven(call.settings, clients.read(request)[0])
    if client.means != "secret":
        raise Refusal("invalid_client", "A public client proves nothing, so it may not ask.")
    return client.provider


async def _refresh(request: OidcRequest, call: Call, state: State, provider: OAuth2Provider, token: str) -> Json:
    found = await family.refresh(call, state, token)
    if found is None or found.standing.provider != provider.pk or found.used is not None or found.standing.ended:
        return INACTIVE
    user = found.standing.user
    if found.expires <= micros(call.at) or not user.is_active:
        return INACTIVE
    application = applications.of_provider(call.settings, provider.pk)
    if application is None:
        return INACTIVE
    return reply(
        {
            "active": True,
            "scope": " ".join(found.standing.scope),
            "client_id": provider.client_id,
            "token_type": "refresh_token",
            "username": user.username,
            "iss": issuer(provider, application, request.root),
            "sub": subject(provider, found.standing.person),
            "aud": provider.client_id,
            "exp": found.expires // _SECOND,
        }
    )
