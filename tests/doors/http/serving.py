"""A served application and raw connections to it, for tests of what happens below HTTP clients."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

from keystead.base.addresses import ListenAddress
from keystead.base.clock import SystemClock
from keystead.doors.http.runtime import Service, bind, port_of
from keystead.doors.http.server import App, Receive, Scope, Send
from tests.patience import PATIENCE

Answer = Callable[[Scope, bytes], Awaitable[tuple[int, bytes]]]


def application(answer: Answer) -> App:
    """An ASGI application that reads the whole body and says what ``answer`` makes of it."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message["body"]
            if not message["more_body"]:
                break
        status, text = await answer(scope, body)
        headers = [(b"content-length", b"%d" % len(text))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": text})

    return run


async def echo(scope: Scope, body: bytes) -> tuple[int, bytes]:
    """Method, path and body, as they came."""
    return 200, f"{scope['method']} {scope['path']} ".encode() + body


@contextlib.asynccontextmanager
async def serving(app: App, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[Service, int]]:
    """``app``, served on a port of 127.0.0.1."""
    sockets = bind([ListenAddress("127.0.0.1", 0)], "listen.http")
    service = Service(SystemClock())
    await service.listen(app, sockets, tls)
    try:
        yield service, port_of(sockets[0])
    finally:
        await service.stop(0.1)


class Peer:
    """A connection that is spoken to in bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def to(cls, port: int) -> "Peer":
        """Connect."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def say(self, data: bytes) -> None:
        """Send ``data`` at once."""
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """One whole answer: status, fields, body."""
        async with asyncio.timeout(PATIENCE):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.rstrip().split("\r\n")
            fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            body = await self.reader.readexactly(int(fields.get("content-length", "0")))
        return int(first.split()[1]), fields, body

    async def rest(self) -> bytes:
        """Everything until the other side hangs up."""
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionResetError):
                return await self.reader.read()
        return b""

    async def close(self) -> None:
        """Hang up."""
        self.writer.close()
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            await self.writer.wait_closed()


@contextlib.asynccontextmanager
async def peer(port: int) -> AsyncIterator[Peer]:
    """A connection, closed in the end."""
    one = await Peer.to(port)
    try:
        yield one
    finally:
        await one.close()
