"""A client for the HTTP lane within the test's own process: ASGI called directly, no socket in between.

It is no HTTP implementation: what it sends reaches the application byte for byte, so a test can also send what no well
behaved client would.
"""

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias
from urllib.parse import unquote, urlencode, urlsplit

import msgspec

from keystead.doors.http.server import Receive, Scope, Send

Pairs: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]
JSON: bytes = b"application/json"
FORM: bytes = b"application/x-www-form-urlencoded"


class Asgi(Protocol):
    """Anything that answers HTTP by ASGI 3."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        ...


@dataclass(frozen=True, slots=True)
class Answered:
    """A response.

    :param headers: name (lower case) and value of each field, in order.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON of any shape; a test looks into it
        """The body as JSON; a test fails where it is none."""
        return msgspec.json.decode(self.body)

    def header(self, name: str) -> str:
        """The first field of this name, or empty."""
        return next((value for key, value in self.headers if key == name.lower()), "")

    def all(self, name: str) -> list[str]:
        """Every field of this name."""
        return [value for key, value in self.headers if key == name.lower()]


@dataclass(slots=True)
class Client:
    """Sends requests to an application and keeps its cookies, as a browser would.

    :param token: a bearer token that goes with every request, unless a request names another (``token=""``: none).
    :param peer: the TCP peer's address.
    :param headers: fields that go with every request.
    """

    app: Asgi
    token: str = ""
    host: str = "localhost:9000"
    scheme: str = "http"
    peer: str = "127.0.0.1"
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)

    def with_token(self, token: str) -> "Client":
        """The same client with another token and no cookies."""
        return Client(self.app, token, self.host, self.scheme, self.peer, dict(self.headers))

    async def get(self, url: str, **more: Any) -> Answered:  # noqa: ANN401 - handed on to request
        """See :meth:`request`."""
        return await self.request("GET", url, **more)

    async def post(self, url: str, json: object = ..., **more: Any) -> Answered:  # noqa: ANN401 - as above
        """See :meth:`request`."""
        return await self.request("POST", url, json=json, **more)

    async def put(self, url: str, json: object = ..., **more: Any) -> Answered:  # noqa: ANN401 - as above
        """See :meth:`request`."""
        return await self.request("PUT", url, json=json, **more)

    async def patch(self, url: str, json: object = ..., **more: Any) -> Answered:  # noqa: ANN401 - as above
        """See :meth:`request`."""
        return await self.request("PATCH", url, json=json, **more)

    async def delete(self, url: str, **more: Any) -> Answered:  # noqa: ANN401 - as above
        """See :meth:`request`."""
        return await self.request("DELETE", url, **more)

    async def request(  # noqa: PLR0913 - a request has that many parts, each named
        self,
        method: str,
        url: str,
        *,
        json: object = ...,
        form: Pairs | None = None,
        body: bytes | Sequence[bytes] | None = None,
        query: Pairs | None = None,
        headers: Mapping[str, str] | None = None,
        raw_headers: Sequence[tuple[bytes, bytes]] = (),
        token: str | None = None,
    ) -> Answered:
        """Send one request.

        :param url: path and query; a whole URL also sets scheme and host for this request.
        :param json: sent as JSON (also None, as ``null``).
        :param form: sent as a form.
        :param body: sent as it is, in as many messages as there are parts; its content type is ``headers``' business.
        :param query: added to the URL's query.
        :param headers: further fields, or others than this client's own; an empty value leaves a field out.
        :param raw_headers: further fields as bytes, repeated ones too.
        :param token: a bearer token for this request only.
        """
        parts = urlsplit(url)
        content = b""
        sent = {"host": parts.netloc or self.host, **self.headers}
        if json is not ...:
            content, sent["content-type"] = msgspec.json.encode(json), JSON.decode()
        elif form is not None:
            content, sent["content-type"] = urlencode(list(_pairs(form))).encode(), FORM.decode()
        chunks = [content] if body is None else [body] if isinstance(body, bytes) else list(body)
        if any(chunks):
            sent["content-length"] = str(sum(map(len, chunks)))
        if bearer := self.token if token is None else token:
            sent["authorization"] = f"Bearer {bearer}"
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent.update({name.lower(): value for name, value in (headers or {}).items()})
        query_string = "&".join(part for part in (parts.query, urlencode(list(_pairs(query or {})))) if part)
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "scheme": parts.scheme or self.scheme,
            "path": unquote(parts.path),
            "raw_path": parts.path.encode(),
            "query_string": query_string.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent.items() if value]
            + list(raw_headers),
            "client": (self.peer, 50000) if self.peer else None,
            "server": ("127.0.0.1", 9000),
        }
        answered = await call(self.app, scope, chunks)
        self._keep(answered)
        return answered

    def _keep(self, answered: Answered) -> None:
        for line in answered.all("set-cookie"):
            pair, *attributes = line.split(";")
            name, _, value = pair.strip().partition("=")
            gone = not value or any(attribute.strip().lower() == "max-age=0" for attribute in attributes)
            if gone:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value


async def call(app: Asgi, scope: Scope, chunks: Sequence[bytes] = (b"",)) -> Answered:
    """Send one request whose scope the test made itself."""
    waiting = list(chunks) or [b""]
    status = 0
    headers: list[tuple[str, str]] = []
    body: list[bytes] = []

    async def receive() -> MutableMapping[str, Any]:
        if not waiting:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            headers.extend(
                (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in message["headers"]
            )
        elif message["type"] == "http.response.body":
            body.append(message.get("body", b""))

    await app(scope, receive, send)
    return Answered(status, tuple(headers), b"".join(body))


def _pairs(given: Pairs) -> Iterable[tuple[str, str]]:
    return given.items() if isinstance(given, Mapping) else given
