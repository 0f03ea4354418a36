"""A rehearsal on PostgreSQL: a transaction on a connection of the pool that is rolled back in the end."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from keystead.store.postgres_link import FAILURES, raise_translated
from keystead.store.postgres_pool import Pool
from keystead.store.sql import Row, Statement, Value
from keystead.store.store import GuardFailed
from keystead.store.unit import Write

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

    _Connection: TypeAlias = PoolConnectionProxy[asyncpg.Record]


class PostgresRehearsal:
    """See :class:`~keystead.store.store.Rehearsal`."""

    def __init__(self, connection: "_Connection") -> None:
        self._connection = connection

    async def write(self, writes: Sequence[Write]) -> None:
        """See :meth:`Rehearsal.write`."""
        try:
            for write in writes:
                done = await self._connection.execute(write.statement.text, *write.args)
                if write.expect is not None and int(done.rpartition(" ")[2]) != write.expect:
                    raise GuardFailed(write.guard)
        except FAILURES as exc:
            raise_translated(exc, lost=self._connection.is_closed())

    async def fetch(self, statement: Statement, *args: Value) -> list[Row]:
        """See :meth:`Rehearsal.fetch`."""
        statement.check(args)
        try:
            return [tuple(row) for row in await self._connection.fetch(statement.text, *args)]
        except FAILURES as exc:
            raise_translated(exc, lost=self._connection.is_closed())


@contextlib.asynccontextmanager
async def rehearsed(pool: Pool) -> AsyncIterator[PostgresRehearsal]:
    """A rehearsal on a connection of ``pool``."""
    async with pool.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            yield PostgresRehearsal(connection)
        finally:
            if not connection.is_closed():
                await transaction.rollback()
