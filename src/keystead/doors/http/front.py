"""What stands before the application in a running process: health while it starts, a limit, a measure of requests."""

from time import perf_counter
from typing import Final

from keystead.doors.http import health
from keystead.doors.http.message import Response
from keystead.doors.http.metrics import REQUESTS
from keystead.doors.http.server import App, Receive, Scope, Send

MAX_INSIDE: Final = 1024
"""Requests that one process works on at once; one more is told to come again."""
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_GROUPS: Final = (
    ("/api/v3/flows/executor/", "flow executor"),
    ("/api/", "api"),
    ("/application/o/authorize/", "oauth authorize"),
    ("/application/o/token/", "oauth token"),
    ("/application/o/introspect/", "oauth introspect"),
    ("/application/o/userinfo/", "oauth userinfo"),
    ("/application/o/revoke/", "oauth revoke"),
    ("/application/o/", "oauth other"),
    ("/application/saml/", "saml"),
    ("/application/", "application"),
    ("/if/flow/", "flow page"),
    ("/if/", "page"),
    ("/flows/", "flow page"),
    ("/static/", "static"),
    ("/files/", "static"),
    ("/-/", "operation"),
    ("/outpost.goauthentik.io/", "forward auth"),
    ("/source/", "source"),
    ("/ws/", "websocket"),
)
"""Paths by what answers on them, the first that fits; none of it is taken from what callers send."""


def group_of(path: str) -> str:
    """What kind of thing answers on ``path``."""
    for beginning, group in _GROUPS:
        if path.startswith(beginning):
            return group
    return "other"


class Front:
    """An ASGI application that hands requests to another, as soon as there is one.

    :ivar application: what answers; None while the process starts.
    :param root_path: the path prefix under which we are mounted, without a slash at the end.
    """

    def __init__(self, root_path: str = "") -> None:
        self.application: App | None = None
        self.inside = 0
        self._root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3, ``http`` only)."""
        if scope["type"] != "http":
            return
        began = perf_counter()
        path: str = scope["path"].removeprefix(self._root_path)
        status = 500

        async def measured(message: Scope) -> None:
            nonlocal status
            if "status" in message:
                status = message["status"]
            await send(message)

        self.inside += 1
        try:
            application = self.application
            if application is None:
                await _say(_starting(path, began), scope, measured)
            elif self.inside > MAX_INSIDE and not path.startswith("/-/"):
                await _say(_busy(), scope, measured)
            else:
                await application(scope, receive, measured)
        finally:
            self.inside -= 1
            method = scope["method"]
            REQUESTS.observe(
                perf_counter() - began, group_of(path), method if method in _METHODS else "other", str(status)
            )


def _starting(path: str, began: float) -> Response:
    if path == health.LIVE:
        return health.answer(200, "alive", began)
    if path == health.READY:
        return health.answer(503, "starting", began)
    return Response(503, b"Keystead is starting.\n", b"text/plain; charset=utf-8", [(b"retry-after", b"1")])


def _busy() -> Response:
    return Response(503, b"Too many requests at once.\n", b"text/plain; charset=utf-8", [(b"retry-after", b"1")])


async def _say(response: Response, scope: Scope, send: Send) -> None:
    await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else response.body})
