"""The worker's part of data exports: lists become files, a page in memory at a time, oldest wish first.

A file is made with the rights its owner has when it is begun. What a process leaves unfinished another begins again;
after a few times nobody does, and an event says why.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from keystead.base import log, rand
from keystead.base.clock import micros
from keystead.kinds import records
from keystead.kinds.access import may
from keystead.kinds.call import SYSTEM, Call, Origin
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind
from keystead.kinds.state import State
from keystead.kinds.walk import walk
from keystead.people import shown
from keystead.people.actor import actor_of
from keystead.people.event import EVENT
from keystead.people.export import DATA_EXPORT, KEPT, DataExport
from keystead.people.installation.settings import event_retention
from keystead.people.user import USER, User, superusers, uid
from keystead.store import GuardFailed, Statement, Write
from keystead.wire import sheet

_LOG = log.get("people.exporting")
ATTEMPTS: Final = 3
"""How often a file is begun before it is given up."""
PART: Final = 256 * 1024
"""Bytes of a file that are kept, and read, at once."""
_MOST: Final = 20
"""Files of one run; the next run goes on."""
_NEXT: Final = Statement(
    "export.next",
    "SELECT id FROM data_exports WHERE completed = FALSE AND attempts < $1 AND expires > $2"
    " ORDER BY attempts, requested_on LIMIT 1",
)
_BEGIN: Final = Statement("export.begin", "UPDATE data_exports SET attempts = $3 WHERE id = $1 AND attempts = $2")
_EMPTY: Final = Statement("export.empty", "DELETE FROM export_parts WHERE export_id = $1")
_KEEP: Final = Statement(
    "export.keep",
    "INSERT INTO export_parts (export_id, number, content) SELECT e.id, $3::bigint, $4::bytea FROM data_exports e"
    " WHERE e.id = $1 AND e.attempts = $2",
)
_DONE: Final = Statement(
    "export.done",
    "UPDATE data_exports SET completed = TRUE, file = $3, expires = $4 WHERE id = $1 AND attempts = $2",
)
_SIZE: Final = Statement(
    "export.size", "SELECT count(*), coalesce(sum(length(content)), 0) FROM export_parts WHERE export_id = $1"
)
_READ: Final = Statement("export.read", "SELECT content FROM export_parts WHERE export_id = $1 AND number = $2")


class Refused(Exception):  # noqa: N818 - an outcome: trying again would not help
    """The file is not made; the text says why."""


class Sheet(NamedTuple):
    """How a list looks as a table.

    :param word: the beginning of its file's name.
    :param more: the columns beside the members that everybody sees.
    :param fill: members and ``more`` of some objects at once.
    """

    kind: Kind[Any]
    word: str
    more: tuple[str, ...]
    fill: Callable[[State, Call, Sequence[Any]], Awaitable[list[dict[str, object]]]]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns, in order."""
        return (*self.kind.readable, *self.more)


def _members(kind: Kind[Any], obj: msgspec.Struct) -> dict[str, object]:
    return {name: getattr(obj, name) for name in kind.readable}


async def _users(state: State, call: Call, users: Sequence[User]) -> list[dict[str, object]]:
    """Groups and roles by name, for whoever reads the table."""
    above = await superusers(state, [one.pk for one in users])
    groups = await shown.partial_groups(state, [pk for one in users for pk in one.groups])
    return [
        _members(USER, one)
        | {
            "groups": [groups[pk].name for pk in one.groups if pk in groups],
            "roles": [role.name for role in shown.roles_shown(call.settings, one.roles)],
            "is_superuser": one.pk in above,
            "uid": uid(state, one.pk),
        }
        for one in users
    ]


async def _events(_state: State, _call: Call, events: Sequence[Any]) -> list[dict[str, object]]:
    return [_members(EVENT, one) for one in events]


SHEETS: Final[Mapping[str, Sheet]] = {
    USER.model: Sheet(USER, "users", ("is_superuser", "uid"), _users),
    EVENT.model: Sheet(EVENT, "events", (), _events),
}


def text(value: object) -> str:
    """``value`` as a cell tells it: nothing for null, JSON for what has parts."""
    if value is None:
        return ""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return msgspec.json.encode(value).decode()


async def make_due(state: State) -> int:
    """Make the files that are waited for; how many are done.

    :raises StoreDown: the store does not answer.
    """
    done = 0
    for _ in range(_MOST):
        at = state.clock.now()
        row = await state.store.fetch_one(_NEXT, ATTEMPTS, micros(at))
        found = await records.load(state.store, DATA_EXPORT, "id", [row[0]]) if row else []
        if not found or not await make(state, found[0]):
            break  # what failed is tried again a little later, behind the others
        done += 1
    return done


