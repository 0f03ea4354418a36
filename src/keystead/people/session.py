"""AuthenticatedSession: a browser that is signed in. The cookie's key is kept only as its digest."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final, cast

import msgspec

from keystead.base import rand
from keystead.base.clock import micros
from keystead.base.secret import fingerprint
from keystead.kinds import records
from keystead.kinds.access import require
from keystead.kinds.action import Action, Answer
from keystead.kinds.asked import value_of
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import READ, Filter, Kind, Table, Verb
from keystead.kinds.marks import HIDDEN, READ_ONLY, Column, Json, Ref, Uuid
from keystead.kinds.state import State
from keystead.people import power
from keystead.people.installation.settings import current
from keystead.store import Statement, Write
from keystead.wire import useragent

LONGEST: Final = timedelta(days=365)
"""A session that asks to last longer is cut to this."""


class AuthenticatedSession(msgspec.Struct, frozen=True, kw_only=True):
    """A browser that is signed in.

    :param digest: SHA-256 of the session key in the cookie, hexadecimal.
    :param created: when the person signed in, the last time.
    :param auth: how the person proved who they are: ``method``, ``args``, ``amr``, ``auth_time`` (seconds since 1970).
    """

    uuid: Annotated[Uuid, READ_ONLY, Column("id")]
    digest: Annotated[str, HIDDEN]
    user: Annotated[int, READ_ONLY, Column("user_id"), Ref("authentik_core.user")]
    created: Annotated[datetime, HIDDEN]
    expires: Annotated[datetime, READ_ONLY]
    last_used: Annotated[datetime, READ_ONLY]
    last_ip: Annotated[str, READ_ONLY]
    last_user_agent: Annotated[str, READ_ONLY]
    auth: Annotated[Json, HIDDEN]


Session = AuthenticatedSession


class AuthenticatedSessionGeoIp(msgspec.Struct):
    """Where an address is, in degrees and by name."""

    continent: str | None
    country: str | None
    lat: float | None
    long: float | None
    city: str


class AuthenticatedSessionAsn(msgspec.Struct):
    """Which network an address belongs to."""

    asn: int | None
    as_org: str | None
    network: str | None


class SessionShown(msgspec.Struct):
    """The computed members of a session.

    :param current: whether it is the session that asks.
    :param geo_ip: null without a database of places.
    :param asn: null without a database of networks.
    """

    current: bool
    user_agent: Annotated[useragent.Parsed, msgspec.Meta(title="AuthenticatedSessionUserAgent")]
    geo_ip: AuthenticatedSessionGeoIp | None
    asn: AuthenticatedSessionAsn | None


_BULK: Final = Statement("session.of_users", "SELECT id, user_id FROM sessions WHERE user_id = ANY($1::bigint[])")
_END: Final = Statement("session.end", "DELETE FROM sessions WHERE id = $1")
_END_ALL: Final = Statement("session.end_users", "DELETE FROM sessions WHERE user_id = ANY($1::bigint[])")
_END_OTHERS: Final = Statement("session.end_others", "DELETE FROM sessions WHERE user_id = $1 AND id <> $2")
_ACTIVE: Final = Statement("session.impersonator", "SELECT 1 FROM users WHERE id = $1 AND is_active")
_HANDED: Final = Statement(
    "session.handed", "UPDATE sessions SET user_id = $3, auth = $4 WHERE id = $1 AND user_id = $2"
)
_TAKEN_UP: Final = Statement(
    "session.taken_up",
    "UPDATE sessions SET digest = $3, last_used = $4, last_ip = $5, last_user_agent = $6 WHERE id = $1 AND digest = $2",
)
_SEEN: Final = Statement(
    "session.seen", "UPDATE sessions SET last_used = $2, last_ip = $3, last_user_agent = $4 WHERE id = $1"
)


async def find(state: State, sid: str, at: datetime) -> Session | None:
    """The live session whose cookie carries ``sid``; an expired one is none, whether or not it was cleaned away."""
    if not sid:
        return None
    found = await records.load(state.store, SESSION, "digest", [fingerprint(sid)])
    if not found or found[0].expires <= at:
        return None
    # Who acts as somebody else does so only as long as they could act as themselves, and it is allowed.
    if (behind := impersonator(found[0])) and not (
        current(state.settings).impersonation and await state.store.fetch_one(_ACTIVE, behind)
    ):
        return None
    return found[0]


def impersonator(session: Session) -> int:
    """Who really sits in the session; 0 where it is its own user."""
    pk = session.auth.get("impersonator")
    return pk if isinstance(pk, int) else 0


def handed(session: Session, user: int, *, impersonator: int) -> Write:
    """The write that makes ``session`` one of ``user``'s, in which ``impersonator`` sits (0: nobody else does).

    Its guard ``row`` fails when the session has ended or changed hands meanwhile.
    """
    auth = {name: value for name, value in session.auth.items() if name != "impersonator"}
    if impersonator:
        auth["impersonator"] = impersonator
    values = (session.uuid, session.user, user, msgspec.json.encode(auth).decode())
    return Write(_HANDED, values, expect=1, guard="row")


def start(
    call: Call, user: int, sid: str, *, expires: datetime, auth: Mapping[str, object]
) -> tuple[Session, tuple[Write, ...]]:
    """A new session for ``user`` under the fresh session key ``sid``, and its writes."""
    session = AuthenticatedSession(
        uuid=rand.uuid4(),
        digest=fingerprint(sid),
        user=user,
        created=call.at,
        expires=min(expires, call.at + LONGEST),
        last_used=call.at,
        last_ip=call.peer,
        last_user_agent=call.origin.user_agent[:1000],
        auth=dict(auth),
    )
    return session, tuple(records.insert(SESSION, session))


def renew(
    call: Call, session: Session, sid: str, *, expires: datetime, auth: Mapping[str, object]
) -> tuple[Session, tuple[Write, ...]]:
    """``session`` after its person has signed in once more, and its writes.

    The key is fresh, so the old one opens nothing; the session is the same, so that applications' tokens live on.
    """
    if behind := impersonator(session):
        auth = {**auth, "impersonator": behind}
    renewed = msgspec.structs.replace(
        session,
        digest=fingerprint(sid),
        created=call.at,
        expires=min(expires, call.at + LONGEST),
        last_used=call.at,
        last_ip=call.peer,
        last_user_agent=call.origin.user_agent[:1000],
        auth=dict(auth),
    )
    return renewed, tuple(records.update(SESSION, session, renewed))


async def parked(state: State, keys: Sequence[str], at: datetime) -> dict[str, Session]:
    """The live ones of a browser's other sessions, by their keys; the oldest of each person."""
    found: dict[str, Session] = {}
    for key in keys:
        session = await find(state, key, at)
        if session is not None and session.user not in {one.user for one in found.values()}:
            found[key] = session
    return found


