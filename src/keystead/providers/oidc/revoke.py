"""Revocation: a client gives a token back, and everything of its family with it (RFC 7009)."""

from typing import Final

from keystead.base import log
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.state import State
from keystead.providers.oidc import bearer, family, opaque
from keystead.providers.oidc import client as clients
from keystead.providers.oidc.standing import FOREVER
from keystead.providers.oidc.wire import NO_STORE, Json, OidcRequest, Refusal, bad, one, refused
from keystead.store import Write

_LOG = log.get("providers.oidc.revoke")
_DONE: Final = Json(200, b"", NO_STORE)
_SECOND: Final = 1_000_000  # microseconds


async def handle(request: OidcRequest, call: Call, state: State) -> Json:
    """Answer a revocation request. 200 for whatever token a known client names: it is worthless now, or always was."""
    allowed = clients.cors(call.settings, request.origin)
    try:
        credentials, form = clients.read(request)
        try:
            client = clients.proven(call.settings, credentials)
        except Refusal as refusal:
            refusal.status = 401  # documented clients expect it here, whichever way they authenticate
            raise
        token = one(form, "token")
        if not token:
            bad("The parameter 'token' is missing.")
    except Refusal as refusal:
        _LOG.info("a revocation was refused", error=refusal.error, reason=refusal.reason, request_id=call.request_id)
        return refused(refusal, call.request_id, allowed)
    ending = await _ending(call, state, client.provider.pk, token)
    if ending is not None:
        changes = Changes()
        changes.write(ending)
        await state.commit(changes, call.at)
    return Json(_DONE.status, _DONE.body, (*_DONE.headers, *allowed))


async def _ending(call: Call, state: State, provider: int, token: str) -> Write | None:
    """What ends the token, if it is one of this provider's that still counts."""
    if opaque.whole(token, opaque.REFRESH):
        refresh = await family.refresh(call, state, token)
        ours = refresh is not None and refresh.standing.provider == provider
        return family.revoke(call, refresh.standing.grant_id) if refresh is not None and ours else None
    found = await bearer.live(call, state, token)
    if found is None or found.read.provider.pk != provider:
        return None
    if not found.standing.machine:
        return family.revoke(call, found.standing.grant_id)
    # A machine's grant stands for all its tokens, so only this one ends.
    expires = found.read.claims.get("exp")
    until = int(expires) * _SECOND if isinstance(expires, (int, float)) else FOREVER
    return family.revoke_token(found.read.text("jti"), until)
