"""Outgoing HTTP: the one way in which Keystead asks others over HTTP, to addresses that people may have typed in.

Whoever can choose an address must not reach through us what only we can reach. So the name is resolved first, every
address is judged, and the connection goes to an address that passed, whatever the name says a moment later. Nothing is
followed, unpacked or kept: one request, one answer, within a size and a time. No proxy settings are read from the
environment: a proxy would resolve the name anew.
"""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from keystead.base import log
from keystead.base.addresses import Network
from keystead.base.reach import UNREACHED, Reach, Resolve, Unreached, check_port, host_of, public, resolved

if TYPE_CHECKING:
    import h11

__all__ = [
    "HEAD",
    "HEADERS",
    "LIMIT",
    "UNREACHED",
    "WITHIN",
    "Answer",
    "Outbound",
    "Target",
    "Unreached",
    "public",
    "target",
]

_LOG: Final = log.get("base.outbound")
LIMIT: Final = 256 * 1024
"""Bytes of an answer's body, unless the caller says otherwise."""
WITHIN: Final = 5.0
"""Seconds from the look-up of the name to the answer's last byte."""
HEAD: Final = 16 * 1024
"""Bytes of an answer's header fields, names and values."""
HEADERS: Final = 100
"""Header fields of an answer."""

_PORTS: Final = {"http": 80, "https": 443}
_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+")
_METHOD: Final = re.compile(r"[A-Z]+", re.ASCII)
OURS: Final = frozenset({"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "expect"})
"""Header fields, in lower case, that no caller sets."""
_CHUNK: Final = 64 * 1024


class Answer(msgspec.Struct, frozen=True):
    """What was answered.

    :param headers: by lower-case names; of repeated ones the last.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class Target(NamedTuple):
    """A URL taken apart and judged as far as its text goes.

    :param host: a name or an address, in lower case, without brackets.
    :param path: with the query.
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The ``Host`` header (RFC 9110 §7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def target(url: str, *, plain: bool = False) -> Target:
    """``url`` taken apart.

    :param plain: ``http`` will do, too.
    :raises Unreached: it is none that we would ask, wherever it leads.
    """
    if not _PRINTABLE.fullmatch(url) or "\\" in url:
        raise Unreached("the URL has characters that stand in no URL (write names in the xn-- form, others as %XX)")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Unreached("the URL is malformed") from None
    if parts.scheme not in (_PORTS if plain else ("https",)):
        raise Unreached(f"the URL does not begin with {'http:// or ' if plain else ''}https://")
    if "@" in parts.netloc or not parts.hostname:
        raise Unreached("the URL names no host, or carries a user name")
    host = host_of(parts.hostname)
    port = _PORTS[parts.scheme] if port is None else port
    check_port(port, _PORTS.values(), "HTTP")
    return Target(parts.scheme, host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


class Outbound(Reach):
    """Asks others over HTTP.

    :param allowed: networks that may be asked although they are not the Internet's.
    :param tls: how servers are verified; by default against the system's authorities.
    :param resolve: the addresses of a name.
    """

    def __init__(
        self, allowed: Sequence[Network] = (), *, tls: ssl.SSLContext | None = None, resolve: Resolve = resolved
    ) -> None:
        super().__init__(allowed, resolve)
        self._tls = tls

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        plain: bool = False,
        limit: int = LIMIT,
        within: float = WITHIN,
        tls: ssl.SSLContext | None = None,
    ) -> Answer:
        """Send one request and read its answer, whatever its status: a redirect too is an answer, and not followed.

        :param url: percent-encoded already.
        :param plain: ``http`` will do, too.
        :param limit: bytes of the answer's body.
        :param within: seconds for everything.
        :param tls: how the server proves who it is, in the place of the usual way (:func:`unverified`: it does not).
        :raises Unreached: there is no answer, or none of the kind that was asked for.
        :raises ValueError: a mistake of the caller in method or headers.
        """
        head = {name.lower(): value for name, value in (headers or {}).items()}
        if not _METHOD.fullmatch(method) or head.keys() & OURS:
            raise ValueError("the method is none, or a header is among those that are set here")
        try:
            to = target(url, plain=plain)
            async with asyncio.timeout(within):
                return await self._exchange(to, method, head, body, limit=limit, tls=tls)
        except TimeoutError:
            failure = Unreached(f"it took longer than {within:g} seconds")
        except OSError as exc:  # with the errors of TLS and of names that do not resolve
            failure = Unreached(str(exc))
        except Unreached as exc:
            failure = exc
        # Of the URL nothing but the reason is logged: paths, too, hold what opens doors.
        _LOG.info("an outgoing request has no answer", reason=failure.reason)
        raise failure

    async def _exchange(
        self,
        to: Target,
        method: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        limit: int,
        tls: ssl.SSLContext | None,
    ) -> Answer:
        import h11  # noqa: PLC0415 - most processes never ask anybody

        connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD)
        fields = {"host": to.authority, "user-agent": "Keystead", "accept": "*/*", **headers}
        fields |= {"accept-encoding": "identity", "connection": "close"}
        if body or method in {"POST", "PUT", "PATCH"}:
            fields["content-length"] = str(len(body))
        try:
            request = h11.Request(method=method, target=to.path, headers=list(fields.items()))
        except h11.LocalProtocolError as exc:
            raise ValueError(str(exc)) from exc
        sent = connection.send(request) or b""
        sent += connection.send(h11.Data(body)) or b"" if body else b""
        sent += connection.send(h11.EndOfMessage()) or b""
        reader, writer = await self._connect(to, (tls or self._verifying()) if to.scheme == "https" else None)
        try:
            writer.write(sent)
            try:
                return await _read(connection, reader, limit)
            except h11.RemoteProtocolError as exc:
                raise Unreached(f"the answer is not HTTP: {exc}") from exc
        finally:
            writer.transport.abort()

    async def _connect(
        self, to: Target, tls: ssl.SSLContext | None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        name = to.host if tls else None

        def opened(address: str) -> Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
            return asyncio.open_connection(address, to.port, ssl=tls, server_hostname=name)

        return await self.connect(to.host, to.port, opened)

    def _verifying(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls


def unverified() -> ssl.SSLContext:
    """For servers that do not prove who they are: anybody on the way may be them, and read all."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # without the authorities, which take long to read
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _read(connection: "h11.Connection", reader: asyncio.StreamReader, limit: int) -> Answer:
    import h11  # noqa: PLC0415 - as above

    answer: h11.Response | None = None
    body = bytearray()
    # What frames the body counts as well, or chunks of one byte with long names would be for free.
    left = 2 * limit + 4 * HEAD
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            data = await reader.read(_CHUNK)
            left -= len(data)
            if left < 0:
                raise Unreached("the answer is longer than expected")
            connection.receive_data(data)
        elif isinstance(event, h11.InformationalResponse):
            _check_head(event)
        elif isinstance(event, h11.Response):
            answer = event
            _check_head(answer)
            if dict(answer.headers).get(b"content-encoding", b"identity") != b"identity":
                raise Unreached("the answer is packed, which was not asked for")
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > limit:
                raise Unreached(f"the answer is longer than {limit} bytes")
        elif answer is None:
            raise Unreached("the answer has no beginning")
        else:
            headers = {name.decode("ascii"): value.decode("latin-1") for name, value in answer.headers}
            return Answer(answer.status_code, headers, bytes(body))


def _check_head(answer: "h11.Response | h11.InformationalResponse") -> None:
    # The library limits what it waits for, not what arrives at once.
    if len(answer.headers) > HEADERS or sum(len(name) + len(value) for name, value in answer.headers) > HEAD:
        raise Unreached("the answer has more header fields than expected")
