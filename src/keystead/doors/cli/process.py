"""One running process: opens the installation, serves and works until it is told to stop, and ends in reverse order.

While it starts, requests wait; when that takes longer, they are told so, and health says: alive, not ready. It stops on
SIGTERM or SIGINT: it takes no more requests, finishes those it has, closes the store, and ends with code 0. A second
signal ends it at once.
"""

import asyncio
import contextlib
import resource
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Final

import msgspec
import uvloop

from keystead.base import log, memory
from keystead.base.clock import SystemClock
from keystead.base.config import Config
from keystead.doors.cli.board import Board
from keystead.doors.cli.house import House
from keystead.doors.cli.sockets import Sockets
from keystead.doors.http import health, metrics
from keystead.doors.http.cookies import Jar
from keystead.doors.http.front import Front
from keystead.doors.http.routes import Routes
from keystead.doors.http.runtime import Service
from keystead.doors.http.server import Application
from keystead.doors.http.site import Site
from keystead.doors.http.tls import Certificates
from keystead.doors.rest import errors
from keystead.doors.worker import blueprints, outbox, timetable
from keystead.doors.worker.opening import begin
from keystead.kinds import listing
from keystead.kinds.state import State
from keystead.notify import mail, webhook
from keystead.store import StoreDown

_LOG = log.get("cli.process")
PATIENCE: Final = 60.0
"""Seconds that a PostgreSQL server which does not answer yet is waited for."""
_AGAIN: Final = 1.0
_EARLY: Final = 2.0
"""Seconds that requests wait for the start to be over before they are told that it is not."""
_SHARED: Final = 1.0
"""Seconds between two writings on the board."""
_SETTLED: Final = 2.0
"""Seconds after the start when lists are prepared."""
_FILES: Final = 65_536
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

Announce = Callable[[State], Awaitable[None]]


