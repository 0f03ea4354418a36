"""Asking whether attributes hold a value gets the same answer from both engines."""

import sqlite3
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from keystead.store.sqlite_link import connect
from tests import engines

# Few different values, so that many of them meet.
_SCALARS = st.sampled_from([None, True, False, 0, 1, 1.0, -1, 2.5, "", "a", "1", "é"])
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", ""]), inner, max_size=3),
    max_leaves=6,
)
_OBJECTS = st.dictionaries(st.sampled_from(["a", "b", "c"]), _VALUES, max_size=3)


@pytest.fixture(scope="module")
async def postgres() -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    async with engines.fresh_place("postgres") as place, engines.past(place) as connection:
        yield connection


@pytest.fixture(scope="module")
async def sqlite() -> AsyncIterator[sqlite3.Connection]:
    async with engines.fresh_place("sqlite") as place:
        connection = connect(engines.path_of(place))
        yield connection
        connection.close()


@st.composite
def _pairs(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A whole and, mostly, something much like a part of it: hardly any other would be contained."""

    def part_of(value: object) -> object:
        fate = draw(st.integers(0, 9))
        if fate == 0:
            return draw(_VALUES)
        if fate == 1 and isinstance(value, (int, float)):
            return float(value) if isinstance(value, int) else int(value)
        if isinstance(value, dict):
            return {name: part_of(inner) for name, inner in value.items() if draw(st.integers(0, 3))}
        if isinstance(value, list):
            return [part_of(inner) for inner in draw(st.permutations(value)) if draw(st.integers(0, 3))]
        return value

    whole = draw(_OBJECTS)
    return whole, {name: part_of(value) for name, value in whole.items() if draw(st.integers(0, 3))}


@given(pair=_pairs() | st.tuples(_OBJECTS, _OBJECTS))
@example(pair=({"a": 1}, {"a": 1.0}))
@example(pair=({"a": 1}, {"a": True}))
@example(pair=({"a": [1, 2]}, {"a": 1}))
@example(pair=({"a": [[1, 2]]}, {"a": [1]}))
@example(pair=({"a": [{"b": 1, "c": 2}]}, {"a": [{"b": 1}, {"c": 2}, {}]}))
@example(pair=({"a": {}}, {"a": []}))
@settings(max_examples=300)
async def test_both_engines_agree_on_what_is_contained(
    postgres: "asyncpg.Connection[asyncpg.Record]",
    sqlite: sqlite3.Connection,
    pair: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    whole, part = pair
    texts = (msgspec.json.encode(whole).decode(), msgspec.json.encode(part).decode())

    wanted = await postgres.fetchval("SELECT keystead_contains($1::jsonb, $2::jsonb)", *texts)
    assert bool(sqlite.execute("SELECT keystead_contains(?, ?)", texts).fetchone()[0]) == wanted
