"""Units of concurrent callers share commits, and each still lands or fails alone."""

import asyncio
import itertools
import sqlite3
from collections.abc import Awaitable, Iterable
from pathlib import Path
from typing import Any

import pytest

from keystead.base.errors import Kind, Problem
from keystead.store import Statement, Store, StoreDown, Unit, Write, postgres_commit, sqlite, sqlite_link
from tests import engines
from tests.engines import Place
from tests.patience import until
from tests.store import writes
from tests.store.writes import event, held, names, note, outcome, pair, torn


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What SQLite's writer was told about transactions, word for word."""
    words: list[str] = []

    def connect(path: Path, *, reads_only: bool = False) -> sqlite3.Connection:
        connection = sqlite_link.connect(path, reads_only=reads_only)
        if not reads_only:
            connection.set_trace_callback(lambda text: words.append(text) if text == "COMMIT" else None)
        return connection

    monkeypatch.setattr(sqlite, "connect", connect)
    return words


async def transactions(store: Store, place: Place, told: list[str]) -> int:
    """How many transactions wrote what is in the two tables of texts now."""
    if isinstance(place, Path):
        return len(told)
    # PostgreSQL marks each row with the transaction that wrote it.
    text = "SELECT xmin::text FROM installation UNION SELECT xmin::text FROM id_blocks"
    return len(await store.fetch(Statement("transactions", text)))


async def at_once(place: Place, doing: Iterable[Awaitable[Any]]) -> list[Any]:
    """What comes of units that all wait before the first of them lands."""
    async with held(place):
        waiting = asyncio.gather(*doing, return_exceptions=True)
        await asyncio.sleep(0)
    return await waiting


async def _count(store: Store) -> int:
    return len(await names(store))


async def test_a_burst_shares_commits_and_only_the_bad_fail(place: Place, told: list[str]) -> None:
    taken = {13, 14, 200}
    missing = {77, 131}
    unkeepable = {90}
    async with engines.opened(place) as store:
        await store.commit(Unit(tuple(note(f"n{n:03}") for n in taken)))
        before = await transactions(store, place, told)

        units = []
        for n in range(300):
            guard = Write(writes.RAISE, ("missing",), expect=1 if n in missing else 0, guard="counter")
            text = "\0" if n in unkeepable else ""
            # The guard's number is part of a unit's shape: those of `missing` travel in groups of their own.
            units.append(Unit((note(f"n{n:03}", text), guard)))
        results = await at_once(place, (outcome(store.commit(unit)) for unit in units))

        for n, result in enumerate(results):
            if n in unkeepable:
                assert isinstance(result, ValueError)
            elif n in missing:
                assert result == "guard counter"
            else:
                assert result == ("taken installation.name" if n in taken else "done"), n
        assert await names(store) == [f"n{n:03}" for n in range(300) if n not in missing | unkeepable]
        assert await transactions(store, place, told) - before <= 60


async def test_a_burst_of_many_shapes_shares_commits(place: Place, told: list[str]) -> None:
    async with engines.opened(place) as store:
        units = []
        for n in range(400):
            parts = [note(f"n{n:03}"), event(f"e{n:03}"), Write(writes.COUNTER, (f"n{n:03}", 1))]
            chosen = [part for bit, part in enumerate(parts) if (n % 7 + 1) & (1 << bit)]
            if n % 50 == 49:
                chosen.append(Write(writes.RAISE, ("missing",), expect=1, guard=f"bad {n}"))
            units.append(Unit(tuple(chosen)))
        results = await at_once(place, (outcome(store.commit(unit)) for unit in units))

        assert results == [f"guard bad {n}" if n % 50 == 49 else "done" for n in range(400)]
        kept = [n for n in range(400) if n % 50 != 49]
        assert await names(store) == [f"n{n:03}" for n in kept if (n % 7 + 1) & 1]
        assert sorted(await names(store, writes.EVENTS)) == [f"e{n:03}" for n in kept if (n % 7 + 1) & 2]
        assert await names(store, writes.COUNTERS) == [f"n{n:03}" for n in kept if (n % 7 + 1) & 4]
        assert await transactions(store, place, told) <= 60


