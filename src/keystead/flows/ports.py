"""What the executor gives to the floors above, and what they hand in: no name of theirs is known here.

``app.py`` fills :class:`Ports`; a door makes the :class:`Visitor` and sends the :class:`Reply`.
"""

import enum
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeAlias

import msgspec

from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.state import State
from keystead.people.session import Session
from keystead.people.user import User
from keystead.policies.engine import Engine
from keystead.store import Write


@dataclass(frozen=True, slots=True)
class Visitor:
    """The browser (or outpost) that goes through a flow.

    :param sid: the session key in its cookie; a fresh random one when it brought none.
    :param session: the live session under that key.
    :param user: the person signed in, active.
    :param query: the flow's own query string, parsed.
    :param outpost: whether an outpost proved that it is one.
    :param parked: the keys of the browser's other sessions, of people who use several accounts.
    """

    sid: str
    session: Session | None = None
    user: User | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    outpost: bool = False
    parked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """What a door sends.

    :param challenge: the challenge as JSON-able members; None only where ``to`` is ``""``.
    :param to: ``""``: ask again under the same URL (302); a path or URL: leave for it, which ``challenge`` says as well
        (``xak-flow-redirect``); None: show the challenge.
    :param visitor: the visitor from now on; a ``sid`` other than before goes into the cookie.
    :param ended: the run is over.
    """

    challenge: dict[str, object] | None
    to: str | None
    visitor: Visitor
    ended: bool = False


class Finish(msgspec.Struct, frozen=True):
    """What happens at the end of a run that somebody above began.

    :param changes: committed together with the end of the run.
    :param to: where the browser goes.
    :param challenge: shown instead (a form that posts itself, the end of a session): ``component`` and its members.
    """

    changes: Changes
    to: str = "/"
    challenge: Mapping[str, object] | None = None


Finisher: TypeAlias = Callable[[Call, State, Visitor, Mapping[str, object]], Awaitable[Finish]]
"""``(call, state, visitor, data) -> Finish``; ``data`` is what ``context["finish"]`` held."""


class Permission(msgspec.Struct, frozen=True):
    """Something an application asks for, by id and in words."""

    id: str
    name: str


class ConsentRequest(msgspec.Struct, frozen=True):
    """What a person is asked to allow; in the context under ``consent``, as JSON.

    :param application: the application's pk.
    :param header: what stands above the list; empty for words of ours.
    """

    application: str
    permissions: tuple[Permission, ...] = ()
    header: str = ""


class ConsentStore(Protocol):
    """Where consents are kept."""

    async def load(self, call: Call, state: State, user: int, application: str) -> frozenset[str] | None:
        """The ids of the permissions that ``user`` allowed ``application`` and that count at ``call.at``, or None."""
        ...

    async def save(
        self,
        call: Call,
        state: State,
        user: int,
        application: str,
        permissions: Sequence[str],
        expires: datetime | None,
    ) -> Sequence[Write]:
        """The writes that keep a consent, replacing an older one; ``expires`` None: until it is withdrawn."""
        ...


class LoginOption(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody else who may vouch: a button (the contract's ``LoginSource``).

    :param challenge: what follows when it is chosen, mostly ``xak-flow-redirect``.
    """

    name: str
    icon_url: str | None = None
    promoted: bool = False
    challenge: dict[str, object]


class WhoIs(enum.Enum):
    """How a run found out who somebody is."""

    MADE = "it made the user"
    SIGNED_IN = "it signs the user in"


Keep: TypeAlias = Callable[[Call, State, Mapping[str, object], User, WhoIs], Awaitable[Changes | None]]
"""``(call, state, context, user, who) -> changes``: what is written together with ``user`` of the word of a source.

None: the source does not vouch any more.
"""


async def _keeps_nothing(
    _call: Call, _state: State, _context: Mapping[str, object], _user: User, _who: WhoIs
) -> Changes | None:
    return Changes()


async def _no_options(_call: Call, _state: State, _sources: Sequence[str]) -> Sequence[LoginOption]:
    return ()


def _nowhere(_call: Call, _next: str) -> str | None:
    return None


def _nothing(_user: int) -> Sequence[Write]:
    return ()


@dataclass(frozen=True, slots=True)
class Ports:
    """What the floors above hand in.

    :param finishers: by the name in ``context["finish"]["by"]``.
    :param consents: where consents are kept; without it each one is asked for again.
    :param options: buttons for the sources with these uuids.
    :param keep: what is kept of the word of a source once a run knows who somebody is.
    :param destination: which application (its pk) a ``next`` leads to, so that a page can say so without a stored run.
    :param revoke: the writes after which applications hold nothing in the name of this user any more.
    """

    engine: Engine = field(default_factory=Engine)
    finishers: Mapping[str, Finisher] = field(default_factory=dict)
    consents: ConsentStore | None = None
    options: Callable[[Call, State, Sequence[str]], Awaitable[Sequence[LoginOption]]] = _no_options
    keep: Keep = _keeps_nothing
    destination: Callable[[Call, str], str | None] = _nowhere
    revoke: Callable[[int], Sequence[Write]] = _nothing
