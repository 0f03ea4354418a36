"""Outgoing HTTP: the one way in which Keystead asks others over HTTP, to addresses that people may have typed in.

Whoever can choose an address must not reach through us what only we can reach. So the name is resolved first, every
address is judged, and the connection goes to an address that passed, whatever the name says a moment later. Nothing is
followed, unpacked or kept: one request, one answer, within a size and a time. No proxy settings are read from the
environment: a proxy would resolve the name anew.
"""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias
from urllib.parse import urlsplit

import msgspec

from keystead.base import log
from keystead.base.addresses import Network, parse_listen

if TYPE_CHECKING:
    import h11

_LOG: Final = log.get("base.outbound")
LIMIT: Final = 256 * 1024
"""Bytes of an answer's body, unless the caller says otherwise."""
WITHIN: Final = 5.0
"""Seconds from the look-up of the name to the answer's last byte."""
HEAD: Final = 16 * 1024
"""Bytes of an answer's header fields, names and values."""
HEADERS: Final = 100
"""Header fields of an answer."""
UNREACHED: Final = "The address could not be reached, or may not be."

Address: TypeAlias = IPv4Address | IPv6Address
Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]

_PORTS: Final = {"http": 80, "https": 443}
_PRIVILEGED: Final = 1024
_SPOKEN_FOR: Final = frozenset(
    # Fetch standard §2.9 "Port blocking", above 1023
    {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080}
    # databases and caches, which take lines of text for commands
    | {1433, 1521, 2379, 2380, 3306, 5432, 6379, 6380, 9042, 11211, 27017}
)
_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+")
_METHOD: Final = re.compile(r"[A-Z]+", re.ASCII)
_UNICAST: Final = IPv6Network("2000::/3")  # RFC 4291 §2.4 and the registry of IANA
# What the registries of special addresses say and older Pythons have not heard.
_SPECIAL: Final = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"), IPv6Network("3fff::/20"))
_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052 §2.1
_OURS: Final = frozenset({"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "expect"})
_CHUNK: Final = 64 * 1024
_CONNECT: Final = 2.0
"""Seconds for one of several addresses, before the next one is tried."""


class Answer(msgspec.Struct, frozen=True):
    """What was answered.

    :param headers: by lower-case names; of repeated ones the last.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class Unreached(Exception):  # noqa: N818 - what happened, and mostly no fault of the program
    """There is no answer. The text is the same whatever the cause, so that nobody scans networks through us.

    :param reason: the cause, for logs and for those who look after the service.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(UNREACHED)
        self.reason = reason


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
    bracketed = ":" in parts.hostname
    try:
        # The strict reader: of all ways to write an IPv4 address it takes the usual one only.
        host = parse_listen(f"[{parts.hostname}]:0" if bracketed else f"{parts.hostname.removesuffix('.')}:0").host
    except ValueError as exc:
        raise Unreached(str(exc)) from None
    if "%" in host or re.fullmatch(r"0x[0-9a-f]*", host.rpartition(".")[2]):
        raise Unreached("the host is neither a name nor an address as addresses are usually written")
    port = _PORTS[parts.scheme] if port is None else port
    if (port < _PRIVILEGED and port not in _PORTS.values()) or port in _SPOKEN_FOR:
        raise Unreached(f"port {port} is not one at which HTTP is spoken")
    return Target(parts.scheme, host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


def public(address: Address) -> bool:
    """Whether ``address`` is one of the Internet's, open to everybody (RFC 6890 and what has been added since)."""
    if any(address in network for network in _SPECIAL):
        return False
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast and not address.is_reserved
    if address in _NAT64:
        return public(IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _UNICAST and address.is_global and address.sixtofour is None and address.teredo is None


def plainest(address: Address) -> Address:
    """``address``, or the IPv4 address that an IPv6 one stands for (RFC 4291 §2.5.5.2)."""
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


async def _resolve(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=1)  # SOCK_STREAM
    return [str(sockaddr[0]) for *_, sockaddr in found]


class Outbound:
    """Asks others.

    :param allowed: networks that may be asked although they are not the Internet's.
    :param tls: how servers are verified; by default against the system's authorities.
    :param resolve: the addresses of a name.
    """

    def __init__(
        self, allowed: Sequence[Network] = (), *, tls: ssl.SSLContext | None = None, resolve: Resolve = _resolve
    ) -> None:
        self._allowed = tuple(allowed)
        self._tls = tls
        self._resolve = resolve

    def may_reach(self, address: Address) -> bool:
        """Whether connections may go to ``address``."""
        address = plainest(address)
        return public(address) or any(address in network for network in self._allowed)

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
        verify: bool = True,
    ) -> Answer:
        """Send one request and read its answer, whatever its status: a redirect too is an answer, and not followed.

        :param url: percent-encoded already.
        :param plain: ``http`` will do, too.
        :param limit: bytes of the answer's body.
        :param within: seconds for everything.
        :param verify: whether the server proves who it is; otherwise anybody on the way may be it, and read all.
        :raises Unreached: there is no answer, or none of the kind that was asked for.
        :raises ValueError: a mistake of the caller in method or headers.
        """
        head = {name.lower(): value for name, value in (headers or {}).items()}
        if not _METHOD.fullmatch(method) or head.keys() & _OURS:
            raise ValueError("the method is none, or a header is among those that are set here")
        try:
            to = target(url, plain=plain)
            async with asyncio.timeout(within):
                return await self._exchange(to, method, head, body, limit=limit, verify=verify)
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
        self, to: Target, method: str, headers: Mapping[str, str], body: bytes, *, limit: int, verify: bool
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
        reader, writer = await self._connect(to, verify=verify)
        try:
            writer.write(sent)
            try:
                return await _read(connection, reader, limit)
            except h11.RemoteProtocolError as exc:
                raise Unreached(f"the answer is not HTTP: {exc}") from exc
        finally:
            writer.transport.abort()

    async def _connect(self, to: Target, *, verify: bool) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to an address that may be reached: the very address that was judged."""
        found = dict.fromkeys(ip_address(one) for one in await self._resolve(to.host, to.port))
        good = [address for address in found if self.may_reach(address)]
        if not good:
            raise Unreached(
                f"{to.host} is at {', '.join(map(str, found)) or 'no address'}, where none may be reached; "
                "KEYSTEAD_OUTBOUND__ALLOWED_CIDRS names networks beside the Internet that may"
            )
        tls = (self._verifying() if verify else _trusting()) if to.scheme == "https" else None
        name = to.host if tls else None
        for address in good[:-1]:
            try:
                async with asyncio.timeout(_CONNECT):
                    return await asyncio.open_connection(str(address), to.port, ssl=tls, server_hostname=name)
            except OSError:  # a timeout, too
                continue
        return await asyncio.open_connection(str(good[-1]), to.port, ssl=tls, server_hostname=name)

    def _verifying(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
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
