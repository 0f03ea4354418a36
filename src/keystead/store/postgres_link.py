"""How to reach PostgreSQL, and what its failures mean here."""

import asyncio
import re
import ssl
from dataclasses import dataclass, field
from typing import Final, Literal, NoReturn, TypeAlias, TypedDict, cast

import asyncpg

from keystead.store.store import GuardFailed, StoreDown, Taken

CONNECT: Final = 10.0
"""Seconds that PostgreSQL has to accept a connection."""
COMMAND: Final = 30.0
"""Seconds that a statement may take."""
FAILURES: Final = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""Everything the driver raises; a timeout is an OSError."""
GIVEN_UP: Final = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
"""A transaction undone only because of its neighbours: it may be sent again as it is."""
GUARD_STATE: Final = "KS001"
"""The SQLSTATE that ``keystead_guard`` raises; its message is the guard's name."""
_OUTAGE: Final = ("08", "25006", "53", "57", "58", "XX001", "XX002")
"""Beginnings of SQLSTATEs: no connection, a standby, no memory or disk left, going down or starting up, I/O errors."""
_KEY: Final = re.compile(r"\((\w+)(?:, [^()]*)?\)=\(")
"""The first column in the server's "Key (column, …)=(…) already exists.", whatever language the server speaks."""

_Tls: TypeAlias = ssl.SSLContext | Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]


@dataclass(frozen=True, slots=True)
class Address:
    """Where PostgreSQL is and who we are there.

    :param host: host name, IP address, or folder of a Unix socket.
    :param tls: an SSL context, or one of asyncpg's ``sslmode`` words.
    :param schema: the schema that holds our tables.
    :param pool: connections at most.
    """

    host: str
    port: int = 5432
    database: str = "keystead"
    user: str = "keystead"
    password: str = field(default="", repr=False)
    tls: "ssl.SSLContext | str" = "prefer"
    schema: str = "public"
    pool: int = 10


class Arguments(TypedDict):
    """What asyncpg wants to know to connect."""

    host: str
    port: int
    database: str
    user: str
    password: str | None
    ssl: _Tls
    timeout: float
    command_timeout: float | None
    server_settings: dict[str, str]


def arguments(address: Address, *, command: float | None = COMMAND) -> Arguments:
    """``address`` in asyncpg's words; ``command`` is how many seconds a statement may take, None for ever."""
    return {
        "host": address.host,
        "port": address.port,
        "database": address.database,
        "user": address.user,
        "password": address.password or None,
        "ssl": cast("_Tls", address.tls),
        "timeout": CONNECT,
        "command_timeout": command,
        "server_settings": {
            "search_path": quoted(address.schema),
            "application_name": "keystead",
            "jit": "off",  # our statements are short: compiling them costs more than running them
        },
    }


def quoted(name: str) -> str:
    """``name`` as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


async def connect(address: Address, *, command: float | None = COMMAND) -> "asyncpg.Connection[asyncpg.Record]":
    """A connection outside the pool.

    :param command: seconds that a statement may take, None for ever.
    :raises StoreDown: nothing answers at ``address``, or it refuses us; the message says which.
    """
    try:
        return await asyncpg.connect(**arguments(address, command=command))
    except FAILURES as exc:
        raise unusable(address, exc) from exc


def unusable(address: Address, exc: BaseException) -> StoreDown:
    """What to say when a connection cannot be made."""
    return StoreDown(f"PostgreSQL at {address.host}:{address.port} is not usable: {str(exc) or type(exc).__name__}")


def translated(exc: BaseException, *, lost: bool) -> BaseException:
    """What ``exc``, one of :data:`FAILURES`, means to a caller of the store; itself if it is a mistake of ours.

    :param lost: whether the connection is gone.
    """
    state = (exc.sqlstate or "") if isinstance(exc, asyncpg.PostgresError) else ""
    if lost or isinstance(exc, OSError) or state.startswith(_OUTAGE):
        return StoreDown(str(exc) or type(exc).__name__)
    if state == GUARD_STATE:
        return GuardFailed(str(exc.args[0]))
    if isinstance(exc, asyncpg.UniqueViolationError):
        return Taken(exc.table_name or "", _column(exc))
    if isinstance(exc, asyncpg.ForeignKeyViolationError):
        return GuardFailed("reference")
    if state.startswith("22"):
        return ValueError(str(exc))
    return exc


def raise_translated(exc: BaseException, *, lost: bool) -> NoReturn:
    """Raise what ``exc`` means to a caller of the store; see :func:`translated`."""
    meaning = translated(exc, lost=lost)
    raise meaning from (None if meaning is exc else exc)


def _column(exc: asyncpg.UniqueViolationError) -> str:
    """The column whose value is taken; an index over an expression tells it by its name, ``uq_table__column``."""
    if found := _KEY.search(exc.detail or ""):
        return found[1]
    return (exc.constraint_name or "").rpartition("__")[2]


async def pause(event: asyncio.Event, seconds: float) -> None:
    """Wait ``seconds``, or until ``event`` is set."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
