"""Requests and responses, as small as they can be: the request parses only what is asked of it."""

import ipaddress
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from keystead.base.errors import Kind, Problem
from keystead.base.lazy import lazy
from keystead.kinds.call import Origin
from keystead.people.session import AuthenticatedSession
from keystead.wire import form

Header: TypeAlias = tuple[bytes, bytes]
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_HOST: Final = re.compile(r"([a-z0-9][a-z0-9._-]{0,252}|\[[0-9a-f:.]{2,45}\])(:[0-9]{1,5})?", re.ASCII)
_PORT_MAX: Final = 65535
JSON: Final = b"application/json"
HTML: Final = b"text/html; charset=utf-8"
TEXT: Final = b"text/plain; charset=utf-8"
MAX_COOKIES: Final = 100
MAX_HOPS: Final = 32
"""How many addresses of a chain of proxies are looked at."""
_BODILESS: Final = frozenset({204, 304})


class Request:
    """One HTTP request.

    :param body: the whole body, within the path's limit.
    :param at: the instant it arrived.
    :param id: its name in answers, events and logs: 32 hexadecimal digits.
    :param root_path: the path prefix under which we are mounted, without a slash at the end.
    :param session: the session that its cookie opens, in a tuple, once somebody has looked for it.
    """

    def __init__(
        self,
        scope: dict[str, Any],
        body: bytes,
        *,
        at: datetime,
        request_id: str,
        trusted: Sequence[Network] = (),
        root_path: str = "",
        base_url: str = "",
    ) -> None:
        self.scope = scope
        self.body = body
        self.at = at
        self.id = request_id
        self.method: str = scope["method"]
        self.path: str = below(scope["path"], root_path)
        self.root_path = root_path
        self.session: tuple[AuthenticatedSession | None] | None = None
        self._trusted = trusted
        self._base_url = base_url.rstrip("/")

    @lazy
    def headers(self) -> dict[bytes, bytes]:
        """Header fields by lower-case name; of a repeated field the last."""
        return dict(self.scope["headers"])

    def header(self, name: bytes) -> str:
        """A header field as text, or empty; of a repeated field the last."""
        return self.headers.get(name, b"").decode("latin-1")

    def every(self, name: bytes) -> list[str]:
        """A header field as often as it came."""
        return [value.decode("latin-1") for key, value in self.scope["headers"] if key == name]

    def _listed(self, name: bytes) -> list[str]:
        """The parts of a field that is a list, however many lines it came in (RFC 9110 §5.3)."""
        return [part.strip() for part in ",".join(self.every(name)).split(",") if part.strip()]

    @lazy
    def query(self) -> form.Form:
        """The query's parameters.

        :raises Problem: ``INVALID`` for broken escapes or UTF-8.
        """
        return _parsed(self.scope["query_string"], "query string")

    @lazy
    def form(self) -> form.Form:
        """The body as a submitted form.

        :raises Problem: ``MEDIA`` for another content type, ``INVALID`` for a broken form.
        """
        if self.content_type not in {"application/x-www-form-urlencoded", ""}:
            raise Problem(Kind.MEDIA, "Send the parameters as application/x-www-form-urlencoded.")
        return _parsed(self.body, "form")

    @lazy
    def content_type(self) -> str:
        """The body's media type, without parameters, in lower case."""
        return self.header(b"content-type").partition(";")[0].strip().lower()

    @lazy
    def cookies(self) -> dict[str, str]:
        """Cookies by name; of a repeated name the first, which is the one with the longest path (RFC 6265 §5.4)."""
        found: dict[str, str] = {}
        for name, value in self.scope["headers"]:
            if name == b"cookie":
                for pair in value.decode("latin-1").split(";")[:MAX_COOKIES]:
                    key, _, text = pair.strip().partition("=")
                    found.setdefault(key, text)
        return found

    @lazy
    def _from_proxy(self) -> bool:
        """Whether the peer is a proxy whose forwarding headers count."""
        return self._trusts(address_of(self._client))

    @lazy
    def _client(self) -> str:
        """The TCP peer's address; one on a link without the name of our interface to it."""
        client = self.scope.get("client")
        text = str(client[0]).partition("%")[0] if client else ""
        return _normal(text)

    def _trusts(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._trusted)

    @lazy
    def peer(self) -> str:
        """The client's IP address: the nearest one in X-Forwarded-For that is no trusted proxy, else the TCP peer.

        What is no address ends the search: nobody vouches for what stands before it.
        """
        nearest = self._client
        if self._from_proxy:
            for hop in reversed(self._listed(b"x-forwarded-for")[-MAX_HOPS:]):
                address = address_of(hop)
                if address is None:
                    break
                nearest = str(address)
                if not self._trusts(address):
                    break
        return nearest

    @lazy
    def secure(self) -> bool:
        """Whether the client speaks TLS to us or to our proxy; of several claims the nearest proxy's counts."""
        if self._from_proxy and (schemes := self._listed(b"x-forwarded-proto")):
            return schemes[-1].lower() == "https"
        return bool(self.scope.get("scheme") == "https")

    @lazy
    def host(self) -> str:
        """The host (and port) the client asked for, in lower case and without a dot at the end.

        Of several that proxies tell, the nearest proxy's counts: a client can write the others itself.

        :raises Problem: ``INVALID`` when there is none, several, or one that is no host name.
        """
        hosts = self.every(b"host")
        text = hosts[0] if len(hosts) == 1 else ""
        if self._from_proxy and (forwarded := self._listed(b"x-forwarded-host")):
            text = forwarded[-1]
        found = _HOST.fullmatch(text.lower())
        name, port = found.groups(default="") if found else ("", "")
        name = name.removesuffix(".")
        if not name or name.endswith(".") or int(port[1:] or "0") > _PORT_MAX:
            raise Problem(Kind.INVALID, "The request needs exactly one valid Host header.")
        return name + port

    @lazy
    def root(self) -> str:
        """Scheme, host and path prefix under which the client reaches us, without a slash at the end."""
        if self._base_url:
            return self._base_url
        return f"{'https' if self.secure else 'http'}://{self.host}{self.root_path}"

    @lazy
    def origin(self) -> Origin:
        """What an event tells of this request."""
        return Origin(
            method=self.method,
            path=self.path,
            root=self.root,
            host=self.host,
            query=dict(iter(self.query)),
            user_agent=self.header(b"user-agent"),
            secure=self.secure,
        )


