"""A unit lands whole or leaves nothing, in the order it was written down, with the same words on both engines."""

import pytest

from keystead.store import Statement, Store, StoreDown, Unit, Write
from keystead.store.unit import join
from tests.store import writes
from tests.store.writes import event, group, member, names, note, outcome, user


async def test_a_unit_lands_with_all_its_writes(store: Store) -> None:
    await store.commit(Unit((note("a", "1"), user(1), group(2), member(1, 2), event("e"))))

    assert await store.fetch(writes.NOTES) == [("a", "1")]
    assert await store.fetch_one(Statement("q", "SELECT user_id, group_id FROM group_members")) == (1, "g2")
    assert await names(store, writes.EVENTS) == ["e"]


@pytest.mark.parametrize(("expect", "wanted"), [(0, "guard turned"), (1, "done"), (2, "guard turned"), (None, "done")])
async def test_a_guard_counts_rows(store: Store, expect: int | None, wanted: str) -> None:
    await store.commit(Unit((note("a", "old"),)))

    turn = Write(writes.TURN, ("a", "old", "new"), expect=expect, guard="turned")
    assert await outcome(store.commit(Unit((turn, event("e"))))) == wanted

    landed = wanted == "done"
    assert await store.fetch_one(writes.NOTE_OF, "a") == ("new" if landed else "old",)
    assert await names(store, writes.EVENTS) == (["e"] if landed else [])


@pytest.mark.parametrize("place_of_guard", [0, 1, 2])
async def test_a_failed_guard_leaves_nothing_of_its_unit(store: Store, place_of_guard: int) -> None:
    unit = [note("a"), user(1)]
    unit.insert(place_of_guard, Write(writes.RAISE, ("missing",), expect=1, guard="counter"))

    assert await outcome(store.commit(Unit(tuple(unit)))) == "guard counter"
    assert await store.fetch(writes.NOTES) == []
    assert await store.fetch(Statement("q", "SELECT id FROM users")) == []


async def test_the_first_of_two_failing_guards_is_named(store: Store) -> None:
    first = Write(writes.RENOTE, ("missing", ""), expect=1, guard="first")
    second = Write(writes.RAISE, ("missing",), expect=1, guard="second")

    assert await outcome(store.commit(Unit((first, second)))) == "guard first"
    assert await outcome(store.commit(Unit((second, first)))) == "guard second"


@pytest.mark.parametrize(
    ("unit", "wanted"),
    [
        pytest.param((note("a"),), "taken installation.name", id="primary key"),
        pytest.param((user(1, "other", uuid="u"),), "taken users.id", id="number"),
        pytest.param((user(2, "user1"),), "taken users.username", id="unique index"),
        pytest.param((group(2, "group1"),), "taken groups.name", id="unique index of another table"),
        pytest.param((group(1, "other", num_pk=9),), "taken groups.id", id="text key"),
        pytest.param((member(1, 1),), "taken group_members.user_id", id="several columns: the first"),
        pytest.param((event("e"),), "taken events.id", id="beside a generated key"),
        pytest.param((note("b"), event("f"), user(2, "user1")), "taken users.username", id="last of several"),
        pytest.param((Write(writes.FORGET, ("x",)), note("a")), "taken installation.name", id="in a unit of two steps"),
    ],
)
async def test_a_taken_value_names_table_and_column(store: Store, unit: tuple[Write, ...], wanted: str) -> None:
    await store.commit(Unit((note("a"), user(1), group(1), member(1, 1), event("e"))))

    assert await outcome(store.commit(Unit(unit))) == wanted
    assert await names(store) == ["a"]
    assert await names(store, writes.EVENTS) == ["e"]


async def test_a_missing_reference_fails_the_unit(store: Store) -> None:
    await store.commit(Unit((user(1),)))

    assert await outcome(store.commit(Unit((note("a"), member(1, 9))))) == "guard reference"
    assert await outcome(store.commit(Unit((member(1, 9),)))) == "guard reference"
    # Nothing is there before it was written, though the unit would make it later.
    assert await outcome(store.commit(Unit((member(1, 9), group(9))))) == "guard reference"
    assert await store.fetch(writes.NOTES) == []


async def test_what_a_unit_made_can_be_referred_to(store: Store) -> None:
    await store.commit(Unit((user(1), group(1), member(1, 1), Write(writes.UNUSER, (1,), expect=1, guard="gone"))))

    assert await store.fetch(Statement("q", "SELECT user_id FROM group_members")) == []


async def test_writes_of_a_unit_keep_their_order(store: Store) -> None:
    await store.commit(Unit((note("a", "old"),)))

    gone = Write(writes.FORGET, ("a",), expect=1, guard="gone")
    await store.commit(Unit((gone, note("a", "again"))))
    assert await store.fetch(writes.NOTES) == [("a", "again")]

    await store.commit(Unit((Write(writes.RENOTE, ("a", "1"), 1, "one"), Write(writes.RENOTE, ("a", "2"), 1, "two"))))
    assert await store.fetch(writes.NOTES) == [("a", "2")]

    turns = [Write(writes.TURN, ("a", str(n), str(n + 1)), 1, f"turn {n}") for n in range(2, 40)]
    await store.commit(Unit(tuple(turns)))
    assert await store.fetch(writes.NOTES) == [("a", "40")]

    await store.commit(Unit((note("b"), Write(writes.FORGET, ("b",), 1, "gone"), note("b", "last"))))
    assert await store.fetch_one(writes.NOTE_OF, "b") == ("last",)


