"""HTTP/1.1 on a connection: uvicorn's parser, with the deadlines and limits that keep slow and greedy peers out.

A request is complete within a deadline from its first byte on, or its connection ends (slowloris); heads and
connections are limited. No other protocol is spoken: who asks for an upgrade gets the plain answer to their request
(RFC 9110 §7.8).
"""

import asyncio
from typing import Final, cast

from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

HEAD_SECONDS: Final = 10.0
"""From the first byte of a request, or from the beginning of the connection, to the end of the head."""
BODY_SECONDS: Final = 60.0
"""From there to the end of the body."""
KEEP_ALIVE_SECONDS: Final = 75
"""Between requests; proxies wait 60 s, so they close before we do, and no request of theirs meets a closed door."""
LINGER_SECONDS: Final = 1.0
"""For which a peer that was refused may go on talking, to nobody."""
MAX_HEAD: Final = 64 * 1024
"""Bytes of a request's target and header fields."""
MAX_CONNECTIONS: Final = 4096
"""Of one process."""

_BETWEEN, _HEAD, _BODY = range(3)
_HEAD_BEGINS: Final = b"HTTP/1.1 "
_CONTINUE: Final = b"100"
_TOO_LARGE: Final = 431
_TIMEOUT: Final = 408
_BUSY: Final = 503


class Connection(HttpToolsProtocol):
    """One connection."""

    def __init__(self, config: Config, server_state: ServerState, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(config, server_state, {}, loop)
        self._phase = _HEAD
        self._deadline: asyncio.TimerHandle | None = None
        self._timed = _BETWEEN
        # Bytes of the head that is being read, at least and at most: a chunk may hold parts of its neighbours.
        self._least = 0
        self._most = 0
        self._refusal = 400
        self._deaf = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        """Begin; one connection too many is told so."""
        super().connection_made(transport)
        self._joined = _Joined(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            self._refuse(_BUSY)
        else:
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._unwatch()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came in."""
        if self._deaf or self.transport.is_closing():
            return
        if self._phase == _HEAD:
            self._least += len(data)
            self._most += len(data)
        else:
            self._most = len(data)
        super().data_received(data)
        if self._phase == _HEAD and self._least > MAX_HEAD and not self._deaf:
            self._refuse(_TOO_LARGE)
        elif self._phase != self._timed and not self._deaf:
            self._unwatch()
            self._watch()

    def on_message_begin(self) -> None:
        """A request's first byte."""
        super().on_message_begin()
        self._phase = _HEAD
        self._least = 0

    def on_headers_complete(self) -> None:
        """A request's head is read."""
        if self._most > MAX_HEAD:
            size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if size > MAX_HEAD:
                self._refusal = _TOO_LARGE
                raise ValueError("the head is too large")
        self._phase = _BODY
        super().on_headers_complete()
        self.cycle.transport = self._joined if self.cycle.keep_alive else _Leaving(self)

    def on_response_complete(self) -> None:
        """An answer is written."""
        self._joined.flush()
        super().on_response_complete()

    def on_message_complete(self) -> None:
        """A request is read."""
        super().on_message_complete()
        self._phase = _BETWEEN

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; uvicorn calls this for whatever its parser stumbles over, our refusals among it."""
        self.logger.debug(msg)
        cycle = self._cycle
        if cycle is None or cycle.response_complete or (self._phase == _BODY and self._unanswered(cycle)):
            self._refuse(self._refusal)
        else:
            # An earlier request's answer is under way: words of ours would run into it.
            cycle.keep_alive = False
            self._deaf = True

    def _unsupported_upgrade_warning(self) -> None:
        # What follows this head is in no protocol we speak: answer, then close.
        self._deaf = True
        self.cycle.keep_alive = False

    def timeout_keep_alive_handler(self) -> None:
        """End a connection on which nothing was asked for long; a peer that reads nothing does not keep its answer."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def _watch(self) -> None:
        self._timed = self._phase
        if self._phase != _BETWEEN:
            seconds = HEAD_SECONDS if self._phase == _HEAD else BODY_SECONDS
            self._deadline = self.loop.call_later(seconds, self._late)

    def _unwatch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        cycle = self._cycle
        if cycle is None or cycle.response_complete or self._unanswered(cycle):
            self._refuse(_TIMEOUT)
        else:
            self.transport.abort()

    def _unanswered(self, cycle: RequestResponseCycle) -> bool:
        """Whether nothing was said to the newest request yet, nor is being said to one before it."""
        return not self.pipeline and not cycle.response_started

    @property
    def _cycle(self) -> RequestResponseCycle | None:
        """The newest request and its answer; uvicorn's type does not tell of the time before the first one."""
        return cast("RequestResponseCycle | None", self.cycle)

    def _refuse(self, status: int) -> None:
        """Say ``status`` and hang up."""
        self._deaf = True
        self._unwatch()
        transport = self.transport
        if transport.is_closing():
            return
        if (cycle := self._cycle) is not None:
            # Whoever works on the request that is refused may go on, but what they say goes nowhere.
            cycle.disconnected = True
            cycle.waiting_for_100_continue = False
            cycle.message_event.set()
        retry = b"retry-after: 1\r\n" if status == _BUSY else b""
        transport.write(STATUS_LINE[status] + retry + b"connection: close\r\ncontent-length: 0\r\n\r\n")
        self._hang_up(at_once=status == _BUSY)

    def answered(self) -> None:
        """Hang up after an answer, which may have been given before the whole request was read."""
        self._hang_up(at_once=self._phase == _BETWEEN)

    def _hang_up(self, *, at_once: bool) -> None:
        transport = self.transport
        if at_once or transport.is_closing() or not transport.can_write_eof():
            transport.close()
            return
        # Hanging up on a peer that still talks would take our words back before it has read them (TCP reset).
        self._deaf = True
        self._unwatch()
        transport.write_eof()
        self._deadline = self.loop.call_later(LINGER_SECONDS, transport.close)


class _Leaving(asyncio.Transport):
    """What an answer is written to that is its connection's last."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write."""
        self._connection.transport.write(data)

    def is_closing(self) -> bool:
        """Whether nothing can be written any more."""
        return self._connection.transport.is_closing()

    def close(self) -> None:
        """Hang up."""
        self._connection.answered()


class _Joined(asyncio.Transport):
    """What an answer is written to: its head waits for the body's first piece, so that most answers are one packet."""

    __slots__ = ("_head", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport
        self._head = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write, or keep the head of an answer for the next call."""
        if self._head:
            data, self._head = self._head + data, b""
        elif bytes(data[:9]) == _HEAD_BEGINS and bytes(data[9:12]) != _CONTINUE:
            self._head = bytes(data)
            return
        self._transport.write(data)

    def flush(self) -> None:
        """Write a head that no body follows."""
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)

    def is_closing(self) -> bool:
        """Whether nothing can be written any more."""
        return self._transport.is_closing()

    def close(self) -> None:
        """Hang up, once everything is said."""
        self.flush()
        self._transport.close()
