"""Walks over whole lists of records, in the order and with the filters of the list, a page in memory at a time.

Each page begins behind the last row of the one before, so that the millionth row costs no more than the first. Rows
that come, go or move meanwhile may be met or not, as in any walk that holds no lock.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final, TypeVar, cast

import msgspec

from keystead.kinds import records
from keystead.kinds.asked import Query
from keystead.kinds.call import Call
from keystead.kinds.conditions import Key, conditions, keys
from keystead.kinds.kind import Kind
from keystead.kinds.state import State
from keystead.kinds.terms import Fragment, numbered
from keystead.store import Row, Value
from keystead.store.sql import dynamic

T = TypeVar("T", bound=msgspec.Struct)
PAGE: Final = 1000
"""Rows that are read at once."""
SLICE: Final = 20
"""Rows that are turned into objects before others have their turn on the loop."""


async def walk(
    call: Call, state: State, kind: Kind[T], query: Query, *, size: int = PAGE
) -> AsyncIterator[Sequence[T]]:
    """Every record of a list, a few at a time.

    :raises Problem: ``INVALID`` on a parameter of ``query``.
    """
    order = _total(kind, keys(kind, query))
    forms = [term.each or term.plain for term in conditions(call, kind, query).terms]
    place: tuple[Value, ...] = ()
    while True:
        rows = await _page(state, kind, order, [*forms, *_beyond(order, place)], size)
        for first in range(0, len(rows), SLICE):
            part = [row[: -len(order)] for row in rows[first : first + SLICE]]
            yield await records.from_rows(state.store, kind, part)
            await asyncio.sleep(0)
        if len(rows) < size:
            return
        place = cast("tuple[Value, ...]", tuple(rows[-1][-len(order) :]))


async def _page(
    state: State, kind: Kind[Any], order: Sequence[Key], forms: Sequence[Fragment], size: int
) -> Sequence[Row]:
    texts, values = numbered(forms)
    shown = ", ".join((records.columns(kind), *(key.text for key in order)))
    where = f" WHERE {' AND '.join(texts)}" if texts else ""
    text = (
        f"SELECT {shown} FROM {records.table(kind)} t{where}"  # noqa: S608 - declared names and constant fragments
        f" ORDER BY {', '.join(map(str, order))} LIMIT ${len(values) + 1}"
    )
    return await state.store.fetch(dynamic(text), *values, size, heavy=True)


def _total(kind: Kind[Any], order: Sequence[Key]) -> list[Key]:
    """``order`` by what is never null: where nulls stand becomes a part of its own."""
    found: list[Key] = []
    for key in order:
        if key.nulls:
            nothing = "0" if _number(kind, key) else "''"
            found.append(Key(f"CASE WHEN {key.text} IS NULL THEN 1 ELSE 0 END", key.down))
            found.append(Key(f"coalesce({key.text}, {nothing})", key.down))
        else:
            found.append(key)
    return found


def _number(kind: Kind[Any], key: Key) -> bool:
    column = key.text.removeprefix("t.")
    return any(field.column == column and field.core in {int, float} for field in records.stored(kind))


def _beyond(order: Sequence[Key], place: Sequence[Value]) -> list[Fragment]:
    """The condition that a row comes after ``place``; none before the first."""
    if not place:
        return []
    if len({key.down for key in order}) == 1:
        names, marks = ", ".join(key.text for key in order), ", ".join("{}" for _ in order)
        sign = "<" if order[0].down else ">"
        first = Fragment(f"{order[0].text} {sign}= {{}}", (place[0],))
        return [first, Fragment(f"({names}) {sign} ({marks})", tuple(place))]
    texts: list[str] = []
    values: list[Value] = []
    for index, key in enumerate(order):
        alike = [f"{one.text} = {{}}" for one in order[:index]]
        texts.append(" AND ".join([*alike, f"{key.text} {'<' if key.down else '>'} {{}}"]))
        values += [*place[:index], place[index]]
    return [Fragment(f"({' OR '.join(f'({text})' for text in texts)})", tuple(values))]
