"""A rehearsal on SQLite: a connection of its own that holds the writer's lock and in the end undoes everything."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from keystead.store.sql import Row, Statement, Value
from keystead.store.sqlite_link import connect, outage, run, translated
from keystead.store.unit import Write


class SqliteRehearsal:
    """See :class:`~keystead.store.store.Rehearsal`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def write(self, writes: Sequence[Write]) -> None:
        """See :meth:`Rehearsal.write`."""
        try:
            for write in writes:
                run(self._connection, write)
        except sqlite3.Error as exc:
            raise translated(exc) from exc

    async def fetch(self, statement: Statement, *args: Value) -> list[Row]:
        """See :meth:`Rehearsal.fetch`."""
        statement.check(args)
        with outage(statement.name):
            return self._connection.execute(statement.sqlite, statement.sqlite_args(args)).fetchall()


@contextlib.asynccontextmanager
async def rehearsed(path: Path) -> AsyncIterator[SqliteRehearsal]:
    """A rehearsal on the file ``path``."""
    connection = connect(path)
    try:
        with outage("rehearsal"):
            # It may have to wait for another process: not on the loop.
            await asyncio.to_thread(connection.execute, "BEGIN IMMEDIATE")
        yield SqliteRehearsal(connection)
    finally:
        with contextlib.suppress(sqlite3.Error):
            connection.rollback()
        connection.close()
