"""Pages of large tables: work that is bounded however many rows there are (docs/decisions/0009-large-lists.md).

A page is read in one of two ways: *near*, an index finds all that match and they are sorted; or *in order*, rows are
met in the order of the list, each is looked at, and the walk ends when the page is full. A sample of the table tells
which of them is short. A walk begins where an earlier one came by, so that deep pages need not count their way.
"""

import asyncio
import bisect
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, NamedTuple, TypeVar, cast

from keystead.base import rand
from keystead.kinds import records
from keystead.kinds.conditions import Conditions, Key
from keystead.kinds.kind import Kind
from keystead.kinds.terms import Fragment, Term, numbered
from keystead.store import Row, Statement, Store, Value
from keystead.store.sql import dynamic

T = TypeVar("T")
FROM: Final = 20_000
"""Rows from which a table is large; below, every page and count is asked for plainly."""
NEAR: Final = 2_000
"""Matches up to which they are all fetched and sorted."""
FAR: Final = 50_000
"""Matches up to which that is still better than to walk by many rows."""
STEPS: Final = 5_000
"""Rows a walk may meet."""
DRAWN: Final = 400
"""Rows in a sample."""
PATIENCE: Final = 0.035
"""Seconds that a page waits for an exact count."""
KEEP: Final = 60.0
"""Seconds for which a count that takes longer than that, and the places that walks came by, are used."""
DRAW: Final = 600.0
"""Seconds after which another sample is drawn."""
MOST: Final = 256
"""Lists that are remembered."""
_PAUSE: Final = 5.0
"""Seconds before a count that took long is made again, at least."""
_COUNTING: Final = 8
"""Long counts that may wait for each other."""


class _Recent(Generic[T]):
    """A few values by key, each for a while; the least used goes first."""

    def __init__(self, keep: float) -> None:
        self._keep = keep
        self._held: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()

    def get(self, key: Hashable) -> T | None:
        held = self._held.get(key)
        if held is None or _now() - held[0] > self._keep:
            return None
        self._held.move_to_end(key)
        return held[1]

    def put(self, key: Hashable, value: T) -> T:
        self._held[key] = (_now(), value)
        self._held.move_to_end(key)
        while len(self._held) > MOST:
            self._held.popitem(last=False)
        return value


@dataclass
class _Trail:
    """Where walks over one list came by: how many rows lie before, and the values of the order there."""

    offsets: list[int] = field(default_factory=list)
    places: list[tuple[Value, ...]] = field(default_factory=list)

    def before(self, offset: int) -> tuple[int, tuple[Value, ...] | None]:
        """The last place at or before ``offset``."""
        index = bisect.bisect_right(self.offsets, offset) - 1
        return (self.offsets[index], self.places[index]) if index >= 0 else (0, None)

    def add(self, offset: int, place: tuple[Value, ...]) -> None:
        index = bisect.bisect_left(self.offsets, offset)
        if index == len(self.offsets) or self.offsets[index] != offset:
            self.offsets.insert(index, offset)
            self.places.insert(index, place)


class _Counted(NamedTuple):
    """A count, and what it took.

    :param number: the count.
    :param at: when it was begun.
    """

    number: int
    at: float
    took: float

    @property
    def lasts(self) -> bool:
        """Whether counting again would cost too much so soon."""
        return self.took > PATIENCE and _now() - self.at < max(_PAUSE, 20 * self.took)


class Asked(NamedTuple):
    """One page of a list.

    :param found: what its rows must meet.
    :param order: its order, ending with what no two rows share.
    :param total: rows of the table.
    """

    kind: Kind[Any]
    found: Conditions
    order: Sequence[Key]
    total: int
    offset: int
    size: int


