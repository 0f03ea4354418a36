"""refresh_token: the next tokens of a family; what was replaced counts no more (RFC 6749 §6, RFC 9700 §4.14)."""

from datetime import timedelta
from typing import Final

from keystead.base.clock import micros
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.state import State
from keystead.providers.oidc import family, opaque
from keystead.providers.oidc.client import Client
from keystead.providers.oidc.grant import Grant, Granted, TokenRequest
from keystead.providers.oidc.provider import OAUTH2_PROVIDER, OAuth2Provider
from keystead.providers.oidc.standing import Refresh
from keystead.providers.oidc.tokens import length
from keystead.providers.oidc.wire import Refusal, bad

GRACE: Final = timedelta(seconds=10)
"""How long the token before the present one may come again, from a second tab or a retry, without counting as theft:
it is refused, and the family lives on. Later, or with any older token, the whole family ends."""


def _invalid(reason: str) -> Refusal:
    text = "The refresh token is unknown, replaced, expired or revoked, or belongs to another client."
    return Refusal("invalid_grant", text, reason=reason)


async def redeem(asked: TokenRequest, client: Client, call: Call, state: State) -> Granted:
    """Look at the token and its family; replacing it is among the changes, where it is replaced."""
    if not asked.refresh_token:
        bad("The parameter 'refresh_token' is missing.")
    whole = opaque.whole(asked.refresh_token, opaque.REFRESH)
    found = await family.refresh(call, state, asked.refresh_token) if whole else None
    if found is None:
        raise _invalid("no such refresh token")
    standing = found.standing
    if standing.provider != client.provider.pk:
        raise await _stolen(call, state, client, found, "another client presented it")
    if not standing.ended and found.used is not None:
        if not found.spent and micros(call.at) - found.used <= GRACE // timedelta(microseconds=1):
            raise _invalid("replaced a moment ago")
        raise await _stolen(call, state, client, found, "it had been replaced before")
    if (reason := _worthless(call, found)) is not None:
        raise _invalid(reason)
    if set(asked.scope) - set(standing.scope):
        raise Refusal("invalid_scope", "A refresh may ask for less than was granted, not for more.")

    refresh, changes = asked.refresh_token, Changes()
    if _due(call, client.provider, found.expires):
        refresh = opaque.new(opaque.REFRESH)
        until = min(micros(call.at + length(client.provider.refresh_token_validity)), standing.expires)
        changes.write(
            family.new_refresh(
                call,
                refresh,
                grant_id=standing.grant_id,
                user=standing.user.pk,
                parent=asked.refresh_token,
                expires=until,
            )
        )
    return Granted(
        user=standing.user,
        person=standing.person,
        grant_id=standing.grant_id,
        scope=asked.scope or standing.scope,
        proof=standing.proof,
        changes=changes,
        refresh=refresh,
        lost=_lost,
    )


def _worthless(call: Call, found: Refresh) -> str | None:
    """Why a token that nobody misused does not count all the same; None if it does."""
    standing = found.standing
    if standing.ended:
        return "the grant was revoked, has run out, or its session was ended"
    if found.expires <= micros(call.at):
        return "expired"
    if not standing.user.is_active:
        return "the user is deactivated"
    if micros(standing.user.password_change_date) > standing.created:
        return "the password was changed since"
    return None


def _due(call: Call, provider: OAuth2Provider, expires: int) -> bool:
    """Whether the token is replaced now: always, or once less of its life is left than the threshold."""
    threshold = length(provider.refresh_token_threshold) // timedelta(microseconds=1)
    return threshold == 0 or expires - micros(call.at) < threshold


async def _lost(_guard: str) -> Refusal:
    return _invalid("replaced at the same moment")


async def _stolen(call: Call, state: State, client: Client, found: Refresh, reason: str) -> Refusal:
    """Somebody has a refresh token that is not theirs, or not theirs any more: end its family, and write that down."""
    changes = Changes()
    changes.write(family.revoke(call, found.standing.grant_id))
    changes.event(
        call,
        "suspicious_request",
        OAUTH2_PROVIDER.app,
        {"message": f"A refresh token was misused: {reason}.", "user": found.standing.user.username},
        about=(OAUTH2_PROVIDER, client.provider),
    )
    await state.commit(changes, call.at)
    return _invalid(reason)


GRANT: Final = Grant("refresh_token", redeem)
