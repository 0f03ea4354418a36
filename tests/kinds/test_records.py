"""Records survive the trip to the database and back, field by field, on both engines; editors undo nobody's work."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem
from keystead.base.secret import Secret
from keystead.kinds import records
from keystead.kinds.access import system
from keystead.kinds.call import SYSTEM, Call
from keystead.kinds.changes import Changes
from keystead.kinds.field import fields
from keystead.kinds.state import State
from keystead.store import Unit
from tests.engines import ENGINES
from tests.house import BEGIN
from tests.kinds.samples import KEYS, OBJECT, TEXT, samples
from tests.kinds.toys import BOX, SAMPLE, Box, Sample, keep, toy_state

ANY = samples(TEXT, OBJECT)


@pytest.fixture(scope="module", params=ENGINES)
async def state(request: pytest.FixtureRequest) -> AsyncIterator[State]:
    """One database for all examples: each takes keys of its own."""
    async with toy_state(request.param) as made:
        yield made


async def at(state: State, pk: int) -> Sample | None:
    return next(iter(await records.load(state.store, SAMPLE, "id", [pk])), None)


async def new_key(state: State) -> int:
    return await state.store.reserve("toy_samples", 1)


async def update(state: State, old: Sample, new: Sample) -> None:
    changes = Changes()
    changes.update(system(Call(SYSTEM, BEGIN, state.settings), SAMPLE, "change"), old, new, quiet=True)
    await state.commit(changes, BEGIN)


@given(sample=ANY, other=ANY)
@settings(max_examples=60)
async def test_what_is_kept_comes_back_as_it_was_and_so_does_what_it_becomes(
    state: State, sample: Sample, other: Sample
) -> None:
    key = await new_key(state)
    sample = msgspec.structs.replace(sample, pk=key, code=f"code-{key}")
    await keep(state, sample)
    assert await at(state, key) == sample
    changed = msgspec.structs.replace(other, pk=key, code=f"other-{key}")
    await update(state, sample, changed)
    assert await at(state, key) == changed
    await update(state, changed, changed)
    assert await at(state, key) == changed


@given(values=ANY, first=ANY, second=ANY)
@settings(max_examples=40)
async def test_editors_of_different_members_both_win(
    state: State, values: Sample, first: Sample, second: Sample
) -> None:
    key = await new_key(state)
    old = msgspec.structs.replace(values, pk=key, code=f"code-{key}")
    await keep(state, old)
    names = [name for name in SAMPLE.fields if name not in {"pk", "code"}]
    half: dict[str, Any] = {name: getattr(first, name) for name in names[::2]}
    rest: dict[str, Any] = {name: getattr(second, name) for name in names[1::2]}
    await update(state, old, msgspec.structs.replace(old, **half))
    await update(state, old, msgspec.structs.replace(old, **rest))
    assert await at(state, key) == msgspec.structs.replace(old, **half, **rest)


async def test_two_who_add_to_a_set_of_links_both_win(state: State) -> None:
    key = await new_key(state)
    old = Sample(pk=key, code=f"code-{key}", boxes=(KEYS[0],))
    await keep(state, old)
    await update(state, old, msgspec.structs.replace(old, boxes=(KEYS[0], KEYS[1])))
    await update(state, old, msgspec.structs.replace(old, boxes=(KEYS[2],)))
    await update(state, old, msgspec.structs.replace(old, boxes=(KEYS[0], KEYS[1], KEYS[1])))
    found = await at(state, key)
    assert found
    assert found.boxes == (KEYS[1], KEYS[2])


async def test_an_update_of_what_is_gone_is_a_conflict(state: State) -> None:
    key = await new_key(state)
    old = Sample(pk=key, code=f"code-{key}")
    await keep(state, old)
    await state.store.commit(Unit((records.delete(SAMPLE, old),)))
    with pytest.raises(Problem) as found:
        await update(state, old, msgspec.structs.replace(old, text="new"))
    assert found.value.kind is Fault.CONFLICT
    with pytest.raises(Problem) as found:
        await update(state, old, msgspec.structs.replace(old, boxes=(KEYS[0],)))
    assert found.value.kind is Fault.CONFLICT
    assert await at(state, key) is None


async def test_many_are_loaded_with_their_links_and_each_has_its_own(state: State) -> None:
    keys = [await new_key(state) for _ in range(5)]
    made = [
        Sample(pk=key, code=f"code-{key}", boxes=tuple(sorted({KEYS[n % 4], KEYS[(n * 2) % 4]})))
        for n, key in enumerate(keys)
    ]
    await keep(state, *made)
    found = await records.load(state.store, SAMPLE, "id", [*keys, -1])
    assert sorted(found, key=lambda one: one.pk) == made
    assert await records.existing(state.store, SAMPLE, [*keys, -1]) == set(keys)
    assert await records.load(state.store, SAMPLE, "code", []) == []
    assert [one.pk for one in await records.load(state.store, SAMPLE, "code", [f"code-{keys[0]}"])] == [keys[0]]


async def test_settings_are_no_records_and_records_keep_no_secrets(state: State) -> None:
    with pytest.raises(LookupError):
        records.table(BOX)
    with pytest.raises(TypeError):
        records.to_column(fields(Box)["key"], Secret("x"))
    assert records.to_column(fields(Box)["key"], None) is None
    assert state.kinds[BOX.model] is BOX
