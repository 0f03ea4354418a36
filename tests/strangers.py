"""Servers of others, as far as tests need them: real sockets, real TLS, and an authority of their own."""

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, TypeAlias

import h11
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from keystead.base.outbound import Outbound

Spoken: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
LOCAL = ipaddress.ip_network("127.0.0.0/8")
_BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
_END = _BEGIN + timedelta(days=36_500)


async def _nowhere(_host: str, _port: int) -> list[str]:
    return []


UNREACHABLE = Outbound(resolve=_nowhere)
"""For houses that ask nobody, whatever network the tests run in."""


class Authority:
    """Certifies servers, and is known to whoever is told of it only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "An authority of the tests")])
        self._certificate = self._certified(self._name, self._key.public_key(), ca=True)

    def _certified(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, *names: x509.GeneralName, ca: bool = False
    ) -> x509.Certificate:
        made = x509.CertificateBuilder(
            self._name, subject, key, x509.random_serial_number(), _BEGIN, _END
        ).add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        if names:
            made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
        own = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        made = made.add_extension(own, critical=False)
        made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        return made.sign(self._key, hashes.SHA256())

    def issued(self, *names: str) -> Path:
        """A file with a certificate for these names and addresses, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._certified(x509.Name([]), key.public_key(), *map(_general, names))
        pem = certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file = self._folder / f"{certificate.serial_number}.pem"
        file.write_bytes(pem)
        return file

    def serving(self, *names: str) -> ssl.SSLContext:
        """What a server speaks TLS with, that is certified for these names and addresses."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.issued(*names))
        return context

    @property
    def pem(self) -> str:
        """The certificate that its own come from."""
        return self._certificate.public_bytes(serialization.Encoding.PEM).decode()

    def trusting(self) -> ssl.SSLContext:
        """What a client verifies such servers with, and no others."""
        return ssl.create_default_context(cadata=self.pem)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@asynccontextmanager
async def listening(spoken: Spoken, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on this machine that speaks as ``spoken`` does; its port."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await spoken(reader, writer)
        except OSError:
            pass  # who asked has left
        finally:
            writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0, ssl=tls)
    async with server:
        port: int = server.sockets[0].getsockname()[1]
        yield port


class Asked(NamedTuple):
    """A request as it arrived.

    :param path: with the query.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


Answers: TypeAlias = Callable[[Asked], tuple[int, Mapping[str, str], bytes]]


def answering(answers: Answers) -> Spoken:
    """HTTP/1.1 with what ``answers`` says to each request: status, headers, body."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER)
        request: h11.Request | None = None
        body = b""
        while not isinstance(event := connection.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                connection.receive_data(await reader.read(65536))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += event.data
            else:
                return
        assert request is not None
        headers = {name.decode(): value.decode() for name, value in request.headers}
        status, told, said = answers(Asked(request.method.decode(), request.target.decode(), headers, body))
        head = [*told.items(), ("content-length", str(len(said))), ("connection", "close")]
        for one in (h11.Response(status_code=status, headers=head), h11.Data(said), h11.EndOfMessage()):
            writer.write(connection.send(one) or b"")
        await writer.drain()

    return speak
