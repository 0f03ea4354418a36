"""Several processes on one database: what must happen once happens once, what must be in order is in order."""

import asyncio
import contextlib
import itertools

import pytest

from keystead.store import Statement, Store, StoreDown, Unit, Write
from tests import engines
from tests.engines import Place, address_of
from tests.patience import PATIENCE, until
from tests.store import writes
from tests.store.children import child, start
from tests.store.writes import PASS, commit_all, note, shut, standing

_CODES = 12


async def test_a_single_use_code_is_won_once_by_64_racers(store: Store) -> None:
    await store.commit(Unit((note("code", "fresh"),)))
    turns = [Write(writes.TURN, ("code", "fresh", str(n)), expect=1, guard="fresh") for n in range(64)]

    results = await commit_all(store, [Unit((turn,)) for turn in turns])

    assert sorted(results) == ["done"] + ["guard fresh"] * 63
    assert await store.fetch_one(writes.NOTE_OF, "code") == (str(results.index("done")),)


async def test_a_single_use_code_is_won_once_across_processes(place: Place) -> None:
    async with engines.opened(place) as store:
        await store.commit(Unit(tuple(note(f"code{n}", "fresh") for n in range(_CODES))))
        async with child("race", place, _CODES, 32, "a") as first, child("race", place, _CODES, 32, "b") as second:
            await start(first, second)
            won = [dict(line.split() for line in await one.lines()) for one in (first, second)]

        for n in range(_CODES):
            assert int(won[0][str(n)]) + int(won[1][str(n)]) == 1
            winner = await store.fetch_one(writes.NOTE_OF, f"code{n}")
            assert winner is not None
            assert str(winner[0])[0] == ("a" if won[0][str(n)] == "1" else "b")


async def test_reserved_numbers_never_overlap(place: Place) -> None:
    async with child("reserve", place, 40, 7) as first, child("reserve", place, 40, 7) as second:
        await start(first, second)
        blocks = [int(word) for one in (first, second) for word in (await one.line()).split()]
    async with engines.opened(place) as store:
        blocks.extend(await asyncio.gather(*(store.reserve("users", 7) for _ in range(20))))
        other = await store.reserve("other", 100)

    assert len(blocks) == 100
    assert sorted(blocks) == [1 + 7 * n for n in range(100)]
    assert other == 1


async def test_units_that_wait_for_each_other_both_land() -> None:
    """A deadlock undoes one of them; it is sent again.

    Each writes its first row, then stands at the gate until both do: when it opens, each wants the other's row.
    """
    async with engines.fresh_place("postgres") as place, engines.past(place) as connection:
        await connection.execute("SELECT pg_stat_reset()")  # the database may have served another test
        await connection.execute(f"ALTER DATABASE {address_of(place).database} SET deadlock_timeout = '20ms'")
        text = "UPDATE installation SET value = value || $2 WHERE name = $1"
        go, stand = Statement("go", text), Statement("stand", f"{text} AND {PASS}")

        def unit(first: str, second: str, expect: int | None) -> Unit:
            # What a unit expects is part of its shape: the two kinds travel side by side.
            return Unit((Write(go, (first, "."), expect=expect), Write(stand, (second, "."), expect=expect)))

        async with engines.opened(place) as store:
            await store.commit(Unit((note("a"), note("b"))))
            for _ in range(3):
                async with shut(connection):
                    both = asyncio.ensure_future(commit_all(store, [unit("a", "b", 1), unit("b", "a", None)]))
                    await standing(connection, 2)
                assert await both == ["done", "done"]
            assert await store.fetch(writes.NOTES) == [("a", "." * 6), ("b", "." * 6)]
        text = "SELECT deadlocks >= 3 FROM pg_stat_database WHERE datname = current_database()"
        await until(lambda: connection.fetchval(text))


async def test_exclusive_work_is_done_by_one_process(place: Place) -> None:
    done = itertools.count(1)

    async def work() -> None:
        next(done)

    async with engines.opened(place) as store:
        async with child("hold", place, "cleanup") as holder:
            assert await holder.line() == "held"
            assert not await store.exclusively("cleanup", work)
            assert await store.exclusively("other", work)
            await holder.tell()
            assert await holder.line() == "True"
            assert await holder.ended() == 0
        assert await store.exclusively("cleanup", work)
        assert next(done) == 3


async def test_exclusive_work_is_done_by_one_task(store: Store) -> None:
    started, end = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        started.set()
        await end.wait()

    first = asyncio.ensure_future(store.exclusively("cleanup", work))
    await started.wait()
    assert not await store.exclusively("cleanup", work)
    end.set()
    assert await first
    assert await store.exclusively("cleanup", work)


async def test_exclusive_work_that_fails_gives_the_lock_back(store: Store) -> None:
    async def work() -> None:
        raise LookupError("no")

    for _ in range(2):
        with pytest.raises(LookupError):
            await store.exclusively("cleanup", work)

    started = asyncio.Event()

    async def wait() -> None:
        started.set()
        await asyncio.Event().wait()

    task = asyncio.ensure_future(store.exclusively("cleanup", wait))
    await started.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()
    with pytest.raises(LookupError):
        await store.exclusively("cleanup", work)


async def test_a_killed_holder_holds_nothing(place: Place) -> None:
    async def work() -> None:
        pass

    async with engines.opened(place) as store, child("hold", place, "cleanup") as holder:
        assert await holder.line() == "held"
        holder.kill()
        await holder.ended()
        await until(lambda: store.exclusively("cleanup", work))


@pytest.mark.parametrize("engine", ["postgres"])
async def test_exclusive_work_ends_when_its_lock_is_lost(place: Place) -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with engines.opened(place) as store:
        task = asyncio.ensure_future(store.exclusively("cleanup", work))
        await started.wait()
        async with engines.past(place) as connection:
            await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(StoreDown, match="cleanup"):
                await task
        assert ended.is_set()
        assert await store.fetch(Statement("q", "SELECT 1")) == [(1,)]
