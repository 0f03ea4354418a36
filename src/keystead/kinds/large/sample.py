"""Samples of large tables: which share of the rows matches, about."""

import asyncio
from typing import Any, Final, NamedTuple, cast

from keystead.base import rand
from keystead.kinds.kind import Kind
from keystead.kinds.large.ask import Asked, opaque
from keystead.kinds.large.kept import Recent
from keystead.kinds.linked import kept_in, sql_type
from keystead.kinds.terms import Fragment, numbered
from keystead.store import Statement, Store, Value
from keystead.store.sql import dynamic

DRAWN: Final = 400
"""Rows in a sample."""
DRAW: Final = 600.0
"""Seconds after which another sample is drawn."""


class Shares(NamedTuple):
    """Which share of a table matches; 0 if none of the sample does.

    :param all: meets all that is asked for.
    :param least: meets the one condition that the fewest rows meet.
    """

    all: float
    least: float


class Samples:
    """A sample of each large table, and what it tells."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._samples: Recent[list[Value]] = Recent(DRAW)
        self._shares: Recent[Shares] = Recent()
        self._drawing = asyncio.Lock()

    async def shares(self, asked: Asked) -> Shares:
        """The shares of the table that match."""
        known = self._shares.get(asked.name)
        if known is not None:
            return known
        kind, table = asked.kind, asked.table
        sample = await self.drawn(kind)
        if not sample:
            return Shares(1.0, 1.0)
        type_ = sql_type(kind.fields[kind.pk])
        conditions = [opaque(term) for term in asked.found.terms]
        (drawn, *texts), values = numbered(
            [Fragment(f"t.{table.key} = ANY({{}}::{type_}[])", (cast("Value", sample),)), *conditions]
        )
        counts = [f"count(CASE WHEN {text} THEN 1 END)" for text in dict.fromkeys((" AND ".join(texts), *texts))]
        text = f"SELECT {', '.join(counts)} FROM {table.name} t WHERE {drawn}"  # noqa: S608 - declared names
        (row,) = await self._store.fetch(dynamic(text), *values, heavy=True)
        found = [int(cast("int", one)) / len(sample) for one in row]
        return self._shares.put(asked.name, Shares(found[0], min(found[1:], default=found[0])))

    async def drawn(self, kind: Kind[Any]) -> list[Value]:
        """The primary keys of the rows in the sample; none, if the table is empty."""
        name = kept_in(kind).name
        async with self._drawing:
            return self._samples.get(name) or self._samples.put(name, await self._draw(kind))

    def learn(self, asked: Asked, count: int, least: float) -> None:
        """They were counted: what is rare may be in no sample."""
        self._shares.put(asked.name, Shares(count / max(1, asked.total), least))

    async def _draw(self, kind: Kind[Any]) -> list[Value]:
        """Primary keys of some rows."""
        spec = kept_in(kind)
        key, type_ = f"t.{spec.key}", sql_type(kind.fields[kind.pk])
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
