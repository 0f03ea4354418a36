"""Migrations: up and down give the same schema, two starters agree, what fails leaves nothing."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog

from keystead.store import Statement, StoreDown, Unit, migrate
from keystead.store.migrate import DatabaseNewer, Migration, migrate_postgres, migrate_sqlite
from keystead.store.postgres import Address
from tests import engines
from tests.engines import Engine, Place
from tests.store.children import child, start
from tests.store.writes import note

_BROKEN = """
CREATE TABLE half_made (id BIGINT PRIMARY KEY);
INSERT INTO half_made (id) VALUES (1);
UPDATE settings_head SET seq = 99;
INSERT INTO nowhere (id) VALUES (1);
"""

_SCHEMA = (
    """
    SELECT table_name, column_name, ordinal_position, data_type, is_nullable, column_default, is_identity
    FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY 1, 3
    """,
    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() ORDER BY 1",
    """
    SELECT c.conname, pg_get_constraintdef(c.oid) FROM pg_constraint c
    JOIN pg_namespace n ON n.oid = c.connamespace WHERE n.nspname = current_schema() ORDER BY 1
    """,
    """
    SELECT t.tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND NOT t.tgisinternal ORDER BY 1
    """,
    """
    SELECT p.proname, pg_get_functiondef(p.oid) FROM pg_proc p
    JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = current_schema() ORDER BY 1
    """,
)


@pytest.fixture
async def empty(engine: Engine) -> AsyncIterator[Place]:
    """A new database without any of our tables."""
    async with engines.fresh_place(engine, migrated=False) as made:
        yield made


async def run(place: Place, *, down_to: int | None = None) -> int:
    """Migrate ``place``."""
    if isinstance(place, Path):
        return migrate_sqlite(place, down_to=down_to)
    return await migrate_postgres(place, down_to=down_to)


async def ask(place: Place, text: str) -> list[tuple[object, ...]]:
    """The rows of a question past our store."""
    if isinstance(place, Path):
        with contextlib.closing(sqlite3.connect(place)) as small:
            return small.execute(text).fetchall()
    async with engines.past(place) as large:
        return [tuple(row) for row in await large.fetch(text)]


async def schema(place: Place) -> list[tuple[object, ...]]:
    """Everything that the database says about its tables, columns, indexes, keys, triggers and functions."""
    if isinstance(place, Path):
        made = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY 1, 2"
        return await ask(place, made)
    return [row for question in _SCHEMA for row in await ask(place, question)]


def _with(monkeypatch: pytest.MonkeyPatch, *more: Migration) -> None:
    known = migrate.migrations()
    monkeypatch.setattr(migrate, "migrations", lambda: [*known, *more])


async def test_up_down_and_up_again_gives_the_same_schema(empty: Place) -> None:
    newest = migrate.migrations()[-1].version
    assert await run(empty) == newest
    made = await schema(empty)
    assert len(made) > 20
    assert await run(empty) == newest
    assert await schema(empty) == made

    assert await run(empty, down_to=0) == 0
    left = {str(row[1 if isinstance(empty, Path) else 0]) for row in await schema(empty)}
    assert left <= {"schema_versions", "schema_versions_pkey", "schema_versions_version_not_null"} | {
        f"schema_versions_{column}_not_null" for column in ("version", "name", "sum")
    }
    assert await ask(empty, "SELECT count(*) FROM schema_versions") == [(0,)]

    assert await run(empty) == newest
    assert await schema(empty) == made


async def test_both_engines_have_the_same_tables_columns_and_unique_indexes() -> None:
    async with engines.fresh_place("sqlite") as small, engines.fresh_place("postgres") as large:
        columns = await ask(
            small,
            'SELECT m.name, c.name, (c."notnull" OR c.pk) = 0 FROM sqlite_master m, pragma_table_info(m.name) c'
            # PostgreSQL's indexes of texts and attributes are tables of their own for SQLite.
            " WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT GLOB '*_gram*'"
            " AND m.name NOT GLOB '*_facts*' ORDER BY 1, 2",
        )
        assert columns == await ask(
            large,
            # SQLite has a rowid without being told.
            "SELECT table_name::text, column_name::text, (is_nullable = 'YES')::int FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND column_name <> 'rowid'"
            ' ORDER BY table_name COLLATE "C", column_name COLLATE "C"',
        )
        indexes = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite_%'"
        unique = set(await ask(small, f"{indexes} AND sql LIKE 'CREATE UNIQUE%'"))
        indexed = (
            "SELECT indexname, tablename FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE '%_pkey'"
        )
        assert unique
        told = f"{indexed} AND indexdef LIKE 'CREATE UNIQUE%' AND indexdef NOT LIKE '%(rowid)'"
        assert unique == set(await ask(large, told))
        # PostgreSQL may have further ones, of sorts that SQLite does not know.
        assert set(await ask(small, indexes)) <= set(await ask(large, indexed))


async def test_two_starters_at_once_both_succeed(engine: Engine) -> None:
    newest = str(migrate.migrations()[-1].version)
    for _ in range(3):
        async with (
            engines.fresh_place(engine, migrated=False) as empty,
            child("migrate", empty) as first,
            child("migrate", empty) as second,
        ):
            await start(first, second)
            assert [await one.line() for one in (first, second)] == [newest, newest]
            assert await ask(empty, "SELECT count(*) FROM schema_versions") == [(len(migrate.migrations()),)]


async def test_a_newer_database_is_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    newest = migrate.migrations()[-1].version
    with monkeypatch.context() as newer:
        _with(newer, Migration(newest + 3, "later", "CREATE TABLE later (id BIGINT);", "DROP TABLE later;"))
        assert await run(place) == newest + 3
    made = await schema(place)

    with pytest.raises(DatabaseNewer, match=rf"schema version {newest + 3}, this Keystead knows only up to {newest}\."):
        await run(place)
    assert await schema(place) == made


async def test_an_edited_migration_is_noticed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    known = migrate.migrations()
    with structlog.testing.capture_logs() as logs:
        await run(place)
    assert logs == []

    edited = known[0]._replace(up=known[0].up + "-- another thought\n")
    monkeypatch.setattr(migrate, "migrations", lambda: [edited, *known[1:]])
    with structlog.testing.capture_logs() as logs:
        await run(place)
    assert [(entry["log_level"], entry["version"], entry["name"]) for entry in logs] == [
        ("warning", edited.version, edited.name)
    ]


async def test_a_failing_migration_leaves_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    newest = migrate.migrations()[-1].version
    made = await schema(place)
    good = Migration(newest + 1, "good", "CREATE TABLE good (id BIGINT);", "DROP TABLE good;")
    with monkeypatch.context() as broken:
        _with(broken, good, Migration(newest + 2, "broken", _BROKEN, ""))
        with pytest.raises(Exception, match="nowhere"):
            await run(place)
    assert await schema(place) == made
    assert await ask(place, "SELECT seq FROM settings_head") == [(0,)]
    assert await ask(place, "SELECT max(version) FROM schema_versions") == [(newest,)]

    _with(
        monkeypatch,
        good,
        Migration(newest + 2, "broken", "CREATE TABLE half_made (id BIGINT);", "DROP TABLE half_made;"),
    )
    assert await run(place) == newest + 2
    assert await run(place, down_to=newest) == newest
    assert await schema(place) == made


async def test_a_failing_way_back_leaves_everything(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    newest = migrate.migrations()[-1].version
    _with(
        monkeypatch,
        Migration(newest + 1, "one_way", "CREATE TABLE made (id BIGINT);", "DROP TABLE made;\nDROP TABLE x;"),
    )
    await run(place)
    made = await schema(place)
    with pytest.raises(Exception, match="x"):
        await run(place, down_to=0)
    assert await schema(place) == made


async def test_engine_marks_and_comments(empty: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    up = """
-- A comment; with a semicolon.
CREATE TABLE marked ( -- another
    a TEXT NOT NULL DEFAULT 'x;y', -- @sqlite
    a TEXT NOT NULL DEFAULT 'x;z', -- @postgres
    b BIGINT -- the last
); -- and one after it
INSERT INTO marked (b) VALUES (1);

