"""What was acknowledged survives the death of the client, of PostgreSQL, and a full disk; then the store goes on."""

import asyncio
import itertools
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from keystead.store import Statement, StoreDown, Unit, Write, postgres_link, postgres_pool, sqlite, sqlite_link
from keystead.store.settings_sql import change
from tests import engines
from tests.engines import Place
from tests.patience import PATIENCE, until
from tests.postgres_server import Server
from tests.store import writes
from tests.store.children import child
from tests.store.writes import PASS, STAND, names, note, pair, shut, standing, torn

_KILLED_AFTER = 400
"""Acknowledged units."""

_THROW_OUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.mark.parametrize("writers", [1, 32])
async def test_a_killed_writer_loses_nothing_it_acknowledged(place: Place, writers: int) -> None:
    async with child("write", place, "w", writers) as writer:
        said = [await writer.line() for _ in range(_KILLED_AFTER)]
        writer.kill()
        said.extend(await writer.lines())

    async with engines.opened(place) as store:
        there = set(await names(store))
        assert set(said) <= there
        assert len(said) == len(set(said))
        # The dead one's last units may have landed unacknowledged; none is there in part.
        assert len(there - set(said)) <= writers
        assert await torn(store) == set()
        await store.commit(pair("after"))


@pytest.fixture
async def server_and_place() -> AsyncIterator[tuple[Server, Place]]:
    """A PostgreSQL of this test's own."""
    async with engines.own_server() as own:
        yield own


async def _end(server: Server, how: str) -> None:
    await (server.kill() if how == "kill" else server.stop())


@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_postgres_ends_and_comes_back_amid_load(server_and_place: tuple[Server, Place], how: str) -> None:
    server, place = server_and_place
    acknowledged: list[str] = []
    failed: list[str] = []
    numbers = itertools.count()
    stopping = False

    async with engines.opened(place) as store, child("write", place, "child", 16) as other:

        async def write() -> None:
            while not stopping:
                name = f"n{next(numbers):06}"
                try:
                    await store.commit(pair(name))
                except StoreDown:
                    failed.append(name)
                    await asyncio.sleep(0.02)
                else:
                    acknowledged.append(name)

        tasks = [asyncio.ensure_future(write()) for _ in range(32)]
        said = [await other.line() for _ in range(200)]
        await _end(server, how)
        said.extend(await other.lines())
        down_at = len(acknowledged)
        await until(lambda: bool(failed))
        await server.start()
        await until(lambda: len(acknowledged) >= down_at + 500)
        stopping = True
        await asyncio.gather(*tasks)

        there = await names(store)
        assert set(acknowledged) | set(said) <= set(there)
        assert len(there) == len(set(there))
        # What failed may have landed, at most the units that were on their way when the server went down.
        assert len(set(failed) & set(there)) <= 32
        assert await torn(store) == set()


