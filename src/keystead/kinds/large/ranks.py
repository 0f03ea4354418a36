"""Which rows of a large table match, and where each stands in an order, as numbers in memory.

A table whose rows are numbered densely (``Table.number``) is known by two things that no index of a database has: for
each list *who is in it*, a flag for each number, and for each order *who stands where*, all numbers in that order.
Together they tell which rows any page holds. Both take the database a scan or less, and are made behind the answers.
"""

import asyncio
import itertools
import sys
from array import array
from collections.abc import Hashable, Sequence
from typing import Final, cast

import msgspec

from keystead.kinds.large.ask import Asked, ask, met, nearest, ordered, tail
from keystead.kinds.large.kept import Kept, Recent, Turns
from keystead.kinds.large.members import STEP, Few, Line, Many, Members, Stray, Stretch
from keystead.kinds.terms import GRAMS, Fragment, Term, numbered
from keystead.store import Store, Value
from keystead.store.sql import dynamic

FEW: Final = 32_768
"""Members of a list up to which each of them is put in its place."""
_PIECE: Final = 65_536
"""Characters of JSON that are read at once; then others may go on."""
_MEMBERS: Final = 32 << 20
"""Bytes of flags that are remembered."""
_LINES: Final = 48 << 20
"""Bytes of orders that are remembered."""
MINUTES: Final = 600.0
"""Seconds that numbers may take to be read, behind the answers, from a disk that is slow."""
_SPARSE: Final = 8
"""How many times as many numbers as rows there may be."""
_TURNED: Final = bytes((1, *bytes(255)))
_HEAD, _WORDS = 20, 2
"""PostgreSQL's binary form of an array: five words, and two for each member, the second of which is the number."""