CREATE TABLE next (id BIGINT);
"""
    monkeypatch.setattr(
        migrate, "migrations", lambda: [Migration(1, "marks", up, "DROP TABLE marked;\nDROP TABLE next;")]
    )
    assert await run(empty) == 1
    assert await ask(empty, "SELECT a, b FROM marked") == [("x;y" if isinstance(empty, Path) else "x;z", 1)]
    assert await ask(empty, "SELECT count(*) FROM next") == [(0,)]


async def test_a_schema_of_ones_own_is_made_and_used() -> None:
    async with engines.fresh_place("postgres", migrated=False) as empty:
        base = engines.address_of(empty)
        for name in ("keystead", 'Od"d schema'):
            own = Address(base.host, base.port, base.database, base.user, schema=name)
            assert await migrate_postgres(own) == migrate.migrations()[-1].version
            async with engines.opened(own) as store:
                await store.commit(Unit((note("a"),)))
                assert await store.fetch(Statement("q", "SELECT current_schema()")) == [(name,)]
                assert await store.reserve("x", 3) == 1
        assert await ask(empty, "SELECT to_regclass('public.installation')") == [(None,)]


async def test_migrating_what_cannot_be_reached_is_an_outage(tmp_path: Path) -> None:
    with pytest.raises(StoreDown, match="not usable"):
        await migrate_postgres(Address(str(tmp_path)))
    with pytest.raises(StoreDown, match="unable to open"):
        migrate_sqlite(tmp_path / "missing" / "keystead.db")


async def test_units_wait_for_a_migration_and_land(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server of the last version goes on while one of the next version starts."""
    newest = migrate.migrations()[-1].version
    more = "ALTER TABLE installation ADD COLUMN colour TEXT NOT NULL DEFAULT 'red';"
    _with(monkeypatch, Migration(newest + 1, "more", more, "ALTER TABLE installation DROP COLUMN colour;"))
    async with engines.opened(place) as store:
        await store.commit(Unit((note("before"),)))
        everything = Statement("everything", "SELECT * FROM installation ORDER BY name")
        assert await store.fetch(everything) == [("before", "")]
        writing = [asyncio.ensure_future(store.commit(Unit((note(f"n{n:02}"),)))) for n in range(50)]
        await run(place)
        await asyncio.gather(*writing)
        assert len(await store.fetch(everything)) == 51
        assert await store.fetch_one(everything) == ("before", "", "red")