class Large:
    """What one process knows of its large tables.

    :param begins: rows from which a table is large.
    """

    def __init__(self, store: Store, begins: int = FROM) -> None:
        self.begins = begins
        self._store = store
        self._samples: _Recent[list[Value]] = _Recent(DRAW)
        self._shares: _Recent[float] = _Recent(KEEP)
        self._counts: _Recent[_Counted] = _Recent(KEEP)
        self._trails: _Recent[_Trail] = _Recent(KEEP)
        self._counting: dict[Hashable, asyncio.Task[_Counted]] = {}
        self._turn = asyncio.Semaphore(1)

    async def page(self, asked: Asked) -> tuple[list[Value], int]:
        """The primary keys of a page's rows, in order, and the count of the whole list.

        The count is exact if it is at most :data:`NEAR`, if it takes no longer than :data:`PATIENCE` to find, and
        always for deep pages; otherwise it is the one found at most :data:`KEEP` seconds ago, or what a sample tells.
        """
        share = await self._share(asked)
        count, known = await self._count(asked, share)
        if not known and asked.offset + asked.size > count // 2:
            count, known = (await asyncio.shield(self._started(asked, share))).number, True
        if asked.offset >= count:
            return [], count
        found = await self._keys(asked, share, count, known=known)
        if not known:
            count = max(count, asked.offset + len(found) + (len(found) == asked.size))
        return found, count

    # How many rows match, about.

    async def _share(self, asked: Asked) -> float:
        """The share of the table that matches, by a sample; 0 if none of the sample does."""
        if not asked.found.terms:
            return 1.0
        name = _name(asked)
        known = self._shares.get(name)
        if known is not None:
            return known
        kind, spec = asked.kind, records.spec(asked.kind)
        sample = self._samples.get(spec.name)
        if sample is None:
            sample = self._samples.put(spec.name, await self._draw(kind))
        if not sample:
            return 1.0
        type_ = records.sql_type(kind.fields[kind.pk])
        drawn = Fragment(f"t.{spec.key} = ANY({{}}::{type_}[])", (cast("Value", sample),))
        (row,) = await self._ask(f"SELECT count(*) FROM {spec.name} t", [drawn, *map(_opaque, asked.found.terms)])  # noqa: S608 - declared names
        return self._shares.put(name, int(cast("int", row[0])) / len(sample))

    async def _draw(self, kind: Kind[Any]) -> list[Value]:
        """Primary keys of some rows."""
        spec = records.spec(kind)
        key, type_ = f"t.{spec.key}", records.sql_type(kind.fields[kind.pk])
        if type_ == "bigint":
            ends = await self._store.fetch_one(dynamic(f"SELECT min({key}), max({key}) FROM {spec.name} t"))  # noqa: S608 - declared names
            if ends is None or ends[0] is None:
                return []
            low, high = int(cast("int", ends[0])), int(cast("int", ends[1]))
            points: list[Value] = [low + rand.below(high - low + 1) for _ in range(DRAWN)]
        else:
            points = [rand.uuid4() for _ in range(DRAWN)]
        nearest = f"(SELECT {key} FROM {spec.name} t WHERE {key} >= p.value ORDER BY {key} LIMIT 1)"  # noqa: S608 - as above
        statement = Statement(
            f"{spec.name}.sample",
            f"SELECT {nearest} FROM unnest($1::{type_}[]) AS p (value)",  # noqa: S608 - as above
            sqlite=f"SELECT {nearest} FROM json_each($1) AS p",  # noqa: S608 - as above
        )
        rows = await self._store.fetch(statement, cast("Value", points), heavy=True)
        return list({cast("Value", row[0]) for row in rows if row[0] is not None})

    # How many rows match, exactly if it can be told in time.

    async def _count(self, asked: Asked, share: float) -> tuple[int, bool]:
        """The count of the list, and whether it was counted: otherwise a sample tells it."""
        terms, spec = asked.found.terms, records.spec(asked.kind)
        if not terms:
            return asked.total, True
        if spec.census and all(term.column in spec.sorts for term in terms):
            return await self._census(asked), True
        if len(terms) == 1 and (others := terms[0].others):
            rest = asked._replace(found=_conditions([others]))
            count, known = await self._count(rest, 1.0 - share)
            return max(0, asked.total - count), known
        return await self._in_time(asked, share)

    async def _in_time(self, asked: Asked, share: float) -> tuple[int, bool]:
        """The count if it is made before anybody tires of waiting, or was made lately; else an estimate."""
        found = self._counts.get(_name(asked))
        if not (found and found.lasts) and len(self._counting) < _COUNTING:
            task = self._started(asked, share)
            await asyncio.wait({task}, timeout=PATIENCE)
            if task.done():
                found = task.result()
        return (found.number, True) if found else (round(share * asked.total), False)

    def _started(self, asked: Asked, share: float) -> "asyncio.Task[_Counted]":
        """The count as it is being made; it goes on when nobody waits any more."""
        name = _name(asked)
        task = self._counting.get(name)
        if task is None:
            task = self._counting[name] = asyncio.create_task(self._counted(asked, share))
            task.add_done_callback(lambda _: self._counting.pop(name, None))
            task.add_done_callback(_heard)
        return task

    async def _counted(self, asked: Asked, share: float) -> _Counted:
        """The count, however long it takes; long ones one after the other."""
        terms, spec = asked.found.terms, records.spec(asked.kind)
        indexing = self._store.indexing
        near = indexing == "fts5" or share * asked.total <= FAR
        async with self._turn:
            began = _now()
            if len(terms) == 1 and (alone := terms[0].alone.get(indexing)):
                (text,), values = numbered([alone])
                rows = await self._store.fetch(dynamic(text), *values, heavy=True)
            else:
                forms = [term.near.get(indexing, term.plain) if near else term.plain for term in terms]
                rows = await self._ask(f"SELECT count(*) FROM {spec.name} t", forms)  # noqa: S608 - declared names
        return self._counts.put(_name(asked), _Counted(int(cast("int", rows[0][0])), began, _now() - began))

    async def _census(self, asked: Asked) -> int:
        forms = [_each(term) for term in asked.found.terms]
        census = records.spec(asked.kind).census
        (row,) = await self._ask(f"SELECT coalesce(sum(t.n), 0) FROM {census} t", forms)  # noqa: S608 - declared names
        return int(cast("int", row[0]))

    # Which rows.

    async def _keys(self, asked: Asked, share: float, count: int, *, known: bool) -> list[Value]:
        if asked.found.terms and count <= NEAR:
            return [row[0] for row in await self._near(asked)]  # type: ignore[misc]  # keys are values
        one_way = len({key.down for key in asked.order}) == 1 and not any(key.nulls for key in asked.order)
        if known and asked.offset + asked.size > count - asked.offset:
            size = min(asked.size, count - asked.offset)
            turned = asked._replace(
                order=[key.turned for key in asked.order], offset=count - asked.offset - size, size=size
            )
            rows = await self._walk(turned, share, count, one_way=one_way)
            rows.reverse()
        else:
            rows = await self._walk(asked, share, count, one_way=one_way)
        return [row[0] for row in rows]  # type: ignore[misc]  # as above

    async def _walk(self, asked: Asked, share: float, count: int, *, one_way: bool) -> list[Row]:
        share = max(share, 1 / DRAWN / 2)
        if not one_way:
            return await (self._near(asked) if share * asked.total <= FAR else self._on(asked, 0, None))
        name = (_name(asked), tuple(asked.order))
        trail = self._trails.get(name) or self._trails.put(name, _Trail())
        at, place = trail.before(asked.offset)
        stride = max(asked.size, int(STEPS * share))
        if asked.found.terms and count <= FAR and (place is None or asked.offset - at > stride):
            rows = await self._ahead(asked, share) if asked.offset == 0 else []
            rows = rows or await self._near(asked)
        else:
            while asked.offset - at > stride:
                hop = await self._on(asked._replace(offset=at + stride, size=1), at, place)
                if not hop:
                    return []
                at, place = at + stride, _place(hop[0])
                trail.add(at, place)
            rows = await self._on(asked, at, place)
        if rows and asked.found.terms:
            trail.add(asked.offset, _place(rows[0]))
        return rows

    async def _near(self, asked: Asked) -> list[Row]:
        """The page by the indexes of what is asked for."""
        forms = [term.near.get(self._store.indexing, term.plain) for term in asked.found.terms]
        names = [f"k{number}" for number in range(len(asked.order) + 1)]
        order = [key._replace(text=name) for name, key in zip(names[1:], asked.order, strict=True)]
        texts, values = numbered(forms)
        # Materialised, so that no planner walks in order after all.
        found = f"WITH f ({', '.join(names)}) AS MATERIALIZED ({_select(asked)} WHERE {' AND '.join(texts) or 'true'})"
        (tail,), more = numbered([_tail(order, asked.size, asked.offset)], len(values) + 1)
        text = f"{found} SELECT {', '.join(names)} FROM f {tail}"  # noqa: S608 - as above
        return await self._store.fetch(dynamic(text), *values, *more, heavy=True)

    async def _on(self, asked: Asked, at: int, place: tuple[Value, ...] | None) -> list[Row]:
        """The page by meeting rows in order, from ``place`` on, before which ``at`` rows lie."""
        forms = _met(asked)
        if place is not None:
            forms.append(_from(asked.order, place))
        return await self._ask(_select(asked), forms, _tail(asked.order, asked.size, asked.offset - at))

    async def _ahead(self, asked: Asked, share: float) -> list[Row]:
        """The first page, if the rows it should be among hold it: what is asked for may follow the order itself."""
        name, order = records.spec(asked.kind).name, _ordered(asked.order)
        head = f"(SELECT t.* FROM {name} t {order} LIMIT {min(STEPS, int(asked.size / share) * 4)})"  # noqa: S608 - declared names
        text = f"SELECT {_columns(asked)} FROM {head} t"  # noqa: S608 - as above
        rows = await self._ask(text, [_each(term) for term in asked.found.terms], _tail(asked.order, asked.size, 0))
        return rows if len(rows) == asked.size else []

    async def _ask(self, text: str, forms: Iterable[Fragment], *tail: Fragment) -> list[Row]:
        texts, values = numbered(forms)
        rest, more = numbered(tail, len(values) + 1)
        where = f" WHERE {' AND '.join(texts)}" if texts else ""
        return await self._store.fetch(dynamic(f"{text}{where}{' '.join(['', *rest])}"), *values, *more, heavy=True)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _heard(task: "asyncio.Task[_Counted]") -> None:
    """Whoever asked has gone on: a failure is nobody's any more."""
    if not task.cancelled():
        task.exception()


