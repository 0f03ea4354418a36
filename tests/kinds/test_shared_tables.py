"""Kinds that share a table see their own rows only, and filters may ask settings what they compare with."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, Final

import pytest

from keystead.kinds import listing, records
from keystead.kinds.call import SYSTEM, Call
from keystead.kinds.kind import Filter, Kind, Table
from keystead.kinds.listing import Page, Query
from keystead.kinds.state import State
from tests.engines import ENGINES
from tests.house import BEGIN
from tests.kinds.samples import KEYS
from tests.kinds.toys import BOX, SAMPLE, Box, Colour, Sample, keep, toy_state


def _key_of(call: Call, name: str) -> str:
    box = call.settings.by(BOX, "name", name)
    return box.pk if box else ""


RED: Final[Kind[Any]] = replace(
    SAMPLE,
    model="toys.red",
    table=Table("toy_samples", narrow="t.colour = 'red'"),
    filters=(Filter("box__name", str, sql="t.box = {}", known=_key_of), "text"),
)


@pytest.fixture(scope="module", params=ENGINES)
async def state(request: pytest.FixtureRequest) -> AsyncIterator[State]:
    async with toy_state(request.param) as made:
        await keep(made, Box(pk=KEYS[0], name="first"), Box(pk=KEYS[1], name="second"))
        await keep(
            made,
            Sample(pk=1, code="a", colour=Colour.RED, box=KEYS[0], text="x"),
            Sample(pk=2, code="b", colour=Colour.RED, box=KEYS[1], text="x"),
            Sample(pk=3, code="c", colour=Colour.GREEN, box=KEYS[0], text="x"),
        )
        yield made


async def listed(state: State, query: Query) -> list[int]:
    found, count = await listing.rows(Call(SYSTEM, BEGIN, state.settings), state, RED, query, Page(1, 10))
    assert count == len(found)
    return [one.pk for one in found]


async def test_a_list_holds_the_rows_of_its_kind(state: State) -> None:
    assert await listed(state, {}) == [1, 2]
    assert await listed(state, {"text": ["x"], "search": ["x"]}) == [1, 2]


async def test_a_row_of_another_kind_is_not_found(state: State) -> None:
    red = await records.visible(state.store, RED, "id", 1, BEGIN)
    assert red is not None
    assert red.code == "a"
    assert await records.visible(state.store, RED, "id", 3, BEGIN) is None
    assert await records.visible(state.store, SAMPLE, "id", 3, BEGIN) is not None


async def test_what_refers_to_a_target_is_told_by_its_own_kind(state: State) -> None:
    rows = await state.store.fetch(records.holders(RED, RED.fields["box"], 10), KEYS[0])
    assert [row[0] for row in rows] == [1]


@pytest.mark.parametrize(("name", "found"), [("first", [1]), ("second", [2]), ("third", [])])
async def test_a_filter_asks_settings_for_the_key(state: State, name: str, found: list[int]) -> None:
    assert await listed(state, {"box__name": [name]}) == found
