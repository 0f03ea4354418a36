"""Questions: the loop goes on beside heavy ones, waiting is bounded, and no more connections are used than allowed."""

import asyncio
import gc
import tracemalloc

import pytest

from keystead.store import Statement, Store, StoreDown, Unit, Write, postgres_pool
from tests import engines
from tests.engines import Engine, Place
from tests.patience import PATIENCE, until
from tests.store import writes
from tests.store.writes import STAND, note, outcome, shut, standing

_COUNT_UP = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT count(*), max(i) FROM n"
)
LONG = Statement("long", _COUNT_UP.format(3_000_000))
ENDLESS = Statement("endless", _COUNT_UP.format(10**12), longest=3600.0)


async def test_the_loop_goes_on_beside_heavy_questions(store: Store) -> None:
    heavy = [asyncio.ensure_future(store.fetch(ENDLESS, heavy=True)) for _ in range(2)]
    for _ in range(1000):
        await asyncio.sleep(0)
    # Short questions and units are answered meanwhile.
    await store.commit(Unit((note("a"),)))
    assert await store.fetch(writes.NOTES) == [("a", "")]
    assert not any(task.done() for task in heavy)
    for task in heavy:
        task.cancel()
    await asyncio.gather(*heavy, return_exceptions=True)
    assert await store.fetch(LONG, heavy=True) == [(3_000_000, 3_000_000)]


async def test_a_heavy_question_sees_what_is_committed(store: Store) -> None:
    for n in range(5):
        await store.commit(Unit((note(f"n{n}"),)))
        assert len(await store.fetch(writes.NOTES, heavy=True)) == n + 1


async def test_heavy_questions_leave_room_for_short_ones(place: Place) -> None:
    async with engines.opened(place) as store:
        endless = [asyncio.ensure_future(store.fetch(ENDLESS, heavy=True)) for _ in range(20)]
        await asyncio.sleep(0.1)
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(store.commit(Unit((note(f"n{n}"),))) for n in range(20)))
            await asyncio.gather(*(store.fetch(writes.NOTES) for _ in range(20)))
        assert not any(task.done() for task in endless)
        for task in endless:
            task.cancel()
        await asyncio.gather(*endless, return_exceptions=True)
        # What nobody waits for any more is stopped: there is room for others again.
        async with asyncio.timeout(PATIENCE):
            assert len(await store.fetch(writes.NOTES, heavy=True)) == 20


async def test_a_heavy_question_may_not_take_for_ever(place: Place) -> None:
    short = Statement("too long", ENDLESS.text, longest=0.3)
    async with engines.opened(place) as store:
        async with asyncio.timeout(PATIENCE):
            asked = (store.fetch(short, heavy=True) for _ in range(3))
            ends = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(end) for end in ends] == [StoreDown] * 3
        assert await store.fetch(writes.NOTES, heavy=True) == []


async def test_closing_stops_heavy_questions(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_pool, "GOODBYE", 0.2)
    store = await engines.open_store(place)
    endless = asyncio.ensure_future(store.fetch(ENDLESS, heavy=True))
    await asyncio.sleep(0.1)
    async with asyncio.timeout(PATIENCE):
        await store.close()
        with pytest.raises(StoreDown):
            await endless


async def test_waiting_for_a_connection_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        engines.fresh_place("postgres") as place,
        engines.opened(place) as store,
        engines.past(place) as connection,
    ):
        async with shut(connection):
            standing_ones = [asyncio.ensure_future(store.fetch(STAND, n)) for n in range(10)]
            await standing(connection, 10)
            with monkeypatch.context() as patch:
                patch.setattr(postgres_pool, "PATIENCE", 0.2)
                with pytest.raises(StoreDown, match="no connection"):
                    await store.fetch(writes.NOTES)
                with pytest.raises(StoreDown, match="no connection"):
                    await store.commit(Unit((note("a"),)))
        await asyncio.gather(*standing_ones)
        assert await outcome(store.commit(Unit((note("a"),)))) == "done"


async def test_a_pool_starts_small_and_stays_within_its_bound() -> None:
    async with engines.fresh_place("postgres") as place, engines.past(place) as connection:
        sessions = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        async with engines.opened(place) as store:
            assert await connection.fetchval(sessions) == 1
            async with shut(connection):
                asked = [asyncio.ensure_future(store.fetch(STAND, n, heavy=n % 2 == 0)) for n in range(100)]
                written = [asyncio.ensure_future(store.commit(Unit((note(f"n{n}", expect=n),)))) for n in range(40)]
                await standing(connection, 10)
                assert await connection.fetchval(sessions) == 10
            await asyncio.gather(*asked)
            await asyncio.gather(*written, return_exceptions=True)
            assert await connection.fetchval(sessions) <= 10
            # No session keeps a transaction open, nor settings, nor locks.
            assert await connection.fetchval(f"{sessions} AND state LIKE 'idle in%'") == 0
        await until(lambda: connection.fetchval(sessions), 0)


async def test_a_cancelled_question_gives_its_connection_back() -> None:
    async with (
        engines.fresh_place("postgres") as place,
        engines.opened(place) as store,
        engines.past(place) as connection,
        shut(connection),
    ):
        for _ in range(3):
            asked = [asyncio.ensure_future(store.fetch(STAND, n)) for n in range(10)]
            await standing(connection, 10)
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(store.fetch(writes.NOTES) for _ in range(20)))


async def test_memory_does_not_grow_with_use(engine: Engine) -> None:
    async with engines.fresh_store(engine) as store:

        async def use(prefix: str) -> int:
            for tens in range(10):  # no caller waits longer for a connection than one may on a busy machine
                names = [f"{prefix}{tens}{n:02}" for n in range(100)]
                await asyncio.gather(*(store.commit(writes.pair(name)) for name in names))
                await asyncio.gather(*(store.fetch_one(writes.NOTE_OF, name) for name in names))
            await store.commit(writes.pair(f"{prefix}-last"))  # the last batch is kept until the next one
            gc.collect()
            return tracemalloc.get_traced_memory()[0]

        tracemalloc.start()
        try:
            await use("a")
            before = await use("b")
            after = [await use(prefix) for prefix in "cdef"]
        finally:
            tracemalloc.stop()
        assert after[-1] - before < 4000 * 40, "bytes; 4,000 units and questions later"


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
