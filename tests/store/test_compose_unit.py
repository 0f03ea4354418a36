"""However PostgreSQL is sent a unit, it does what the writes do one after the other, and what SQLite does with them."""

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from keystead.store import GuardFailed, Statement, Store, Taken, Unit, Write, compose_unit
from keystead.store.compose_unit import Step, arguments, closure, steps
from keystead.store.postgres import PostgresStore
from tests import engines

_TABLES: Final = """
CREATE TABLE low_parents (id BIGINT PRIMARY KEY, n BIGINT NOT NULL, code TEXT UNIQUE);
CREATE TABLE low_children (
    id BIGINT PRIMARY KEY, parent BIGINT NOT NULL REFERENCES low_parents (id) ON DELETE CASCADE, n BIGINT NOT NULL
);
CREATE TABLE low_grandchildren (id BIGINT PRIMARY KEY, child BIGINT REFERENCES low_children (id) ON DELETE CASCADE);
CREATE TABLE low_keepers (id BIGINT PRIMARY KEY, parent BIGINT NOT NULL REFERENCES low_parents (id));
CREATE TABLE trees (id BIGINT PRIMARY KEY, up BIGINT REFERENCES trees (id) ON DELETE CASCADE);
CREATE TABLE sums (name TEXT PRIMARY KEY, n BIGINT NOT NULL);
"""
_LOG: Final = {
    "sqlite": "CREATE TABLE told (position INTEGER PRIMARY KEY AUTOINCREMENT, word TEXT NOT NULL);",
    "postgres": "CREATE TABLE told (position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, word TEXT NOT NULL);",
}
_NAMES: Final = ("low_keepers", "low_grandchildren", "low_children", "low_parents", "trees", "sums", "told")

_WRITES: Final = [
    Statement(text.split(" VALUES")[0], text)
    for text in (
        "INSERT INTO low_parents (id, n) VALUES ($1, $2)",
        "INSERT INTO low_parents (id, n, code) VALUES ($1, $2, 'c' || $3)",
        "UPDATE low_parents SET n = n * 10 + $2 WHERE id = $1",
        "UPDATE low_parents SET n = (SELECT count(*) FROM low_children) WHERE id = $1",
        "DELETE FROM low_parents WHERE id = $1",
        "DELETE FROM low_parents WHERE id >= $1 AND n < $2",
        "INSERT INTO low_children (id, parent, n) VALUES ($1, $2, $3)",
        "INSERT INTO low_children (id, parent, n) SELECT id + $1, id, n FROM low_parents",
        "UPDATE low_children SET parent = $2 WHERE id = $1",
        "UPDATE low_children SET n = n * 10 + $1",
        "DELETE FROM low_children WHERE id = $1",
        "INSERT INTO low_grandchildren (id, child) VALUES ($1, $2)",
        "DELETE FROM low_grandchildren WHERE child = $1",
        "INSERT INTO trees (id, up) VALUES ($1, NULL)",
        "INSERT INTO trees (id, up) VALUES ($1, $2)",
        "UPDATE trees SET up = NULL WHERE up = $1",
        "DELETE FROM trees WHERE id = $1",
        "INSERT INTO sums (name, n) VALUES ('s' || $1, $2) ON CONFLICT (name) DO UPDATE SET n = sums.n + excluded.n",
        "INSERT INTO sums (name, n) VALUES ('s' || $1, $2) ON CONFLICT (name) DO UPDATE SET n = excluded.n",
        "INSERT INTO sums (name, n) VALUES ('s' || $1, $2) ON CONFLICT (name) DO NOTHING",
        "INSERT INTO sums (name, n) SELECT 't' || count(*), sum(n) FROM sums HAVING count(*) > 0",
        "DELETE FROM sums WHERE n >= $1",
        "INSERT INTO told (word) VALUES ('told ' || $1 || '$1')",
        "INSERT INTO told (word) VALUES ('said ' || $2 || ' ' || $1)",
        "INSERT INTO told (word) SELECT 'parents ' || count(*) FROM low_parents",
        "UPDATE told SET word = word || '!' WHERE word = 'told ' || $1 || '$1'",
        "UPDATE low_parents SET code = 'c' || $2 WHERE id = $1",
        "DELETE FROM told WHERE word = 'told ' || $1 || '$1'",
        "INSERT INTO low_keepers (id, parent) VALUES ($1, $2)",
        "DELETE FROM low_keepers WHERE parent = $1",
    )
]


@st.composite
def _write(draw: st.DrawFn) -> Write:
    statement = draw(st.sampled_from(_WRITES))
    numbers: list[str | int] = [draw(st.integers(1, 4)) for _ in range(statement.parameters)]
    for index in range(statement.parameters):
        if f"|| ${index + 1}" in statement.text:
            numbers[index] = str(numbers[index])
    expect = draw(st.sampled_from([None, None, None, 1, 1, 0, 2]))
    return Write(statement, tuple(numbers), expect, guard=f"guard {draw(st.integers(0, 9))}")


