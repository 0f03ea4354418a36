"""Group commit on PostgreSQL: units of one shape that wait together leave as one transaction and cost one fsync.

If any of them fails, the group leaves nothing and its halves are sent, and their halves, until each failing unit fails
alone. The next group of a shape leaves as soon as the last has landed; groups of different shapes travel side by side.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, TypeAlias

import asyncpg

from keystead.base import rand
from keystead.base.errors import Kind, Problem
from keystead.store import compose_unit
from keystead.store.compose_unit import References
from keystead.store.postgres_link import GIVEN_UP
from keystead.store.postgres_pool import Pool
from keystead.store.store import StoreDown
from keystead.store.unit import Shape, Unit

MAX_WAITING: Final = 10_000
"""Units that may wait; one more is refused as busy."""
MAX_BATCH: Final = 256
"""Units that share one commit."""
_TRIES: Final = 8
"""How often a unit is sent that PostgreSQL gives up for its neighbours' sake (deadlock, serialisation)."""
_REFERENCES: Final = (
    "SELECT c.conrelid::regclass::text, c.confrelid::regclass::text FROM pg_constraint c"
    " JOIN pg_namespace n ON n.oid = c.connamespace WHERE c.contype = 'f' AND n.nspname = current_schema()"
)

_Group: TypeAlias = tuple[Shape, bool]
"""Units that are the same statements: their shape, and whether they announce something."""
_Waiting: TypeAlias = tuple[Unit, "asyncio.Future[None]"]


class Committer:
    """The units on their way to PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._waiting: dict[_Group, list[_Waiting]] = {}
        self._count = 0
        self._senders: set[asyncio.Task[None]] = set()
        self._references: References | None = None

    async def commit(self, unit: Unit) -> None:
        """See :meth:`Store.commit`."""
        if self._count >= MAX_WAITING:
            raise Problem(Kind.BUSY, "Too many changes are waiting to be written; try again shortly.", retry_after=1)
        loop = asyncio.get_running_loop()
        landed: asyncio.Future[None] = loop.create_future()
        self._count += 1
        group = (unit.shape, bool(unit.announce))
        if (queue := self._waiting.get(group)) is not None:
            queue.append((unit, landed))
        else:
            self._waiting[group] = [(unit, landed)]
            sender = loop.create_task(self._send(group))
            self._senders.add(sender)
            sender.add_done_callback(self._senders.discard)
        # A caller that is cancelled here cancels its future only: the unit lands or fails all the same.
        await landed

    async def finish(self, seconds: float) -> None:
        """Wait until no unit waits any more; what still does after ``seconds`` fails."""
        if self._senders:
            _, late = await asyncio.wait(self._senders, timeout=seconds)
            for sender in late:
                sender.cancel()
            if late:
                await asyncio.wait(late)

    async def _send(self, group: _Group) -> None:
        """Send the units of one group, batch after batch, until none waits."""
        try:
            while queue := self._waiting[group]:
                self._waiting[group] = queue[MAX_BATCH:]
                await self._land(queue[:MAX_BATCH])
        finally:
            # Empty, unless this task was cancelled.
            self._resolve(self._waiting.pop(group), StoreDown("the store was closed before the unit was sent"))

    async def _land(self, batch: list[_Waiting]) -> None:
        try:
            await self._write([unit for unit, _ in batch])
        except StoreDown as exc:
            # What became of the units is unknown: sent again they could land twice.
            self._resolve(batch, exc)
        except Exception as exc:  # noqa: BLE001 - whatever it is, the caller of the unit that caused it must hear of it
            # The server undid the whole group.
            if len(batch) == 1:
                self._resolve(batch, exc)
            else:
                await self._land(batch[: len(batch) // 2])
                await self._land(batch[len(batch) // 2 :])
        except BaseException:
            self._resolve(batch, StoreDown("the store was closed while the unit was on its way"))
            raise
        else:
            self._resolve(batch, None)

    def _resolve(self, batch: list[_Waiting], outcome: Exception | None) -> None:
        self._count -= len(batch)
        for _, landed in batch:
            if landed.done():
                continue  # nobody waits for the answer any more
            if outcome is None:
                landed.set_result(None)
            else:
                # One exception a caller: a raised one collects the places it passes.
                landed.set_exception(outcome if len(batch) == 1 else StoreDown(str(outcome)))

    async def _write(self, units: Sequence[Unit]) -> None:
        """Land ``units``, all of one shape, in one transaction."""
        apart = False
        for attempt in range(_TRIES):
            try:
                return await self._write_once(units, apart=apart)
            except asyncpg.CardinalityViolationError:
                # Two writes of a unit came upon the same row within one statement.
                if apart:
                    raise
                apart = True
            except GIVEN_UP:
                if len(units) > 1:
                    raise
                await asyncio.sleep(rand.below(10 << attempt) / 1000)
        raise StoreDown("PostgreSQL gave the unit up again and again")

    async def _write_once(self, units: Sequence[Unit], *, apart: bool) -> None:
        async with self._pool.connection() as connection:
            if self._references is None:
                pairs = await connection.fetch(_REFERENCES)
                self._references = compose_unit.closure([(str(low), str(high)) for low, high in pairs])
            steps = compose_unit.steps(units[0], self._references, apart=apart)
            if len(steps) == 1:
                rows = [compose_unit.arguments(unit, steps[0]) for unit in units]
                if len(rows) == 1:
                    await connection.execute(steps[0].text, *rows[0])
                else:
                    await connection.executemany(steps[0].text, rows)
                return
            async with connection.transaction():
                for unit in units:
                    for step in steps:
                        await connection.execute(step.text, *compose_unit.arguments(unit, step))
