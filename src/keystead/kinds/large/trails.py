"""Pages of large tables by walks that begin where earlier ones came by: without numbers, or until ranks are made."""

import bisect
from dataclasses import dataclass, field
from typing import Final, cast

from keystead.kinds.large.ask import Asked, count, near, on, since
from keystead.kinds.large.kept import Kept, Recent, Turns
from keystead.store import Row, Store, Value

FAR: Final = 50_000
"""Matches up to which it is better to sort them all than to walk by many rows."""
STEPS: Final = 5_000
"""Rows that are met again rather than that a place is kept for them."""
_RARE: Final = 1 / 800
"""The share of a table that is taken to match if none of a sample does."""
_COUNTS: Final = 65_536
"""Bytes of counts that are remembered."""
_COUNT: Final = 256
"""Bytes of one, about."""


@dataclass
class _Trail:
    """Where walks over one list came by: how many rows lie before, and the values of the order there."""

    offsets: list[int] = field(default_factory=list)
    places: list[tuple[Value, ...]] = field(default_factory=list)

    def before(self, offset: int) -> tuple[int, tuple[Value, ...] | None]:
        """The last place at or before ``offset``."""
        index = bisect.bisect_right(self.offsets, offset) - 1
        return (self.offsets[index], self.places[index]) if index >= 0 else (0, None)

    def add(self, offset: int, row: Row) -> None:
        index = bisect.bisect_left(self.offsets, offset)
        if index == len(self.offsets) or self.offsets[index] != offset:
            self.offsets.insert(index, offset)
            self.places.insert(index, cast("tuple[Value, ...]", row[1:]))


class Trails:
    """What one process knows of the lists of such tables."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._counts: Kept[int] = Kept(Turns(), _COUNTS, lambda _: _COUNT)
        self._trails: Recent[_Trail] = Recent()

    async def count(self, asked: Asked, *, near: bool, patience: float) -> int | None:
        """The count of the list, if it is known by then."""
        return await self._counts.soon(asked.name, lambda: count(self._store, asked, near=near), asked.total, patience)

    async def page(self, asked: Asked, share: float, known: int | None) -> tuple[list[Value], int]:
        """The keys of a page, and the count of the list."""
        if known is None:
            few = share * asked.total <= FAR
            known = await self._counts.value(asked.name, lambda: count(self._store, asked, near=few), asked.total)
        if asked.offset >= known:
            return [], known
        if asked.offset + asked.size > known - asked.offset:
            keys = await self._walk(asked.turned(known), share, known)
            keys.reverse()
            return keys, known
        return await self._walk(asked, share, known), known

    async def _walk(self, asked: Asked, share: float, known: int) -> list[Value]:
        share = max(share, _RARE)
        name = (asked.name, tuple(asked.order), asked.total)
        trail = self._trails.get(name) or self._trails.put(name, _Trail())
        at, place = trail.before(asked.offset)
        far = asked.offset - at > max(asked.size, int(STEPS * share))
        if not asked.one_way or (asked.found.terms and known <= FAR and (place is None or far)):
            return (await near(self._store, asked))[0]
        rows = await self._on(asked, at, place)
        if rows and (far or asked.found.terms):
            trail.add(asked.offset, rows[0])
        return [cast("Value", row[0]) for row in rows]

    async def _on(self, asked: Asked, at: int, place: tuple[Value, ...] | None) -> list[Row]:
        return await on(self._store, asked, [since(asked.order, place)] if place is not None else [], at)
