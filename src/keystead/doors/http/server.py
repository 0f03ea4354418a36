"""The ASGI application: finds the endpoint, reads the body within its limit, identifies the caller, answers, logs."""

import logging
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from time import perf_counter
from typing import Any, Final

from msgspec.structs import replace

from keystead.base import log, rand
from keystead.base.errors import Kind, Problem
from keystead.doors.http.cookies import Jar
from keystead.doors.http.identity import identify
from keystead.doors.http.message import TEXT, Header, Request, Response, below
from keystead.doors.http.routes import Endpoint, ErrorPage, Found, Routes
from keystead.doors.http.site import Site
from keystead.kinds.call import NOBODY, Call
from keystead.kinds.ledger import told_path
from keystead.people.brand import event_reference
from keystead.people.installation import settings as installation
from keystead.store import StoreDown

_LOG = log.get("http")
_DIGITS: Final = 18
"""A length with more digits is more than anybody has."""
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
_LOOKED_UP: Final = frozenset({"session", "token", "oauth"})
"""Ways to prove oneself after which the settings are as new as the request."""
_COMMON: Final[tuple[Header, ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


class Application:
    """The HTTP lane as one ASGI application."""

    def __init__(self, site: Site, routes: Routes, jar: Jar, fallback: ErrorPage) -> None:
        self.site = site
        self.routes = routes
        self.jar = jar
        self._fallback = fallback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3, ``http`` only)."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await receive()
                await send({"type": "websocket.close", "code": 1000})
            return
        began = perf_counter()
        request_id = rand.hex128()
        response = await self._respond(scope, receive, request_id)
        given = {name for name, _ in response.headers}
        common = (header for header in _COMMON if header[0] not in given)
        headers = [*response.headers, (b"x-authentik-id", request_id.encode()), *common]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        if response.stream is not None and scope["method"] != "HEAD":
            # Whatever ends this early ends the connection: a part of a file must not pass for the whole.
            async for part in response.stream:
                await send({"type": "http.response.body", "body": part, "more_body": True})
        body = b"" if scope["method"] == "HEAD" else response.body
        await send({"type": "http.response.body", "body": body})
        if _LOG.is_enabled_for(logging.DEBUG):
            _LOG.debug(
                "request",
                method=scope["method"],
                path=told_path(scope["path"]),
                status=response.status,
                ms=round((perf_counter() - began) * 1000, 2),
                request_id=request_id,
            )

    async def _respond(self, scope: Scope, receive: Receive, request_id: str) -> Response:
        site = self.site
        path = below(scope["path"], site.root_path)
        found = self.routes.find(path)
        method = scope["method"]
        if found is None and method in {"GET", "HEAD"} and not path.endswith("/"):
            # Clients forget the slash on GET; the query stays (rest.md §12).
            found = self.routes.find(path + "/")
        endpoint = self._endpoint(found, "GET" if method == "HEAD" else method)
        errors = endpoint.errors if endpoint else next(iter(found.methods.values())).errors if found else self._fallback
        request = Request(
            dict(scope),
            b"",
            at=site.state.clock.now(),
            request_id=request_id,
            trusted=site.trusted,
            root_path=site.root_path,
            base_url=site.base_url or installation.current(site.state.settings).base_url,
        )
        try:
            if found is None or "\0" in path:  # which no name or key of anything holds
                raise Problem(Kind.NOT_FOUND, "Not found.")  # noqa: TRY301 - one place says every error
            if endpoint is None:
                raise Problem(Kind.METHOD, f'Method "{method}" not allowed.')  # noqa: TRY301 - as above
            request.body = await _body(scope, receive, endpoint.max_body)
            call = await self._call(request, endpoint)
            return await endpoint.run(request, call, site, found.params)
        except Exception as exc:  # noqa: BLE001 - the last door: nothing passes it unanswered
            return self._failed(request, errors, exc, found.methods if found else ())

    @staticmethod
    def _endpoint(found: Found | None, method: str) -> Endpoint | None:
        return found.methods.get(method) if found else None

    async def _call(self, request: Request, endpoint: Endpoint) -> Call:
        state = self.site.state
        if not endpoint.identify:
            return Call(NOBODY, request.at, state.settings, request.peer, request.id)
        actor = await identify(request, self.site, self.jar, csrf=endpoint.csrf)
        # Whoever looked an actor up has seen how new the settings are.
        known = actor.means in _LOOKED_UP
        settings = await state.refresh() if endpoint.fresh and not known else state.settings
        brand, kept = event_reference(settings, request.host), installation.event_retention(settings)
        origin = replace(request.origin, brand=brand, retention=kept)
        parked = self.jar.parked(request.cookies, secure=request.secure) if actor.session else ()
        return Call(actor, request.at, settings, request.peer, request.id, origin, parked)

    def _failed(self, request: Request, errors: ErrorPage, exc: Exception, methods: Iterable[str]) -> Response:
        if isinstance(exc, StoreDown):
            _LOG.error("the store is down", reason=str(exc), request_id=request.id)
            exc = Problem(Kind.BUSY, "The database does not answer at the moment; try again shortly.", retry_after=5)
        elif not isinstance(exc, Problem):
            _LOG.error("internal error", request_id=request.id, path=told_path(request.path), exc_info=exc)
            exc = Problem(Kind.INTERNAL, "Something went wrong here. Tell the administrator the request id.")
        try:
            response = errors(request, self.site, exc)
        except Exception as worse:  # noqa: BLE001 - a page cannot always be drawn, as for a host that is none
            if not isinstance(worse, Problem):
                _LOG.error("an error could not be shown", request_id=request.id, exc_info=worse)
            invalid = exc.kind is Kind.INVALID
            response = Response(400 if invalid else 500, f"{exc.detail}\n".encode(), TEXT)
        if exc.kind is Kind.METHOD:
            response.header(b"allow", ", ".join(sorted(methods)).encode())  # RFC 9110 §15.5.6
        return response


async def _body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """The request's body.

    :raises Problem: ``TOO_LARGE`` as soon as it is, without reading on.
    """
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if length.isdigit() and (len(length) > _DIGITS or int(length) > limit):
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Problem(Kind.INVALID, "The client went away.")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)


def _too_large(limit: int) -> Problem:
    return Problem(Kind.TOO_LARGE, f"The body is larger than the {limit // 1024} KiB accepted here.")
