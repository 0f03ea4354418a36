"""A statement written once means the same on both engines."""

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keystead.store.sql import Statement, Value, dynamic, renumbered, target
from tests import engines

_TEXTS: Final = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]) | st.sampled_from("'\"$1:?-[]{},\\"), max_size=8
)
_NUMBERS: Final = st.integers(-(2**63), 2**63 - 1)
_QUOTABLE: Final = st.sampled_from(["", "it's", "$1", "::text", "= ANY($2)", "?", "''", 'a"b', "-- no", "x'::y'$3"])


@dataclass(frozen=True)
class Piece:
    """One column of a SELECT.

    :param text: its SQL, with ``{}`` for each parameter.
    :param args: the parameters.
    :param value: what it is.
    """

    text: str
    args: tuple[Value, ...]
    value: object


@st.composite
def pieces(draw: st.DrawFn) -> Piece:
    """Columns of every form that a statement may use."""
    text, number, quoted, yes = draw(_TEXTS), draw(_NUMBERS), draw(_QUOTABLE), draw(st.booleans())
    texts, numbers = tuple(draw(st.lists(_TEXTS, max_size=4))), tuple(draw(st.lists(st.integers(0, 3), max_size=4)))
    wanted, small = draw(st.sampled_from([text, *texts])), draw(st.integers(0, 3))
    return draw(
        st.sampled_from(
            [
                Piece("{}::text", (text,), text),
                Piece("{}::bigint", (number,), number),
                Piece("'" + quoted.replace("'", "''") + "'", (), quoted),
                Piece("({}::text = ANY({}::text[]))::int", (wanted, texts), int(wanted in texts)),
                Piece("({}::varchar = ANY({}::varchar[]))::int", (wanted, texts), int(wanted in texts)),
                Piece("({}::bigint = ANY({}::bigint[]))::int4", (small, numbers), int(small in numbers)),
                Piece("({}::text || '$9 ::x')::varchar(99)", (text,), text + "$9 ::x"),
                Piece("CASE WHEN {}::boolean THEN 'yes'::text ELSE 'no' END", (yes,), "yes" if yes else "no"),
                Piece("(NULL::text IS NULL)::int", (), 1),
            ]
        )
    )


@st.composite
def selects(draw: st.DrawFn) -> tuple[str, list[Value], tuple[object, ...]]:
    """A SELECT whose parameters come in any order and as often as they like; its arguments; its row."""
    columns = draw(st.lists(pieces(), min_size=1, max_size=6))
    columns = [column for column in columns for _ in range(draw(st.integers(1, 2)))]
    # PostgreSQL must be able to tell each parameter's type, so equal values share one only where their types agree.
    kinds: list[tuple[str, Value]] = []
    for column in columns:
        for place, arg in zip(_types(column.text), column.args, strict=True):
            if (place, arg) not in kinds:
                kinds.append((place, arg))
    order = draw(st.permutations(kinds))
    texts = []
    for column in columns:
        marks = [f"${order.index(pair) + 1}" for pair in zip(_types(column.text), column.args, strict=True)]
        texts.append(column.text.format(*marks))
    return "SELECT " + ", ".join(texts), [arg for _, arg in order], tuple(column.value for column in columns)


def _types(text: str) -> list[str]:
    return [after.split(")")[0].split(" ")[0] for after in text.split("{}")[1:]]


@pytest.fixture(scope="module")
async def connection() -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """PostgreSQL itself."""
    server = await engines.server()
    async with engines.past(server.address("postgres")) as opened:
        yield opened


@given(select=selects())
@settings(max_examples=150)
async def test_a_statement_means_the_same_on_both_engines(
    connection: "asyncpg.Connection[asyncpg.Record]", select: tuple[str, list[Value], tuple[object, ...]]
) -> None:
    text, args, wanted = select
    statement = Statement("made", text)
    statement.check(args)

    assert tuple((await connection.fetchrow(text, *args)) or ()) == wanted
    with sqlite3.connect(":memory:") as small:
        assert small.execute(statement.sqlite, statement.sqlite_args(args)).fetchone() == wanted
    small.close()


@given(select=selects(), offset=st.integers(0, 200))
@settings(max_examples=100)
def test_renumbering_moves_parameters_only(select: tuple[str, list[Value], tuple[object, ...]], offset: int) -> None:
    text, args, _ = select
    before, after = Statement("before", text), Statement("after", renumbered(text, offset))

    assert after.sqlite == before.sqlite
    assert after.order == tuple(index + offset for index in before.order)
    assert before.parameters == len(args)
    assert after.parameters == (len(args) + offset if args else 0)
    assert renumbered(text, 0) == text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("INSERT INTO oauth2_codes2 (a) VALUES ($1)", ("INSERT", "oauth2_codes2")),
        ("insert  into\n a VALUES (1)", ("INSERT", "a")),
        ("UPDATE users SET a = $1", ("UPDATE", "users")),
        (" DELETE FROM users", ("DELETE", "users")),
        ("SELECT 1 FROM users", ("SELECT", "")),
        ("WITH a AS (SELECT 1) DELETE FROM users", ("SELECT", "")),
    ],
)
def test_the_target_of_a_write(text: str, wanted: tuple[str, str]) -> None:
    assert target(text) == wanted
    statement = Statement("x", text)
    assert (statement.verb, statement.table) == wanted


def test_casts_of_every_kind_are_dropped() -> None:
    text = "SELECT $1::int8, $2::numeric(10, 2), $3::text[], $4::varchar(20), 'a::b', \"c::d\", $5 :: text"
    assert Statement("x", text).sqlite == "SELECT ?, ?, ?, ?, 'a::b', \"c::d\", ? :: text"


def test_a_spelling_of_its_own_for_sqlite() -> None:
    statement = Statement("x", "SELECT $1 ->> $2", sqlite="SELECT json_extract($1, '$.' || $2), $1")
    assert statement.sqlite == "SELECT json_extract(?, '$.' || ?), ?"
    assert statement.sqlite_args(["{}", "a"]) == ["{}", "a", "{}"]


def test_equal_texts_share_one_statement() -> None:
    assert dynamic("SELECT 1") is dynamic("SELECT 1")
    assert repr(dynamic("SELECT 1")) == "Statement(composed)"
