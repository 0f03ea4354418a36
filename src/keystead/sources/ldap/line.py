"""One connection to a server of a directory: whole messages go out and come in, within bounds of time and size."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from typing import Final, Self

import msgspec

from keystead.base.reach import Reach, Unreached
from keystead.sources.ldap.failure import DirectoryError
from keystead.sources.ldap.servers import Server
from keystead.wire import ber, ldap_ber
from keystead.wire.ber import BerError
from keystead.wire.ldap import Message

_CHUNK: Final = 64 * 1024
_LARGE: Final = 256 * 1024
"""Octets of a message that takes so long to read that a thread does it."""
_OTHER_NAME: Final = frozenset({62, 64})
"""OpenSSL's numbers for a certificate of another name or address."""


class Limits(msgspec.Struct, frozen=True):
    """What a directory may take.

    :param step: seconds for connecting, for TLS, and for a bind.
    :param search: seconds for each page of a search.
    :param message: octets of one message, which holds one object.
    :param total: octets of everything on one connection.
    """

    step: float = 5.0
    search: float = 15.0
    message: int = 16 * 1024 * 1024
    total: int = 256 * 1024 * 1024


LIMITS: Final = Limits()


class Line:
    """A connection; :meth:`open` makes one."""

    def __init__(
        self, server: Server, limits: Limits, transport: asyncio.Transport, reader: asyncio.StreamReader
    ) -> None:
        self.server = server
        self.limits = limits
        self._transport = transport
        self._reader = reader
        self._buffer = bytearray()
        self._left = limits.total

    @classmethod
    async def open(cls, reach: Reach, server: Server, limits: Limits = LIMITS) -> Self:
        """Connect, in the clear.

        :raises DirectoryError: nobody is there, or may be asked.
        """
        loop = asyncio.get_running_loop()

        async def opened(address: str) -> tuple[asyncio.Transport, asyncio.StreamReader]:
            reader = asyncio.StreamReader(_CHUNK)
            transport, _ = await loop.create_connection(
                lambda: asyncio.StreamReaderProtocol(reader), address, server.port
            )
            return transport, reader

        async with step(server, "connecting", limits.step):
            return cls(server, limits, *await reach.connect(server.host, server.port, opened))

    async def secure(self, context: ssl.SSLContext) -> None:
        """Speak TLS from here on.

        What came before it was not the server's, as far as anybody can tell: it is refused, or never read.

        :raises DirectoryError: the server does not, or is not who it should be.
        """
        if self._buffer:
            raise self._broken("says more than it was asked before TLS begins")
        reader = asyncio.StreamReader(_CHUNK)
        protocol = asyncio.StreamReaderProtocol(reader)
        async with step(self.server, "beginning TLS", self.limits.step):
            # The name is told to the server as well (RFC 6066 §3): the library verifies no name that it does not tell.
            made = await asyncio.get_running_loop().start_tls(
                self._transport, protocol, context, server_hostname=self.server.host
            )
            if made is None:
                raise ConnectionResetError
            self._transport = made
            protocol.connection_made(self._transport)
            self._reader = reader

    def send(self, message: Message) -> None:
        """Send a message; all of ours are short."""
        self._transport.write(ldap_ber.encode(message))

    async def receive(self) -> Message:
        """The next message.

        :raises DirectoryError: the server hangs up, or says too much.
        :raises BerError: it says something else than LDAP.
        """
        while (size := ber.whole(self._buffer)) is None or len(self._buffer) < size:
            if self._buffer and self._buffer[0] != ber.SEQUENCE:
                raise BerError("No message begins like this.")
            if size is not None and size > self.limits.message:
                raise self._broken(f"sends a message of {size} octets; {self.limits.message} are read at most")
            data = await self._reader.read(_CHUNK)
            if not data:
                raise self._broken("hangs up")
            self._left -= len(data)
            if self._left < 0:
                raise self._broken(f"sends more than the {self.limits.total} octets that are read at most")
            self._buffer += data
        raw = bytes(self._buffer[:size])
        del self._buffer[:size]
        return await asyncio.to_thread(ldap_ber.decode, raw) if size > _LARGE else ldap_ber.decode(raw)

    def _broken(self, what: str) -> DirectoryError:
        return DirectoryError(f"{self.server} {what}.", on_the_way=True)

    def close(self) -> None:
        """Hang up."""
        self._transport.abort()


@contextlib.asynccontextmanager
async def step(server: Server, doing: str, seconds: float) -> AsyncIterator[None]:
    """What is done in the body has so many seconds, and what goes wrong in it is told in our words.

    :raises DirectoryError: in place of what networks and codecs raise.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except (Unreached, BerError, OSError) as exc:  # the errors of TLS and of names are of the last sort, too
        untrusted = isinstance(exc, ssl.SSLCertVerificationError) and exc.verify_code not in _OTHER_NAME
        member = "peer_certificate" if untrusted else "server_uri"
        raise DirectoryError(f"{server}: {_why(exc, doing, seconds)}.", member, on_the_way=True) from None


def _why(exc: Unreached | BerError | OSError, doing: str, seconds: float) -> str:
    match exc:
        case Unreached():
            why = exc.reason
        case BerError():
            why = f"what it says is not LDAP: {exc}".rstrip(".")
        case TimeoutError():
            why = f"{doing} took longer than {seconds:g} seconds"
        case ssl.SSLCertVerificationError():
            why = f"its certificate is not accepted: {exc.verify_message}".rstrip(".")
        case ssl.SSLError():
            why = f"it does not speak TLS as it should: {exc.reason or exc}"
        case socket.gaierror():
            why = f"the name has no address ({exc.strerror})"
        case ConnectionRefusedError():
            why = "nothing listens there, the connection is refused"
        case ConnectionError():
            why = f"it broke the connection off while {doing}"
        case _:
            why = f"{doing} failed: {exc.strerror or exc}"
    return why