def below(path: str, root: str) -> str:
    """``path`` without the prefix under which we are mounted; other paths stay as they are."""
    if root and (path == root or path.startswith(root + "/")):
        return path[len(root) :] or "/"
    return path


@lru_cache(maxsize=4096)
def address_of(text: str) -> Address | None:
    """The IP address that ``text`` is, an IPv4 address in IPv6 clothes as itself (RFC 4291 §2.5.5.2); else None.

    One with a zone is none: a zone means something on the machine that wrote it only.
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return None if address.scope_id else address.ipv4_mapped or address
    return address


@lru_cache(maxsize=4096)
def _normal(text: str) -> str:
    """``text`` as addresses are told, where it is one."""
    found = address_of(text)
    return str(found) if found else text


def _parsed(data: bytes, what: str) -> form.Form:
    try:
        return form.parse(data)
    except form.FormError as exc:
        raise Problem(Kind.INVALID, f"The {what} cannot be read: {exc}") from None


class Response:
    """One HTTP response.

    :param headers: further fields; content type and length are set from the other parameters.
    :param stream: the body in parts, for one that is too large to hold; each is made when the client has taken the
        one before.
    :param length: bytes of ``stream`` in all.
    """

    __slots__ = ("body", "headers", "status", "stream")

    def __init__(
        self,
        status: int = 200,
        body: bytes = b"",
        content_type: bytes = JSON,
        headers: Iterable[Header] = (),
        *,
        stream: AsyncIterator[bytes] | None = None,
        length: int = 0,
    ) -> None:
        self.status = status
        self.body = body
        self.stream = stream
        size = length if stream else len(body)
        # RFC 9110 §8.6: no length where there can be no body.
        self.headers: list[Header] = [] if status in _BODILESS else [(b"content-length", b"%d" % size)]
        self.headers.extend(headers)
        if body or content_type is not JSON:
            self.headers.append((b"content-type", content_type))

    def header(self, name: bytes, value: bytes) -> "Response":
        """Add a header field; gives the response back."""
        self.headers.append((name, value))
        return self


def redirect(to: str, status: int = 302) -> Response:
    """A redirect; ``to`` may hold characters that a header may not, so they are escaped."""
    target = quote(to, safe="%/:=&?~#+!$,;'@()*[]-._")
    return Response(status, b"", headers=[(b"location", target.encode("ascii")), (b"cache-control", b"no-store")])
