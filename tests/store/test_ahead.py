"""What is put ahead is seen by who put it ahead, by nobody else, and leaves nothing behind."""

import pytest

from keystead.store import GuardFailed, Overtaken, Store, Taken, Unit, Write
from keystead.store.ahead import Ahead
from tests.store import writes
from tests.store.writes import note


async def test_a_rehearsal_sees_its_writes_and_leaves_nothing(store: Store) -> None:
    await store.commit(Unit((note("a", "1"),)))
    async with store.rehearsal() as stage:
        await stage.write([note("b", "2"), Write(writes.RENOTE, ("a", "3"), expect=1, guard="x")])
        assert await stage.fetch(writes.NOTES) == [("a", "3"), ("b", "2")]
        assert await store.fetch(writes.NOTES) == [("a", "1")]
    assert await store.fetch(writes.NOTES) == [("a", "1")]
    await store.commit(Unit((note("b"),)))


@pytest.mark.parametrize(
    ("write", "wanted"),
    [(note("a"), Taken), (Write(writes.RAISE, ("missing",), expect=1, guard="counter"), GuardFailed)],
)
async def test_a_rehearsal_fails_as_the_commit_would(store: Store, write: Write, wanted: type[Exception]) -> None:
    await store.commit(Unit((note("a"),)))
    with pytest.raises(wanted) as told:
        async with store.rehearsal() as stage:
            await stage.write([write])
    with pytest.raises(wanted) as real:
        await store.commit(Unit((write,)))
    assert str(told.value) == str(real.value)


async def test_numbers_are_reserved_while_something_is_ahead(store: Store) -> None:
    async with Ahead(store) as ahead:
        first = await ahead.reserve("users", 1)
        await ahead.write([note("a")])
        numbers = {await ahead.reserve("users", 1) for _ in range(5)}
        assert await ahead.fetch(writes.NOTES) == [("a", "")]
        assert await ahead.fetch_one(writes.NOTE_OF, "a") == ("",)
        assert len(numbers | {first}) == 6
        with pytest.raises(TypeError):
            await ahead.commit(Unit((note("b"),)))
    assert await store.reserve("users", 1) > max(numbers)
    assert await store.fetch(writes.NOTES) == []


async def test_others_get_in_between(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keystead.store.ahead.STRETCH", 0.0)
    monkeypatch.setattr("keystead.store.ahead._SHARE", 0)
    async with Ahead(store) as ahead:
        for number in range(20):
            await ahead.write([note(f"ahead {number}")])
        await ahead.let_go()
        await store.commit(Unit((note("between"),)))
        assert len(await ahead.fetch(writes.NOTES)) == 21
    assert await store.fetch(writes.NOTES) == [("between", "")]


async def test_who_is_overtaken_hears_of_it(store: Store) -> None:
    async with Ahead(store) as ahead:
        await ahead.write([note("a")])
        await ahead.let_go()
        await store.commit(Unit((note("a"),)))
        with pytest.raises(Overtaken):
            await ahead.fetch(writes.NOTES)
        with pytest.raises(Overtaken):
            await ahead.write([note("b")])
    async with Ahead(store) as ahead:
        with pytest.raises(Taken):  # nobody came between: it never went
            await ahead.write([note("a")])
    await store.commit(Unit((note("b"),)))
