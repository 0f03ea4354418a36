"""One running process: opens the installation, serves and works until it is told to stop, and ends in reverse order.

It answers from its first moment - that it is alive and not ready - and stops on SIGTERM or SIGINT: it takes no more
requests, finishes those it has, closes the store, and ends with code 0. A second signal ends it at once.
"""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from keystead.base import log
from keystead.base.clock import SystemClock
from keystead.base.config import Config
from keystead.doors.cli.board import Board
from keystead.doors.cli.house import House
from keystead.doors.cli.sockets import Sockets
from keystead.doors.http import metrics
from keystead.doors.http.front import Front
from keystead.doors.http.runtime import Service
from keystead.kinds.state import State

_LOG = log.get("cli.process")
PATIENCE: Final = 60.0
"""Seconds that a PostgreSQL server which does not answer yet is waited for."""
_AGAIN: Final = 1.0
_SHARED: Final = 1.0
"""Seconds between two writings on the board."""
_FILES: Final = 65_536

Announce = Callable[[State], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Part:
    """What a process does.

    :param serves: pages and protocols, and not only health and metrics.
    :param works: background work.
    :param announce: told once when it is ready.
    :param board: where processes that serve together leave their numbers.
    :param leash: a pipe whose other end the parent holds; it ends when the parent does, and so do we.
    """

    serves: bool = True
    works: bool = True
    announce: Announce | None = None
    board: Board | None = None
    leash: int | None = None


def run(house: House, config: Config, sockets: Sockets, part: Part) -> int:
    """Be the process until it is told to stop; its exit code.

    :raises ConfigError: the settings do not fit the database.
    :raises StoreDown: the database does not answer.
    :raises DatabaseNewer: a newer Keystead wrote it.
    """
    import uvloop  # noqa: PLC0415 - commands that share this file's helpers run on the plain loop

    _allow_files()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_Process(house, config, sockets, part).live())


class _Process:
    def __init__(self, house: House, config: Config, sockets: Sockets, part: Part) -> None:
        self._house = house
        self._config = config
        self._sockets = sockets
        self._part = part
        self._clock = SystemClock()
        self._stop = asyncio.Event()
        self._front = Front(_root_path(config))
        self._service = Service(self._clock)

    async def live(self) -> int:
        self._heed()
        metrics.began(self._clock.now().timestamp())
        for warning in self._config.warnings:
            _LOG.warning("settings", reason=warning)
        try:
            await self._service.listen(self._front, self._sockets.http)
            state = await self._unless_stopped(self._opened())
            if state is None:
                return 0
            try:
                return await self._serve(state)
            finally:
                await state.store.close()
        finally:
            await self._service.stop()
            self._sockets.close()

    def _heed(self) -> None:
        """Stop on the first signal; the second one finds its usual meaning."""
        loop = asyncio.get_running_loop()

        def stop(number: signal.Signals) -> None:
            _LOG.info("stopping", signal=number.name)
            for one in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(one)
            self._stop.set()

        for one in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(one, stop, one)
        if self._part.leash is not None:
            loop.add_reader(self._part.leash, self._orphaned)

    def _orphaned(self) -> None:
        if self._part.leash is not None:
            asyncio.get_running_loop().remove_reader(self._part.leash)
        _LOG.error("stopping: the process that started us is gone")
        self._stop.set()

    async def _unless_stopped(self, work: "asyncio.Task[State]") -> State | None:
        """The outcome of ``work``, or None if we are to stop before it is there."""
        stopped = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
        if work.done():
            return work.result()
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            state = await work
            await state.store.close()
        return None
