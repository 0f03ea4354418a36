"""HTTP to the byte, for requests that no well-behaved client sends."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.journeys.server import Node
from tests.patience import PATIENCE


@dataclass(frozen=True, slots=True)
class Told:
    """What came back before the server hung up; status 0 if nothing did."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON of any shape
        """The body as JSON; a test fails where it is none."""
        return json.loads(self.body)


def request(
    method: str,
    target: str,
    *headers: tuple[str, str],
    body: bytes = b"",
    host: str | None = "localhost",
) -> bytes:
    """A request of which only the end is given: it asks the server to hang up."""
    lines: Sequence[tuple[str, str]] = (
        *((("Host", host),) if host is not None else ()),
        ("Connection", "close"),
        *headers,
        *((("Content-Length", str(len(body))),) if body else ()),
    )
    head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines)
    return head.encode("latin-1") + b"\r\n" + body


async def send(node: Node, data: bytes) -> Told:
    """Send bytes as they are, and read the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", node.program.http)
    try:
        writer.write(data)
        async with asyncio.timeout(PATIENCE):
            answer = await reader.read()
    finally:
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    if not first:
        return Told(0, {}, b"")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Told(int(first.split(" ")[1]), headers, body)