class Ranks:
    """What one process knows of who stands where."""

    def __init__(self, store: Store) -> None:
        self._store = store
        turns = Turns()
        self._members: Kept[Members] = Kept(turns, _MEMBERS, lambda one: one.bytes)
        self._lines: Kept[Line] = Kept(turns, _LINES, lambda one: (len(one.numbers) + one.top) * 4)
        self._dense: Recent[bool] = Recent()

    async def usable(self, asked: Asked) -> bool:
        """Whether the table's rows are numbered, and densely."""
        table = asked.table
        if not table.number:
            return False
        known = self._dense.get(table.name)
        if known is None:
            row = await self._store.fetch_one(dynamic(f"SELECT max(t.{table.number}) FROM {table.name} t"))  # noqa: S608 - declared names
            known = row is not None and int(cast("int", row[0] or 0)) < _SPARSE * asked.total + STEP
            self._dense.put(table.name, known)
        return known

    async def count(self, asked: Asked, *, near: bool, patience: float) -> int | None:
        """The count of the list, if it is known by then."""
        members = await self._members.soon(asked.name, lambda: self._who(asked, near=near), asked.total, patience)
        return members.count if members else None

    def known(self, asked: Asked) -> bool:
        """Whether who stands where in the order is known."""
        return self._lines.held(_order_of(asked), asked.total) is not None

    def begun(self, asked: Asked) -> bool:
        """Whether who stands where in the order is known, or being looked up."""
        return self.known(asked) or self._lines.being_made(_order_of(asked))

    def ready(self, asked: Asked, *, members: bool = False) -> bool:
        """Whether who stands where in the order is known (and who is in the list, if that matters); it soon is."""
        if self.known(asked):
            if not members or self._members.held(asked.name, asked.total):
                return True
            self._members.hint(asked.name, lambda: self._who(asked, near=True), asked.total)
            return False
        self._lines.hint(_order_of(asked), lambda: self._line(asked), asked.total)
        return False

    async def page(self, asked: Asked, *, near: bool) -> tuple[list[Value], int]:
        """The keys of a page, and the count of the list.

        :raises Stray: a list that few are in holds somebody new; as many can be sorted.
        """
        name = _order_of(asked)
        line = await self._lines.value(name, lambda: self._line(asked), asked.total)
        page = Stretch(asked.offset, asked.size, turned=asked.one_way and asked.order[0].down)
        if asked.found.terms:
            members = await self._members.value(asked.name, lambda: self._who(asked, near=near), asked.total)
            try:
                numbers, count = await members.standing(name, line, page), members.count
            except Stray:
                self._lines.forget(name)
                raise
        else:
            first, size = page.of(len(line.numbers))
            numbers, count = list(line.numbers[first : first + size]), asked.total
        keys = await self._keys(asked, numbers) if numbers else []
        if len(keys) < len(numbers):
            self._members.forget(asked.name)
            self._lines.forget(name)
        return keys, count

    async def _keys(self, asked: Asked, numbers: list[int]) -> list[Value]:
        """The keys of these rows, of those that are there and match still."""
        table = asked.table
        forms = [Fragment(f"t.{table.number} = ANY({{}}::bigint[])", (numbers,)), *met(asked)]
        text = f"SELECT t.{table.key} FROM {table.name} t"  # noqa: S608 - declared names
        rows = await ask(self._store, text, forms, tail(asked.order, asked.size, 0))
        return [cast("Value", row[0]) for row in rows]

    async def _who(self, asked: Asked, *, near: bool) -> Members:
        terms, table = asked.found.terms, asked.table
        if len(terms) == 1 and (others := terms[0].others):
            return await self._all_but(asked, others)
        if len(terms) == 1 and (alone := terms[0].alone.get(self._store.indexing)):
            (text,), values = numbered([alone])
            rest = f"({text}) f"
        else:
            texts, values = numbered(nearest(self._store, asked) if near else [term.plain for term in terms])
            rest = f"(SELECT t.{table.number} AS n FROM {table.name} t WHERE {' AND '.join(texts)}) f"  # noqa: S608 - declared names
        pieces = await self._packed(rest, values)
        if sum(map(len, pieces)) <= FEW:
            return Few(array("I", sorted(set(itertools.chain.from_iterable(pieces)))))
        flags = await _flagged(pieces)
        return Many(flags, flags.count(1))

    async def _all_but(self, asked: Asked, others: Term) -> Members:
        """Those whom the others leave, so that few others need not be told from a million one by one."""
        (text,), values = numbered([others.near.get(self._store.indexing, others.plain)])
        rest = f"(SELECT t.{asked.table.number} AS n FROM {asked.table.name} t WHERE {text}) f"  # noqa: S608 - declared names
        flags = await _flagged(await self._packed(rest, values))
        return Many(flags.translate(_TURNED), asked.total - flags.count(1), beyond=True)

    async def _line(self, asked: Asked) -> Line:
        table = asked.table
        order = [key.turned for key in asked.order] if asked.one_way and asked.order[0].down else asked.order
        rest = f"(SELECT t.{table.number} AS n FROM {table.name} t {ordered(order)}) f"  # noqa: S608 - declared names
        numbers, pieces = array("I"), await self._packed(rest, [])
        for piece in pieces:
            numbers.extend(piece)
        return Line(numbers, await _top(pieces))

    async def _packed(self, rest: str, values: Sequence[Value]) -> "list[array[int]]":
        """The numbers ``n`` of a sub-SELECT: a million rows as one value, whose making holds up nobody here."""
        binary = self._store.indexing == GRAMS
        packed = "array_send(array_agg(f.n::int))" if binary else "json_group_array(f.n)"
        text = f"SELECT {packed} FROM {rest}"  # noqa: S608 - as above
        ((whole,),) = await self._store.fetch(dynamic(text, MINUTES), *values, heavy=True)
        if isinstance(whole, bytes):
            words = array("I", whole[_HEAD:])
            if sys.byteorder == "little":
                words.byteswap()
            step = _PIECE // 4
            return [words[at + 1 : at + step : _WORDS] for at in range(0, len(words), step)]
        return [] if whole is None else await _read(str(whole))


async def _read(text: str) -> "list[array[int]]":
    """The numbers of a JSON array, read piece by piece."""
    pieces, at, last = [], 1, len(text) - 1
    while at < last:
        end = text.find(",", at + _PIECE)
        end = last if end < 0 else end
        pieces.append(array("I", msgspec.json.decode(f"[{text[at:end]}]".encode(), type=list[int])))
        at = end + 1
        await asyncio.sleep(0)
    return pieces


async def _flagged(pieces: "list[array[int]]") -> bytearray:
    flags = bytearray(1 + await _top(pieces))
    for piece in pieces:
        for number in piece:
            flags[number] = 1
        await asyncio.sleep(0)
    return flags


async def _top(pieces: "list[array[int]]") -> int:
    top = 0
    for piece in pieces:
        top = max(top, max(piece, default=0))
        await asyncio.sleep(0)
    return top


def _order_of(asked: Asked) -> Hashable:
    """One name for an order and its reverse."""
    return (asked.kind.model, tuple((key.text, key.nulls, asked.one_way or key.down) for key in asked.order))
