"""Plex's own page, where people tell Plex that they want in here; and how they come back. It takes no script of ours.

What an attempt is about travels through the browser, sealed for this very browser: nobody else's way back counts in
it, and each counts once. Only who is not signed in is sent: to connect an account takes a page of one's own.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

import msgspec

from keystead.base.clock import instant, micros
from keystead.base.errors import Problem, denied, not_found
from keystead.base.secret import fingerprint
from keystead.flows.executor import Executor
from keystead.flows.ports import Visitor
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.state import State
from keystead.sources.plex import tv
from keystead.sources.plex.redeem import redeem
from keystead.sources.plex.source import PLEX_SOURCE, PlexSource
from keystead.sources.spent import is_spent, spend
from keystead.sources.vouching import CLOSED
from keystead.sources.way_in import WayIn

PAGE: Final = "https://app.plex.tv/auth#?"
LIFE: Final = timedelta(minutes=10)
"""How long people may take at Plex; a pin lives longer."""
_STALE: Final = "This way back from Plex is too old, was used already, or began in another browser. Start again."
_SIGNED_IN: Final = "You are signed in already. Sign out first."


class Attempt(msgspec.Struct, frozen=True):
    """Somebody's way to Plex.

    :param until: when it counts no more, microseconds since 1970.
    :param onward: where the browser goes in the end; empty for nowhere in particular.
    """

    pin: int
    code: str
    until: int
    onward: str = ""


async def there(call: Call, state: State, visitor: Visitor, slug: str) -> str:
    """Where the browser goes to sign in at Plex.

    :raises Problem: ``NOT_FOUND``, ``DENIED``, or ``BUSY``: Plex does not answer.
    """
    source = _named(call, slug)
    if visitor.user is not None:
        raise denied(_SIGNED_IN)
    if not source.enabled:
        raise denied(CLOSED)
    pin = await tv.new_pin(state.outbound, source.client_id)
    attempt = Attempt(pin.id, pin.code, micros(call.at + LIFE), visitor.query.get("next", ""))
    sealed = state.vault.seal(msgspec.json.encode(attempt).decode(), _context(source, visitor))
    back = f"{call.origin.root}/source/plex/{source.slug}/callback/?{urlencode({'state': sealed})}"
    told = {
        "clientID": source.client_id,
        "code": pin.code,
        "context[device][product]": tv.PRODUCT,
        "forwardUrl": back,
    }
    return PAGE + urlencode(told)


async def back(executor: Executor, call: Call, state: State, visitor: Visitor, slug: str, sealed: str) -> WayIn:
    """Lead in who comes back.

    :raises Problem: with a text for the person where they are led nowhere.
    """
    source = _named(call, slug)
    if visitor.user is not None:
        raise denied(_SIGNED_IN)
    attempt = await _opened(call, state, source, visitor, sealed)
    pin = await tv.pin(state.outbound, source.client_id, attempt.pin, attempt.code)
    if not pin.auth_token:
        raise denied("You have not signed in at Plex. Start again, or sign in otherwise.")
    changes = Changes()
    changes.write(spend(_proof(source, attempt), instant(attempt.until)))
    try:
        await state.commit(changes, call.at)
    except Problem:
        raise denied(_STALE) from None
    visitor = replace(visitor, query={"next": attempt.onward} if attempt.onward else {})
    return await redeem(executor, call, state, visitor, slug=slug, token=pin.auth_token)


async def _opened(call: Call, state: State, source: PlexSource, visitor: Visitor, sealed: str) -> Attempt:
    try:
        attempt = msgspec.json.decode(state.vault.open(sealed, _context(source, visitor)), type=Attempt)
    except (ValueError, msgspec.MsgspecError):
        raise denied(_STALE) from None
    if micros(call.at) >= attempt.until or await is_spent(state, _proof(source, attempt)):
        raise denied(_STALE)
    return attempt


def _named(call: Call, slug: str) -> PlexSource:
    found = call.settings.by(PLEX_SOURCE, "slug", slug)
    if found is None:
        raise not_found("There is no such source.")
    return found


def _proof(source: PlexSource, attempt: Attempt) -> str:
    """What counts once: the attempt, not its text, which can be spelled in several ways."""
    return f"plex/{source.pk}/{attempt.pin}/{attempt.code}"


def _context(source: PlexSource, visitor: Visitor) -> str:
    return f"sources/plex/{source.pk}/{fingerprint(visitor.sid)}"
