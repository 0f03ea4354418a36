"""One way to change anything: nothing lost between tasks and processes, every view complete and in order."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest

from keystead.base import rand
from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem
from keystead.kinds.access import system
from keystead.kinds.call import SYSTEM, Call
from keystead.kinds.changes import Changes
from keystead.kinds.state import State
from keystead.store import GuardFailed, Statement, Unit, Write
from tests import engines
from tests.engines import Engine, Place
from tests.house import VAULT, HandClock
from tests.kinds.toys import BOX, KINDS, SAMPLE, SHELF, Box, Sample, Shelf, keep, make_tables
from tests.patience import PATIENCE

MISSING = Statement("test.missing", "UPDATE users SET name = name WHERE id = $1")
COUNT = Statement("test.count", "SELECT count(*) FROM settings_changes")


@pytest.fixture
async def toys(engine: Engine) -> AsyncIterator[Place]:
    async with engines.fresh_place(engine) as place:
        await make_tables(place)
        yield place


@contextlib.asynccontextmanager
async def process(place: Place) -> AsyncIterator[State]:
    """A state with a store of its own, as another process has."""
    async with engines.opened(place) as store:
        state = State(store, KINDS, VAULT, HandClock())
        await state.load()
        yield state


def call(state: State) -> Call:
    return Call(SYSTEM, state.clock.now(), state.settings)


Decide = Callable[[Call], Awaitable[tuple[Changes, int]]]


def grow(pk: str, seen: list[int] | None = None) -> Decide:
    """A decision that adds one to a box's size as it stands."""

    async def decide(call: Call) -> tuple[Changes, int]:
        old = call.settings.get(BOX, pk)
        assert old is not None
        if seen is not None:
            seen.append(call.settings.seq)
        await asyncio.sleep(0)  # somebody else may come between
        changes = Changes()
        changes.update(system(call, BOX, "change"), old, msgspec.structs.replace(old, size=old.size + 1))
        return changes, old.size + 1

    return decide


async def test_no_change_of_two_processes_and_many_tasks_is_lost(toys: Place) -> None:
    async with process(toys) as first, process(toys) as second:
        box = Box(pk=rand.uuid4(), name="counter")
        await keep(first, box)
        await second.refresh()
        results = await asyncio.gather(*(state.change(call(state), grow(box.pk)) for state in (first, second) * 12))
        assert sorted(results) == list(range(1, 25))
        for state in (first, second):
            fresh = await state.refresh()
            found = fresh.get(BOX, box.pk)
            assert found
            assert found.size == 24
            assert fresh.seq == 25


async def test_a_decision_is_made_again_on_the_newest_settings_only_when_it_must(toys: Place) -> None:
    async with process(toys) as here, process(toys) as there:
        box = Box(pk=rand.uuid4(), name="counter")
        await keep(here, box)
        seen: list[int] = []
        await here.change(call(here), grow(box.pk, seen))
        assert seen == [1], "nobody came between"
        await there.refresh()
        stale = call(here)
        await there.change(call(there), grow(box.pk))
        seen.clear()
        assert await here.change(stale, grow(box.pk, seen)) == 3
        assert seen == [2, 3]


async def test_a_decision_that_turns_out_to_want_nothing_writes_nothing(toys: Place) -> None:
    async with process(toys) as here, process(toys) as there:
        stale = call(here)
        await keep(there, Box(pk=rand.uuid4(), name="taken"))

        async def decide(call: Call) -> tuple[Changes, bool]:
            changes = Changes()
            if call.settings.by(BOX, "name", "taken"):
                return changes, False
            changes.create(system(call, BOX, "add"), Box(pk=rand.uuid4(), name="taken"))
            return changes, True

        assert await here.change(stale, decide) is False
        assert await there.store.fetch_one(COUNT) == (1,)


async def test_what_a_decision_raises_leaves_nothing_behind_and_lets_others_on(toys: Place) -> None:
    async with process(toys) as state:

        async def decide(_call: Call) -> tuple[Changes, None]:
            raise Problem(Fault.INVALID, "no")

        with pytest.raises(Problem, match="no"):
            await state.change(call(state), decide)
        await keep(state, Box(pk=rand.uuid4(), name="after"))
        assert await state.store.head() == 1


