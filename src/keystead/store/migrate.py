"""Numbered SQL migrations: applied at start under a lock, refused when the database is newer than this program.

A file ``migrations/NNNN_name.sql`` holds the way up and, after a line ``-- @down``, the way back. A line that ends in
``-- @sqlite`` or ``-- @postgres`` belongs to that engine only, ``-- @fts5`` to a SQLite that can index parts of words.
"""

import hashlib
import sqlite3
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from keystead.base import log
from keystead.store.sqlite_link import connect as connect_sqlite
from keystead.store.sqlite_link import indexes_text, outage

if TYPE_CHECKING:
    from keystead.store.postgres_link import Address

_LOG = log.get("store.migrate")
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended('keystead/migrate', 0))"
_SCHEMA: Final = "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)"
_MARKS: Final = frozenset({"sqlite", "postgres", "fts5"})
_PATIENCE: Final = 600
"""Seconds that a second starter waits for the first one's migration on SQLite."""
_VERSIONS: Final = (
    "CREATE TABLE IF NOT EXISTS schema_versions (version BIGINT PRIMARY KEY, name TEXT NOT NULL, sum TEXT NOT NULL)"
)


class DatabaseNewer(Exception):  # noqa: N818 - a state of affairs the operator resolves
    """The database was written by a newer Keystead; this one would damage it."""


class Migration(NamedTuple):
    """One numbered step of the schema.

    :param up: SQL text that takes the step, with engine marks.
    :param down: SQL text that takes it back.
    """

    version: int
    name: str
    up: str
    down: str

    @property
    def sum(self) -> str:
        """A fingerprint of the way up: an edited migration that was applied already is noticed."""
        return hashlib.sha256(self.up.encode()).hexdigest()[:16]


def migrations() -> list[Migration]:
    """All migrations this program knows, in order."""
    found = []
    for entry in resources.files("keystead.store").joinpath("migrations").iterdir():
        if entry.name.endswith(".sql"):
            number, _, name = entry.name.removesuffix(".sql").partition("_")
            up, _, down = entry.read_text(encoding="utf-8").partition("-- @down\n")
            found.append(Migration(int(number), name, up, down))
    return sorted(found)


def _for(text: str, *engines: str) -> str:
    """``text`` as an engine reads it that goes by these marks: lines of others gone, our own marks cut off."""
    kept = []
    for line in text.splitlines():
        body, _, mark = line.rstrip().rpartition("-- @")
        if mark not in _MARKS:
            kept.append(line.rstrip())
        elif mark in engines:
            kept.append(body.rstrip())
    return "\n".join(kept) + "\n"


def _pending(applied: dict[int, str]) -> list[Migration]:
    known = migrations()
    newest = known[-1].version if known else 0
    if applied and max(applied) > newest:
        raise DatabaseNewer(
            f"The database is at schema version {max(applied)}, this Keystead knows only up to {newest}. "
            "Start a Keystead at least as new as the one that wrote it, or restore the backup taken before the upgrade."
        )
    for step in known:
        if step.version in applied and applied[step.version] != step.sum:
            _LOG.warning("an applied migration reads differently now", version=step.version, name=step.name)
    return [step for step in known if step.version not in applied]


def _statements(text: str) -> list[str]:
    """``text`` cut into SQLite statements (a trigger's body counts as one)."""
    statements: list[str] = []
    buffer = ""
    for line in text.splitlines(keepends=True):
        if not buffer.strip() and (not line.strip() or line.lstrip().startswith("--")):
            continue
        buffer += line
        if sqlite3.complete_statement(buffer):
            statements.append(buffer)
            buffer = ""
    if buffer.strip():
        statements.append(buffer)
    return statements


def migrate_sqlite(path: Path, *, down_to: int | None = None) -> int:
    """Bring the database at ``path`` to the newest version (or back down to ``down_to``); the version it is at now.

    :raises DatabaseNewer: see there.
    :raises StoreDown: the database cannot be reached.
    """
    connection = connect_sqlite(path)
    try:
        with outage(f"migrating {path}"):
            connection.execute(f"PRAGMA busy_timeout={_PATIENCE * 1000}")
            connection.execute("BEGIN EXCLUSIVE")
        connection.execute(_VERSIONS)
        applied = {int(row[0]): str(row[1]) for row in connection.execute("SELECT version, sum FROM schema_versions")}
        marks = ("sqlite", "fts5") if indexes_text(connection) else ("sqlite",)
        if down_to is None:
            for step in _pending(applied):
                for statement in _statements(_for(step.up, *marks)):
                    connection.execute(statement)
                connection.execute("INSERT INTO schema_versions VALUES (?, ?, ?)", (step.version, step.name, step.sum))
                applied[step.version] = step.sum
        else:
            for step in reversed([step for step in migrations() if step.version in applied and step.version > down_to]):
                for statement in _statements(_for(step.down, *marks)):
                    connection.execute(statement)
                connection.execute("DELETE FROM schema_versions WHERE version = ?", (step.version,))
                del applied[step.version]
        connection.execute("COMMIT")
    finally:
        connection.close()
    return max(applied, default=0)


async def migrate_postgres(address: "Address", *, down_to: int | None = None) -> int:
    """The same as :func:`migrate_sqlite` for PostgreSQL.

    :raises DatabaseNewer: see there.
    :raises StoreDown: the database cannot be reached.
    """
    from keystead.store.postgres_link import connect, quoted  # noqa: PLC0415 - the driver loads slowly; SQLite needs none

    connection = await connect(address, command=None)
    try:
        async with connection.transaction():
            await connection.execute(_LOCK)
            if not await connection.fetchval(_SCHEMA, address.schema):
                await connection.execute(f"CREATE SCHEMA {quoted(address.schema)}")
            await connection.execute(_VERSIONS)
            rows = await connection.fetch("SELECT version, sum FROM schema_versions")
            applied = {int(row[0]): str(row[1]) for row in rows}
            if down_to is None:
                for step in _pending(applied):
                    await connection.execute(_for(step.up, "postgres"))
                    await connection.execute(
                        "INSERT INTO schema_versions VALUES ($1, $2, $3)", step.version, step.name, step.sum
                    )
                    applied[step.version] = step.sum
            else:
                steps = [step for step in migrations() if step.version in applied and step.version > down_to]
                for step in reversed(steps):
                    await connection.execute(_for(step.down, "postgres"))
                    await connection.execute("DELETE FROM schema_versions WHERE version = $1", step.version)
                    del applied[step.version]
        return max(applied, default=0)
    finally:
        await connection.close()
