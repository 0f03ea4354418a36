"""Settings documents: numbered changes without gaps, read at one instant, announced to the other processes."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import cast

import asyncpg
import pytest

from keystead.store import Change, Store, Unit
from keystead.store.settings_sql import change
from tests import engines
from tests.engines import Place
from tests.patience import PATIENCE, until
from tests.store import writes
from tests.store.children import child, start


async def test_settings_changes_of_two_processes_are_neither_lost_nor_reordered(place: Place) -> None:
    times = 25
    async with child("change", place, "a", times) as first, child("change", place, "b", times) as second:
        await start(first, second)
        reader = asyncio.ensure_future(_read_along(place, until=2 * (3 * times - 1)))
        ends = [(await one.line()).split() for one in (first, second)]
        assert [end[0] for end in ends] == ["done", "done"]
        read = await reader

    async with engines.opened(place) as store:
        log = await store.changes(0)
        head, documents = await store.documents()

    assert [change.seq for change in log] == list(range(1, 2 * (3 * times - 1) + 1))
    assert read == log
    assert head == log[-1].seq
    for name in ("a", "b"):
        made = [change.id for change in log if change.id.startswith(name) and change.doc is not None]
        assert made == [f"{name}/{n}" for n in range(times)]
        removed = [change.id for change in log if change.id.startswith(name) and change.doc is None]
        assert removed == [f"{name}/{n}" for n in range(times - 1)]
    assert {change.id for change in documents} == {"shared", f"a/{times - 1}", f"b/{times - 1}"}
    newest = {change.id: change for change in log}
    assert all(newest[change.id] == change for change in documents)
    # They met at the start at least.
    assert sum(int(end[1]) for end in ends) > 0


async def _read_along(place: Place, until: int) -> list[Change]:
    """The changes as a third process sees them, asking again and again for what is new."""
    seen: list[Change] = []
    async with engines.opened(place) as store, asyncio.timeout(PATIENCE):
        while len(seen) < until:
            seen.extend(await store.changes(len(seen)))
            await asyncio.sleep(0.002)
    return seen


async def test_what_is_read_at_one_instant_fits_together(place: Place) -> None:
    async with (
        engines.opened(place) as store,
        child("change", place, "a", 10**6) as changing,
        asyncio.timeout(PATIENCE),
    ):
        await start(changing)
        last = 0
        seen: set[int] = set()
        while len(seen) < 12:  # numbers of settings that were read while others were being made
            head, documents = await store.documents()
            seen.add(head)
            assert head >= last
            assert head == 0 or max(change.seq for change in documents) <= head
            log = await store.changes(0)
            state = {change.id: change for change in log[:head]}
            assert {id_: change for id_, change in state.items() if change.doc is not None} == {
                change.id: change for change in documents
            }
            last = head
            await asyncio.sleep(0.001)


async def test_documents_come_back_as_they_were_put(store: Store) -> None:
    text = json.dumps({"größe": "✓", "n": [1, {"q": 'a "b" \\ c'}]}, ensure_ascii=False)
    await store.commit(Unit(change(0, 5, [("a.b", "id", text), ("a.b", "other", "{}")]), announce=2))
    assert await writes.outcome(store.commit(Unit(change(1, 6, [("a.b", "id", None)])))) == "guard settings"
    assert await writes.outcome(store.commit(Unit(change(2, 6, [("a.b", "missing", None)])))) == "guard settings"
    await store.commit(Unit(change(2, 6, [("a.b", "other", None)])))

    assert await store.head() == 3
    assert await store.documents() == (3, [(1, "a.b", "id", text)])
    assert await store.changes(1) == [(2, "a.b", "other", "{}"), (3, "a.b", "other", None)]


def heard(store: Store) -> AsyncGenerator[int, None]:
    """The announcements, as something that can be closed."""
    return cast("AsyncGenerator[int, None]", store.announcements())


async def _listening(connection: "asyncpg.Connection[asyncpg.Record]", *, end: bool = False) -> int:
    """How many sessions listen on this database; they are ended if ``end``."""
    where = "FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
    rows = await connection.fetch(f"SELECT {'pg_terminate_backend(pid)' if end else 'pid'} {where}")
    return len(rows)


async def test_an_announcement_reaches_another_process() -> None:
    """Each one, and without anybody's looking: there is no poll behind it here."""
    async with (
        engines.fresh_place("postgres") as place,
        engines.opened(place) as store,
        child("announce", place) as other,
        aclosing(heard(store)) as numbers,
    ):
        assert await other.line() == "ready"
        assert await anext(numbers) == 0
        for n in range(1, 11):
            await other.tell()
            async with asyncio.timeout(PATIENCE):
                assert await anext(numbers) == n
            assert await other.line() == "done"
        assert len(await store.changes(0)) == 10


async def test_a_change_that_fails_is_not_announced() -> None:
    async with engines.fresh_store("postgres") as store, aclosing(heard(store)) as numbers:
        assert await anext(numbers) == 0
        unit = Unit((*change(5, 0, [("a.b", "x", "{}")]), *writes.pair("a").writes), announce=6)
        assert await writes.outcome(store.commit(unit)) == "guard settings"
        unit = Unit((*change(0, 0, [("a.b", "x", "{}")]), *writes.pair("a").writes), announce=1)
        await store.commit(unit)
        assert await anext(numbers) == 1


async def test_listening_survives_the_loss_of_its_connection() -> None:
    async with (
        engines.fresh_place("postgres") as place,
        engines.opened(place) as store,
        engines.past(place) as connection,
    ):
        async with aclosing(heard(store)) as numbers:
            assert await anext(numbers) == 0
            for n in range(3):
                await until(lambda: _listening(connection), 1)  # one that was ended is seen a little longer
                assert await _listening(connection, end=True) == 1
                async with asyncio.timeout(PATIENCE):
                    # Told at once that something may have been missed, and then what is new.
                    assert await anext(numbers) == 0
                await store.commit(Unit(change(n, 0, [("a.b", "x", "{}")]), announce=n + 1))
                async with asyncio.timeout(PATIENCE):
                    assert await anext(numbers) == n + 1
            await until(lambda: _listening(connection), 1)
        await until(lambda: _listening(connection), 0)


async def test_strangers_on_the_channel_do_no_harm() -> None:
    async with (
        engines.fresh_place("postgres") as place,
        engines.opened(place) as store,
        engines.past(place) as connection,
        aclosing(heard(store)) as numbers,
    ):
        assert await anext(numbers) == 0
        for word, number in (("hello", 0), ("", 0), ("-1", 0), ("²", 0), ("12", 12)):
            await connection.execute("SELECT pg_notify('keystead_settings', $1)", word)
            assert await anext(numbers) == number


async def test_listening_ends_with_the_store(place: Place) -> None:
    async def listen() -> list[int]:
        return [number async for number in store.announcements()]

    store = await engines.open_store(place)
    tasks = [asyncio.ensure_future(listen()) for _ in range(2)]
    await asyncio.sleep(0.1)
    await store.close()
    async with asyncio.timeout(PATIENCE):
        ends = await asyncio.gather(*tasks)
    assert all(set(end) <= {0} for end in ends)


async def test_a_listener_that_is_cancelled_leaves_no_connection() -> None:
    async with (
        engines.fresh_place("postgres") as place,
        engines.opened(place) as store,
        engines.past(place) as connection,
    ):

        async def listen() -> None:
            async for _ in store.announcements():
                pass

        task = asyncio.ensure_future(listen())
        await until(lambda: _listening(connection), 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: _listening(connection), 0)
