"""Requests and responses, as small as they can be: the request parses only what is asked of it."""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from keystead.base.errors import Kind, Problem
from keystead.kinds.call import Origin
from keystead.wire import form

Header: TypeAlias = tuple[bytes, bytes]
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
_HOST: Final = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
JSON: Final = b"application/json"
HTML: Final = b"text/html; charset=utf-8"
MAX_COOKIES: Final = 100


class Request:
    """One HTTP request.

    :param body: the whole body, within the path's limit.
    :param at: the instant it arrived.
    :param id: its name in answers, events and logs: 32 hexadecimal digits.
    :param root_path: the path prefix under which we are mounted, without a slash at the end.
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
        self.path: str = scope["path"].removeprefix(root_path) or "/"
        self.root_path = root_path
        self._trusted = trusted
        self._base_url = base_url.rstrip("/")

    @cached_property
    def headers(self) -> dict[bytes, bytes]:
        """Header fields by lower-case name; of a repeated field the last."""
        return dict(self.scope["headers"])

    def header(self, name: bytes) -> str:
        """A header field as text, or empty."""
        return self.headers.get(name, b"").decode("latin-1")

    @cached_property
    def query(self) -> form.Form:
        """The query's parameters.

        :raises Problem: ``INVALID`` for broken escapes or UTF-8.
        """
        return _parsed(self.scope["query_string"], "query string")

    @cached_property
    def form(self) -> form.Form:
        """The body as a submitted form.

        :raises Problem: ``MEDIA`` for another content type, ``INVALID`` for a broken form.
        """
        if self.content_type not in {"application/x-www-form-urlencoded", ""}:
            raise Problem(Kind.MEDIA, "Send the parameters as application/x-www-form-urlencoded.")
        return _parsed(self.body, "form")

    @cached_property
    def content_type(self) -> str:
        """The body's media type, without parameters, in lower case."""
        return self.header(b"content-type").partition(";")[0].strip().lower()

    @cached_property
    def cookies(self) -> dict[str, str]:
        """Cookies by name; of a repeated name the first, which is the one with the longest path (RFC 6265 §5.4)."""
        found: dict[str, str] = {}
        for name, value in self.scope["headers"]:
            if name == b"cookie":
                for pair in value.decode("latin-1").split(";")[:MAX_COOKIES]:
                    key, _, text = pair.strip().partition("=")
                    found.setdefault(key, text)
        return found

    @cached_property
    def _from_proxy(self) -> bool:
        """Whether the peer is a proxy whose forwarding headers count."""
        client = self.scope.get("client")
        if not client:
            return False
        try:
            address = ipaddress.ip_address(client[0])
        except ValueError:
            return False
        return any(address in network for network in self._trusted)

    @cached_property
    def peer(self) -> str:
        """The client's IP address: the nearest one in X-Forwarded-For that is no trusted proxy, else the TCP peer."""
        client = self.scope.get("client")
        direct = str(client[0]) if client else ""
        if not self._from_proxy:
            return direct
        hops = [hop.strip() for hop in self.header(b"x-forwarded-for").split(",")][-32:]
        for hop in reversed(hops):
            try:
                address = ipaddress.ip_address(hop)
            except ValueError:
                return direct
            if not any(address in network for network in self._trusted):
                return str(address)
            direct = str(address)
        return direct

    @cached_property
    def secure(self) -> bool:
        """Whether the client speaks TLS to us or to our proxy."""
        if self._from_proxy and (scheme := self.header(b"x-forwarded-proto")):
            return scheme.split(",")[0].strip().lower() == "https"
        return bool(self.scope.get("scheme") == "https")

    @cached_property
    def host(self) -> str:
        """The host (and port) the client asked for.

        :raises Problem: ``INVALID`` when there is none, several, or one that is no host name.
        """
        hosts = [value for name, value in self.scope["headers"] if name == b"host"]
        text = hosts[0].decode("latin-1") if len(hosts) == 1 else ""
        if self._from_proxy and (forwarded := self.header(b"x-forwarded-host")):
            text = forwarded.split(",")[0].strip()
        if not _HOST.fullmatch(text):
            raise Problem(Kind.INVALID, "The request needs exactly one valid Host header.")
        return text

    @cached_property
    def root(self) -> str:
        """Scheme, host and path prefix under which the client reaches us, without a slash at the end."""
        if self._base_url:
            return self._base_url
        return f"{'https' if self.secure else 'http'}://{self.host}{self.root_path}"

    @cached_property
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


def _parsed(data: bytes, what: str) -> form.Form:
    try:
        return form.parse(data)
    except form.FormError as exc:
        raise Problem(Kind.INVALID, f"The {what} cannot be read: {exc}") from None


class Response:
    """One HTTP response.

    :param headers: further fields; content type and length are set from the other parameters.
    """

    __slots__ = ("body", "headers", "status")

    def __init__(
        self, status: int = 200, body: bytes = b"", content_type: bytes = JSON, headers: Iterable[Header] = ()
    ) -> None:
        self.status = status
        self.body = body
        self.headers: list[Header] = [(b"content-length", b"%d" % len(body)), *headers]
        if body or content_type is not JSON:
            self.headers.append((b"content-type", content_type))

    def header(self, name: bytes, value: bytes) -> "Response":
        """This response with one more header field."""
        self.headers.append((name, value))
        return self


def redirect(to: str, status: int = 302) -> Response:
    """A redirect; ``to`` may hold characters that a header may not, so they are escaped."""
    target = quote(to, safe="%/:=&?~#+!$,;'@()*[]-._")
    return Response(status, b"", headers=[(b"location", target.encode("ascii")), (b"cache-control", b"no-store")])
