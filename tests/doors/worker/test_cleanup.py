"""Removal of what has expired: all of it, and nothing else."""

from datetime import timedelta
from typing import Final

from keystead.base.clock import micros
from keystead.doors.worker import cleanup
from keystead.doors.worker.cleanup import remove_expired
from keystead.kinds.changes import Changes
from keystead.store import Statement, Write
from keystead.store.sql import Value
from tests.house import House

HOUR: Final = timedelta(hours=1)


async def insert(house: House, table: str, **values: Value) -> None:
    """One row."""
    names = ", ".join(values)
    marks = ", ".join(f"${n}" for n in range(1, len(values) + 1))
    changes = Changes()
    text = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - names of the test's own
    changes.write(Write(Statement("test.insert", text), (*values.values(),)))
    await house.state.commit(changes, house.clock.now())


async def keys(house: House, table: str, key: str) -> list[object]:
    """The keys in a table."""
    statement = Statement("test.keys", f"SELECT {key} FROM {table}")  # noqa: S608 - as above
    return [row[0] for row in await house.state.store.fetch(statement)]


async def a_session(house: House, name: str, expires: int) -> None:
    """A session row."""
    await insert(
        house,
        "sessions",
        id=name,
        digest=name,
        user_id=house.plain.pk,
        created=0,
        expires=expires,
        last_used=0,
        last_ip="",
        last_user_agent="",
        auth="{}",
    )


async def a_grant(house: House, name: str, session: str | None, expires: int, revoked: int | None = None) -> None:
    """A grant row."""
    await insert(
        house,
        "oauth_grants",
        id=name,
        provider=1,
        user_id=house.plain.pk,
        session_id=session,
        scope="",
        auth="{}",
        created=0,
        expires=expires,
        revoked=revoked,
    )


async def test_removes_what_ran_out_and_keeps_what_lives(house: House) -> None:
    now = micros(house.clock.now())
    hour = HOUR // timedelta(microseconds=1)
    for name, expires in (("dead", now - 1), ("now", now), ("alive", now + hour)):
        await a_session(house, name, expires)
        await insert(house, "flow_runs", digest=name, flow="f", state="{}", version=1, expires=expires)
        await insert(house, "oauth_revoked", jti=name, expires=expires)
        await a_grant(house, name, None, expires)
        await insert(
            house,
            "oauth_refresh_tokens",
            digest=name,
            grant_id="alive" if name == "alive" else name,
            parent=None,
            created=0,
            expires=expires,
        )
    removed = await remove_expired(house.state)
    assert removed >= 8
    for table, key in (
        ("sessions", "id"),
        ("flow_runs", "digest"),
        ("oauth_revoked", "jti"),
        ("oauth_grants", "id"),
        ("oauth_refresh_tokens", "digest"),
    ):
        assert await keys(house, table, key) == ["alive"], table
    assert await remove_expired(house.state) == 0


async def test_keeps_a_spent_code_for_a_day(house: House) -> None:
    await insert(
        house,
        "oauth_codes",
        digest="spent",
        grant_id="g",
        provider=1,
        user_id=house.plain.pk,
        request="{}",
        created=0,
        expires=micros(house.clock.now()),
        redeemed=1,
    )
    house.clock.move(hours=23)
    await remove_expired(house.state)
    assert await keys(house, "oauth_codes", "digest") == ["spent"]
    house.clock.move(hours=1)
    await remove_expired(house.state)
    assert await keys(house, "oauth_codes", "digest") == []


async def test_keeps_the_session_that_a_living_grant_hangs_on(house: House) -> None:
    now = micros(house.clock.now())
    for name in ("needed", "revoked", "over"):
        await a_session(house, name, now - 1)
    await a_grant(house, "lives", "needed", now + 10_000_000)
    await a_grant(house, "was revoked", "revoked", now + 10_000_000, revoked=now)
    await a_grant(house, "ran out", "over", now)
    await remove_expired(house.state)
    assert await keys(house, "sessions", "id") == ["needed"]
    house.clock.move(seconds=10)
    await remove_expired(house.state)
    await remove_expired(house.state)
    assert await keys(house, "sessions", "id") == []


async def test_tokens_and_consents_that_do_not_expire_stay(house: House) -> None:
    before = set(await keys(house, "tokens", "id"))
    now = micros(house.clock.now())
    for name, expiring in (("lasting", False), ("running", True)):
        await insert(
            house,
            "tokens",
            id=name,
            identifier=name,
            intent="api",
            user_id=house.plain.pk,
            description="",
            key_digest=name,
            key_sealed="",
            expires=now,
            expiring=expiring,
        )
        await insert(
            house,
            "consents",
            id=1 + expiring,
            user_id=house.plain.pk,
            application=name,
            permissions="",
            expires=now,
            expiring=expiring,
        )
    await remove_expired(house.state)
    assert set(await keys(house, "tokens", "id")) == before | {"lasting"}
    assert await keys(house, "consents", "application") == ["lasting"]


async def test_events_go_at_the_end_of_their_retention_and_their_count_with_them(house: House) -> None:
    changes = Changes()
    changes.event(house.call, "login", "tests", {})
    await house.state.commit(changes, house.clock.now())
    assert len(await keys(house, "events", "id")) == 1
    house.clock.move(days=364)
    await remove_expired(house.state)
    assert len(await keys(house, "events", "id")) == 1
    house.clock.move(days=2)
    await remove_expired(house.state)
    assert await keys(house, "events", "id") == []
    counted = await house.admin.get("/api/v3/events/events/?page_size=1")
    assert counted.json["pagination"]["count"] == 0


async def test_goes_on_batch_after_batch(house: House) -> None:
    now = micros(house.clock.now())
    rows = [f"r{number}" for number in range(cleanup.BATCH * 2 + 1)]
    changes = Changes()
    add = Statement("test.add", "INSERT INTO oauth_revoked (jti, expires) VALUES ($1, $2)")
    for row in rows:
        changes.write(Write(add, (row, now)))
    await house.state.commit(changes, house.clock.now())
    assert await remove_expired(house.state) == len(rows)


async def test_every_table_that_is_named_exists_with_these_columns(house: House) -> None:
    for table in cleanup.TABLES:
        find, remove = table.statements()
        assert await house.state.store.fetch(find, 0) == []
        changes = Changes()
        changes.write(Write(remove, (0, [] if table.cast == "text" else [0])))
        await house.state.commit(changes, house.clock.now())
