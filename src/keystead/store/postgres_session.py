"""What needs a connection of its own: listening for announcements, and the lock of work that only one may do."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from keystead.base import log, rand
from keystead.store.compose_unit import CHANNEL
from keystead.store.postgres_link import FAILURES, Address, connect, pause
from keystead.store.store import StoreDown

if TYPE_CHECKING:
    import asyncpg

    _Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]

_LOG = log.get("store.postgres")
_GOODBYE: Final = 2.0
"""Seconds that closing a connection may take."""
_TRY: Final = "SELECT pg_try_advisory_lock(hashtextextended($1, 0))"


async def listen(address: Address, closing: asyncio.Event) -> AsyncIterator[int]:
    """The announced numbers, until ``closing``; 0 after each (re)connection, for whatever was told before it.

    The connection is made again, after a pause, as often as it is lost.
    """
    while not closing.is_set():
        with contextlib.suppress(StoreDown, *FAILURES):
            async with contextlib.aclosing(_hear(await connect(address), closing)) as numbers:
                async for number in numbers:
                    yield number
        # Drawn, so that the processes of an installation do not all come back at once.
        await pause(closing, 0.1 + rand.below(900) / 1000)


async def _hear(connection: "_Connection", closing: asyncio.Event) -> AsyncGenerator[int, None]:
    """The numbers told on ``connection``, until it ends or ``closing``; it is closed in the end."""
    told: asyncio.Queue[int | None] = asyncio.Queue()

    def end(_: object) -> None:
        told.put_nowait(None)

    closed = asyncio.ensure_future(closing.wait())
    closed.add_done_callback(end)
    try:
        connection.add_termination_listener(end)
        await connection.add_listener(CHANNEL, lambda *note: told.put_nowait(_number(note[3])))
        yield 0
        while (number := await told.get()) is not None:
            yield number
    finally:
        closed.cancel()
        with contextlib.suppress(*FAILURES):
            await connection.close(timeout=_GOODBYE)


def _number(payload: object) -> int:
    """The number told; 0, "look yourself", for what somebody else says on our channel."""
    text = str(payload)
    return int(text) if text.isascii() and text.isdigit() else 0


async def exclusively(address: Address, name: str, work: Callable[[], Awaitable[None]]) -> bool:
    """Run ``work`` under a session's advisory lock; False if another session holds it.

    :raises StoreDown: PostgreSQL does not answer, or the lock was lost with its connection and ``work`` was cancelled.
    """
    connection = await connect(address)
    try:
        try:
            if not await connection.fetchval(_TRY, f"keystead/{address.schema}/{name}"):
                return False
        except FAILURES as exc:
            raise StoreDown(str(exc)) from exc
        await _while_connected(connection, name, work)
        return True
    finally:
        with contextlib.suppress(*FAILURES):
            await connection.close(timeout=_GOODBYE)


async def _while_connected(connection: "_Connection", name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run ``work``, but no longer than the lock is ours."""
    lost = False

    def stop(_: object) -> None:
        nonlocal lost
        lost = True
        task.cancel()

    async def run() -> None:
        await work()

    task = asyncio.ensure_future(run())
    connection.add_termination_listener(stop)
    if connection.is_closed():
        stop(connection)
    try:
        await task
    except asyncio.CancelledError:
        caller = asyncio.current_task()
        if not lost or (caller is not None and caller.cancelling()):
            raise
        _LOG.warning("work stopped: its lock was lost with the connection", work=name)
        raise StoreDown(f"the lock of {name} was lost with its connection") from None
    finally:
        connection.remove_termination_listener(stop)
