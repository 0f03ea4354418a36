"""Questions: the loop goes on beside heavy ones, waiting is bounded, and no more connections are used than allowed."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil
import pytest

from keystead.store import Statement, Store, StoreDown, Unit, Write, postgres_pool, sqlite_readers
from tests import engines
from tests.engines import Engine, Place
from tests.store import writes
from tests.store.writes import note, outcome, until

_COUNT_UP = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT count(*), max(i) FROM n"
)
LONG = Statement("long", _COUNT_UP.format(3_000_000))
ENDLESS = Statement("endless", _COUNT_UP.format(10**12))


@asynccontextmanager
async def _longest_gap() -> AsyncIterator[list[float]]:
    """How long the loop stood still at most, in seconds, while the body ran."""
    gaps = [0.0]

    async def tick() -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(0.002)
            now = time.monotonic()
            gaps[0] = max(gaps[0], now - last)
            last = now

    ticking = asyncio.ensure_future(tick())
    try:
        yield gaps
    finally:
        ticking.cancel()


@pytest.mark.alone
async def test_the_loop_goes_on_beside_heavy_questions(store: Store) -> None:
    begun = time.monotonic()
    async with _longest_gap() as gaps:
        heavy = [asyncio.ensure_future(store.fetch(LONG, heavy=True)) for _ in range(2)]
        await asyncio.sleep(0.02)
        # Short questions and units are answered meanwhile.
        await store.commit(Unit((note("a"),)))
        assert await store.fetch(writes.NOTES) == [("a", "")]
        assert not any(task.done() for task in heavy)
        answers = await asyncio.gather(*heavy)
    took = time.monotonic() - begun

    assert answers == [[(3_000_000, 3_000_000)]] * 2
    assert gaps[0] < min(0.25, took / 2)


async def test_a_heavy_question_sees_what_is_committed(store: Store) -> None:
    for n in range(5):
        await store.commit(Unit((note(f"n{n}"),)))
        assert len(await store.fetch(writes.NOTES, heavy=True)) == n + 1


async def test_heavy_questions_leave_room_for_short_ones(place: Place) -> None:
    async with engines.opened(place) as store:
        endless = [asyncio.ensure_future(store.fetch(ENDLESS, heavy=True)) for _ in range(20)]
        await asyncio.sleep(0.1)
        async with asyncio.timeout(3):
            await asyncio.gather(*(store.commit(Unit((note(f"n{n}"),))) for n in range(20)))
            await asyncio.gather(*(store.fetch(writes.NOTES) for _ in range(20)))
        assert not any(task.done() for task in endless)
        for task in endless:
            task.cancel()
        await asyncio.gather(*endless, return_exceptions=True)
        # What nobody waits for any more is stopped: there is room for others again.
        async with asyncio.timeout(3):
            assert len(await store.fetch(writes.NOTES, heavy=True)) == 20


async def test_a_heavy_question_may_not_take_for_ever(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_readers, "LONGEST", 0.3)
    monkeypatch.setattr(postgres_pool, "LONGEST", 0.3)
    async with engines.opened(place) as store:
        begun = time.monotonic()
        ends = await asyncio.gather(*(store.fetch(ENDLESS, heavy=True) for _ in range(3)), return_exceptions=True)
        assert [type(end) for end in ends] == [StoreDown] * 3
        assert time.monotonic() - begun < 3
        assert await store.fetch(writes.NOTES, heavy=True) == []


async def test_closing_stops_heavy_questions(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_pool, "GOODBYE", 0.2)
    store = await engines.open_store(place)
    endless = asyncio.ensure_future(store.fetch(ENDLESS, heavy=True))
    await asyncio.sleep(0.1)
    async with asyncio.timeout(3):
        await store.close()
        with pytest.raises(StoreDown):
            await endless


@pytest.mark.alone
async def test_waiting_for_a_connection_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_pool, "PATIENCE", 0.2)
    sleep = Statement("sleep", "SELECT pg_sleep(1), $1::int")
    async with engines.fresh_place("postgres") as place, engines.opened(place) as store:
        sleeping = [asyncio.ensure_future(store.fetch(sleep, n)) for n in range(10)]
        await asyncio.sleep(0.2)
        begun = time.monotonic()
        with pytest.raises(StoreDown, match="no connection"):
            await store.fetch(writes.NOTES)
        with pytest.raises(StoreDown, match="no connection"):
            await store.commit(Unit((note("a"),)))
        assert time.monotonic() - begun < 0.8
        await asyncio.gather(*sleeping)
        assert await outcome(store.commit(Unit((note("a"),)))) == "done"


async def test_a_pool_starts_small_and_stays_within_its_bound() -> None:
    async with engines.fresh_place("postgres") as place, engines.past(place) as connection:
        text = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        async with engines.opened(place) as store:
            assert await connection.fetchval(text) == 1
            nap = Statement("nap", "SELECT pg_sleep(0.01), $1::int")
            asked = [asyncio.ensure_future(store.fetch(nap, n, heavy=n % 2 == 0)) for n in range(100)]
            written = [asyncio.ensure_future(store.commit(Unit((note(f"n{n}", expect=n),)))) for n in range(40)]
            most = 0
            while not all(task.done() for task in (*asked, *written)):
                most = max(most, await connection.fetchval(text))
            await asyncio.gather(*asked)
            assert 5 < most <= 10
            # No session keeps a transaction open, nor settings, nor locks.
            idle = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
            assert await connection.fetchval(idle) == 0
            await asyncio.gather(*written, return_exceptions=True)
        await until(lambda: connection.fetchval(text), 0)


async def test_a_cancelled_question_gives_its_connection_back() -> None:
    sleep = Statement("sleep", "SELECT pg_sleep(30), $1::int")
    async with engines.fresh_place("postgres") as place, engines.opened(place) as store:
        for _ in range(3):
            asked = [asyncio.ensure_future(store.fetch(sleep, n)) for n in range(10)]
            await asyncio.sleep(0.1)
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        async with asyncio.timeout(5):
            await asyncio.gather(*(store.fetch(writes.NOTES) for _ in range(20)))


async def test_memory_does_not_grow_with_use(engine: Engine) -> None:
    process = psutil.Process()
    async with engines.fresh_store(engine) as store:

        async def use(prefix: str) -> int:
            units = [writes.pair(f"{prefix}{n:05}") for n in range(3000)]
            await asyncio.gather(*(store.commit(unit) for unit in units))
            await asyncio.gather(*(store.fetch_one(writes.NOTE_OF, f"{prefix}{n:05}") for n in range(3000)))
            return int(process.memory_info().rss)

        await use("a")
        before = await use("b")
        after = [await use(prefix) for prefix in "cdef"]
        assert after[-1] - before < 8 * 2**20


async def test_an_answer_is_never_older_than_its_question(store: Store) -> None:
    """Though those who ask the same at the same time may share one."""
    await store.commit(Unit((Write(writes.COUNTER, ("many", 0)),)))
    question = Statement("counter.one", "SELECT next FROM id_blocks WHERE name = $1")
    raised = 0

    async def raise_and_read() -> None:
        nonlocal raised
        for _ in range(40):
            await store.commit(Unit((Write(writes.RAISE, ("many",)),)))
            raised += 1
            least = raised
            row = await store.fetch_one(question, "many")
            assert row is not None
            assert int(str(row[0])) >= least

    await asyncio.gather(*(raise_and_read() for _ in range(8)))
    assert raised == 320
