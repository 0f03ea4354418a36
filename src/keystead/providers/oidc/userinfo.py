"""Userinfo: what the bearer of an access token may know of the person (OIDC Core §5.3)."""

from keystead.base import log
from keystead.kinds.call import Call
from keystead.kinds.state import State
from keystead.providers.oidc import bearer
from keystead.providers.oidc import client as clients
from keystead.providers.oidc.claims import OPENID, subject, tell
from keystead.providers.oidc.wire import NO_STORE, Json, OidcRequest, Refusal, refused, reply

_LOG = log.get("providers.oidc.userinfo")


async def handle(request: OidcRequest, call: Call, state: State) -> Json:
    """Answer a userinfo request: ``sub`` and the claims of the scopes that were granted."""
    allowed = clients.cors(call.settings, request.origin)
    try:
        token = bearer.taken(request)
        found = await bearer.live(call, state, token)
        if found is None:
            bearer.refuse("invalid_token", "The access token is malformed, expired or revoked.", 401)
        if OPENID not in found.scope:
            bearer.refuse("insufficient_scope", "The access token was not granted the scope openid.", 403)
    except Refusal as refusal:
        _LOG.info("userinfo was refused", error=refusal.error, reason=refusal.reason, request_id=call.request_id)
        return refused(refusal, call.request_id, allowed)
    person = found.standing.person
    provider = found.read.provider
    told = tell(call, provider, person, found.scope)
    told.claims.pop("aud", None)
    return reply({**told.claims, "sub": subject(provider, person)}, headers=(*NO_STORE, *allowed))