_UNITS: Final = st.lists(_write(), min_size=1, max_size=8).map(lambda drawn: Unit(tuple(drawn)))


@dataclass
class Trio:
    """The same tables three times."""

    sqlite: Store
    composed: PostgresStore
    apart: PostgresStore

    async def reset(self) -> None:
        clear = tuple(Write(Statement("clear", f"DELETE FROM {name}")) for name in _NAMES)  # noqa: S608 - constants
        base = [(0, (1, 1)), (0, (2, 2)), (6, (1, 1, 1)), (6, (2, 2, 1)), (11, (1, 1)), (13, (1,)), (14, (2, 1))]
        rows = [Write(_WRITES[index], args, 1) for index, args in base]
        rows.append(Write(_WRITES[17], ("1", 5), 1))
        for store in (self.sqlite, self.composed, self.apart):
            await store.commit(Unit((*clear, *rows)))


@pytest.fixture(scope="module")
async def trio() -> AsyncIterator[Trio]:
    """SQLite, PostgreSQL as it is, and PostgreSQL with every write in a statement of its own."""
    async with (
        engines.fresh_place("sqlite") as small,
        engines.fresh_place("postgres") as large,
        engines.fresh_place("postgres") as apart,
    ):
        with sqlite3.connect(engines.path_of(small)) as made:
            made.executescript(_TABLES + _LOG["sqlite"])
        made.close()
        for place in (large, apart):
            async with engines.past(place) as connection:
                await connection.execute(_TABLES + _LOG["postgres"])
        async with engines.opened(small) as first, engines.opened(large) as second, engines.opened(apart) as third:
            assert isinstance(second, PostgresStore)
            assert isinstance(third, PostgresStore)
            yield Trio(first, second, third)


async def _state(store: Store) -> list[object]:
    found: list[object] = []
    for name in _NAMES:
        if name == "told":  # the order counts, the numbers do not: those of failed units are gone
            found.append(await store.fetch(Statement("told", "SELECT word FROM told ORDER BY position")))
        else:
            found.append(await store.fetch(Statement(name, f"SELECT * FROM {name} ORDER BY 1")))  # noqa: S608 - constant
    return found


async def _commit(store: Store, unit: Unit) -> str:
    try:
        await store.commit(unit)
    except GuardFailed as exc:
        return f"guard {exc.guard}"
    except Taken as exc:
        return f"taken {exc.table}"  # of several taken columns each engine names the one it came upon first
    return "done"


@given(units=st.lists(_UNITS, min_size=1, max_size=2))
@settings(max_examples=250)
@example(units=[Unit((Write(_WRITES[22], ("1",)), Write(_WRITES[22], ("2",)), Write(_WRITES[22], ("3",), 1)))])
@example(units=[Unit((Write(_WRITES[4], (1,), 1), Write(_WRITES[6], (3, 1, 1))))])
@example(units=[Unit((Write(_WRITES[6], (3, 1, 1)), Write(_WRITES[4], (1,), 1)))])
@example(units=[Unit((Write(_WRITES[4], (1,), 1), Write(_WRITES[12], (1,), 1)))])
@example(units=[Unit((Write(_WRITES[6], (3, 3, 1)), Write(_WRITES[0], (3, 1))))])
@example(units=[Unit((Write(_WRITES[14], (4, 3)), Write(_WRITES[13], (3,))))])
@example(units=[Unit((Write(_WRITES[17], ("1", 2), 1), Write(_WRITES[17], ("1", 3), 1)))])
@example(units=[Unit((Write(_WRITES[21], (1,), 1), Write(_WRITES[19], ("1", 3), 1), Write(_WRITES[18], ("1", 4), 1)))])
@example(
    units=[
        Unit((Write(_WRITES[26], (1, "1"), 1),)),
        Unit((Write(_WRITES[26], (1, "2")), Write(_WRITES[1], (4, 1, "1")))),
    ]
)
@example(units=[Unit((Write(_WRITES[28], (1, 2)),)), Unit((Write(_WRITES[4], (2,)), Write(_WRITES[0], (2, 1))))])
async def test_a_unit_does_the_same_however_it_is_sent(trio: Trio, units: list[Unit]) -> None:
    apart = trio.apart._committer  # noqa: SLF001 - the one thing that is to differ
    write_once = apart._write_once  # noqa: SLF001 - as above
    await trio.reset()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(apart, "_write_once", lambda units, **_: write_once(units, apart=True))
        for unit in units:
            small = await _commit(trio.sqlite, unit)
            ordered = await _commit(trio.apart, unit)
            composed = await _commit(trio.composed, unit)
            if "guard reference" in (small, ordered, composed):
                # PostgreSQL checks references at the end of a statement: another failure may be told first.
                assert "done" not in (small, ordered, composed)
            else:
                assert small == ordered == composed
        state = await _state(trio.sqlite)
        assert await _state(trio.apart) == state
        assert await _state(trio.composed) == state


_REFERENCES: Final = closure(
    [("low_children", "low_parents"), ("low_grandchildren", "low_children"), ("trees", "trees")],
)


