"""The store as it will be once a unit has landed: rooms that decide one step after the other see their own steps."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import TracebackType
from typing import Final, NoReturn, Self

from keystead.store.sql import Row, Statement, Value
from keystead.store.store import Change, GuardFailed, Overtaken, Rehearsal, Store, Taken
from keystead.store.unit import Unit, Write

STRETCH: Final = 1.0
"""Seconds for which a rehearsal holds up others before it lets them in between."""
_SHARE: Final = 4
"""Or this many times as long as it took to begin anew, where that is longer: it must get on."""


class Ahead:
    """A :class:`~keystead.store.store.Store` whose questions are answered after the writes that were put ahead.

    As long as none was, it asks the real one; from then on a rehearsal, which is given up and begun anew when something
    takes time. Nothing is ever committed through it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._writes: list[Write] = []
        self._open = AsyncExitStack()
        self._rehearsal: Rehearsal | None = None
        self._until = 0.0
        self._numbers: dict[str, range] = {}
        self._blocks: dict[str, int] = {}
        self.indexing = store.indexing

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _exc: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        await self.let_go()

    async def write(self, writes: Sequence[Write]) -> None:
        """Put ``writes`` ahead.

        :raises GuardFailed: as :meth:`Store.commit`, and so on.
        :raises Overtaken: what was put ahead before goes no more; so do all questions.
        """
        if writes:
            stage = await self._begin()
            self._writes.extend(writes)
            await stage.write(writes)

    async def let_go(self) -> None:
        """Hold nobody up any more; the next question begins anew with the same writes."""
        self._rehearsal = None
        await self._open.aclose()

    async def _begin(self) -> Rehearsal:
        now = asyncio.get_running_loop().time
        if self._rehearsal is not None and now() > self._until:
            await self.let_go()
            await asyncio.sleep(0)
        if self._rehearsal is None:
            begun = now()
            self._rehearsal = await self._open.enter_async_context(self._store.rehearsal())
            try:
                await self._rehearsal.write(self._writes)
            except (GuardFailed, Taken) as exc:
                await self.let_go()
                raise Overtaken(str(exc)) from exc
            self._until = now() + max(STRETCH, _SHARE * (now() - begun))
        return self._rehearsal

    async def fetch(self, statement: Statement, *args: Value, heavy: bool = False) -> list[Row]:
        """See :meth:`Store.fetch`."""
        if self._writes:
            return await (await self._begin()).fetch(statement, *args)
        return await self._store.fetch(statement, *args, heavy=heavy)

    async def fetch_one(self, statement: Statement, *args: Value) -> Row | None:
        """See :meth:`Store.fetch_one`."""
        if self._writes:
            return next(iter(await self.fetch(statement, *args)), None)
        return await self._store.fetch_one(statement, *args)

    async def reserve(self, name: str, count: int) -> int:
        """See :meth:`Store.reserve`: in blocks that grow, since the real store writes for it."""
        free = self._numbers.get(name, range(0))
        if len(free) < count:
            await self.let_go()
            size = self._blocks[name] = max(count, 2 * self._blocks.get(name, 0))
            first = await self._store.reserve(name, size)
            free = range(first, first + size)
        self._numbers[name] = free[count:]
        return free[0]

    async def head(self) -> int:
        """See :meth:`Store.head`."""
        return await self._store.head()

    async def documents(self) -> tuple[int, list[Change]]:
        """See :meth:`Store.documents`."""
        return await self._store.documents()

    async def changes(self, after: int) -> list[Change]:
        """See :meth:`Store.changes`."""
        return await self._store.changes(after)

    def announcements(self) -> AsyncIterator[int]:
        """See :meth:`Store.announcements`."""
        return self._store.announcements()

    async def exclusively(self, name: str, work: Callable[[], Awaitable[None]]) -> bool:
        """See :meth:`Store.exclusively`."""
        return await self._store.exclusively(name, work)

    def rehearsal(self) -> AbstractAsyncContextManager[Rehearsal]:
        """See :meth:`Store.rehearsal`."""
        return self._store.rehearsal()

    async def commit(self, unit: Unit) -> NoReturn:
        """Refuse: what is put ahead lands through the real store, all at once.

        :raises TypeError: always.
        """
        raise TypeError(f"{len(unit.writes)} writes were to be committed ahead of the others")

    async def close(self) -> None:
        """Let go; the real store stays open."""
        await self.let_go()