async def test_events_of_a_unit_are_numbered_as_they_were_told(store: Store) -> None:
    told = [f"e{n:02}" for n in range(70)]
    await store.commit(Unit(tuple(event(name, expect=1 if n % 3 else None) for n, name in enumerate(told))))

    assert await names(store, writes.EVENTS) == told


async def test_a_write_that_reads_another_table_sees_what_the_unit_wrote_before(store: Store) -> None:
    copy = Write(Statement("copy", "INSERT INTO id_blocks (name, next) SELECT name, 7 FROM installation"), expect=2)
    await store.commit(Unit((note("a"), note("b"), copy)))

    assert await store.fetch(writes.COUNTERS) == [("a", 7), ("b", 7)]


async def test_a_row_may_be_put_twice(store: Store) -> None:
    put = Statement(
        "put",
        "INSERT INTO id_blocks (name, next) VALUES ($1, $2)"
        " ON CONFLICT (name) DO UPDATE SET next = id_blocks.next * 10 + excluded.next",
    )
    unit = Unit((Write(put, ("a", 1), 1, "put"), Write(put, ("b", 5), 1, "put"), Write(put, ("a", 2), 1, "put")))
    await store.commit(unit)

    assert await store.fetch(writes.COUNTERS) == [("a", 12), ("b", 5)]


async def test_a_conflict_that_does_nothing_counts_nothing(store: Store) -> None:
    keep = Statement("keep", "INSERT INTO installation (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
    await store.commit(Unit((Write(keep, ("a", "1"), 1, "new"),)))

    assert await outcome(store.commit(Unit((Write(keep, ("a", "2"), 1, "new"),)))) == "guard new"
    assert await outcome(store.commit(Unit((Write(keep, ("a", "2"), 0, "old"),)))) == "done"
    assert await store.fetch(writes.NOTES) == [("a", "1")]


async def test_an_empty_unit_is_nothing(store: Store) -> None:
    await store.commit(Unit())
    await store.commit(Unit(announce=5))


async def test_joined_units_land_together(store: Store) -> None:
    await store.commit(join([Unit((note("a"),)), Unit((note("b"),), announce=0)]))
    assert await names(store) == ["a", "b"]

    failing = Unit((Write(writes.RAISE, ("missing",), 1, "counter"),))
    assert await outcome(store.commit(join([Unit((note("c"),)), failing]))) == "guard counter"
    assert await names(store) == ["a", "b"]


async def test_a_large_unit_lands(store: Store) -> None:
    """More parameters than one PostgreSQL statement may have."""
    unit = Unit(tuple(write for n in range(3000) for write in (user(n), event(f"e{n}"))))
    await store.commit(unit)

    assert await store.fetch_one(Statement("q", "SELECT count(*) FROM users")) == (3000,)
    assert await names(store, writes.EVENTS) == [f"e{n}" for n in range(3000)]


@pytest.mark.parametrize("value", ["nul \0", "half a pair \ud800"])
async def test_a_text_that_no_database_keeps_is_refused(store: Store, value: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words are the driver's
        await store.commit(Unit((note("a", value), event("e"))))
    with pytest.raises(ValueError):  # noqa: PT011 - as above
        await store.fetch(writes.NOTE_OF, value)
    assert await store.fetch(writes.NOTES) == []
    assert await names(store, writes.EVENTS) == []


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1])
async def test_a_number_beyond_64_bits_is_refused(store: Store, value: int) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words are the driver's
        await store.commit(Unit((Write(writes.COUNTER, ("a", value)),)))
    await store.commit(Unit((Write(writes.COUNTER, ("a", 2**63 - 1)), Write(writes.COUNTER, ("b", -(2**63))))))
    assert await store.fetch(writes.COUNTERS) == [("a", 2**63 - 1), ("b", -(2**63))]


async def test_a_wrong_number_of_arguments_is_our_mistake(store: Store) -> None:
    with pytest.raises(TypeError, match=r"note\.add takes 2 arguments, not 1"):
        Write(writes.NOTE, ("a",))
    for args in ((), ("a", "b")):
        with pytest.raises(TypeError, match=r"note\.one takes 1 arguments"):
            await store.fetch(writes.NOTE_OF, *args)
        with pytest.raises(TypeError, match=r"note\.one takes 1 arguments"):
            await store.fetch_one(writes.NOTE_OF, *args)


async def test_a_mistake_in_a_statement_is_no_outage(store: Store) -> None:
    wrong = Statement("wrong", "SELECT name FROM nowhere")
    with pytest.raises(Exception, match="nowhere") as told:
        await store.fetch(wrong)
    assert not isinstance(told.value, StoreDown)

    wrong = Statement("wrong", "INSERT INTO nowhere (name) VALUES ('a')")
    with pytest.raises(Exception, match="nowhere") as told:
        await store.commit(Unit((Write(wrong),)))
    assert not isinstance(told.value, StoreDown)

    await store.commit(Unit((note("a"),)))  # and the store goes on


async def test_a_closed_store_refuses(store: Store) -> None:
    await store.commit(Unit((note("a"),)))
    await store.close()
    await store.close()

    refusals = [
        store.commit(Unit((note("b"),))),
        store.fetch(writes.NOTES),
        store.fetch(writes.NOTES, heavy=True),
        store.fetch_one(writes.NOTES),
        store.head(),
        store.documents(),
        store.changes(0),
        store.reserve("x", 1),
    ]
    for refusal in refusals:
        with pytest.raises(StoreDown):
            await refusal
