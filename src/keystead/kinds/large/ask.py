"""What one page of a large table is asked with, and the bounded questions of which such pages are made."""

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, NamedTuple, cast

from keystead.kinds.conditions import Conditions, Key
from keystead.kinds.kind import Kind, Table
from keystead.kinds.linked import kept_in
from keystead.kinds.terms import Fragment, Term, numbered
from keystead.store import Row, Store, Value
from keystead.store.sql import dynamic

_FOLLOWED = 2
"""Members of an order that an index may follow: one, and the key after it."""


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

    @property
    def table(self) -> Table:
        """Where the rows are kept."""
        return kept_in(self.kind)

    @property
    def name(self) -> Hashable:
        """What tells this list from others, whatever their order."""
        values = tuple(tuple(one) if isinstance(one, (list, tuple)) else one for one in self.found.values)
        return (self.kind.model, tuple(term.plain.text for term in self.found.terms), values)

    @property
    def one_way(self) -> bool:
        """Whether the order's parts all go the same way."""
        return len({key.down for key in self.order}) == 1 and not any(key.nulls for key in self.order)

    @property
    def followed(self) -> bool:
        """Whether an index follows the order; where rows have no numbers, at least its first part."""
        return self.one_way and (len(self.order) <= _FOLLOWED or not self.table.number)

    def turned(self, count: int) -> "Asked":
        """The same page, met from the other end of a list of ``count``; its rows are those, the other way round."""
        size = min(self.size, count - self.offset)
        return self._replace(order=[key.turned for key in self.order], offset=count - self.offset - size, size=size)


async def ask(store: Store, text: str, forms: Iterable[Fragment], *tail: Fragment) -> list[Row]:
    """The rows of ``text`` that meet ``forms``."""
    texts, values = numbered(forms)
    rest, more = numbered(tail, len(values) + 1)
    where = f" WHERE {' AND '.join(texts)}" if texts else ""
    return await store.fetch(dynamic(f"{text}{where}{' '.join(['', *rest])}"), *values, *more, heavy=True)


async def count(store: Store, asked: Asked, *, near: bool) -> int:
    """How many rows match."""
    forms = nearest(store, asked) if near else [term.plain for term in asked.found.terms]
    (row,) = await ask(store, f"SELECT count(*) FROM {asked.table.name} t", forms)  # noqa: S608 - declared names
    return int(cast("int", row[0]))


async def near(store: Store, asked: Asked) -> tuple[list[Value], int]:
    """The keys of a page by the indexes of what is asked for, and the count of the list: all that match are sorted."""
    names = [f"k{number}" for number in range(len(asked.order) + 1)]
    order = [key._replace(text=name) for name, key in zip(names[1:], asked.order, strict=True)]
    texts, values = numbered(nearest(store, asked))
    # Materialised, so that no planner walks in order after all.
    found = f"WITH f ({', '.join(names)}) AS MATERIALIZED ({_select(asked)} WHERE {' AND '.join(texts) or 'true'})"
    (rest,), more = numbered([tail(order, asked.size, asked.offset)], len(values) + 1)
    text = f"{found} SELECT {names[0]}, (SELECT count(*) FROM f) FROM f {rest}"  # noqa: S608 - as above
    rows = await store.fetch(dynamic(text), *values, *more, heavy=True)
    if not rows and asked.offset:
        return [], await count(store, asked, near=True)
    return [cast("Value", row[0]) for row in rows], int(cast("int", rows[0][1])) if rows else 0


async def within(store: Store, asked: Asked, steps: int) -> list[Value] | None:
    """The keys of a page by meeting at most ``steps`` rows in order; None if they do not hold it."""
    places = f"SELECT {', '.join(key.text for key in asked.order)} FROM {asked.table.name} t"  # noqa: S608 - declared names
    bound = await ask(store, places, [], tail(asked.order, 1, steps))
    rows = await on(store, asked, [_before(asked.order, bound[0])] if bound else [])
    return [cast("Value", row[0]) for row in rows] if len(rows) == asked.size or not bound else None


async def on(store: Store, asked: Asked, bounds: list[Fragment], at: int = 0) -> list[Row]:
    """The page by meeting rows in order within ``bounds``, before which ``at`` matches lie: key and place of each."""
    return await ask(store, _select(asked), met(asked) + bounds, tail(asked.order, asked.size, asked.offset - at))


def nearest(store: Store, asked: Asked) -> list[Fragment]:
    """The conditions in the form that finds few rows by an index."""
    return [term.near.get(store.indexing, term.plain) for term in asked.found.terms]


def each(term: Term) -> Fragment:
    """The condition for rows at hand."""
    return term.each or term.plain


def opaque(term: Term) -> Fragment:
    """The condition for rows at hand, in a form that tempts no planner to look for rows by it."""
    form = each(term)
    return Fragment(f"CASE WHEN {form.text} THEN true ELSE false END", form.values)


def met(asked: Asked) -> list[Fragment]:
    """The conditions for a walk; one on what leads the order says where to begin, and stays as it is."""
    first = asked.order[0].text
    return [term.plain if term.column and f"t.{term.column}" == first else opaque(term) for term in asked.found.terms]


def since(order: Sequence[Key], place: Sequence[Value]) -> Fragment:
    """From ``place`` on."""
    return _beside(order, place, "<=" if order[0].down else ">=", "=")


def _before(order: Sequence[Key], place: Row) -> Fragment:
    return _beside(order, cast("Sequence[Value]", place), ">" if order[0].down else "<", "=")


def _beside(order: Sequence[Key], place: Sequence[Value], sign: str, alike: str) -> Fragment:
    names, marks = ", ".join(key.text for key in order), ", ".join("{}" for _ in order)
    if len(order) == 1 or "(" not in order[0].text:
        return Fragment(f"({names}) {sign} ({marks})", tuple(place))
    # Said of the first alone as well: SQLite looks up no pair that begins with an expression.
    first = sign.rstrip(alike) + alike
    return Fragment(f"{order[0].text} {first} {{}} AND ({names}) {sign} ({marks})", (place[0], *place))


def _select(asked: Asked) -> str:
    columns = ", ".join((f"t.{asked.table.key}", *(key.text for key in asked.order)))
    return f"SELECT {columns} FROM {asked.table.name} t"  # noqa: S608 - declared names


def ordered(order: Sequence[Key]) -> str:
    """The ORDER BY clause."""
    return f"ORDER BY {', '.join(map(str, order))}"


def tail(order: Sequence[Key], size: int, offset: int) -> Fragment:
    """The end of a SELECT of one page."""
    return Fragment(f"{ordered(order)} LIMIT {{}} OFFSET {{}}", (size, offset))