def taken_up(call: Call, session: Session, sid: str) -> Write:
    """The write that lets ``sid`` open ``session``, and no other key; its guard ``row`` fails when it has ended."""
    seen = (micros(call.at), call.peer, call.origin.user_agent[:1000])
    return Write(_TAKEN_UP, (session.uuid, session.digest, fingerprint(sid), *seen), expect=1, guard="row")


def end(session: Session) -> Write:
    """The write that ends a session; its tokens die with it, because they look for it."""
    return Write(_END, (session.uuid,))


def end_all_but(user: int, kept: str) -> Write:
    """The write that ends every session of a person, but for the one with uuid ``kept`` (empty: every one)."""
    return Write(_END_OTHERS, (user, kept))


def seen(call: Call, session: Session) -> Write:
    """The write that marks a session as used now, from here."""
    return Write(_SEEN, (session.uuid, micros(call.at), call.peer, call.origin.user_agent[:1000]))


async def view(
    call: Call, _state: State, sessions: Sequence[Session], _query: Mapping[str, Sequence[str]]
) -> list[SessionShown]:
    """What the session's browser says it is, and whether it is the one that asks."""
    return [
        SessionShown(session.uuid == call.actor.session, useragent.parse(session.last_user_agent), None, None)
        for session in sessions
    ]


async def bulk_delete(call: Call, state: State, _obj: None, query: Mapping[str, Sequence[str]]) -> Answer:
    """End every session of the users named by ``user_pks``, repeated or with commas between."""
    require(call, SESSION, Verb.DESTROY)
    named = (text.strip() for value in query.get("user_pks", ()) for text in value.split(","))
    users = sorted({cast("int", value_of("user_pks", int, text)) for text in named if text})
    await power.check_all(call, state, users, "end these sessions")
    changes = Changes()
    rows = await state.store.fetch(_BULK, users) if users else []
    if rows:
        changes.write(Write(_END_ALL, (users,)))
        changes.event(call, "model_deleted", SESSION.app, {"sessions": len(rows), "users": users})
    return Answer({"deleted": len(rows)}, changes=changes)


class BulkDeleteSessionResponse(msgspec.Struct):
    """How many sessions ended."""

    deleted: int


SESSION = Kind(
    model="authentik_core.authenticatedsession",
    struct=AuthenticatedSession,
    path="core/authenticated_sessions",
    title=("Authenticated Session", "Authenticated Sessions"),
    key="uuid",
    key_name="uuid",
    table=Table("sessions", owner="user_id", narrow="t.expires > {}"),
    verbs=READ | {Verb.DESTROY},
    shown=SessionShown,
    view=view,
    search=("last_ip", "last_user_agent"),
    order=("-last_used",),
    filters=(
        Filter("session__last_ip", str, sql="t.last_ip = {}"),
        Filter("session__last_user_agent", str, sql="t.last_user_agent = {}"),
        Filter("user__username", str, sql="t.user_id IN (SELECT u.id FROM users u WHERE u.username = {})"),
    ),
)
ACTIONS = (
    Action(
        SESSION,
        "DELETE",
        "bulk_delete/",
        bulk_delete,
        "bulk_delete_destroy",
        permission="delete",
        response=BulkDeleteSessionResponse,
        query=(Filter("user_pks", int, many=True, note="Users whose sessions end."),),
    ),
)
