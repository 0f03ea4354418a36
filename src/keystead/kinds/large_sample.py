"""Samples of large tables: which share of the rows matches, about."""

import asyncio
from typing import Any, Final, cast

from keystead.base import rand
from keystead.kinds import records
from keystead.kinds.kind import Kind
from keystead.kinds.large_ask import Asked, ask, opaque
from keystead.kinds.large_kept import Recent
from keystead.kinds.terms import Fragment
from keystead.store import Statement, Store, Value
from keystead.store.sql import dynamic

DRAWN: Final = 400
"""Rows in a sample."""
DRAW: Final = 600.0
"""Seconds after which another sample is drawn."""


class Samples:
    """A sample of each large table, and what it tells."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._samples: Recent[list[Value]] = Recent(DRAW)
        self._shares: Recent[float] = Recent()
        self._drawing = asyncio.Lock()

    async def share(self, asked: Asked) -> float:
        """The share of the table that matches; 0 if none of the sample does."""
        known = self._shares.get(asked.name)
        if known is not None:
            return known
        kind, table = asked.kind, asked.table
        async with self._drawing:
            sample = self._samples.get(table.name)
            if sample is None:
                sample = self._samples.put(table.name, await self._draw(kind))
        if not sample:
            return 1.0
        type_ = records.sql_type(kind.fields[kind.pk])
        drawn = Fragment(f"t.{table.key} = ANY({{}}::{type_}[])", (cast("Value", sample),))
        text = f"SELECT count(*) FROM {table.name} t"  # noqa: S608 - declared names
        (row,) = await ask(self._store, text, [drawn, *map(opaque, asked.found.terms)])
        return self._shares.put(asked.name, int(cast("int", row[0])) / len(sample))

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