async def test_a_store_tells_that_postgres_is_down_and_goes_on_when_it_is_back(
    server_and_place: tuple[Server, Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, place = server_and_place
    # Who waited for any of them, instead of hearing at once that nothing answers, would not come to an end.
    monkeypatch.setattr(postgres_pool, "PATIENCE", 3600.0)
    monkeypatch.setattr(postgres_link, "CONNECT", 3600.0)
    monkeypatch.setattr(writes.NOTES, "longest", 3600.0)

    async def nothing() -> None:
        pass

    async with engines.opened(place) as store:
        await store.commit(Unit((note("before"),)))
        told: asyncio.Queue[int] = asyncio.Queue()

        async def listen() -> None:
            async for number in store.announcements():
                told.put_nowait(number)

        listening = asyncio.ensure_future(listen())
        assert await told.get() == 0
        # Several connections of the pool, all to be broken.
        await asyncio.gather(*(store.fetch(Statement("q", "SELECT pg_sleep(0.05)")) for _ in range(5)))

        await server.stop()
        attempts: list[Callable[[], Awaitable[object]]] = [
            lambda: store.commit(Unit((note("while"),))),
            lambda: store.fetch(writes.NOTES),
            lambda: store.fetch(writes.NOTES, heavy=True),
            lambda: store.fetch_one(writes.NOTE_OF, "before"),
            store.head,
            store.documents,
            lambda: store.changes(0),
            lambda: store.reserve("x", 1),
            lambda: store.exclusively("x", nothing),
            lambda: engines.open_store(place),
        ]
        for attempt in attempts * 2:
            async with asyncio.timeout(PATIENCE):
                with pytest.raises(StoreDown):
                    await attempt()

        await server.start()
        # Not one question fails now, though the pool's connections are all dead.
        assert await names(store) == ["before"]
        await store.commit(Unit(change(0, 0, [("a.b", "x", "{}")]), announce=1))
        await store.commit(Unit((note("after"),)))
        assert await store.exclusively("x", nothing)
        assert await store.reserve("x", 1) == 1
        assert await names(store) == ["after", "before"]
        async with asyncio.timeout(PATIENCE):
            assert await told.get() == 0
            await store.commit(Unit(change(1, 0, [("a.b", "x", "{}")]), announce=2))
            while await told.get() != 2:
                pass
        listening.cancel()


async def test_a_question_is_asked_again_when_its_connection_breaks() -> None:
    async with (
        engines.fresh_place("postgres") as place,
        engines.opened(place) as store,
        engines.past(place) as connection,
    ):
        async with shut(connection):
            questions = [asyncio.ensure_future(store.fetch(STAND, n)) for n in range(5)]
            await standing(connection, 5)
            await connection.execute(_THROW_OUT)
        assert [rows[0][1] for rows in await asyncio.gather(*questions)] == list(range(5))


async def test_a_unit_is_not_sent_again_when_its_connection_breaks() -> None:
    """Nobody knows whether it landed; sent again, it might land twice."""
    async with (
        engines.fresh_place("postgres") as place,
        engines.opened(place) as store,
        engines.past(place) as connection,
    ):
        await store.commit(Unit((note("a"),)))
        text = f"UPDATE installation SET value = value || $1 WHERE name = 'a' AND ($1 < '3' OR {PASS})"  # noqa: S608 - constants
        slow = [Unit((Write(Statement("slow", text), (str(n),)),)) for n in range(6)]
        # They leave as one group, which is broken in its midst.
        async with shut(connection):
            ends = asyncio.gather(*(store.commit(unit) for unit in slow), return_exceptions=True)
            await standing(connection, 1)
            await connection.execute(_THROW_OUT)
            assert [type(end) for end in await ends] == [StoreDown] * 6
        await store.commit(Unit((note("b"),)))
        assert await store.fetch(writes.NOTES) == [("a", ""), ("b", "")]


async def test_a_full_disk_loses_nothing_and_hurts_only_while_it_is_full() -> None:
    async with engines.fresh_place("sqlite") as place:
        async with child("fill", place, 900_000) as filler:
            said = await filler.lines()
            assert await filler.ended() == 0

        full = said.index("full")
        acknowledged = {name for line in said[:full] for name in line.split()}
        assert len(acknowledged) > 100
        # While it is full it can still be read, and what is there is what was acknowledged.
        assert said[full + 1 :] == [f"read {len(acknowledged)}", "StoreDown StoreDown", "more"]
        async with engines.opened(place) as store:
            assert set(await names(store)) == acknowledged | {"more"}
            assert await torn(store) == set()


async def test_a_unit_that_has_no_room_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(path: Path, *, reads_only: bool = False) -> sqlite3.Connection:
        connection = sqlite_link.connect(path, reads_only=reads_only)
        connection.execute("PRAGMA max_page_count=300")
        return connection

    monkeypatch.setattr(sqlite, "connect", connect)
    async with engines.fresh_store("sqlite") as store:
        large = Unit((note("large", "x" * 2_000_000),))
        units = [pair("a"), large, pair("b"), large, pair("c")]
        ends = await asyncio.gather(*map(store.commit, units), return_exceptions=True)
        assert [type(end) for end in ends] == [type(None), StoreDown, type(None), StoreDown, type(None)]
        assert await names(store) == ["a", "b", "c"]
        assert await torn(store) == set()


async def test_a_file_that_is_no_database_is_an_outage() -> None:
    async with engines.fresh_place("sqlite") as place:
        path = engines.path_of(place)
        path.write_bytes(b"nothing of the kind" * 1000)
        with pytest.raises(StoreDown, match="not a database"):
            await engines.open_store(path)
        with pytest.raises(StoreDown, match="unable to open"):
            await engines.open_store(path.parent / "missing" / "keystead.db")


async def test_a_writer_of_another_process_is_waited_for(place: Place) -> None:
    """Two processes write side by side; neither is refused."""
    async with engines.opened(place) as store, child("write", place, "other", 8) as other:
        assert await other.line()
        await asyncio.gather(*(store.commit(pair(f"n{n}")) for n in range(300)))
        other.kill()
        said = await other.lines()
        there = set(await names(store))
        assert {f"n{n}" for n in range(300)} | set(said) <= there
        assert await torn(store) == set()