async def make(state: State, one: DataExport) -> bool:
    """Make one file; whether it is there now."""
    at = state.clock.now()
    attempt = one.attempts + 1
    changes = Changes()
    changes.write(Write(_BEGIN, (one.id, one.attempts, attempt), expect=1, guard="export"), Write(_EMPTY, (one.id,)))
    try:
        await state.commit(changes, at)
        await _fill(state, one, attempt)
    except GuardFailed:
        return False  # removed, or begun by somebody else
    except Refused as exc:
        await _give_up(state, one, attempt, str(exc))
        return False
    except Exception as exc:  # noqa: BLE001 - whatever it is, the other files are made
        _LOG.error("an export failed", export=one.id, attempt=attempt, reason=str(exc), exc_info=exc)
        if attempt < ATTEMPTS:
            return False
        await _give_up(state, one, attempt, f"{type(exc).__name__}: {exc}")
        return False
    return True


async def _call_of(state: State, one: DataExport, kind: Kind[Any]) -> Call:
    """A call by whom the file is for.

    :raises Refused: they may not see the list any more.
    """
    settings = await state.refresh()
    actor = await actor_of(state, one.user)
    call = Call(actor or SYSTEM, state.clock.now(), settings, origin=Origin(retention=event_retention(settings)))
    if actor is None or not may(call, kind, "view"):
        raise Refused(f"Whoever asked for the {kind.title[1].lower()} may not see them any more.")
    return call


async def _fill(state: State, one: DataExport, attempt: int) -> None:
    made = SHEETS.get(one.model)
    if made is None:
        raise Refused(f"Nothing here makes a table of {one.model}.")
    call = await _call_of(state, one, made.kind)
    held = bytearray(sheet.line(made.columns).encode())
    parts = rows = 0

    async def keep() -> None:
        nonlocal parts
        changes = Changes()
        changes.write(Write(_KEEP, (one.id, attempt, parts, bytes(held)), expect=1, guard="export"))
        await state.commit(changes, state.clock.now())
        parts += 1
        held.clear()

    query = {name: value if isinstance(value, list) else [str(value)] for name, value in one.query_params.items()}
    async for objs in walk(call, state, made.kind, query):
        filled = await made.fill(state, call, objs)
        for body in filled:
            held += sheet.line([text(body[name]) for name in made.columns]).encode()
        rows += len(objs)
        if len(held) >= PART:
            await keep()
        await asyncio.sleep(0)
    if held:
        await keep()
    await _finish(state, call, one, attempt, f"{made.word}-{one.requested_on:%Y-%m-%d}.csv", rows)


async def _finish(state: State, call: Call, one: DataExport, attempt: int, name: str, rows: int) -> None:
    at = state.clock.now()
    changes = Changes()
    changes.write(Write(_DONE, (one.id, attempt, name, micros(at + KEPT)), expect=1, guard="export"))
    changes.event(call, "export_ready", DATA_EXPORT.app, {"file": name, "rows": rows}, about=(DATA_EXPORT, one))
    await state.commit(changes, at)


async def _give_up(state: State, one: DataExport, attempt: int, why: str) -> None:
    at = state.clock.now()
    changes = Changes()
    changes.write(Write(_BEGIN, (one.id, attempt, ATTEMPTS), expect=1, guard="export"))
    call = Call(SYSTEM, at, state.settings, request_id=rand.hex128())
    told = {"message": f"A list could not be made into a file: {why}"}
    changes.event(call, "system_task_exception", DATA_EXPORT.app, told, about=(DATA_EXPORT, one))
    changes.write(Write(_EMPTY, (one.id,)))
    try:
        await state.commit(changes, at)
    except GuardFailed:
        return  # removed meanwhile: nobody waits for it


async def size(state: State, one: DataExport) -> tuple[int, int]:
    """How many parts a file has, and how many bytes."""
    row = await state.store.fetch_one(_SIZE, one.id)
    return (int(str(row[0])), int(str(row[1]))) if row else (0, 0)


async def content(state: State, one: DataExport, parts: int) -> AsyncIterator[bytes]:
    """A file's content, part after part.

    :raises LookupError: it is removed while it is read.
    """
    for number in range(parts):
        row = await state.store.fetch_one(_READ, one.id, number)
        if row is None or not isinstance(row[0], (bytes, bytearray, memoryview)):
            raise LookupError("the file is gone")
        yield bytes(row[0])
