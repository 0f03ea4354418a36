"""Writes and questions that the store's tests share, and gates at which they wait until a test lets them on."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from keystead.store import GuardFailed, Statement, Store, Taken, Unit, Value, Write
from tests import engines
from tests.engines import Place
from tests.patience import until

if TYPE_CHECKING:
    import asyncpg

    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]

# Two tables of texts, to see units whole or not at all.
NOTE: Final = Statement("note.add", "INSERT INTO installation (name, value) VALUES ($1, $2)")
NOTES: Final = Statement("note.all", "SELECT name, value FROM installation ORDER BY name")
NOTE_OF: Final = Statement("note.one", "SELECT value FROM installation WHERE name = $1")
RENOTE: Final = Statement("note.change", "UPDATE installation SET value = $2 WHERE name = $1")
TURN: Final = Statement("note.turn", "UPDATE installation SET value = $3 WHERE name = $1 AND value = $2")
FORGET: Final = Statement("note.remove", "DELETE FROM installation WHERE name = $1")
COUNTER: Final = Statement("counter.add", "INSERT INTO id_blocks (name, next) VALUES ($1, $2)")
COUNTERS: Final = Statement("counter.all", "SELECT name, next FROM id_blocks ORDER BY name")
RAISE: Final = Statement("counter.raise", "UPDATE id_blocks SET next = next + 1 WHERE name = $1")

_USER: Final = Statement(
    "user.add",
    "INSERT INTO users (id, uuid, username, name, email, is_active, type, path, attributes, password,"
    " password_change_date, date_joined, last_updated)"
    " VALUES ($1, $2, $3, $3, '', $4, 'internal', 'users', $5::jsonb, '!', 0, 0, 0)",
)
_GROUP: Final = Statement(
    "group.add", "INSERT INTO groups (id, num_pk, name, is_superuser, attributes) VALUES ($1, $2, $3, $4, $5::jsonb)"
)
_MEMBER: Final = Statement("member.add", "INSERT INTO group_members (user_id, group_id) VALUES ($1, $2)")
_EVENT: Final = Statement(
    "event.add",
    "INSERT INTO events (id, action, app, username, actor, model, model_pk, context, created, brand)"
    " VALUES ($1, 'login', 'test', '', '{}', '', '', '{}', 0, '{}')",
)
UNUSER: Final = Statement("user.remove", "DELETE FROM users WHERE id = $1")
UNGROUP: Final = Statement("group.remove", "DELETE FROM groups WHERE id = $1")
EVENTS: Final = Statement("event.all", "SELECT id FROM events ORDER BY position")


def note(name: str, value: str = "", *, expect: int | None = 1) -> Write:
    """A row of the first table of texts."""
    return Write(NOTE, (name, value), expect=expect, guard="note")


def pair(name: str) -> Unit:
    """A unit of one row in each table of texts; they must never be seen apart."""
    return Unit((note(name), Write(COUNTER, (name, 1), expect=1, guard="counter")))


def user(number: int, name: str | None = None, *, uuid: str | None = None) -> Write:
    """A person."""
    uuid = uuid or f"uuid-{number}"
    return Write(_USER, (number, uuid, name or f"user{number}", True, "{}"), expect=1, guard="user")


def group(number: int, name: str | None = None, *, num_pk: int | None = None) -> Write:
    """A group."""
    args = (f"g{number}", number if num_pk is None else num_pk, name or f"group{number}", False, "{}")
    return Write(_GROUP, args, expect=1, guard="group")


def member(user_id: int, group_id: int) -> Write:
    """A person's place in a group."""
    return Write(_MEMBER, (user_id, f"g{group_id}"), expect=1, guard="member")


def event(name: str, *, expect: int | None = None) -> Write:
    """An event."""
    return Write(_EVENT, (name,), expect=expect, guard="event")


async def names(store: Store, statement: Statement = NOTES, *args: Value) -> list[str]:
    """The first column of all rows."""
    return [str(row[0]) for row in await store.fetch(statement, *args)]


async def outcome(doing: Awaitable[object]) -> str:
    """What came of it, in a word: ``done``, a guard's name, or the column that is taken."""
    try:
        await doing
    except GuardFailed as exc:
        return f"guard {exc.guard}"
    except Taken as exc:
        return f"taken {exc.table}.{exc.column}"
    return "done"


async def torn(store: Store) -> set[str]:
    """The names of which only one of :func:`pair`'s rows is there."""
    return set(await names(store, NOTES)) ^ set(await names(store, COUNTERS))


async def commit_all(store: Store, units: Iterable[Unit]) -> list[str]:
    """Commit all at once; what came of each."""
    return await asyncio.gather(*(outcome(store.commit(unit)) for unit in units))


# --- gates ------------------------------------------------------------------------------------------------------------

PASS: Final = "pg_advisory_xact_lock_shared(4711)::text = ''"
"""A condition of PostgreSQL's that waits while :func:`shut` is on, and then is true."""
STAND: Final = Statement("stand", f"SELECT {PASS}, $1::int")
"""A question that waits there; those with the same number are one question."""
_STANDING: Final = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@contextlib.asynccontextmanager
async def shut(connection: "Connection") -> AsyncIterator[None]:
    """For the body of a ``with`` nobody gets past :data:`PASS`; ``connection`` is past the store."""
    await connection.execute("SELECT pg_advisory_lock(4711)")
    try:
        yield
    finally:
        await connection.execute("SELECT pg_advisory_unlock(4711)")


async def standing(connection: "Connection", number: int) -> None:
    """Wait until so many stand at :data:`PASS`."""
    await until(lambda: connection.fetchval(_STANDING), number)


@contextlib.asynccontextmanager
async def held(place: Place) -> AsyncIterator[None]:
    """For the body of a ``with`` no unit lands: what is committed meanwhile waits."""
    if isinstance(place, Path):
        with contextlib.closing(sqlite3.connect(place, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("COMMIT")
        return
    async with engines.past(place) as connection, connection.transaction():
        await connection.execute("LOCK TABLE installation, id_blocks, events IN EXCLUSIVE MODE")
        yield
