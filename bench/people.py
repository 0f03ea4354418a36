"""A large directory, put into the database directly: the API is not what is measured here.

A million users in a hundred thousand groups: two groups each, one of 5,000 members, one of 300,000, and superusers
through a group and one below it. The same numbers make the same rows on both engines.
"""

import asyncio
import itertools
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qs, urlsplit

import msgspec

Rows: TypeAlias = Iterator[tuple[Any, ...]]
FIRST: Final = 1_000
USERS: Final = 1_000_000
GROUPS: Final = 100_000
FIVE_THOUSAND: Final = 3
"""Number of the group of 5,000."""
MANY: Final = 4
"""Number of the group of 300,000."""
NAMED: Final = 10
"""The first group that users join by their number."""
DAY: Final = 86_400_000_000
BEGAN: Final = 1_600_000_000_000_000
"""When the first joined, microseconds since 1970."""
FIRST_NAMES: Final = (
    "Anna", "Ben", "Chiara", "Dmitri", "Émile", "Fatima", "Göran", "Hana", "Ivan", "Jana", "Karl", "Łucja", "Maria",
    "Nils", "Óscar", "Priya", "Quentin", "Rosa", "Søren", "Tomás", "Ulla", "Viktor", "Wanda", "Xenia", "Yusuf", "Zoe",
)  # fmt: skip  # a list of names
LAST_NAMES: Final = (
    "Almeida", "Becker", "Çelik", "Duarte", "Eriksson", "Fischer", "García", "Hoffmann", "Ito", "Jensen", "Kowalski",
    "Lefèvre", "Müller", "Novák", "Okafor", "Petrov", "Quispe", "Rossi", "Schmidt", "Tanaka", "Ünal", "Virtanen",
    "Wójcik", "Xu", "Yildiz", "Zimmermann",
)  # fmt: skip  # a list of names
_INTERNAL, _PEOPLE, _ROBOTS = 900, 980, 995
"""Of a thousand: internal people, all people, and all who are no robots of ours."""
CITIES: Final = tuple(f"city{number:02d}" for number in range(50))
TABLES: Final = {
    "users": (
        "id", "uuid", "username", "name", "email", "is_active", "type", "path", "attributes", "password",
        "password_change_date", "date_joined", "last_login", "last_updated",
    ),
    "groups": ("id", "num_pk", "name", "is_superuser", "attributes"),
    "group_parents": ("group_id", "parent_id"),
    "group_members": ("user_id", "group_id"),
    "user_roles": ("user_id", "role_id"),
    "id_blocks": ("name", "next"),
}  # fmt: skip  # lists of names


def mixed(number: int) -> int:
    """``number`` spread over 32 bits, the same at each call."""
    return number * 2_654_435_761 % 2**32


def user_uuid(number: int) -> str:
    """The uuid of a user."""
    return str(uuid.UUID(int=mixed(number) << 90 | number, version=4))


def group_uuid(number: int) -> str:
    """The uuid of a group."""
    return str(uuid.UUID(int=mixed(number + 7) << 90 | number, version=4))


def group_name(number: int) -> str:
    """What a group is called."""
    return f"group {mixed(number) % 1000:03d} {CITIES[number % 50]} {number:06d}"


def username(number: int) -> str:
    """The name somebody signs in with."""
    return f"{_ascii(FIRST_NAMES[mixed(number) % 26])}.{_ascii(LAST_NAMES[mixed(number) // 26 % 26])}{number}"


def _ascii(text: str) -> str:
    return "".join(char if char.isascii() else "x" for char in text.lower())


