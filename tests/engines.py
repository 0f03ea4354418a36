"""Both engines for tests: a real PostgreSQL of our own, started when a test first wants it, and SQLite files.

A *place* is a migrated, empty database: a ``Path`` is a SQLite file, an ``Address`` a database of the server. Every
test can have its own.
"""

import asyncio
import atexit
import contextlib
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, Literal, TypeAlias
from urllib.parse import quote

import asyncpg

from keystead.store import Store
from keystead.store.migrate import migrate_postgres, migrate_sqlite
from keystead.store.postgres import Address, PostgresStore
from keystead.store.sqlite import SqliteStore
from tests import postgres_server
from tests.postgres_server import Databases, Server

Engine: TypeAlias = Literal["sqlite", "postgres"]
Place: TypeAlias = Path | Address

ENGINES: Final[tuple[Engine, ...]] = ("sqlite", "postgres")


class _Session:
    """What is made once and used by every test of a run."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="keystead-"))
        self.numbers = itertools.count(1)
        self._databases: Databases | None = None
        self._sqlite: Path | None = None

    async def databases(self) -> Databases:
        if self._databases is None:
            self._databases = Databases(await asyncio.to_thread(Server, self.folder / "pg"))
            await self._databases.open()
        return self._databases

    def sqlite_template(self) -> Path:
        if self._sqlite is None:
            path = self.folder / "template.db"
            migrate_sqlite(path)
            self._sqlite = path
        return self._sqlite

    def end(self) -> None:
        if self._databases is not None:
            self._databases.server.remove()
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
    return (await _session().databases()).server


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
    """A database as if new, for the body of a ``with``."""
    if engine == "postgres":
        async with (await _session().databases()).lend(migrated=migrated) as address:
            yield address
        return
    folder = _session().folder / f"place_{next(_session().numbers)}"
    folder.mkdir()
    path = folder / "keystead.db"
    if migrated:
        shutil.copyfile(_session().sqlite_template(), path)
    yield path
    shutil.rmtree(folder)


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
    async with postgres_server.past(address_of(place)) as connection:
        yield connection