def _cuts(*numbers: int, announce: int = 0) -> list[int]:
    unit = Unit(tuple(Write(_WRITES[n], tuple([1] * _WRITES[n].parameters)) for n in numbers), announce=announce)
    return [step.first for step in steps(unit, _REFERENCES)]


def test_references_are_followed_all_the_way() -> None:
    assert ("low_grandchildren", "low_parents") in _REFERENCES
    assert closure([("a", "b"), ("b", "a")]) == {("a", "b"), ("b", "a"), ("a", "a"), ("b", "b")}
    assert closure([]) == frozenset()


@pytest.mark.parametrize(
    ("numbers", "cuts"),
    [
        pytest.param([0, 6, 11, 22, 22, 18], [0], id="rows that refer to earlier ones, and events, share a statement"),
        pytest.param([2, 10, 13, 22], [0], id="a change, a removal and an addition in different tables"),
        pytest.param([2, 2], [0, 1], id="two changes of one table"),
        pytest.param([21, 19, 19], [0], id="a removal, then additions, in a table that no other refers to"),
        pytest.param([2, 0], [0], id="a change, then an addition"),
        pytest.param([10, 6], [0, 1], id="a removal, then an addition, in a table that another refers to"),
        pytest.param([0, 2], [0, 1], id="an addition, then a change that must see it"),
        pytest.param([19, 21], [0, 1], id="an addition, then a removal that must see it"),
        pytest.param([0, 2, 22], [0, 1], id="what follows a cut shares a statement again"),
        pytest.param([4, 10], [0, 1], id="what a cascade may remove"),
        pytest.param([4, 11], [0, 1], id="what a cascade of a cascade may remove"),
        pytest.param([11, 4], [0, 1], id="a cascade must meet what was there before it"),
        pytest.param([6, 0], [0, 1], id="a reference to what comes later"),
        pytest.param([13, 14], [0, 1], id="a table that refers to itself"),
        pytest.param([6, 3], [0, 1], id="reading what was written"),
        pytest.param([3, 6], [0], id="reading what is written later"),
        pytest.param([17, 20], [0, 1], id="reading the own table"),
        pytest.param([0] * 70, [0, 32, 64], id="no more than so many"),
    ],
)
def test_writes_share_a_statement_while_none_can_notice_another(numbers: list[int], cuts: list[int]) -> None:
    assert _cuts(*numbers) == cuts


def test_arguments_follow_the_writes_then_the_guards_then_the_announcement() -> None:
    writes = (
        Write(_WRITES[0], (1, 2), 1, "first"),
        Write(_WRITES[22], ("a",)),
        Write(_WRITES[2], (3, 4), 1, "second"),
        Write(_WRITES[23], ("b", "c"), 1, "third"),
    )
    unit = Unit(writes, announce=9)
    first, second = steps(unit, frozenset())

    assert (first, second) == (
        Step(
            "WITH w0 AS (INSERT INTO low_parents (id, n) VALUES ($1, $2) RETURNING 1),"
            " w1 AS (INSERT INTO told (word) VALUES ('told ' || $3 || '$1') RETURNING 1)"
            " SELECT keystead_guard($4, (SELECT count(*) FROM w0), 1), (SELECT count(*) FROM w1)",
            0,
            2,
        ),
        Step(
            "WITH w0 AS (UPDATE low_parents SET n = n * 10 + $2 WHERE id = $1 RETURNING 1),"
            " w1 AS (INSERT INTO told (word) VALUES ('said ' || $4 || ' ' || $3) RETURNING 1)"
            " SELECT keystead_guard($5, (SELECT count(*) FROM w0), 1),"
            " keystead_guard($6, (SELECT count(*) FROM w1), 1), pg_notify('keystead_settings', $7)",
            2,
            4,
        ),
    )
    assert arguments(unit, first) == [1, 2, "a", "first"]
    assert arguments(unit, second) == [3, 4, "b", "c", "second", "third", "9"]
    assert [(step.first, step.last) for step in steps(unit, frozenset(), apart=True)] == [
        (0, 1),
        (1, 2),
        (2, 3),
        (3, 4),
    ]


def test_units_of_one_shape_have_the_very_same_steps() -> None:
    units = [Unit((Write(_WRITES[0], (n, 2), 1), Write(_WRITES[22], ("a",)))) for n in range(3)]
    assert len({id(steps(unit, _REFERENCES)) for unit in units}) == 1
    assert compose_unit.MOST == 32


async def test_foreign_keys_are_learnt_from_the_database() -> None:
    async with engines.fresh_store("postgres") as store:
        assert isinstance(store, PostgresStore)
        await store.commit(Unit((Write(Statement("x", "DELETE FROM users")),)))
        references = store._committer._references  # noqa: SLF001 - not to be seen otherwise
        assert references is not None
        assert {
            ("group_members", "users"),
            ("group_members", "groups"),
            ("oauth_refresh_tokens", "users"),
        } <= references
