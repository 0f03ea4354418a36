"""The token endpoint: everything no grant may forget is done here, for all of them (RFC 6749 §3.2).

Client authentication, which grants the client may use, which scopes there are, the application's policies, signing, and
the one commit. A grant (``grants/``) only decides what is its own.
"""

from typing import Final

from keystead.base import log
from keystead.kinds.call import Call
from keystead.kinds.state import State
from keystead.people.person import person_of
from keystead.providers.access import judge
from keystead.providers.oidc import client as clients
from keystead.providers.oidc.claims import granted_scopes, tell
from keystead.providers.oidc.client import Client
from keystead.providers.oidc.grant import Grant, Granted, Parts, TokenRequest
from keystead.providers.oidc.tokens import Issued, issue
from keystead.providers.oidc.wire import NO_STORE, Json, OidcRequest, Refusal, refused, reply
from keystead.store import GuardFailed

_LOG = log.get("providers.oidc.token")
_ATTEMPTS: Final = 3


async def handle(request: OidcRequest, call: Call, state: State, parts: Parts) -> Json:
    """Answer a token request.

    :raises Problem: ``BUSY``.
    """
    allowed = clients.cors(call.settings, request.origin)
    try:
        return await _answer(request, call, state, parts, allowed)
    except Refusal as refusal:
        _LOG.info("a token request was refused", error=refusal.error, reason=refusal.reason, request_id=call.request_id)
        return refused(refusal, call.request_id, allowed)


async def _answer(
    request: OidcRequest, call: Call, state: State, parts: Parts, headers: tuple[tuple[str, str], ...]
) -> Json:
    credentials, form = clients.read(request)
    asked = TokenRequest.parse(form)
    client = clients.authenticate(call.settings, credentials)
    grant = parts.grants.get(asked.grant_type)
    if not client.means and not (grant and grant.vouches):
        raise clients.unauthenticated(credentials, "wrong or missing client secret")
    if grant is None:
        raise Refusal("unsupported_grant_type", "This grant_type is not supported.")
    if grant.type not in client.provider.grant_types:
        raise Refusal("unauthorized_client", "The client may not use this grant_type.")
    for _ in range(_ATTEMPTS):
        granted = await grant.redeem(asked, client, call, state)
        issued = await _issue(request, call, state, parts, client, granted)
        if not granted.changes.writes:
            return _success(issued, granted.refresh, headers)
        try:
            await state.commit(granted.changes, call.at)
        except GuardFailed as exc:
            refusal = await granted.lost(exc.guard)
            if refusal is not None:
                raise refusal from exc
            continue
        return _success(issued, granted.refresh, headers)
    raise Refusal("invalid_grant", "The grant changed meanwhile; ask again.")


async def _issue(
    request: OidcRequest, call: Call, state: State, parts: Parts, client: Client, granted: Granted
) -> Issued:
    """Judge, and make the tokens; nothing is kept or sent yet.

    :raises Refusal: ``invalid_grant``: the person may not, or no longer.
    """
    person = granted.person or await person_of(state, granted.user)
    scope = granted_scopes(call.settings, client.provider, granted.scope) if granted.scope else ()
    verdict = await judge(parts.engine, call, state, client.application, person, {"oauth_scopes": list(scope)})
    if not verdict.passing:
        raise Refusal(
            "invalid_grant",
            "The user may not use this application.",
            reason=f"user {person.user.pk} may not use application {client.application.slug}",
        )
    told = tell(call, client.provider, person, scope)
    if told.changes is not None:
        granted.changes.extend(told.changes)
    return await issue(
        call,
        client.provider,
        client.application,
        person,
        scope=scope,
        grant_id=granted.grant_id,
        proof=granted.proof,
        claims=told.claims,
        nonce=granted.nonce,
        root=request.root,
    )


def _success(issued: Issued, refresh: str, headers: tuple[tuple[str, str], ...]) -> Json:
    body: dict[str, object] = {
        "access_token": issued.access_token,
        "token_type": "Bearer",
        "scope": " ".join(issued.scope),
        "expires_in": issued.life,
    }
    if issued.id_token:
        body["id_token"] = issued.id_token
    if refresh:
        body["refresh_token"] = refresh
    return reply(body, headers=(*NO_STORE, *headers))


def preflight(request: OidcRequest, call: Call) -> Json:
    """Tell a browser whether a page of that origin may ask (Fetch §3.2)."""
    allowed = clients.cors(call.settings, request.origin)
    if allowed:
        allowed = (
            *allowed,
            ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
            ("Access-Control-Allow-Headers", "Authorization, Content-Type"),
            ("Access-Control-Max-Age", "600"),
        )
    return Json(204, b"", allowed)


def by_type(*grants: Grant) -> dict[str, Grant]:
    """``grants`` as :class:`Parts` wants them."""
    return {grant.type: grant for grant in grants}
