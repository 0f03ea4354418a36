"""Metrics over HTTP: ``/metrics`` on a listener of its own, open; ``/-/metrics/`` beside everything else, for few.

Names that dashboards and alerts of this field know are views of our own numbers (the Prometheus part of the contract's
list of clients). Rooms count for themselves; here stand the numbers that belong to no room, and those names.
"""

import asyncio
import ipaddress
import os
import resource
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from keystead.base import log, metrics
from keystead.base.clock import micros
from keystead.base.errors import Kind, Problem, denied
from keystead.base.metrics import CONTENT_TYPE, METRICS, Counter, Dump, Histogram, View
from keystead.doors.http.message import Request, Response
from keystead.doors.http.routes import Endpoint, ErrorPage, Routes
from keystead.doors.http.server import Receive, Scope, Send
from keystead.doors.http.site import Site
from keystead.kinds.access import holds, signed_in
from keystead.kinds.call import Call
from keystead.kinds.permissions import SYSTEM_INFO
from keystead.kinds.state import EVENTS
from keystead.store import Statement, StoreDown

_LOG = log.get("http.metrics")
PATHS: Final = ("/metrics", "/metrics/")
PATH: Final = "/-/metrics/"
PERMISSION: Final = SYSTEM_INFO
_FORWARDED: Final = (b"x-forwarded-for", b"forwarded", b"x-real-ip", b"via")
_SESSIONS: Final = Statement("session.live", "SELECT count(*) FROM sessions WHERE expires > $1")
_FRESH: Final = 10.0
"""Seconds for which a count of sessions is told again."""
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")

REQUESTS: Final = metrics.histogram(
    "keystead_http_request_duration_seconds", "Requests and how long they took.", "group", "method", "status"
)
_LIVE: Final = metrics.gauge("authentik_active_sessions", "Sessions of people who are signed in.", own=True)
_MEMORY: Final = metrics.gauge("process_resident_memory_bytes", "Memory in use.")
_CPU: Final = metrics.counter("process_cpu_seconds_total", "CPU time used, by user and system together.")
_FILES: Final = metrics.gauge("process_open_fds", "Open files and connections.")
_BEGAN: Final = metrics.gauge("process_start_time_seconds", "When this process began, since 1970.", own=True)


def _of_events(name: str, text: str, action: str) -> None:
    METRICS.view(View(Counter(name, text), EVENTS, lambda labels: () if labels == (action,) else None))


_of_events("authentik_logins_total", "Logins.", "login")
_of_events("authentik_failed_logins_total", "Failed logins.", "login_failed")
METRICS.view(
    View(
        Counter("django_http_responses_total_by_status_total", "Responses by status.", ("status",)),
        REQUESTS,
        lambda labels: (labels[2],),
    )
)
METRICS.view(
    View(
        Histogram(
            "django_http_requests_latency_seconds_by_view_method", "Requests by what answers.", ("view", "method")
        ),
        REQUESTS,
        lambda labels: labels[:2],
    )
)
METRICS.view(
    View(
        Histogram("authentik_main_request_duration_seconds", "Requests.", ("dest",)),
        REQUESTS,
        lambda _labels: ("core",),
    )
)


@dataclass(slots=True)
class Exposition:
    """What a scrape gets.

    :param others: the numbers of the other processes that serve with us.
    """

    site: Site
    others: Callable[[], Iterable[Dump]] = tuple
    _counted: float = field(default=float("-inf"))

    async def text(self) -> str:
        """All metrics, as they are now."""
        await self._count_sessions()
        measure_process()
        return METRICS.text(self.others())

    async def _count_sessions(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._counted < _FRESH:
            return
        self._counted = now
        state = self.site.state
        try:
            rows = await state.store.fetch(_SESSIONS, micros(state.clock.now()), heavy=True)
        except (StoreDown, Problem) as exc:
            _LIVE.cells.clear()  # unknown is not zero
            _LOG.warning("sessions could not be counted", reason=str(exc))
        else:
            _LIVE.set(int(str(rows[0][0])))


def measure_process() -> None:
    """Set the numbers of this process: memory, CPU time, open files."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _CPU.reach(round(used.ru_utime + used.ru_stime, 3))
    try:
        with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123 - read at every scrape
            _MEMORY.set(int(statm.read().split()[1]) * _PAGE)
        _FILES.set(len(os.listdir("/proc/self/fd")) - 1)  # noqa: PTH208 - as above
    except OSError:  # not Linux
        _MEMORY.set(used.ru_maxrss)


def began(seconds: float) -> None:
    """Say when this process began, in seconds since 1970."""
    _BEGAN.set(round(seconds, 3))


class Listener:
    """The application of the metrics listener: the one page, for whoever reaches it."""

    def __init__(self, exposition: Exposition) -> None:
        self._exposition = exposition

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3, ``http`` only)."""
        del receive
        if scope["type"] != "http":
            return
        status, text, kind = 404, "The metrics are at /metrics.\n", b"text/plain; charset=utf-8"
        if scope["path"] in PATHS:
            if scope["method"] in {"GET", "HEAD"}:
                status, text, kind = 200, await self._exposition.text(), CONTENT_TYPE
            else:
                status, text = 405, ""
        body = text.encode()
        headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _near(request: Request) -> bool:
    """Whether the peer sits on this machine and speaks for itself.

    A proxy on this machine that we were not told to trust looks near too, and speaks for anybody: it gives itself away
    by the headers that proxies add.
    """
    if any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.peer).is_loopback
    except ValueError:
        return False


async def page(request: Request, call: Call, site: Site, _params: dict[str, str]) -> Response:
    """The metrics, for peers on this machine and for those who may view system information.

    :raises Problem: ``UNAUTHENTICATED`` or ``DENIED`` for anybody else.
    """
    if not _near(request):
        signed_in(call)
        if not holds(call, PERMISSION):
            raise denied()
    exposition = site.extras.setdefault("metrics", Exposition(site))
    if not isinstance(exposition, Exposition):
        raise Problem(Kind.INTERNAL)
    text = await exposition.text()
    return Response(200, text.encode(), CONTENT_TYPE, [(b"cache-control", b"no-store")])


def add(routes: Routes, errors: ErrorPage) -> None:
    """Answer on ``/-/metrics/``; ``errors`` says what went wrong, as the API does."""
    routes.add("GET", PATH, Endpoint(page, errors))