def _name(asked: Asked) -> Hashable:
    values = tuple(tuple(one) if isinstance(one, (list, tuple)) else one for one in asked.found.values)
    return (asked.kind.model, tuple(term.plain.text for term in asked.found.terms), values)


def _conditions(terms: list[Term]) -> Conditions:
    found = Conditions()
    found.terms = terms
    return found


def _each(term: Term) -> Fragment:
    return term.each or term.plain


def _opaque(term: Term) -> Fragment:
    """The condition for rows at hand, in a form that tempts no planner to look for rows by it."""
    form = _each(term)
    return Fragment(f"CASE WHEN {form.text} THEN true ELSE false END", form.values)


def _met(asked: Asked) -> list[Fragment]:
    """The conditions for a walk; one on what leads the order says where to begin, and stays as it is."""
    first = asked.order[0].text
    return [term.plain if term.column and f"t.{term.column}" == first else _opaque(term) for term in asked.found.terms]


def _from(order: Sequence[Key], place: tuple[Value, ...]) -> Fragment:
    names, marks = ", ".join(key.text for key in order), ", ".join("{}" for _ in order)
    beyond = "<=" if order[0].down else ">="
    if len(order) == 1 or "(" not in order[0].text:
        return Fragment(f"({names}) {beyond} ({marks})", place)
    # Said of the first alone as well: SQLite looks up no pair that begins with an expression.
    return Fragment(f"{order[0].text} {beyond} {{}} AND ({names}) {beyond} ({marks})", (place[0], *place))


def _place(row: Row) -> tuple[Value, ...]:
    return cast("tuple[Value, ...]", row[1:])


def _columns(asked: Asked) -> str:
    return ", ".join((f"t.{records.spec(asked.kind).key}", *(key.text for key in asked.order)))


def _select(asked: Asked) -> str:
    return f"SELECT {_columns(asked)} FROM {records.spec(asked.kind).name} t"  # noqa: S608 - declared names


def _ordered(order: Sequence[Key]) -> str:
    return f"ORDER BY {', '.join(map(str, order))}"


def _tail(order: Sequence[Key], size: int, offset: int) -> Fragment:
    return Fragment(f"{_ordered(order)} LIMIT {{}} OFFSET {{}}", (size, offset))
