"""Removing things: what refers to them does what its reference says, through settings and records, in one unit."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from keystead.base import rand
from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem
from keystead.base.secret import Secret
from keystead.kinds import records
from keystead.kinds.access import system
from keystead.kinds.call import SYSTEM, Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind
from keystead.kinds.state import State
from keystead.store import Statement
from tests.engines import Engine
from tests.house import VAULT
from tests.kinds.toys import BOX, CRATE, KINDS, SAMPLE, SHELF, Box, Crate, Sample, Shelf, keep, toy_state

EVENTS = Statement("test.events", "SELECT action, model, model_pk, context FROM events ORDER BY position")


@pytest.fixture
async def state(engine: Engine) -> AsyncIterator[State]:
    async with toy_state(engine) as made:
        yield made


def box(name: str, **more: Any) -> Box:  # noqa: ANN401 - members of a box
    return Box(pk=rand.uuid4(), name=name, **more)


def shelf(name: str, **more: Any) -> Shelf:  # noqa: ANN401 - members of a shelf
    return Shelf(pk=rand.uuid4(), name=name, **more)


async def remove(state: State, *objs: tuple[Kind[Any], Any]) -> None:
    async def decide(call: Call) -> tuple[Changes, None]:
        changes = Changes()
        for kind, obj in objs:
            changes.delete(system(call, kind, "delete"), obj, state.kinds.values())
        return changes, None

    await state.change(Call(SYSTEM, state.clock.now(), state.settings), decide)


async def sample(state: State, pk: int) -> Sample | None:
    return next(iter(await records.load(state.store, SAMPLE, "id", [pk])), None)


async def told(state: State) -> list[tuple[object, ...]]:
    return [(action, model, pk) for action, model, pk, _ in await state.store.fetch(EVENTS)]


async def same_elsewhere(state: State) -> None:
    """What another process reads is what this one has in memory."""
    other = State(state.store, KINDS, VAULT)
    await other.load()
    assert other.settings.seq == state.settings.seq
    kinds: tuple[Kind[Any], ...] = (BOX, CRATE, SHELF)
    for kind in kinds:
        assert list(other.settings.all(kind)) == list(state.settings.all(kind))


async def test_each_reference_does_what_it_declares(state: State) -> None:
    target, other = box("target"), box("other")
    main = shelf("main", main=target.pk)
    spare = shelf("spare", spare=target.pk)
    usual = shelf("usual", usual=target.pk)
    past = shelf("past", past=target.pk)
    row = shelf("row", row=(other.pk, target.pk, other.pk))
    apart = shelf("apart", main=other.pk, row=(other.pk,))
    await keep(state, target, other, main, spare, usual, past, row, apart)
    await remove(state, (BOX, target))

    left = {one.name: one for one in state.settings.all(SHELF)}
    assert set(left) == {"spare", "usual", "past", "row", "apart"}
    assert left["spare"].spare is None
    assert left["usual"].usual is None
    assert left["past"].past == target.pk
    assert left["row"].row == (other.pk, other.pk)
    assert left["apart"] == apart
    assert state.settings.get(BOX, target.pk) is None
    assert {one.field for one in state.settings.referrers(BOX, target.pk)} == {"past"}
    events = await told(state)
    assert events[0] == ("model_deleted", "toys.box", target.pk)
    assert set(events[1:]) == {
        ("model_deleted", "toys.shelf", main.pk),
        ("model_updated", "toys.shelf", spare.pk),
        ("model_updated", "toys.shelf", usual.pk),
        ("model_updated", "toys.shelf", row.pk),
    }
    await same_elsewhere(state)


async def test_a_chain_of_references_goes_to_its_end_and_a_circle_stops(state: State) -> None:
    target = box("target")
    first = shelf("first", main=target.pk)
    second = shelf("second", below=first.pk)
    third = shelf("third", below=second.pk)
    first = msgspec.structs.replace(first, below=third.pk)  # a circle of three
    crate = Crate(pk=rand.uuid4(), name="crate", inside=target.pk)
    holder = shelf("holder", spare=None, row=(crate.pk,), main=None)
    await keep(state, target, first, second, third, crate, holder)
    await remove(state, (BOX, target))
    assert [one.name for one in state.settings.all(SHELF)] == ["holder"]
    assert state.settings.all(SHELF)[0].row == ()
    assert list(state.settings.all(CRATE)) == []
    deleted = [pk for action, _, pk in await told(state) if action == "model_deleted"]
    assert sorted(map(str, deleted)) == sorted([target.pk, first.pk, second.pk, third.pk, crate.pk])
    await same_elsewhere(state)


async def test_an_object_reached_on_two_ways_is_changed_once_and_wholly(state: State) -> None:
    target = box("target")
    crate = Crate(pk=rand.uuid4(), name="crate", inside=target.pk)
    holder = shelf("holder", spare=target.pk, usual=crate.pk, row=(target.pk, crate.pk))
    await keep(state, target, crate, holder)
    await remove(state, (BOX, target))
    (left,) = state.settings.all(SHELF)
    assert (left.spare, left.usual, left.row) == (None, None, ())
    await same_elsewhere(state)


async def test_records_are_freed_from_a_setting_that_goes(state: State) -> None:
    target, other = box("target"), box("other")
    above = shelf("above", main=target.pk)
    await keep(
        state,
        target,
        other,
        above,
        Sample(pk=1, code="cascade", box=target.pk),
        Sample(pk=2, code="null", spare=target.pk),
        Sample(pk=3, code="linked", boxes=(target.pk, other.pk)),
        Sample(pk=4, code="dangling", shelf=above.pk),
        Sample(pk=5, code="apart", box=other.pk, spare=other.pk, boxes=(other.pk,)),
    )
    apart = await sample(state, 5)
    await remove(state, (BOX, target))
    assert await sample(state, 1) is None
    null, linked, dangling = await sample(state, 2), await sample(state, 3), await sample(state, 4)
    assert null
    assert null.spare is None
    assert linked
    assert linked.boxes == (other.pk,)
    assert dangling
    assert dangling.shelf == above.pk, "the shelf went with its box; the record says where it stood"
    assert await sample(state, 5) == apart
    assert state.settings.get(SHELF, above.pk) is None


async def test_settings_are_freed_from_a_record_that_goes(state: State) -> None:
    kept = shelf("kept", keeper=7)
    record = Sample(pk=7, code="keeper", boxes=())
    await keep(state, kept, record, shelf("apart", keeper=8))
    await remove(state, (SAMPLE, record))
    assert await sample(state, 7) is None
    assert {one.name: one.keeper for one in state.settings.all(SHELF)} == {"kept": None, "apart": 8}
    await same_elsewhere(state)


async def test_what_the_same_changes_made_or_moved_is_seen(state: State) -> None:
    target, other = box("target"), box("other")
    moved, late = shelf("moved", main=target.pk), shelf("late", main=target.pk)
    await keep(state, target, other, moved)

    async def decide(call: Call) -> tuple[Changes, None]:
        changes = Changes()
        changes.update(system(call, SHELF, "change"), moved, msgspec.structs.replace(moved, main=other.pk))
        changes.create(system(call, SHELF, "add"), late)
        changes.delete(system(call, BOX, "delete"), target, state.kinds.values())
        return changes, None

    await state.change(Call(SYSTEM, state.clock.now(), state.settings), decide)
    assert [(one.name, one.main) for one in state.settings.all(SHELF)] == [("moved", other.pk)]
    await same_elsewhere(state)


async def test_made_and_removed_at_once_leaves_nothing_behind(state: State) -> None:
    brief = box("brief")

    async def decide(call: Call) -> tuple[Changes, None]:
        changes = Changes()
        changes.create(system(call, BOX, "add"), brief)
        changes.delete(system(call, BOX, "delete"), brief, state.kinds.values())
        return changes, None

    await state.change(Call(SYSTEM, state.clock.now(), state.settings), decide)
    assert list(state.settings.all(BOX)) == []
    assert [action for action, _, _ in await told(state)] == ["model_created", "model_deleted"]
    await same_elsewhere(state)


async def test_removing_twice_in_one_change_is_removing_once(state: State) -> None:
    target, crate = box("target"), Crate(pk=rand.uuid4(), name="crate")
    await keep(state, target, crate)
    await remove(state, (BOX, target), (CRATE, crate), (BOX, target))
    assert len(await told(state)) == 2
    await same_elsewhere(state)


async def test_an_update_that_changes_nothing_writes_nothing(state: State) -> None:
    target = box("target")
    await keep(state, target)
    seq = state.settings.seq
    changes = Changes()
    call = Call(SYSTEM, state.clock.now(), state.settings)
    changes.update(system(call, BOX, "change"), target, msgspec.structs.replace(target))
    assert (changes.writes, changes.settings) == ([], {})
    await state.commit(changes, call.at)
    assert await state.store.head() == seq


async def test_a_power_is_good_for_its_word_only(state: State) -> None:
    call = Call(SYSTEM, state.clock.now(), state.settings)
    target = box("target")
    for word in ("view", "change", "delete"):
        with pytest.raises(Problem) as found:
            Changes().create(system(call, BOX, word), target)
        assert found.value.kind is Fault.DENIED
    with pytest.raises(Problem):
        Changes().update(system(call, BOX, "delete"), target, target)
    with pytest.raises(Problem):
        Changes().delete(system(call, BOX, "add"), target, ())


async def test_secrets_are_sealed_where_they_are_kept_and_opened_where_they_are_read(state: State) -> None:
    await keep(state, box("safe", key=Secret("open sesame")))
    documents = await state.store.fetch(Statement("test.docs", "SELECT doc FROM settings"))
    assert "open sesame" not in repr(documents)
    other = State(state.store, KINDS, VAULT)
    await other.load()
    (found,) = other.settings.all(BOX)
    assert found.key.reveal() == "open sesame"


async def test_a_removal_whose_record_is_gone_leaves_everything_as_it_was(state: State) -> None:
    kept = shelf("kept", keeper=7)
    ghost = Sample(pk=7, code="ghost")
    await keep(state, kept)
    with pytest.raises(Problem) as found:
        await remove(state, (SAMPLE, ghost))
    assert found.value.kind is Fault.CONFLICT
    assert state.settings.get(SHELF, kept.pk) == kept
    assert await told(state) == []
    with contextlib.suppress(Problem):
        await remove(state, (SAMPLE, ghost))
    await same_elsewhere(state)
