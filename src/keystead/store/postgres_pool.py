"""The pool of connections to PostgreSQL: every use of it fails with the store's own failures."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, TypeAlias

import asyncpg

from keystead.base import rand
from keystead.store.postgres_link import FAILURES, Address, arguments, raise_translated, unusable
from keystead.store.sql import Statement, Value
from keystead.store.store import StoreDown

PATIENCE: Final = 5.0
"""Seconds that a caller waits for a free connection."""
GOODBYE: Final = 5.0
"""Seconds that connections in use get to finish when the pool is closed."""

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    _Connection: TypeAlias = PoolConnectionProxy[asyncpg.Record]


async def _as_it_is(_: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Nothing to reset when a connection goes back: we keep no session state on it, and a round trip is saved."""


class Pool:
    """Connections that are shared by all who ask and write."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", address: Address) -> None:
        self._pool = pool
        # Lists and searches leave half of the connections to the short questions.
        self._heavy = asyncio.Semaphore(max(1, address.pool // 2))

    @classmethod
    async def open(cls, address: Address) -> "Pool":
        """Connect once; more connections are made when they are needed.

        :raises StoreDown: nothing answers at ``address``, or it refuses us; the message says which.
        """
        try:
            pool = await asyncpg.create_pool(
                **arguments(address),
                min_size=1,
                max_size=address.pool,
                # Drawn, so that the processes of an installation do not renew their connections all at once.
                max_inactive_connection_lifetime=240.0 + rand.below(120),
                max_queries=50_000 + rand.below(50_000),
                reset=_as_it_is,
                statement_cache_size=512,
            )
        except FAILURES as exc:
            raise unusable(address, exc) from exc
        return cls(pool, address)

    async def ask(
        self, statement: Statement, args: tuple[Value, ...], *, one: bool, heavy: bool
    ) -> list[asyncpg.Record]:
        """The rows of a SELECT (at most the first, if ``one``).

        A question whose connection breaks is asked once more on a new one: PostgreSQL may have been restarted.

        :raises StoreDown: PostgreSQL does not answer, or no connection came free in time.
        """
        statement.check(args)
        if not heavy:
            return await self._ask(statement, args, one=one)
        try:
            async with asyncio.timeout(statement.longest), self._heavy:
                return await self._ask(statement, args, one=one)
        except TimeoutError as exc:
            raise StoreDown(f"{statement.name} took longer than {statement.longest:.0f} s") from exc

    async def _ask(self, statement: Statement, args: tuple[Value, ...], *, one: bool) -> list[asyncpg.Record]:
        for again in (True, False):
            connection = await self._acquire()
            try:
                if not one:
                    return await connection.fetch(statement.text, *args)
                row = await connection.fetchrow(statement.text, *args)
            except FAILURES as exc:
                lost = _gone(connection)
                if lost and again:
                    await self._pool.expire_connections()
                    continue
                raise_translated(exc, lost=lost)
            else:
                return [] if row is None else [row]
            finally:
                await self._pool.release(connection)
        raise StoreDown(statement.name)

    @asynccontextmanager
    async def connection(self) -> "AsyncIterator[_Connection]":
        """A connection for the body of a ``with``.

        :raises StoreDown: PostgreSQL does not answer, or no connection came free in time; and what ``translated`` says.
        """
        connection = await self._acquire()
        try:
            yield connection
        except FAILURES as exc:
            lost = _gone(connection)
            if lost or isinstance(exc, asyncpg.ReadOnlySQLTransactionError):
                # After a failover the others lead to a server that is gone, or to one that only stands by.
                await self._pool.expire_connections()
            raise_translated(exc, lost=lost)
        finally:
            await self._pool.release(connection)

    async def _acquire(self) -> "_Connection":
        try:
            return await self._pool.acquire(timeout=PATIENCE)
        except FAILURES as exc:
            raise StoreDown(str(exc) or f"no connection came free within {PATIENCE:.0f} s") from exc

    async def close(self) -> None:
        """Let go of all connections; what still runs after a few seconds fails."""
        try:
            async with asyncio.timeout(GOODBYE):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()


def _gone(connection: "_Connection") -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:  # the pool took it back when it broke
        return True
