"""What becomes of somebody whom a source vouches for: they sign in, become a user, are connected - or are refused.

Asking the source is each type's own business; what it tells comes here as :class:`Vouched`. Nothing is written before
the person is through the flow: the connection lands with the new user, or with the first sign-in (:func:`keep`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple

import msgspec

from keystead.base.errors import denied
from keystead.flows.flow import FLOW, Flow
from keystead.flows.gate import seen
from keystead.flows.ports import WhoIs
from keystead.flows.vouched import IS_SSO, JOINING, SOURCE, source_of
from keystead.kinds import records
from keystead.kinds.access import system
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind
from keystead.kinds.ledger import reference
from keystead.kinds.state import State
from keystead.people.finding import by_pk
from keystead.people.person import person_of
from keystead.people.user import User
from keystead.policies.engine import Engine
from keystead.sources.connection import UserSourceConnection
from keystead.sources.matching import matched
from keystead.sources.source import Source, judged, user_path
from keystead.sources.telling import told_by

METHOD: Final = "source"
"""How somebody signed in (``auth_method``) for whom a source vouches."""
CLOSED: Final = "Nobody signs in or connects with this service at present."
_ELSEWHERE: Final = "This account at {} is connected with somebody else here."


class Came(StrEnum):
    """How a source's word found its user."""

    KNOWN = "known"
    MATCHED = "matched"
    NEW = "new"


class Joining(msgspec.Struct, frozen=True):
    """What a run carries of the source's word until it is kept.

    :param kind: the model of the connection.
    :param connection: it, as JSON; its ``user`` is 0 where the user is still to be made.
    """

    kind: str
    came: Came
    connection: dict[str, object]


@dataclass(frozen=True, slots=True)
class Ways:
    """A type of source: its own kind, and that of the connections of users with it."""

    source: Kind[Any]
    connection: Kind[Any]


@dataclass(frozen=True, slots=True)
class Vouched:
    """Somebody whom a source vouches for.

    :param identifier: by what the source names them: lasting, and nobody else's there.
    :param told: what the source tells of them, as members of a user.
    :param verified: the source says that it has checked their e-mail address.
    :param names: further names that the source's property mappings may use.
    :param sealed: a member of the connection that is kept sealed, and its value.
    """

    identifier: str
    told: Mapping[str, object]
    verified: bool = False
    names: Mapping[str, object] = field(default_factory=dict)
    sealed: tuple[str, str] | None = None


class Welcome(NamedTuple):
    """The flow that leads somebody in, and the context it begins with."""

    flow: Flow
    context: dict[str, object]


async def connect(
    engine: Engine, call: Call, state: State, ways: Ways, source: Source, vouched: Vouched
) -> tuple[Changes, UserSourceConnection]:
    """Connect the caller with the account that the source names, or take the source's newest word of it.

    :raises Problem: ``DENIED``, with a text for the person.
    """
    if not call.actor.pk or call.actor.original is not None:
        raise denied("People connect themselves; nobody does it for them while acting as them.")
    user = await by_pk(state, call.actor.pk)
    await _open(engine, call, state, source, user)
    found = await connected(state, ways.connection, source, vouched.identifier)
    if found is not None and found.user != call.actor.pk:
        raise denied(_ELSEWHERE.format(source.name))
    new = await connection(call, state, ways, source, vouched, found, call.actor.pk)
    return link(call, ways.connection, source, found, new, None), new


async def welcome(engine: Engine, call: Call, state: State, ways: Ways, source: Source, vouched: Vouched) -> Welcome:
    """The flow for somebody who is not signed in.

    :raises Problem: ``DENIED``, with a text for the person.
    """
    _check_enabled(source)
    found = await connected(state, ways.connection, source, vouched.identifier)
    context: dict[str, object] = {
        SOURCE: source.pk,
        IS_SSO: True,
        "auth_method": METHOD,
        "auth_method_args": {"source": reference(ways.source, source)},
    }
    came, told = Came.KNOWN, dict[str, object]()
    if found is not None:
        user = await by_pk(state, found.user)
    else:
        told = await told_by(call, state, source, vouched.told, vouched.names)
        verified = vouched.verified and _same(told.get("email"), vouched.told.get("email"))
        user = await matched(state, source, told, verified=verified)
        came = Came.NEW if user is None else Came.MATCHED
    if user is not None:
        if not user.is_active:
            raise denied("This account is not active. Ask whoever looks after it.")
        context["pending_user"] = user.pk
    else:
        context |= {"prompt_data": told, "user_path": user_path(source.user_path_template, source.slug)}
    await _open(engine, call, state, source, user, context)
    new = await connection(call, state, ways, source, vouched, found, user.pk if user else 0)
    context[JOINING] = msgspec.to_builtins(Joining(ways.connection.model, came, msgspec.to_builtins(new)))
    return Welcome(_flow(call, source, new_here=user is None), context)


