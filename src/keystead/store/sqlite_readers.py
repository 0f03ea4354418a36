"""Lists and searches of the SQLite engine: a few threads, so that the loop goes on meanwhile."""

import asyncio
import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeAlias

from keystead.store.sql import LONGEST, Row, Statement
from keystead.store.sqlite_link import connect, outage
from keystead.store.store import StoreDown

READERS: Final = 3
"""Threads for what is waited for. Beside them one makes what may take minutes, behind the answers."""

_Bound: TypeAlias = Sequence[str | int | float | bytes | None]


class _Question:
    """A question on its way through a thread; who asked may drop it at any time."""

    def __init__(self, statement: Statement, bound: _Bound) -> None:
        self.statement = statement
        self.bound = bound
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._dropped = False

    def answer(self, connection: sqlite3.Connection) -> list[Row]:
        with self._lock:
            if self._dropped:
                return []
            self._connection = connection
        try:
            with outage(self.statement.name):
                return connection.execute(self.statement.sqlite, self.bound).fetchall()
        finally:
            # From here on an interrupt would hit the thread's next question.
            with self._lock:
                self._connection = None

    def drop(self) -> None:
        """Stop it, if it runs; do not begin, if it waits."""
        with self._lock:
            self._dropped = True
            if self._connection is not None:
                self._connection.interrupt()


class Readers:
    """The threads and their connections."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-read")
        self._behind = ThreadPoolExecutor(1, thread_name_prefix="sqlite-behind")
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._asked: set[_Question] = set()

    async def fetch(self, statement: Statement, bound: _Bound) -> list[Row]:
        """All rows of a SELECT.

        :raises StoreDown: the file does not answer, not in time, or the store is closed meanwhile.
        """
        question = _Question(statement, bound)
        self._asked.add(question)
        threads = self._threads if statement.longest <= LONGEST else self._behind
        try:
            async with asyncio.timeout(statement.longest):
                return await asyncio.get_running_loop().run_in_executor(threads, self._answer, question)
        except TimeoutError as exc:
            raise StoreDown(f"{statement.name} took longer than {statement.longest:.0f} s") from exc
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                raise StoreDown("the store is closed") from exc
            raise
        finally:
            self._asked.discard(question)
            question.drop()

    def _answer(self, question: _Question) -> list[Row]:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = connect(self._path, reads_only=True)
            self._connections.append(connection)
        return question.answer(connection)

    async def close(self) -> None:
        """Stop what runs, then let go of the file."""
        for question in self._asked:
            question.drop()
        for threads in (self._threads, self._behind):
            await asyncio.get_running_loop().run_in_executor(None, threads.shutdown)
        for connection in self._connections:
            connection.close()