def users(count: int) -> Rows:
    """Users as rows."""
    for number in range(FIRST, FIRST + count):
        drawn = mixed(number)
        name = username(number)
        kind = drawn % 1000
        city = CITIES[drawn // 1000 % 50]
        if kind < _PEOPLE:
            type_, path = ("internal" if kind < _INTERNAL else "external"), (f"users/{city}", "users")[kind % 2]
        else:
            type_, path = "service_account", f"users/{city}"
        if kind >= _ROBOTS:
            type_, path = "internal_service_account", "goauthentik.io/outposts"
        attributes = {
            "department": f"department {drawn // 7 % 40}",
            "employee": {"number": number, "remote": drawn % 3 == 0},
            "tags": [f"tag{drawn % 17}"],
        }
        joined = BEGAN + number * DAY // 500 + drawn % DAY
        yield (
            number, user_uuid(number), name, f"{FIRST_NAMES[drawn % 26]} {LAST_NAMES[drawn // 26 % 26]}",
            f"{name}@{'example.org' if drawn % 5 else 'example.com'}", drawn % 33 != 0, type_, path,
            msgspec.json.encode(attributes).decode(), "", joined, joined,
            None if drawn % 10 < 3 else joined + drawn % (300 * DAY), joined + drawn % (200 * DAY),  # noqa: PLR2004 - as above
        )  # fmt: skip  # one row


def groups(count: int) -> Rows:
    """Groups as rows."""
    for number in range(1, count + 1):
        attributes = {"region": CITIES[mixed(number) % 50], "cost": {"center": number % 1000}}
        yield (
            group_uuid(number), FIRST + number, group_name(number), number == 1,
            msgspec.json.encode(attributes).decode(),
        )  # fmt: skip  # one row


def parents(count: int) -> Rows:
    """Which group is below which: one below the superusers, and a tree of ten branches."""
    yield group_uuid(2), group_uuid(1)
    for number in range(NAMED * 10, count + 1):
        yield group_uuid(number), group_uuid(number // 10)


def members(user_count: int, group_count: int) -> Rows:
    """Who is in which group."""
    named = group_count - NAMED
    for number in range(FIRST, FIRST + user_count):
        one, two = NAMED + 1 + number * 7919 % named, NAMED + 1 + number * 104_729 % named
        for group in {one, two}:
            yield number, group_uuid(group)
    for number in range(12):
        yield FIRST + number * 31, group_uuid(1)
    for number in range(30):
        yield FIRST + number * 37, group_uuid(2)
    for number in range(min(5_000, user_count)):
        yield FIRST + number * max(1, user_count // 5_000), group_uuid(FIVE_THOUSAND)
    for number in range(user_count * 3 // 10):
        yield FIRST + number * 3, group_uuid(MANY)


def holders(user_count: int, roles: Sequence[str]) -> Rows:
    """Who has which role, beside groups: every tenth of them half as many as the one before."""
    for index, role in enumerate(roles):
        for number in range(0, user_count, 50 << index):
            yield FIRST + number, role


def counters(user_count: int, group_count: int) -> Rows:
    """Where the numbers of later users and groups begin."""
    yield "users", FIRST + user_count
    yield "groups.num_pk", FIRST + group_count + 1


def everything(user_count: int, group_count: int, roles: Sequence[str]) -> Iterator[tuple[str, Rows]]:
    """Table and rows, in the order that references allow."""
    yield "users", users(user_count)
    yield "groups", groups(group_count)
    yield "group_parents", parents(group_count)
    yield "group_members", members(user_count, group_count)
    yield "user_roles", holders(user_count, roles)
    yield "id_blocks", counters(user_count, group_count)


def fill_sqlite(data: Path, user_count: int = USERS, group_count: int = GROUPS, roles: Sequence[str] = ()) -> None:
    """Put the directory into the SQLite database below ``data``."""
    from keystead.store.sqlite_link import connect  # noqa: PLC0415 - with the functions that triggers use

    connection = connect(next(data.glob("*.db")))
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-262144")
    connection.execute("DELETE FROM id_blocks WHERE name IN ('users', 'groups.num_pk')")
    for table, rows in everything(user_count, group_count, roles):
        connection.execute("BEGIN")
        columns = TABLES[table]
        marks = ", ".join("?" * len(columns))
        text = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - constants
        connection.executemany(text, rows)
        connection.execute("COMMIT")
    connection.execute("ANALYZE")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def fill_postgres(database: str, user_count: int = USERS, group_count: int = GROUPS, roles: Sequence[str] = ()) -> None:
    """Put the directory into the PostgreSQL database."""
    import asyncpg  # noqa: PLC0415 - only where PostgreSQL is measured

    async def fill() -> None:
        parts = urlsplit(database)
        connection = await asyncpg.connect(
            host=parse_qs(parts.query)["host"][0], user=parts.username, database=parts.path.lstrip("/")
        )
        await connection.execute("DELETE FROM id_blocks WHERE name IN ('users', 'groups.num_pk')")
        for table, rows in everything(user_count, group_count, roles):
            while batch := list(itertools.islice(rows, 50_000)):
                await connection.copy_records_to_table(table, records=batch, columns=TABLES[table])
            await connection.execute(f"VACUUM ANALYZE {table}")
        await connection.close()

    asyncio.run(fill())
