"""The store's interface and its failures; both engines pass the same suite (``tests/store``)."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from keystead.store.sql import Row, Statement, Value
from keystead.store.unit import Unit, Write


class GuardFailed(Exception):  # noqa: N818 - an outcome a room decides on, not a defect
    """A write touched another number of rows than it had to; its unit left nothing behind.

    :param guard: the guard's name.
    """

    def __init__(self, guard: str) -> None:
        super().__init__(guard)
        self.guard = guard


class Taken(Exception):  # noqa: N818 - as above
    """A value that must be unique is held by another row (one of them, if several are); the unit left nothing behind.

    :param table: the table.
    :param column: the column that must be unique (the first, when several together must be).
    """

    def __init__(self, table: str, column: str) -> None:
        super().__init__(f"{table}.{column}")
        self.table = table
        self.column = column


class Overtaken(Exception):  # noqa: N818 - as above
    """What was put ahead (:class:`~keystead.store.ahead.Ahead`) goes no more: somebody else's change came between.

    Whoever put it ahead decides again, on what is there now.
    """


class StoreDown(Exception):  # noqa: N818 - as above
    """The engine does not answer; what was to be written may or may not have been, but never in part."""


class Change(NamedTuple):
    """One numbered change of a settings document.

    :param seq: the change's number, rising by one over the whole installation.
    :param kind: the document's kind, ``app_label.model``.
    :param id: the document's uuid.
    :param doc: the document as JSON text, or None when it was deleted.
    """

    seq: int
    kind: str
    id: str
    doc: str | None


class Rehearsal(Protocol):
    """A transaction that is never committed: what writes would lead to can be looked at, and nothing of it stays."""

    async def write(self, writes: Sequence[Write]) -> None:
        """Write, for this transaction's own eyes; after a failure it is of no further use.

        :raises GuardFailed: a guard counted wrongly.
        :raises Taken: a unique value is held already.
        :raises StoreDown: the engine does not answer.
        :raises ValueError: an argument is nothing a database keeps.
        """
        ...

    async def fetch(self, statement: Statement, *args: Value) -> list[Row]:
        """All rows of a SELECT, after what was written here.

        :raises StoreDown: as :meth:`Store.fetch`.
        :raises ValueError: as :meth:`Store.fetch`.
        """
        ...


class Store(Protocol):
    """What both engines offer."""

    @property
    def indexing(self) -> str:
        """How texts and attributes are indexed for searches: ``fts5``, ``grams``, or not at all."""
        ...

    async def fetch(self, statement: Statement, *args: Value, heavy: bool = False) -> list[Row]:
        """All rows of a SELECT; ``heavy`` marks lists and searches, which must not hold up the loop.

        :raises StoreDown: the engine does not answer (in time).
        :raises ValueError: an argument is nothing a database keeps: NUL in a text, a number beyond 64 bits.
        """
        ...

    async def fetch_one(self, statement: Statement, *args: Value) -> Row | None:
        """The first row of a SELECT, or None.

        :raises StoreDown: as :meth:`fetch`.
        :raises ValueError: as :meth:`fetch`.
        """
        ...

    async def commit(self, unit: Unit) -> None:
        """Write ``unit`` durably; when this returns, a crash does not lose it.

        A caller that is cancelled while it waits does not take the unit back.

        :raises GuardFailed: a guard counted wrongly; nothing of the unit was written.
        :raises Taken: a unique value is held already; nothing of the unit was written.
        :raises StoreDown: the engine does not answer; the unit may or may not have landed, whole.
        :raises ValueError: an argument is nothing a database keeps; nothing of the unit was written.
        :raises Problem: ``BUSY`` when too many units wait.
        """
        ...

    def rehearsal(self) -> AbstractAsyncContextManager[Rehearsal]:
        """A :class:`Rehearsal` for the body of a ``with``; keep it short: with SQLite nobody else writes meanwhile.

        :raises StoreDown: the engine does not answer (in time).
        """
        ...

    async def reserve(self, name: str, count: int) -> int:
        """The first of ``count`` integers that nobody else will ever be given under ``name``."""
        ...

    async def head(self) -> int:
        """The number of the newest settings change that is committed."""
        ...

    async def documents(self) -> tuple[int, list[Change]]:
        """All settings documents and the newest change's number, seen at one instant."""
        ...

    async def changes(self, after: int) -> list[Change]:
        """The settings changes with a number above ``after``, in order."""
        ...

    def announcements(self) -> AsyncIterator[int]:
        """Numbers of settings changes as other processes commit them; None of it is promised to arrive (poll too)."""
        ...

    async def exclusively(self, name: str, work: Callable[[], Awaitable[None]]) -> bool:
        """Run ``work`` while no other process runs work under ``name``; False if another one does, at once."""
        ...

    async def close(self) -> None:
        """Finish what waits, then let go of the engine."""
        ...