async def test_units_of_several_steps_share_commits(place: Place, told: list[str]) -> None:
    async with engines.opened(place) as store:
        units = []
        for n in range(100):
            twice = Write(writes.TURN, (f"n{n:02}", "old", "new"), expect=2 if n == 50 else 1, guard="turn")
            units.append(Unit((note(f"n{n:02}", "old"), twice)))
        results = await at_once(place, (outcome(store.commit(unit)) for unit in units))

        assert results == ["guard turn" if n == 50 else "done" for n in range(100)]
        assert await store.fetch(writes.NOTES) == [(f"n{n:02}", "new") for n in range(100) if n != 50]
        assert await transactions(store, place, told) <= 20


async def test_units_that_announce_something_share_commits_too(place: Place, told: list[str]) -> None:
    async with engines.opened(place) as store:
        units = [Unit((note(f"n{n:02}"),), announce=n % 2 * n) for n in range(40)]
        assert await at_once(place, (outcome(store.commit(unit)) for unit in units)) == ["done"] * 40
        assert await names(store) == [f"n{n:02}" for n in range(40)]
        assert await transactions(store, place, told) <= 8


async def test_2000_units_of_64_writers_are_all_there_once(store: Store) -> None:
    numbers = itertools.count()
    acknowledged: list[str] = []

    async def write() -> None:
        while (n := next(numbers)) < 2000:
            await store.commit(Unit((*pair(f"n{n:04}").writes, event(f"n{n:04}"))))
            acknowledged.append(f"n{n:04}")

    await asyncio.gather(*(write() for _ in range(64)))

    wanted = [f"n{n:04}" for n in range(2000)]
    assert sorted(acknowledged) == wanted
    assert await names(store, writes.NOTES) == wanted
    assert await names(store, writes.COUNTERS) == wanted
    assert sorted(await names(store, writes.EVENTS)) == wanted


async def test_a_caller_that_goes_away_does_not_take_its_unit_back(store: Store) -> None:
    callers = [asyncio.ensure_future(store.commit(pair(f"n{n}"))) for n in range(20)]
    failing = asyncio.ensure_future(store.commit(Unit((Write(writes.RAISE, ("missing",), expect=1),))))
    await asyncio.sleep(0)
    for caller in (*callers, failing):
        caller.cancel()
    ends = await asyncio.gather(*callers, failing, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ends)

    await store.commit(Unit((note("last"),)))
    await until(lambda: _count(store), 21)
    assert await torn(store) == {"last"}


async def test_too_many_waiting_units_are_refused_as_busy(
    store: Store, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "MAX_WAITING", 10)
    monkeypatch.setattr(postgres_commit, "MAX_WAITING", 10)

    results = await at_once(place, (store.commit(pair(f"n{n:03}")) for n in range(200)))

    busy = [result for result in results if isinstance(result, Problem)]
    assert busy
    assert all(problem.kind is Kind.BUSY and problem.retry_after > 0 for problem in busy)
    landed = [f"n{n:03}" for n, result in enumerate(results) if result is None]
    assert len(landed) >= 10
    assert len(landed) + len(busy) == 200
    assert await names(store) == landed
    assert [await outcome(store.commit(pair(f"o{n}"))) for n in range(12)] == ["done"] * 12


async def test_callers_that_went_away_make_no_room_before_their_units_landed(
    store: Store, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "MAX_WAITING", 10)
    monkeypatch.setattr(postgres_commit, "MAX_WAITING", 10)
    refused = 0
    async with held(place):
        for n in range(200):
            caller = asyncio.ensure_future(store.commit(pair(f"n{n:03}")))
            for _ in range(2):
                await asyncio.sleep(0)
            if caller.done() and isinstance(caller.exception(), Problem):
                refused += 1
            caller.cancel()
    assert refused

    await until(lambda: _count(store), 200 - refused)
    assert await outcome(store.commit(pair("last"))) == "done"


async def test_closing_finishes_what_waits(place: Place) -> None:
    async with engines.opened(place) as store:
        waiting = [asyncio.ensure_future(store.commit(pair(f"n{n:03}"))) for n in range(500)]
        await asyncio.sleep(0)
        await store.close()
        ends = await asyncio.gather(*waiting, return_exceptions=True)
        with pytest.raises(StoreDown):
            await store.commit(pair("late"))

    async with engines.opened(place) as store:
        assert ends == [None] * 500
        assert await names(store) == [f"n{n:03}" for n in range(500)]
        assert await torn(store) == set()
