"""How each engine is reached, kept durable, and understood when it fails."""

import asyncio
import contextlib
import sqlite3
import ssl
import threading
import time

import asyncpg
import pytest

from keystead.store import GuardFailed, Statement, StoreDown, Taken, Unit
from keystead.store.postgres_link import Address, arguments, connect, quoted, translated
from keystead.store.sqlite_link import connect as connect_sqlite
from keystead.store.sqlite_link import failing
from tests import engines
from tests.engines import Place
from tests.store.writes import outcome, user


async def test_an_acknowledged_unit_is_on_the_disk() -> None:
    """What no test can show without cutting the power: each engine is told to wait for the disk."""
    async with engines.fresh_place("sqlite") as place:
        with contextlib.closing(connect_sqlite(engines.path_of(place))) as opened:
            told = {name: opened.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")}
            assert told == {"journal_mode": "wal", "synchronous": 2}  # 2 is FULL
            assert opened.execute("PRAGMA foreign_keys").fetchone() == (1,)
        with (
            contextlib.closing(connect_sqlite(engines.path_of(place), reads_only=True)) as opened,
            pytest.raises(sqlite3.OperationalError, match="readonly"),
        ):
            opened.execute("DELETE FROM users")
    async with engines.fresh_store("postgres") as store:
        for name in ("synchronous_commit", "fsync", "full_page_writes"):
            assert await store.fetch(Statement("q", f"SHOW {name}")) == [("on",)]


async def test_a_new_file_that_another_process_is_making_is_waited_for() -> None:
    async with engines.fresh_place("sqlite", migrated=False) as place:
        path = engines.path_of(place)
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE made (id BIGINT)")

        def finish() -> None:
            time.sleep(0.3)
            other.execute("COMMIT")
            other.close()

        finishing = threading.Thread(target=finish)
        finishing.start()
        opened = await asyncio.to_thread(connect_sqlite, path)
        finishing.join()
        assert opened.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        opened.close()


async def test_a_taken_value_of_an_expression_is_named_by_its_index(place: Place) -> None:
    made = "CREATE UNIQUE INDEX uq_users__lowered ON users (lower(username), type)"
    if isinstance(place, Address):
        async with engines.past(place) as connection:
            await connection.execute(made)
    else:
        with contextlib.closing(sqlite3.connect(place)) as opened:
            opened.execute(made)
    async with engines.opened(place) as store:
        await store.commit(Unit((user(1, "Ada"),)))
        assert await outcome(store.commit(Unit((user(2, "ADA"),)))) == "taken users.lowered"


def _failure(sqlstate: str, message: str = "m", **more: str) -> asyncpg.PostgresError:
    """What the driver raises when the server answers with ``sqlstate``."""
    fields = {"S": "FEHLER", "V": "ERROR", "C": sqlstate, "M": message, **more}
    failure: asyncpg.PostgresError = asyncpg.PostgresError.new(fields)
    return failure


@pytest.mark.parametrize(
    ("sqlstate", "wanted"),
    [
        ("08006", StoreDown),  # connection failure
        ("25006", StoreDown),  # a standby writes nothing
        ("53100", StoreDown),  # disk full
        ("53300", StoreDown),  # too many connections
        ("57014", StoreDown),  # cancelled, as by a time limit
        ("57P01", StoreDown),  # shut down
        ("57P03", StoreDown),  # starting up
        ("58030", StoreDown),  # input or output failed
        ("XX001", StoreDown),  # damaged data
        ("22021", ValueError),  # NUL in a text
        ("22003", ValueError),  # a number out of range
        ("23503", GuardFailed),  # a missing reference
        ("KS001", GuardFailed),  # our guard
        ("40P01", asyncpg.DeadlockDetectedError),  # to be sent again
        ("40001", asyncpg.SerializationError),  # to be sent again
        ("42P01", asyncpg.UndefinedTableError),  # a mistake of ours
        ("23502", asyncpg.NotNullViolationError),  # a mistake of ours
    ],
)
def test_what_a_failure_of_postgres_means(sqlstate: str, wanted: type[Exception]) -> None:
    assert type(translated(_failure(sqlstate), lost=False)) is wanted
    assert type(translated(_failure(sqlstate), lost=True)) is StoreDown


@pytest.mark.parametrize(
    ("detail", "column"),
    [
        ("Key (username)=(ada) already exists.", "username"),
        ("Key (username)=((email)=(x)) already exists.", "username"),
        ("Schlüssel »(user_id, application)=(1, x)« existiert bereits.", "user_id"),
        ("キー (username)=(ada) はすでに存在します。", "username"),
        ("Key (lower(username))=(ada) already exists.", "named"),
        ("", "named"),
    ],
)
def test_a_taken_column_is_read_in_any_language(detail: str, column: str) -> None:
    taken = translated(_failure("23505", D=detail, t="users", n="uq_users__named"), lost=False)
    assert isinstance(taken, Taken)
    assert (taken.table, taken.column) == ("users", column)


def test_a_mistake_in_using_the_driver_is_no_outage() -> None:
    mistake = asyncpg.InterfaceError("the server expects 2 arguments for this query, 1 was passed")
    assert translated(mistake, lost=False) is mistake
    assert type(translated(asyncpg.InterfaceError("connection is closed"), lost=True)) is StoreDown
    assert type(translated(ConnectionResetError(), lost=False)) is StoreDown
    assert str(translated(TimeoutError(), lost=False)) == "TimeoutError"


def test_what_a_failure_of_sqlite_means() -> None:
    def failure(code: int) -> sqlite3.OperationalError:
        made = sqlite3.OperationalError("x")
        made.sqlite_errorcode = code
        return made

    outages = (sqlite3.SQLITE_BUSY_SNAPSHOT, sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY)
    assert all(failing(failure(code)) for code in outages)
    assert not any(failing(failure(code)) for code in (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT_UNIQUE))
    assert not failing(GuardFailed("x"))


def test_an_address_tells_no_password() -> None:
    address = Address("db", 6432, "d", "u", "hunter2", tls=ssl.create_default_context(), schema='a"b')
    assert "hunter2" not in repr(address)
    told = arguments(address)
    assert told["password"] == "hunter2"
    assert told["server_settings"]["search_path"] == '"a""b"'
    assert told["ssl"] is address.tls
    assert arguments(Address("db"))["password"] is None
    assert quoted("plain") == '"plain"'


async def test_a_refusal_names_the_server_and_no_password() -> None:
    server = await engines.server()
    known = server.address("no_such_database")
    address = Address(known.host, known.port, known.database, known.user, "hunter2")
    with pytest.raises(StoreDown, match="no_such_database") as told:
        await connect(address)
    assert "hunter2" not in str(told.value)
    assert known.host in str(told.value)
    with pytest.raises(StoreDown, match="not usable"):
        await engines.open_store(address)
    with pytest.raises(StoreDown, match=r"127\.0\.0\.1:1 is not usable"):
        await engines.open_store(Address("127.0.0.1", 1, tls="disable"))