@pytest.mark.parametrize("with_settings", [False, True])
async def test_guards_are_told_by_name_but_for_rows_that_changed_meanwhile(toys: Place, with_settings: bool) -> None:  # noqa: FBT001 - a parameter of the test
    nothing = Statement("test.nothing", "UPDATE toy_samples SET count = 1 WHERE id = $1")

    async with process(toys) as state:

        async def change(guard: str) -> None:
            async def decide(call: Call) -> tuple[Changes, None]:
                changes = Changes()
                if with_settings:
                    changes.create(system(call, BOX, "add"), Box(pk=rand.uuid4(), name="box"), quiet=True)
                changes.write(Write(nothing, (1,), expect=1, guard=guard))
                return changes, None

            await state.change(call(state), decide)

        with pytest.raises(Problem) as found:
            await change("row")
        assert found.value.kind is Fault.CONFLICT
        with pytest.raises(GuardFailed) as failed:
            await change("a room's own")
        assert failed.value.guard == "a room's own"
        assert (await state.refresh()).seq == 0
        assert list(state.settings.all(BOX)) == []


@pytest.mark.parametrize("column", ["code", "pk"])
async def test_a_value_that_is_taken_is_a_complaint_about_its_member(toys: Place, column: str) -> None:
    async with process(toys) as state:
        await keep(state, Sample(pk=1, code="one"))
        with pytest.raises(Problem) as found:
            await keep(state, Sample(pk=2 if column == "code" else 1, code="one" if column == "code" else "two"))
        assert found.value.kind is Fault.INVALID
        assert found.value.fields == {column: [f"Sample with this {column} already exists."]}


async def test_a_record_and_a_setting_of_one_change_land_together_or_not_at_all(toys: Place) -> None:
    async with process(toys) as state:
        await keep(state, Sample(pk=1, code="one"))
        with pytest.raises(Problem):
            await keep(state, Box(pk=rand.uuid4(), name="box"), Sample(pk=2, code="one"))
        assert await state.store.head() == 0
        await keep(state, Box(pk=rand.uuid4(), name="box"), Sample(pk=2, code="two"))
        assert await state.store.head() == 1
        assert len(state.settings.all(BOX)) == 1


async def test_many_who_refresh_at_once_while_others_change_never_see_time_run_backwards(toys: Place) -> None:
    async with process(toys) as writer, process(toys) as reader:
        boxes = [Box(pk=rand.uuid4(), name=f"box-{number}") for number in range(6)]
        shelf = Shelf(pk=rand.uuid4(), name="shelf")
        await keep(writer, *boxes, shelf)
        ended = False

        async def read() -> int:
            seen = 0
            while not ended:
                fresh = await reader.refresh()
                assert fresh.seq >= seen
                seen = fresh.seq
                await asyncio.sleep(0)
            return seen

        async def write() -> None:
            for number in range(15):
                await writer.change(call(writer), grow(boxes[number % 6].pk))
                assert (await reader.refresh()).seq >= 8 + number, "a change was not seen that was committed before"

        readers = [asyncio.ensure_future(read()) for _ in range(5)]
        await write()
        ended = True
        await asyncio.gather(*readers)
        assert [one.size for one in (await reader.refresh()).all(BOX)] == [3, 3, 3, 2, 2, 2]


async def test_changes_from_here_and_from_elsewhere_may_arrive_in_any_order(toys: Place) -> None:
    async with process(toys) as here, process(toys) as there:
        box = Box(pk=rand.uuid4(), name="box")
        await keep(here, box)
        await there.refresh()

        async def busy(state: State) -> None:
            for _ in range(8):
                await asyncio.gather(state.change(call(state), grow(box.pk)), state.refresh(), state.refresh())

        await asyncio.gather(busy(here), busy(there), busy(here))
        for state in (here, there):
            found = (await state.refresh()).get(BOX, box.pk)
            assert found
            assert (found.size, state.settings.seq) == (24, 25)


