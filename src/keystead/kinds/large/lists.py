"""Pages of large tables: work that is bounded however many rows there are (docs/decisions/0009-large-lists.md).

A sample of the table tells how many rows match, about. *Few* are found by the index of what is asked for and sorted,
which counts them too. Of *many*, a page near either end is met in the order of the list, and the walk ends when it is
full; any other is told by ranks (``ranks``), or, where rows have no numbers, by trails (``trails``).
"""

import asyncio
import contextlib
from typing import Any, Final, TypeAlias, cast

from keystead.kinds.conditions import Conditions
from keystead.kinds.kind import Kind
from keystead.kinds.large.ask import Asked, ask, each, near, within
from keystead.kinds.large.kept import QUICK
from keystead.kinds.large.links import Links
from keystead.kinds.large.members import Stray
from keystead.kinds.large.ranks import FEW, Ranks
from keystead.kinds.large.sample import Samples
from keystead.kinds.large.trails import Trails
from keystead.kinds.terms import FTS5, Term
from keystead.store import Store, Value

_Page: TypeAlias = tuple[list[Value], int]
__all__ = ["FROM", "Asked", "Large"]

FROM: Final = 20_000
"""Rows from which a table is large; below, every page and count is asked for plainly."""
NEAR: Final = 4_000
"""Matches up to which they are all fetched and sorted."""
FEWEST: Final = 500
"""Matches above which it is better to look at their ranks, if those are known."""
FAR: Final = 50_000
"""Matches up to which PostgreSQL looks them up by the index of what is asked for, and none walks along all rows."""
SORTED: Final = 50_000
"""Matches up to which they are sorted while their ranks begin to be made; who comes next waits for those."""
WIDE: Final = 20_000
"""Matches above which nobody waits for their count."""
LOOKED_UP: Final = 16_000
"""Rows among which they are looked for, at most, by the condition that the fewest meet."""
STEPS: Final = 8_000
"""Rows a walk may meet."""
SKIPPED: Final = 10_000
"""Rows that an unnarrowed walk may skip."""
PATIENCE: Final = QUICK
"""Seconds that a page waits for an exact count."""
SKIPPING: Final = 0.25
"""Seconds that a page may take that is found by skipping all before it in an index."""


