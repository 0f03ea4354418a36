"""Listeners: sockets bound by us, served in one event loop, ended so that whoever has an answer coming gets it.

Sockets are made apart from serving, so that a taken port is known before anything else is done, and so that several
processes can share them.
"""

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import Any, Final

import uvicorn
from uvicorn.server import ServerState

from keystead.base import log
from keystead.base.addresses import ListenAddress
from keystead.base.clock import Clock
from keystead.doors.http.protocol import KEEP_ALIVE_SECONDS, Connection
from keystead.doors.http.server import App

_LOG = log.get("http.runtime")
BACKLOG: Final = 2048
GRACE: Final = 20.0
"""Seconds that answers under way get when we stop."""
_HANDSHAKE: Final = 10.0
_GOODBYE: Final = 2.0
_REASONS: Final = {
    errno.EADDRINUSE: "another process listens there",
    errno.EADDRNOTAVAIL: "this machine has no such address",
    errno.EACCES: "ports below 1024 need a privilege this process does not have",
}
_ABSENT: Final = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT})


class CannotListen(Exception):  # noqa: N818 - a state of affairs the operator resolves
    """An address cannot be bound; the message says which one, why, and what to do."""

    def __init__(self, setting: str, address: ListenAddress, exc: OSError) -> None:
        reason = _REASONS.get(exc.errno or 0) or exc.strerror or str(exc)
        super().__init__(
            f"Cannot listen on {address}: {reason}. Choose another address with the setting {setting} "
            f"(AUTHENTIK_{setting.upper().replace('.', '__')}), or an empty one not to listen there."
        )


def bind(addresses: Sequence[ListenAddress], setting: str) -> list[socket.socket]:
    """Listening sockets on ``addresses``; a name of several addresses gives several.

    :param setting: the setting that named them, for the message.
    :raises CannotListen: none stays bound then.
    """
    bound: list[socket.socket] = []
    for address in addresses:
        try:
            bound.extend(_bound(address))
        except OSError as exc:
            for one in bound:
                one.close()
            raise CannotListen(setting, address, exc) from exc
    return bound


def _bound(address: ListenAddress) -> list[socket.socket]:
    if address.everywhere:
        try:
            return [_socket(socket.AF_INET6, ("::", address.port), both=True)]
        except OSError as exc:
            if exc.errno not in _ABSENT:
                raise
            return [_socket(socket.AF_INET, ("0.0.0.0", address.port))]  # noqa: S104 - what the administrator asked for
    found: list[socket.socket] = []
    missing: OSError | None = None
    port = address.port
    for family, _, _, _, where in socket.getaddrinfo(
        address.host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    ):
        try:
            made = _socket(family, (where[0], port, *where[2:]))
        except OSError as exc:
            # "localhost" names ::1 on machines that do not have it; one of its addresses is enough.
            if exc.errno in _ABSENT:
                missing = exc
                continue
            for one in found:
                one.close()
            raise
        found.append(made)
        port = port or made.getsockname()[1]
    if not found and missing is not None:
        raise missing
    return found


def _socket(family: int, where: tuple[Any, ...], *, both: bool = False, shared: bool = False) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if both else 1)
        made.bind(where)
        # From here on who connects waits for us instead of being refused; and two of us cannot both have the port.
        made.listen(BACKLOG)
    except OSError:
        made.close()
        raise
    return made


def multiplied(bound: Sequence[socket.socket], times: int) -> list[list[socket.socket]]:
    """The addresses of ``bound`` ``times`` over, for as many processes; the kernel spreads connections evenly.

    ``bound`` is closed. That it could be bound proves the addresses were free: sockets that share would not tell.
    """
    made: list[list[socket.socket]] = [[] for _ in range(times)]
    for one in bound:
        family, where = one.family, one.getsockname()
        both = family == socket.AF_INET6 and not one.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
        one.close()
        for sockets in made:
            sockets.append(_socket(family, where, both=both, shared=True))
    return made


def port_of(bound: socket.socket) -> int:
    """The port of a listening socket."""
    port: int = bound.getsockname()[1]
    return port


@dataclass(slots=True)
class Service:
    """What one process serves.

    :param clock: tells the time of the ``Date`` header.
    """

    clock: Clock
    _state: ServerState = field(default_factory=ServerState)
    _servers: list[asyncio.Server] = field(default_factory=list)
    _ticking: asyncio.TimerHandle | None = None

    async def listen(self, app: App, sockets: Sequence[socket.socket], tls: ssl.SSLContext | None = None) -> None:
        """Answer on ``sockets`` with ``app``; with ``tls``, in TLS."""
        config = uvicorn.Config(
            app,
            interface="asgi3",
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
        config.load()
        loop = asyncio.get_running_loop()
        if self._ticking is None:
            quiet_uvicorn()
            self._tick()
        for bound in sockets:
            server = await loop.create_server(
                lambda: Connection(config, self._state, loop),
                sock=bound,
                backlog=BACKLOG,
                ssl=tls,
                ssl_handshake_timeout=_HANDSHAKE if tls else None,
                ssl_shutdown_timeout=_GOODBYE if tls else None,
            )
            self._servers.append(server)

    def _tick(self) -> None:
        """Renew the ``Date`` header every second."""
        date = format_datetime(self.clock.now(), usegmt=True).encode()
        self._state.default_headers = [(b"date", date)]
        self._ticking = asyncio.get_running_loop().call_later(1.0, self._tick)

    async def stop(self, grace: float = GRACE) -> None:
        """Take no more, let answers under way finish for ``grace`` seconds, then end what is left."""
        for server in self._servers:
            server.close()
        for connection in list(self._state.connections):
            connection.shutdown()
        if self._state.tasks:
            _, late = await asyncio.wait(self._state.tasks, timeout=grace)
            if late:
                _LOG.warning("requests were cut short", count=len(late), seconds=grace)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=_GOODBYE)
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None
        await self._drained()

    async def _drained(self) -> None:
        """Wait a moment until the last answers have left; peers that do not read them do not hold us."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _GOODBYE
        while self._state.connections and loop.time() < until:  # noqa: ASYNC110 - uvicorn's set tells nobody it is empty
            await asyncio.sleep(0.02)
        for connection in list(self._state.connections):
            # Every protocol of uvicorn has one; their common type does not say so.
            if isinstance(connection, Connection):
                connection.transport.abort()


class _Bridge(logging.Handler):
    """Tells our log what libraries tell the standard one."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one record on; what peers do wrong is no warning to whoever runs this."""
        told = _LOG.error if record.levelno >= logging.ERROR else _LOG.debug
        told(record.getMessage(), library=record.name, exc_info=record.exc_info)


def quiet_uvicorn() -> None:
    """Send what uvicorn and asyncio log into our log: faults, and for those who look closely warnings."""
    for name in ("uvicorn.error", "asyncio"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.WARNING)
        logger.propagate = False
        logger.handlers = [_Bridge()]
