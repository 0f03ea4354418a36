"""The kept counts of large tables agree with the rows, whatever is done to them."""

import asyncio
from collections.abc import Sequence
from typing import Final

from keystead.store import Statement, Store, Unit, Write
from tests import engines
from tests.engines import Place
from tests.store import writes
from tests.store.writes import commit_all, event, group, member, outcome, user

_TABLES: Final = ("users", "groups", "events")
_KEPT: Final = Statement("kept", "SELECT name, sum(n) FROM row_counts GROUP BY name")
_ALL_GONE: Final = tuple(Statement(f"{table}.gone", f"DELETE FROM {table}") for table in _TABLES)  # noqa: S608 - constants


async def kept_and_true(store: Store) -> list[tuple[str, int, int]]:
    """Each counted table, the count that is kept, and the true one."""
    kept = {str(name): int(str(number)) for name, number in await store.fetch(_KEPT)}
    found = []
    for table in _TABLES:
        row = await store.fetch_one(Statement("true", f"SELECT count(*) FROM {table}"))  # noqa: S608 - constant
        found.append((table, kept.get(table, 0), int(str((row or (0,))[0]))))
    return found


def numbered(users: int, groups: int, events: int) -> list[tuple[str, int, int]]:
    """What :func:`kept_and_true` says when both counts are these."""
    return [("users", users, users), ("groups", groups, groups), ("events", events, events)]


async def test_counts_follow_single_and_many_rows(store: Store) -> None:
    assert await kept_and_true(store) == numbered(0, 0, 0)
    await store.commit(Unit((user(1), group(1), event("a"))))
    assert await kept_and_true(store) == numbered(1, 1, 1)

    await store.commit(Unit(tuple(write for n in range(2, 60) for write in (user(n), event(f"e{n}")))))
    assert await kept_and_true(store) == numbered(59, 1, 59)

    await store.commit(Unit((Write(writes.UNUSER, (7,), expect=1), Write(writes.UNUSER, (7,), expect=0))))
    assert await kept_and_true(store) == numbered(58, 1, 59)

    await store.commit(Unit((Write(writes.UNUSER, (8,), expect=1), user(8), event("b"))))
    assert await kept_and_true(store) == numbered(58, 1, 60)

    await store.commit(Unit(tuple(Write(gone) for gone in _ALL_GONE)))
    assert await kept_and_true(store) == numbered(0, 0, 0)


async def test_counts_follow_many_rows_of_one_statement(store: Store) -> None:
    rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) SELECT "
    many = Statement(
        "many",
        "INSERT INTO events (id, action, app, username, actor, model, model_pk, context, created, brand)"
        f" {rows} 'e' || i, '', '', '', '', '', '', '', i, '' FROM n",
    )
    await store.commit(Unit((Write(many, expect=500),)))
    assert await kept_and_true(store) == numbered(0, 0, 500)

    old = Statement("old", "DELETE FROM events WHERE created <= $1")
    await store.commit(Unit((Write(old, (123,), expect=123),)))
    await store.commit(Unit((Write(old, (123,), expect=0),)))
    assert await kept_and_true(store) == numbered(0, 0, 377)


async def test_counts_do_not_follow_what_was_undone(store: Store) -> None:
    await store.commit(Unit((user(1), group(1), member(1, 1), event("a"))))
    failing = Write(writes.RAISE, ("missing",), expect=1, guard="counter")

    assert await outcome(store.commit(Unit((user(2), group(2), event("b"), failing)))) == "guard counter"
    assert await outcome(store.commit(Unit((failing, Write(writes.UNUSER, (1,)))))) == "guard counter"
    assert await outcome(store.commit(Unit((Write(writes.UNUSER, (1,)), failing)))) == "guard counter"
    assert await outcome(store.commit(Unit((event("b"), user(2, "user1"))))) == "taken users.username"
    assert await kept_and_true(store) == numbered(1, 1, 1)

    results = await commit_all(
        store, [Unit((user(n), event(f"e{n}"), *((failing,) if n % 3 == 0 else ()))) for n in range(10, 100)]
    )
    assert results.count("done") == 60
    assert await kept_and_true(store) == numbered(61, 1, 61)


async def test_counts_of_concurrent_writers_are_exact(place: Place) -> None:
    async with engines.opened(place) as first, engines.opened(place) as second:

        async def write(store: Store, numbers: Sequence[int]) -> None:
            for n in numbers:
                await store.commit(Unit((user(n), event(f"e{n}"))))
                if n % 4 == 0:
                    await store.commit(Unit((Write(writes.UNUSER, (n,), expect=1, guard="gone"), event(f"f{n}"))))
                if n % 5 == 0:
                    await store.commit(Unit((group(n), member(n, n)) if n % 4 else (event(f"g{n}"), group(n))))

        await asyncio.gather(
            *(write(first if n % 2 else second, range(n * 1000, n * 1000 + 20)) for n in range(1, 33)),
        )
        wanted = numbered(32 * 15, 32 * 4, 32 * (20 + 5 + 1))
        assert await kept_and_true(first) == wanted
        assert await kept_and_true(second) == wanted


async def test_counts_follow_what_is_done_past_the_store() -> None:
    """An administrator's own transactions, undone in part, and a copy of rows."""
    async with (
        engines.fresh_place("postgres") as place,
        engines.opened(place) as store,
        engines.past(place) as connection,
    ):
        await store.commit(Unit(tuple(event(f"e{n}") for n in range(10))))
        async with connection.transaction():
            await connection.execute("DELETE FROM events WHERE id < 'e5'")
            undone = connection.transaction()
            await undone.start()
            await connection.execute("DELETE FROM events")
            await undone.rollback()
        assert await kept_and_true(store) == numbered(0, 0, 5)

        columns = ("id", "action", "app", "username", "actor", "model", "model_pk", "context", "created", "brand")
        records = [(f"c{n}", "", "", "", "", "", "", "", n, "") for n in range(100)]
        await connection.copy_records_to_table("events", records=records, columns=columns)
        assert await kept_and_true(store) == numbered(0, 0, 105)
