"""A million users, put into the database directly: the API is not what is measured here."""

import asyncio
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

FIRST = 1_000
COLUMNS = (
    "id", "uuid", "username", "name", "email", "is_active", "type", "path", "attributes", "password",
    "password_change_date", "date_joined", "last_login", "last_updated",
)  # fmt: skip  # a list of names


def rows(count: int) -> Iterator[tuple[object, ...]]:
    """Users as rows."""
    for number in range(FIRST, FIRST + count):
        name = f"user{number:08d}"
        made = 1_700_000_000_000_000 + number
        yield (
            number, str(uuid.UUID(int=number, version=4)), name, f"Person {number}", f"{name}@example.org", True,
            "internal", "users", "{}", "", made, made, None, made,
        )  # fmt: skip  # one row


def fill_sqlite(data: Path, count: int) -> None:
    """Put ``count`` users into the SQLite database below ``data``."""
    path = next(data.glob("*.db"))
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("BEGIN")
    marks = ", ".join("?" * len(COLUMNS))
    connection.executemany(f"INSERT INTO users ({', '.join(COLUMNS)}) VALUES ({marks})", rows(count))  # noqa: S608 - constants
    connection.execute("COMMIT")
    connection.execute("ANALYZE")
    connection.close()


def fill_postgres(database: str, count: int) -> None:
    """Put ``count`` users into the PostgreSQL database."""
    import asyncpg  # noqa: PLC0415 - only where PostgreSQL is measured

    async def fill() -> None:
        parts = urlsplit(database)
        connection = await asyncpg.connect(
            host=parse_qs(parts.query)["host"][0], user=parts.username, database=parts.path.lstrip("/")
        )
        await connection.copy_records_to_table("users", records=rows(count), columns=COLUMNS)
        await connection.execute("VACUUM ANALYZE users")
        await connection.close()

    asyncio.run(fill())
