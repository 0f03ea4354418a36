"""How to reach a SQLite file, and what its failures mean here."""

import sqlite3
import time
from pathlib import Path
from typing import Final

import msgspec

from keystead.store.store import GuardFailed, StoreDown, Taken
from keystead.store.unit import Write

PATIENCE: Final = 10.0
"""Seconds that a connection waits for a lock another process holds."""
_ATTEMPTS: Final = 500
"""How often a new file is tried within that time."""
_OUTAGE: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
    }
)


def connect(path: Path, *, reads_only: bool = False) -> sqlite3.Connection:
    """A connection as this store uses them: no implicit transactions, foreign keys on, patience with other writers.

    :raises StoreDown: the file cannot be opened, or is no database.
    """
    with outage(f"opening {path}"):
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=PATIENCE, cached_statements=512
        )
        try:
            _keep_log(connection)
            for pragma in (
                "synchronous=FULL",
                "foreign_keys=ON",
                "temp_store=MEMORY",
                "cache_size=-8192",  # KiB
                "mmap_size=0",
                "journal_size_limit=16777216",  # a burst must not leave its log's size behind for ever
                f"query_only={'ON' if reads_only else 'OFF'}",
            ):
                connection.execute(f"PRAGMA {pragma}")
            connection.create_function("keystead_contains", 2, _contains, deterministic=True)
        except sqlite3.Error:
            connection.close()
            raise
    return connection


def indexes_text(connection: sqlite3.Connection) -> bool:
    """Whether this SQLite has an index over parts of words: FTS5 with its trigram tokenizer (3.34 and later)."""
    try:
        connection.execute("CREATE VIRTUAL TABLE temp.probe USING fts5(text, tokenize='trigram')")
        connection.execute("DROP TABLE temp.probe")
    except sqlite3.OperationalError:
        return False
    return True


def _contains(whole: str, part: str) -> bool:
    """What PostgreSQL's ``jsonb @> jsonb`` answers: every member of ``part`` stands in ``whole`` with that value."""
    return _holds(msgspec.json.decode(whole), msgspec.json.decode(part))


def _holds(whole: object, part: object) -> bool:
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and _holds(whole[key], part[key]) for key in part)
    if isinstance(part, list):
        return isinstance(whole, list) and all(any(_holds(one, wanted) for one in whole) for wanted in part)
    if isinstance(whole, bool) or isinstance(part, bool):
        return whole is part  # to Python, true is 1
    return whole == part


def _keep_log(connection: sqlite3.Connection) -> None:
    """Have the file write ahead to a log; a new file is switched to it by one process while others come to open it."""
    for attempt in range(_ATTEMPTS):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as exc:
            # SQLite does not wait by itself here: of two who switch, waiting for each other, one must step back.
            if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or attempt == _ATTEMPTS - 1:
                raise
            time.sleep(PATIENCE / _ATTEMPTS)
        else:
            return


class outage:  # noqa: N801 - read as a word of the with statement
    """Tell failures of the file or its disk (``StoreDown``) from mistakes in a statement, which stay as they are.

    A class, since every read passes it and a generator would cost twice the read of a row.
    """

    __slots__ = ("_what",)

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        pass

    def __exit__(self, _type: object, exc: BaseException | None, _traceback: object) -> None:
        if isinstance(exc, sqlite3.Error) and failing(exc):
            raise StoreDown(f"{self._what}: {exc}") from exc


def failing(exc: Exception) -> bool:
    """Whether ``exc`` tells of a locked, full, unreadable or damaged file."""
    return (getattr(exc, "sqlite_errorcode", 0) & 0xFF) in _OUTAGE


def run(connection: sqlite3.Connection, write: Write) -> None:
    """Carry out one write.

    :raises GuardFailed: it touched another number of rows than it had to.
    :raises sqlite3.Error: see :func:`translated`.
    """
    touched = connection.execute(write.statement.sqlite, write.statement.sqlite_args(write.args)).rowcount
    if write.expect is not None and touched != write.expect:
        raise GuardFailed(write.guard)


def translated(exc: Exception) -> Exception:
    """What a failed write means to a caller of the store; ``exc`` itself if it is a mistake of ours."""
    message = str(exc)
    if failing(exc):
        return StoreDown(message)
    if not isinstance(exc, sqlite3.IntegrityError):
        return exc
    if message.startswith("UNIQUE constraint failed: "):
        failed = message.removeprefix("UNIQUE constraint failed: ")
        if failed.startswith("index '"):  # over an expression; its name tells: uq_table__column
            table, _, column = failed.removeprefix("index '").removesuffix("'").removeprefix("uq_").rpartition("__")
        else:
            table, _, column = failed.split(",")[0].partition(".")
        return Taken(table, column)
    if message.startswith("FOREIGN KEY"):
        return GuardFailed("reference")
    return exc