async def keep(call: Call, state: State, context: Mapping[str, object], user: User, who: WhoIs) -> Changes | None:
    """What is written of a source's word with ``user``: see :data:`keystead.flows.ports.Keep`."""
    source = source_of(call, context)
    if source is None or not source.enabled:
        return None
    if JOINING not in context:
        return Changes()
    joining = msgspec.convert(context[JOINING], Joining)
    kind = state.kinds[joining.kind]
    new = msgspec.convert(joining.connection, kind.struct)
    made = joining.came is Came.NEW
    if made is not (who is WhoIs.MADE) or not (made or new.user == user.pk):
        return None  # the flow led to somebody else than the source speaks of
    found = await connected(state, kind, source, new.identifier)
    if (found.pk if found else None) != (new.pk if joining.came is Came.KNOWN else None):
        return None  # the account was connected, or its connection ended, meanwhile
    if found is not None and found.user != user.pk:
        return None
    return link(call, kind, source, found, msgspec.structs.replace(new, user=user.pk), user)


def link(
    call: Call,
    kind: Kind[Any],
    source: Source,
    old: UserSourceConnection | None,
    new: UserSourceConnection,
    user: User | None,
) -> Changes:
    """What keeps ``new`` in the place of ``old``; a first connection is told of.

    :param user: whose it is, where that is not the caller.
    """
    changes = Changes()
    # The source's word that the account is theirs is the person's right to this one connection.
    if old is not None:
        changes.update(system(call, kind, "change"), old, new, quiet=True)
        return changes
    changes.create(system(call, kind, "add"), new, quiet=True)
    owner, _ = call.settings.find("sources", source.pk) or (kind, source)
    told = {"source": reference(owner, source), "identifier": new.identifier}
    who = {"user": {"pk": user.pk, "email": user.email, "username": user.username}} if user else {}
    changes.event(call, "source_linked", owner.app, told, about=(kind, new), **who)
    return changes


async def connection(
    call: Call,
    state: State,
    ways: Ways,
    source: Source,
    vouched: Vouched,
    found: UserSourceConnection | None,
    user: int,
) -> UserSourceConnection:
    """The connection as it is to be kept."""
    made: UserSourceConnection = found or ways.connection.struct(
        pk=await state.store.reserve("user_connections", 1),
        source=source.pk,
        identifier=vouched.identifier,
        user=user,
        created=call.at,
        last_updated=call.at,
        **({vouched.sealed[0]: ""} if vouched.sealed else {}),
    )
    if vouched.sealed is None:
        return made
    member, value = vouched.sealed
    context = f"user_connection/{made.pk}"
    try:
        if state.vault.open(getattr(made, member) or "", context) == value:
            return made
    except ValueError:
        pass  # there is none yet, or the key it was sealed with is not ours any more
    return msgspec.structs.replace(made, last_updated=call.at, **{member: state.vault.seal(value, context)})


async def connected(state: State, kind: Kind[Any], source: Source, identifier: str) -> UserSourceConnection | None:
    """The connection of this account at the source."""
    found = await records.load(state.store, kind, "identifier", [identifier])
    return next((one for one in found if one.source == source.pk), None)


def _check_enabled(source: Source) -> None:
    if not source.enabled:
        raise denied(CLOSED)


async def _open(
    engine: Engine,
    call: Call,
    state: State,
    source: Source,
    user: User | None,
    context: Mapping[str, object] | None = None,
) -> None:
    """Let through whom the source is for.

    :raises Problem: ``DENIED``.
    """
    _check_enabled(source)
    person = await person_of(state, user) if user is not None else None
    result = await judged(engine, call, state, source, person, seen(call, context or {}))
    if not result.passing:
        raise denied(" ".join(result.messages) or f"You may not use {source.name} here.")


def _flow(call: Call, source: Source, *, new_here: bool) -> Flow:
    """The flow that leads in.

    :raises Problem: ``DENIED``: there is none.
    """
    flow: Flow | None = call.settings.get(FLOW, source.enrollment_flow if new_here else source.authentication_flow)
    if flow is None:
        raise denied(
            f"Nobody here is connected with your account at {source.name}, and it makes no new users."
            if new_here
            else f"Nobody signs in with {source.name}: it names no flow for that."
        )
    return flow


def _same(one: object, other: object) -> bool:
    return isinstance(one, str) and isinstance(other, str) and bool(one) and one.casefold() == other.casefold()
