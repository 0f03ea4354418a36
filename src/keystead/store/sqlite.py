"""SQLite: WAL, synchronous=FULL, one writer thread that drains waiting units into one commit; reads on the loop."""

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final, TypeAlias

from keystead.base import log
from keystead.base.errors import Kind, Problem
from keystead.store import settings_sql as sql
from keystead.store.sql import Row, Statement, Value
from keystead.store.sqlite_link import connect, outage, run, translated
from keystead.store.sqlite_readers import Readers
from keystead.store.sqlite_rehearsal import rehearsed
from keystead.store.store import Change, GuardFailed, Rehearsal, StoreDown
from keystead.store.unit import Unit

_LOG = log.get("store.sqlite")
MAX_WAITING: Final = 10_000
"""Units that may wait for the writer; one more is refused as busy."""
MAX_BATCH: Final = 512
"""Units that share one commit."""

_INDEXED: Final = "SELECT 1 FROM sqlite_master WHERE name = 'users_grams'"
_VERSION: Final = "PRAGMA data_version"
"""Another number whenever another connection, of whatever process, has committed something."""
_KEPT: Final = 256
"""Answers that are kept until then."""
_FEW: Final = 64
"""Rows of the longest of them."""
_NOTHING: Final[tuple[int, ...]] = ()

_Bound: TypeAlias = tuple[str | int | float | bytes | None, ...]
_Waiting: TypeAlias = tuple[Unit, "asyncio.Future[None]", asyncio.AbstractEventLoop]
_Result: TypeAlias = tuple["asyncio.Future[None]", Exception | None]


