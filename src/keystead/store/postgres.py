"""PostgreSQL on asyncpg: questions over a pool, units by group commit; lock and listener have their own connections."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Final

from keystead.store import settings_sql as sql
from keystead.store.postgres_commit import Committer
from keystead.store.postgres_link import Address
from keystead.store.postgres_pool import Pool
from keystead.store.postgres_rehearsal import rehearsed
from keystead.store.postgres_session import exclusively, listen
from keystead.store.sql import Row, Statement, Value
from keystead.store.store import Change, Rehearsal, StoreDown
from keystead.store.together import Together
from keystead.store.unit import Unit

__all__ = ["Address", "PostgresStore"]

_RESERVE: Final = Statement(
    "ids.reserve",
    "INSERT INTO id_blocks (name, next) VALUES ($1, 1 + $2::bigint)"
    " ON CONFLICT (name) DO UPDATE SET next = id_blocks.next + $2::bigint RETURNING next - $2::bigint",
)
_FINISH: Final = 10.0
"""Seconds that waiting units get when the store is closed."""


class PostgresStore:
    """The large engine; see :class:`~keystead.store.store.Store` for what each method promises."""

    indexing: Final = "grams"

    def __init__(self, pool: Pool, address: Address) -> None:
        self._pool = pool
        self._address = address
        self._committer = Committer(pool)
        self._together = Together[list[Row]]()
        self._closing = asyncio.Event()

    @classmethod
    async def open(cls, address: Address) -> "PostgresStore":
        """Connect.

        :raises StoreDown: nothing answers at ``address``, or it refuses us; the message says which.
        """
        return cls(await Pool.open(address), address)

    async def fetch(self, statement: Statement, *args: Value, heavy: bool = False) -> list[Row]:
        """See :meth:`Store.fetch`."""
        if heavy:
            return await self._rows(statement, args, one=False, heavy=True)
        return list(await self._shared(statement, args, one=False))

    async def fetch_one(self, statement: Statement, *args: Value) -> Row | None:
        """See :meth:`Store.fetch_one`."""
        rows = await self._shared(statement, args, one=True)
        return rows[0] if rows else None

    async def _shared(self, statement: Statement, args: tuple[Value, ...], *, one: bool) -> list[Row]:
        """The rows, for everyone who asks the same at this time; not the caller's to change."""
        question = (statement.text, args, one)
        try:
            hash(question)
        except TypeError:  # a list among the arguments
            return await self._rows(statement, args, one=one)
        return await self._together.ask(question, lambda: self._rows(statement, args, one=one))

    async def _rows(
        self, statement: Statement, args: tuple[Value, ...], *, one: bool, heavy: bool = False
    ) -> list[Row]:
        return [tuple(row) for row in await self._pool.ask(statement, args, one=one, heavy=heavy)]

    async def commit(self, unit: Unit) -> None:
        """See :meth:`Store.commit`."""
        if self._closing.is_set():
            raise StoreDown("the store is closed")
        if unit.writes:
            await self._committer.commit(unit)

    def rehearsal(self) -> AbstractAsyncContextManager[Rehearsal]:
        """See :meth:`Store.rehearsal`."""
        if self._closing.is_set():
            raise StoreDown("the store is closed")
        return rehearsed(self._pool)

    async def reserve(self, name: str, count: int) -> int:
        """See :meth:`Store.reserve`."""
        async with self._pool.connection() as connection:
            return int(await connection.fetchval(_RESERVE.text, name, count))

    async def head(self) -> int:
        """See :meth:`Store.head`."""
        row = await self.fetch_one(sql.HEAD)
        return int(str(row[0])) if row else 0

    async def documents(self) -> tuple[int, list[Change]]:
        """See :meth:`Store.documents`."""
        async with (
            self._pool.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            head = await connection.fetchval(sql.HEAD.text)
            rows = await connection.fetch(sql.DOCUMENTS.text)
        return int(head or 0), [Change(*row) for row in rows]

    async def changes(self, after: int) -> list[Change]:
        """See :meth:`Store.changes`."""
        return [Change(*row) for row in await self.fetch(sql.CHANGES, after)]  # type: ignore[arg-type]  # columns are typed by the schema

    def announcements(self) -> AsyncIterator[int]:
        """See :meth:`Store.announcements`."""
        return listen(self._address, self._closing)

    async def exclusively(self, name: str, work: Callable[[], Awaitable[None]]) -> bool:
        """See :meth:`Store.exclusively`: a session's advisory lock."""
        return await exclusively(self._address, name, work)

    async def close(self) -> None:
        """See :meth:`Store.close`."""
        if not self._closing.is_set():
            self._closing.set()
            await self._committer.finish(_FINISH)
            await self._pool.close()