class Large:
    """What one process knows of its large tables.

    :param begins: rows from which a table is large.
    """

    def __init__(self, store: Store, begins: int = FROM) -> None:
        self.begins = begins
        self.links = Links(store)
        self._store = store
        self._samples = Samples(store)
        self._ranks = Ranks(store)
        self._trails = Trails(store)

    async def prepare(self, kind: Kind[Any]) -> None:
        """Have a sample at hand, which whoever asks first for a list would wait for."""
        await self._samples.drawn(kind)

    async def page(self, asked: Asked) -> _Page:
        """The primary keys of a page's rows, in order, and the count of the whole list.

        The count is exact if few rows match, if it takes no longer than :data:`PATIENCE` to find, and for every page
        that is not near the beginning; otherwise it is one found lately, or what a sample tells.
        """
        if not asked.found.terms:
            return await self._unnarrowed(asked)
        known = await self._told(asked)
        share, least = await self._samples.shares(asked)
        if known is not None:
            share = known / asked.total
            if asked.offset >= known:
                return [], known
        numbered = await self._ranks.usable(asked)
        if (page := await self._of_few(asked, share, least, numbered=numbered)) is not None:
            return page
        return await self._of_many(asked, max(share, 1 / asked.total), known, numbered=numbered)

    async def _of_few(self, asked: Asked, share: float, least: float, *, numbered: bool) -> _Page | None:
        """The page if few match: by their ranks, or by sorting them."""
        about = share * asked.total
        if numbered and FEWEST < about <= FEW and self._ranks.known(asked):
            with contextlib.suppress(Stray):
                if await self._ranks.count(asked, near=True, patience=PATIENCE) is not None:
                    return await self._ranks.page(asked, near=True)
        if about > NEAR or least * asked.total > LOOKED_UP:
            return None
        keys, count = await near(self._store, asked)
        if numbered and count > FEWEST:
            self._ranks.ready(asked)
        self._samples.learn(asked, count, least)
        return keys, count

    async def _of_many(self, asked: Asked, share: float, known: int | None, *, numbered: bool) -> _Page:
        """The page by few steps from an end of the list, or however far from both it is."""
        found = await self._walked(asked, share, known)
        begun = not numbered or self._ranks.begun(asked)
        if known is None:
            known = await self._counted(asked, share, numbered=numbered)
        if numbered:
            self._ranks.ready(asked)
        if found is None and known is not None and asked.offset < known:
            found = await self._walked_back(asked, share, known)
        if found is not None:
            least = asked.offset + len(found)
            if known is None:
                known = max(round(share * asked.total), least + 1) if len(found) == asked.size else least
            return found, max(known, least)
        if not numbered:
            return await self._trails.page(asked, share, known)
        return await self._far(asked, share, known, begun=begun)

    async def _far(self, asked: Asked, share: float, known: int | None, *, begun: bool) -> _Page:
        """A page that no few steps from either end lead to: by ranks, or faster while those would be waited for."""
        if not self._ranks.ready(asked, members=True):
            if known is not None and known > FAR and _covered(asked) and (page := await self._skipped(asked, known)):
                return page
            if share * asked.total <= SORTED and not begun:
                return await near(self._store, asked)
        try:
            return await self._ranks.page(asked, near=self._by_index(asked, share))
        except Stray:
            return await near(self._store, asked)

    async def _unnarrowed(self, asked: Asked) -> _Page:
        if asked.offset >= asked.total:
            return [], asked.total
        if min(asked.offset, asked.total - asked.offset - asked.size) > SKIPPED or not asked.followed:
            if not await self._ranks.usable(asked):
                return await self._trails.page(asked, 1.0, asked.total)
            if not self._ranks.known(asked) and asked.followed and (page := await self._skipped(asked, asked.total)):
                self._ranks.ready(asked)
                return page
            return await self._ranks.page(asked, near=False)
        return await self._trails.page(asked, 1.0, asked.total)

    async def _skipped(self, asked: Asked, count: int) -> _Page | None:
        """The page of a list of ``count``, by meeting all before it in an index; None, if that takes too long."""
        try:
            async with asyncio.timeout(SKIPPING):
                return await self._trails.page(asked, count / asked.total, count)
        except TimeoutError:
            return None

    # How many rows match, if that can be told.

    async def _told(self, asked: Asked) -> int | None:
        """The count of the list where nothing needs to be counted, or only few of the others."""
        terms, table = asked.found.terms, asked.table
        if table.census and all(term.column in table.sorts for term in terms):
            forms = [each(term) for term in terms]
            (row,) = await ask(self._store, f"SELECT coalesce(sum(t.n), 0) FROM {table.census} t", forms)  # noqa: S608 - declared names
            return int(cast("int", row[0]))
        if len(terms) == 1 and (others := terms[0].others):
            rest = asked._replace(found=_conditions([others]), offset=0, size=1)
            if (await self._samples.shares(rest)).all * asked.total <= NEAR:
                return max(0, asked.total - (await near(self._store, rest))[1])
        return None

    async def _counted(self, asked: Asked, share: float, *, numbered: bool) -> int | None:
        """The count if it is made before anybody tires of waiting, or was made lately."""
        known = self._ranks if numbered else self._trails
        patience = PATIENCE if share * asked.total <= WIDE else 0.0
        return await known.count(asked, near=self._by_index(asked, share), patience=patience)

    def _by_index(self, asked: Asked, share: float) -> bool:
        return self._store.indexing == FTS5 or share * asked.total <= FAR

    # Which rows, by few steps from an end of the list.

    async def _walked(self, asked: Asked, share: float, known: int | None) -> list[Value] | None:
        """The page, if rows from the beginning of the list on hold it; at once those of the end, if that is nearer."""
        if not asked.followed or (asked.offset + asked.size) / share > STEPS:
            return None
        if known is not None and asked.offset > known // 2:
            return None
        return await within(self._store, asked, STEPS)

    async def _walked_back(self, asked: Asked, share: float, known: int) -> list[Value] | None:
        """The page, if rows from the end of the list back hold it."""
        turned = asked.turned(known)
        found = await self._walked(turned, share, None)
        if found is None or len(found) < turned.size:
            return None
        return found[::-1]


def _covered(asked: Asked) -> bool:
    """Whether the index of the kind's own order holds all that is asked for."""
    own = len(asked.kind.order) == 1 and asked.order[0].text == f"t.{asked.kind.order[0]}"
    return own and all(term.column in asked.table.sorts for term in asked.found.terms)


def _conditions(terms: list[Term]) -> Conditions:
    found = Conditions()
    found.terms = terms
    return found