class SqliteStore:
    """The embedded engine; see :class:`~keystead.store.store.Store` for what each method promises.

    :param path: the database file.
    :raises StoreDown: the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader = connect(path, reads_only=True)
        self._readers = Readers(path)
        self.indexing = "fts5" if self._reader.execute(_INDEXED).fetchall() else ""
        if not self.indexing:
            _LOG.warning(
                "this SQLite has no index over parts of words (FTS5, 3.34 or later): searches read whole tables",
                version=sqlite3.sqlite_version,
            )
        self._version: Row | None = None
        self._answers: dict[tuple[str, _Bound, bool], list[Row]] = {}
        self._queue: queue.Queue[_Waiting | None] = queue.Queue()
        self._closing = asyncio.Event()
        self._exclusive: set[str] = set()
        self._writer = threading.Thread(target=self._drain, args=(connect(path),), name="sqlite-write", daemon=True)
        self._writer.start()

    async def fetch(self, statement: Statement, *args: Value, heavy: bool = False) -> list[Row]:
        """See :meth:`Store.fetch`."""
        statement.check(args)
        self._still_open()
        bound = statement.sqlite_args(args)
        if heavy:
            return await self._readers.fetch(statement, bound)
        return list(self._read(statement, tuple(bound), one=False))

    async def fetch_one(self, statement: Statement, *args: Value) -> Row | None:
        """See :meth:`Store.fetch_one`."""
        statement.check(args)
        self._still_open()
        rows = self._read(statement, tuple(statement.sqlite_args(args)), one=True)
        return rows[0] if rows else None

    def _read(self, statement: Statement, bound: _Bound, *, one: bool) -> list[Row]:
        """The rows (the first, if ``one``), which are not the caller's to change.

        As long as no connection of any process has committed anything, a question has the answer it had.
        """
        question = (statement.sqlite, bound, one)
        with outage(statement.name):
            version = self._reader.execute(_VERSION).fetchone()
            if version != self._version:
                self._version = version
                self._answers.clear()
            rows = self._answers.get(question)
            if rows is None:
                cursor = self._reader.execute(statement.sqlite, bound)
                rows = [row for row in (cursor.fetchone(),) if row is not None] if one else cursor.fetchall()
                cursor.close()
                if len(rows) <= _FEW and len(self._answers) < _KEPT:
                    self._answers[question] = rows
        return rows

    async def commit(self, unit: Unit) -> None:
        """See :meth:`Store.commit`."""
        self._still_open()
        if not unit.writes:
            return
        if self._queue.qsize() >= MAX_WAITING:
            raise Problem(Kind.BUSY, "Too many changes are waiting to be written; try again shortly.", retry_after=1)
        loop = asyncio.get_running_loop()
        landed: asyncio.Future[None] = loop.create_future()
        self._queue.put((unit, landed, loop))
        # A caller that is cancelled here cancels its future only: the unit lands or fails all the same.
        await landed

    def _still_open(self) -> None:
        if self._closing.is_set():
            raise StoreDown("the store is closed")

    def _drain(self, connection: sqlite3.Connection) -> None:
        waiting: _Waiting | None
        while (waiting := self._queue.get()) is not None:
            batch = [waiting]
            with contextlib.suppress(queue.Empty):
                while len(batch) < MAX_BATCH and (waiting := self._queue.get_nowait()) is not None:
                    batch.append(waiting)
            self._land(connection, batch)
            if waiting is None:
                break
        connection.close()

    def _land(self, connection: sqlite3.Connection, batch: list[_Waiting]) -> None:
        outcomes: list[Exception | None] = []
        begun = False
        try:
            connection.execute("BEGIN IMMEDIATE")
            begun = True
            outcomes.extend(_apply(connection, unit) for unit, _, _ in batch)
            connection.execute("COMMIT")
        except Exception as exc:  # noqa: BLE001 - the writer must outlive whatever happens to a batch
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            if begun and len(outcomes) < len(batch) > 1:
                # Some unit made SQLite give the transaction up before its end: the others shall not fail with it.
                self._land(connection, batch[: len(batch) // 2])
                self._land(connection, batch[len(batch) // 2 :])
                return
            _LOG.error("commit failed", units=len(batch), reason=str(exc))
            outcomes = [StoreDown(str(exc)) for _ in batch]
        loops: dict[asyncio.AbstractEventLoop, list[_Result]] = {}
        for (_, landed, loop), outcome in zip(batch, outcomes, strict=True):
            loops.setdefault(loop, []).append((landed, outcome))
        for loop, results in loops.items():
            with contextlib.suppress(RuntimeError):  # the loop is gone: nobody waits for the answer any more
                loop.call_soon_threadsafe(_resolve, results)

    def rehearsal(self) -> AbstractAsyncContextManager[Rehearsal]:
        """See :meth:`Store.rehearsal`."""
        self._still_open()
        return rehearsed(self._path)

    async def reserve(self, name: str, count: int) -> int:
        """See :meth:`Store.reserve`."""
        while True:
            row = await self.fetch_one(sql.NEXT_FREE, name)
            if row is None:
                await self.commit(Unit(sql.open_counter(name)))
                continue
            top = int(str(row[0]))
            with contextlib.suppress(GuardFailed):  # somebody was faster
                await self.commit(Unit(sql.take_block(name, top, count)))
                return top

    async def head(self) -> int:
        """See :meth:`Store.head`."""
        row = await self.fetch_one(sql.HEAD)
        return int(str(row[0])) if row else 0

    async def documents(self) -> tuple[int, list[Change]]:
        """See :meth:`Store.documents`."""
        self._still_open()
        with outage(sql.DOCUMENTS.name):
            # Both questions without an await between them: nobody else asks within this transaction.
            self._reader.execute("BEGIN")
            try:
                head = self._reader.execute(sql.HEAD.sqlite).fetchone()
                rows = self._reader.execute(sql.DOCUMENTS.sqlite).fetchall()
            finally:
                self._reader.execute("COMMIT")
        return int(head[0]) if head else 0, [Change(*row) for row in rows]

    async def changes(self, after: int) -> list[Change]:
        """See :meth:`Store.changes`."""
        return [Change(*row) for row in await self.fetch(sql.CHANGES, after)]  # type: ignore[arg-type]  # columns are typed by the schema

    async def announcements(self) -> AsyncIterator[int]:
        """See :meth:`Store.announcements`: a file has no messages, so only the poll tells of other processes."""
        await self._closing.wait()
        for number in _NOTHING:
            yield number

    async def exclusively(self, name: str, work: Callable[[], Awaitable[None]]) -> bool:
        """See :meth:`Store.exclusively`: other processes are kept out by a lock file beside the database."""
        import fcntl  # noqa: PLC0415 - Unix only; the module must import on other systems

        if name in self._exclusive:
            return False
        self._exclusive.add(name)
        try:
            with self._path.with_name(f"{self._path.name}.{name}.lock").open("w") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return False
                await work()
                return True
        finally:
            self._exclusive.discard(name)

    async def close(self) -> None:
        """See :meth:`Store.close`."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._queue.put(None)
        await asyncio.get_running_loop().run_in_executor(None, self._writer.join)
        await self._readers.close()
        self._reader.close()


def _apply(connection: sqlite3.Connection, unit: Unit) -> Exception | None:
    """Run one unit inside a savepoint of its own; what it must not have done is undone here, for it alone.

    :raises sqlite3.Error: SQLite gave the whole transaction up.
    """
    connection.execute("SAVEPOINT unit")
    try:
        for write in unit.writes:
            run(connection, write)
        connection.execute("RELEASE unit")
    except Exception as exc:
        if not connection.in_transaction:
            raise
        connection.execute("ROLLBACK TO unit")
        connection.execute("RELEASE unit")
        return translated(exc)
    return None


def _resolve(results: list[_Result]) -> None:
    for landed, outcome in results:
        if landed.done():
            continue  # nobody waits for the answer any more
        if outcome is None:
            landed.set_result(None)
        else:
            landed.set_exception(outcome)