class Part(msgspec.Struct, frozen=True):
    """What a process does.

    :param serves: pages and protocols, and not only health and metrics.
    :param works: background work.
    :param announce: told once, when it is ready.
    :param board: where processes that serve together leave their numbers.
    :param leash: a pipe that ends when the parent does, and then so do we.
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
    _allow_files()
    memory.keep_freed()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_live(house, config, sockets, part))


async def _live(house: House, config: Config, sockets: Sockets, part: Part) -> int:
    stop = asyncio.Event()
    _heed(stop, part.leash)
    clock = SystemClock()
    metrics.began(clock.now().timestamp())
    for warning in config.warnings:
        _LOG.warning("about the settings", reason=warning)
    start = contextlib.ExitStack()
    start.enter_context(memory.building())
    front = Front(_root_path(config))
    service = Service(clock)
    try:
        opening = asyncio.create_task(_opened(house, config, clock))
        early = await _unfinished(opening, stop)
        if early:
            await service.listen(front, sockets.http)
        state = await _unless(stop, opening)
        if state is None:
            return 0
        try:
            site = _site(config, state)
            await _open_doors(house, config, sockets, part, site, front, service)
            if not early:
                await service.listen(front, sockets.http)
            start.close()
            async with _background(house, config, state, part) as tasks:
                site.ready = True
                _LOG.info("ready", settings=state.settings.seq)
                if part.announce is not None:
                    await part.announce(state)
                code = await _until(stop, tasks)
                site.ready = False
                await service.stop()
                return code
        finally:
            await state.store.close()
    finally:
        start.close()
        await service.stop()
        sockets.close()


def _heed(stop: asyncio.Event, leash: int | None) -> None:
    """Stop on a signal, or when the parent is gone."""
    loop = asyncio.get_running_loop()

    def told(number: signal.Signals) -> None:
        if not stop.is_set():
            _LOG.info("stopping", signal=number.name)
        stop.set()
        if leash is None:
            # The next signal finds its usual meaning. Who has a parent hears of Ctrl-C twice, and means it once.
            for one in _SIGNALS:
                loop.remove_signal_handler(one)

    def orphaned(pipe: int) -> None:
        loop.remove_reader(pipe)
        _LOG.error("stopping: the process that started this one is gone")
        stop.set()

    for one in _SIGNALS:
        loop.add_signal_handler(one, told, one)
    if leash is not None:
        loop.add_reader(leash, orphaned, leash)


async def _unfinished(opening: "asyncio.Task[State]", stop: asyncio.Event) -> bool:
    """Whether the start takes longer than a moment."""
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait((opening, stopped), timeout=_EARLY, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    return not opening.done()


async def _unless(stop: asyncio.Event, opening: "asyncio.Task[State]") -> State | None:
    """The installation, or None if we are to stop before it is open."""
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait((opening, stopped), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not opening.done():
        opening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await opening
        return None
    return opening.result()


async def _opened(house: House, config: Config, clock: SystemClock) -> State:
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE
    while True:
        try:
            return await begin(config, house.kinds, clock)
        except StoreDown as exc:
            # A file is there or not; a server may be starting beside us.
            if config.embedded or loop.time() > until:
                raise
            _LOG.warning("waiting for the database", reason=str(exc))
            await asyncio.sleep(_AGAIN)


async def _open_doors(
    house: House, config: Config, sockets: Sockets, part: Part, site: Site, front: Front, service: Service
) -> None:
    exposition = metrics.Exposition(site, part.board.others if part.board else tuple)
    site.extras["metrics"] = exposition
    application = house.build(site) if part.serves else _bare(site)
    health.add(application.routes)
    metrics.add(application.routes, errors.answer)
    front.application = application
    if sockets.https:
        await service.listen(front, sockets.https, Certificates(site.state, config.data).context())
    await service.listen(metrics.Listener(exposition), sockets.metrics)


@contextlib.asynccontextmanager
async def _background(
    house: House, config: Config, state: State, part: Part
) -> "AsyncIterator[set[asyncio.Task[None]]]":
    """What goes on beside the requests; ended at the end."""
    work = [state.follow()]
    if part.works:
        senders: dict[str, outbox.Sender] = {
            mail.TOPIC: partial(mail.deliver, config.email),
            webhook.TOPIC: webhook.deliver,
        }
        work.append(timetable.keep(state, (*house.jobs, outbox.job(senders), blueprints.job(config.blueprints_path))))
    if part.board is not None:
        work.append(_share(part.board))
    tasks = {asyncio.create_task(one) for one in work}
    once = {asyncio.create_task(_prepare_lists(state))} if part.serves else set()
    try:
        yield tasks
    finally:
        for task in tasks | once:
            task.cancel()
        await asyncio.gather(*tasks, *once, return_exceptions=True)


async def _prepare_lists(state: State) -> None:
    """Once the first requests are answered: what lists of large tables would have to look up."""
    await asyncio.sleep(_SETTLED)
    try:
        await listing.prepare(state)
    except StoreDown as exc:
        _LOG.warning("the first lists will look up for themselves what they need", reason=str(exc))


async def _share(board: Board) -> None:
    while True:
        metrics.measure_process()
        board.put()
        await asyncio.sleep(_SHARED)


async def _until(stop: asyncio.Event, tasks: "set[asyncio.Task[None]]") -> int:
    """Wait until we are to stop; 0, or 1 if something in the background ended, which it never should."""
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)
    if stopped.done():
        return 0
    stopped.cancel()
    for task in (one for one in tasks if one.done()):
        _LOG.critical("stopping: work in the background ended", exc_info=task.exception())
    return 1


def _site(config: Config, state: State) -> Site:
    return Site(
        state,
        root_path=_root_path(config),
        base_url=config.web.base_url,
        trusted=config.listen.trusted_proxy_cidrs,
        cookie_domain=config.cookie_domain,
        debug=config.debug,
        extras={"config": config},
    )


def _root_path(config: Config) -> str:
    return config.web.path.rstrip("/")


def _bare(site: Site) -> Application:
    """An application that answers nothing yet."""
    return Application(site, Routes(), Jar.of(site.vault), errors.answer)


def _allow_files() -> None:
    """Take as many open files as the system lets us: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