async def test_changes_that_wait_share_a_commit_and_fail_alone(toys: Place) -> None:
    async with process(toys) as here, process(toys) as there:
        boxes = [Box(pk=rand.uuid4(), name=f"box {number}") for number in range(12)]
        commits = 0
        commit = here.store.commit

        async def counted(unit: Unit) -> None:
            nonlocal commits
            commits += 1
            await commit(unit)

        here.store.commit = counted  # type: ignore[method-assign]  # counts, and does what it did

        def put(box: Box) -> Callable[[Call], Awaitable[tuple[Changes, None]]]:
            async def decide(call: Call) -> tuple[Changes, None]:
                if call.settings.by(BOX, "name", box.name) is not None:
                    raise Problem(Fault.INVALID, f"{box.name} is there already")
                changes = Changes()
                changes.create(system(call, BOX, "add"), box)
                return changes, None

            return decide

        def failing() -> Callable[[Call], Awaitable[tuple[Changes, None]]]:
            async def decide(call: Call) -> tuple[Changes, None]:
                changes = Changes()
                changes.create(system(call, BOX, "add"), Box(pk=rand.uuid4(), name="never"))
                changes.write(Write(MISSING, (1,), expect=1, guard="row"))
                return changes, None

            return decide

        again = msgspec.structs.replace(boxes[3], pk=rand.uuid4())
        outcomes = await asyncio.gather(
            *(here.change(call(here), put(box)) for box in boxes[:6]),
            here.change(call(here), failing()),
            here.change(call(here), put(again)),
            *(here.change(call(here), put(box)) for box in boxes[6:]),
            return_exceptions=True,
        )
        faults = [one for one in outcomes if isinstance(one, Problem)]
        assert [one.kind for one in faults] == [Fault.CONFLICT, Fault.INVALID]
        assert len([one for one in outcomes if one is None]) == 12
        assert commits < 12
        seen = await there.refresh()
        assert sorted(one.name for one in seen.all(BOX)) == sorted(one.name for one in boxes)
        assert seen.seq == here.settings.seq == 12
        assert await here.store.fetch(COUNT) == [(12,)]


async def test_following_keeps_up_without_being_asked_and_ends_when_told(toys: Place) -> None:
    async with process(toys) as here, process(toys) as there:
        following = asyncio.ensure_future(here.follow())
        await keep(there, Box(pk=rand.uuid4(), name="box"))
        async with asyncio.timeout(PATIENCE):
            while here.settings.seq == 0:  # noqa: ASYNC110 - it is the following that is to tell, nothing else
                await asyncio.sleep(0.02)
        assert [one.name for one in here.settings.all(BOX)] == ["box"]
        following.cancel()
        with pytest.raises(asyncio.CancelledError):
            await following


async def test_documents_of_kinds_unknown_here_are_left_alone(toys: Place) -> None:
    async with process(toys) as here:
        await keep(here, Box(pk=rand.uuid4(), name="box"), Shelf(pk=rand.uuid4(), name="shelf"))
        older = State(here.store, (BOX, SAMPLE), VAULT)
        await older.load()
        assert [one.name for one in older.settings.all(BOX)] == ["box"]
        assert older.settings.seq == 2
        (shelf,) = here.settings.all(SHELF)

        async def decide(call: Call) -> tuple[Changes, None]:
            changes = Changes()
            changes.delete(system(call, SHELF, "delete"), shelf, here.kinds.values())
            return changes, None

        await here.change(call(here), decide)
        assert (await older.refresh()).seq == 3


async def test_settings_are_not_committed_without_being_decided_on_the_newest(toys: Place) -> None:
    async with process(toys) as state:
        changes = Changes()
        changes.create(system(call(state), BOX, "add"), Box(pk=rand.uuid4(), name="box"))
        with pytest.raises(TypeError):
            await state.commit(changes, state.clock.now())
        assert await state.store.head() == 0


class Slow:
    """A store that is slow to tell that a commit has landed."""

    def __init__(self, state: State) -> None:
        self.commit = state.store.commit
        self.gate = asyncio.Event()

    async def __call__(self, unit: Any) -> None:  # noqa: ANN401 - handed on
        await self.commit(unit)
        await self.gate.wait()


async def test_a_commit_seen_by_a_refresh_before_its_own_answer_is_applied_once(
    toys: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with process(toys) as state:
        slow = Slow(state)
        monkeypatch.setattr(state.store, "commit", slow)
        box = Box(pk=rand.uuid4(), name="box")
        keeping = asyncio.ensure_future(keep(state, box))
        async with asyncio.timeout(PATIENCE):
            while (await state.refresh()).seq == 0:  # noqa: ASYNC110 - the store tells nobody
                await asyncio.sleep(0.01)
        seen = state.settings
        slow.gate.set()
        await keeping
        assert state.settings is seen
        assert state.settings.get(BOX, box.pk) == box
