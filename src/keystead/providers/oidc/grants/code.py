"""authorization_code: a code, once, by its client and for its redirect URI (RFC 6749 §4.1.3, RFC 7636)."""

from datetime import timedelta
from typing import Final

from keystead.base.clock import micros
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.state import State
from keystead.providers.oidc import family, opaque
from keystead.providers.oidc.claims import OFFLINE
from keystead.providers.oidc.client import Client
from keystead.providers.oidc.grant import Grant, Granted, TokenRequest
from keystead.providers.oidc.provider import OAUTH2_PROVIDER, GrantTypeEnum
from keystead.providers.oidc.standing import Code, Terms
from keystead.providers.oidc.tokens import length
from keystead.providers.oidc.wire import Refusal, bad
from keystead.wire import pkce

ABSOLUTE: Final = timedelta(days=365)
"""How long a family of refresh tokens lasts, however often it is renewed; longer only if one token's own life is."""


def _invalid(reason: str) -> Refusal:
    text = "The code is unknown, used up, expired, or was made for another client or request."
    return Refusal("invalid_grant", text, reason=reason)


async def redeem(asked: TokenRequest, client: Client, call: Call, state: State) -> Granted:
    """Look at the code and everything it is bound to; using it up is among the changes."""
    if not asked.code:
        bad("The parameter 'code' is missing.")
    found = await family.code(state, asked.code) if opaque.whole(asked.code, opaque.CODE) else None
    if found is None:
        raise _invalid("no such code")
    if found.provider != client.provider.pk:
        raise await _stolen(call, state, client, found, asked.code, "another client redeemed the code")
    if found.redeemed is not None:
        raise await _stolen(call, state, client, found, asked.code, "the code was redeemed before")
    if found.expires <= micros(call.at):
        raise _invalid("the code has expired")
    if found.ended:
        raise _invalid("the session was ended")
    if asked.redirect_uri != found.asked.redirect_uri:
        raise _invalid("another redirect_uri")
    _check_pkce(asked, found.asked)

    provider, scope = client.provider, found.asked.scope
    offline = OFFLINE in scope and GrantTypeEnum.REFRESH_TOKEN in provider.grant_types
    life = length(provider.refresh_token_validity)
    end = call.at + (max(ABSOLUTE, life) if offline else length(provider.access_token_validity))
    changes = Changes()
    changes.write(
        family.redeem(call, asked.code),
        family.new_grant(
            call,
            found.grant_id,
            provider=provider.pk,
            user=found.user.pk,
            session=found.session,
            scope=scope,
            proof=found.asked.proof,
            expires=micros(end),
        ),
    )
    refresh = ""
    if offline:
        refresh = opaque.new(opaque.REFRESH)
        until = micros(call.at + life)
        changes.write(
            family.new_refresh(call, refresh, grant_id=found.grant_id, user=found.user.pk, parent=None, expires=until)
        )

    async def lost(_guard: str) -> Refusal:
        return await _stolen(call, state, client, found, asked.code, "the code was redeemed at the same moment")

    return Granted(
        user=found.user,
        person=found.person,
        grant_id=found.grant_id,
        scope=scope,
        proof=found.asked.proof,
        changes=changes,
        nonce=found.asked.nonce,
        refresh=refresh,
        lost=lost,
    )


def _check_pkce(asked: TokenRequest, made: Terms) -> None:
    """The verifier fits the challenge; and none comes where none was promised, which would hide a stripped challenge.

    :raises Refusal: ``invalid_grant`` (RFC 9700 §4.8.2).
    """
    if not made.challenge:
        if asked.verifier:
            raise _invalid("a code_verifier came for a code made without a challenge")
        return
    try:
        pkce.check_verifier(asked.verifier, expected_challenge=made.challenge, method=made.method)
    except pkce.PkceError as exc:
        raise _invalid(str(exc)) from None


async def _stolen(call: Call, state: State, client: Client, found: Code, value: str, reason: str) -> Refusal:
    """Somebody has a code that is not theirs, or not theirs any more: burn it, end its family, and write that down."""
    changes = Changes()
    changes.write(family.burn(call, value), family.revoke(call, found.grant_id))
    changes.event(
        call,
        "suspicious_request",
        OAUTH2_PROVIDER.app,
        {"message": f"An authorization code was misused: {reason}.", "user": found.user.username},
        about=(OAUTH2_PROVIDER, client.provider),
    )
    await state.commit(changes, call.at)
    return _invalid(reason)


GRANT: Final = Grant("authorization_code", redeem)
