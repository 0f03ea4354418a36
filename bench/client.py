"""A small HTTP/1.1 client that costs little: kept connections, no parsing beyond status, length and body."""

import asyncio
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit


@dataclass(slots=True)
class Reply:
    """What came back.

    :param headers: lower-case names; of a repeated field the last.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    cookies: dict[str, str] = field(default_factory=dict)


class Connection:
    """One kept connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        self._reader = reader
        self._writer = writer
        self._host = host

    @classmethod
    async def to(cls, url: str) -> Self:
        """Connect to the server of ``url``."""
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        return cls(reader, writer, parts.netloc)

    async def ask(self, method: str, path: str, body: bytes = b"", headers: str = "") -> Reply:
        """One request; ``headers`` are whole lines, each with its line end."""
        self._writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode()
            + body
        )
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        found: dict[str, str] = {}
        cookies: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(": ")
            if name.lower() == "set-cookie":
                key, _, text = value.partition(";")[0].partition("=")
                cookies[key] = text
            elif name:
                found[name.lower()] = value
        length = int(found.get("content-length", "0"))
        return Reply(
            int(first.split(" ")[1]), found, await self._reader.readexactly(length) if length else b"", cookies
        )

    def close(self) -> None:
        """Let go of the connection."""
        self._writer.close()


FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
JSON = "Content-Type: application/json\r\n"


def cookie_line(cookies: dict[str, str]) -> str:
    """Cookies as a header line."""
    return f"Cookie: {'; '.join(f'{name}={value}' for name, value in cookies.items())}\r\n" if cookies else ""
