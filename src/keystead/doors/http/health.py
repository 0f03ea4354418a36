"""Health: ``/-/health/live/`` (the process runs), ``/-/health/ready/`` (it can serve: started, and the store answers).

Both tell in ``X-Response-Time`` how many milliseconds they took, as a whole number that is at least 1.
"""

import asyncio
from time import perf_counter
from typing import Final

from keystead.base import log
from keystead.base.errors import Kind, Problem
from keystead.doors.http.message import Request, Response
from keystead.doors.http.routes import Endpoint, Routes
from keystead.doors.http.site import Site
from keystead.kinds.call import Call
from keystead.store import StoreDown

_LOG = log.get("http.health")
LIVE: Final = "/-/health/live/"
READY: Final = "/-/health/ready/"
PATIENCE: Final = 3.0
"""Seconds that the store has to answer; probes do not wait longer either."""
_PLAIN: Final = b"text/plain; charset=utf-8"


def answer(status: int, text: str, began: float) -> Response:
    """A health page; ``began`` is what ``perf_counter`` said when it was asked for."""
    took = max(1, round((perf_counter() - began) * 1000))
    headers = [(b"x-response-time", b"%d" % took), (b"cache-control", b"no-store")]
    return Response(status, f"{text}\n".encode(), _PLAIN, headers)


async def live(_request: Request, _call: Call, _site: Site, _params: dict[str, str]) -> Response:
    """The process runs, or it could not say so."""
    return answer(200, "alive", perf_counter())


async def ready(_request: Request, _call: Call, site: Site, _params: dict[str, str]) -> Response:
    """Whether requests would be served now: 200 or 503."""
    began = perf_counter()
    if not site.ready:
        return answer(503, "starting or stopping", began)
    try:
        async with asyncio.timeout(PATIENCE):
            await site.state.store.head()
    except (StoreDown, Problem, TimeoutError) as exc:
        _LOG.warning("not ready: the store does not answer", reason=str(exc) or type(exc).__name__)
        return answer(503, "the database does not answer", began)
    return answer(200, "ready", began)


def _failed(_request: Request, _site: Site, exc: BaseException) -> Response:
    if isinstance(exc, Problem) and exc.kind is Kind.METHOD:
        return answer(405, exc.detail, perf_counter()).header(b"allow", b"GET, HEAD")
    return answer(500, "a fault of ours; see the log", perf_counter())


def add(routes: Routes) -> None:
    """Answer on both paths."""
    for path, run in ((LIVE, live), (READY, ready)):
        routes.add("GET", path, Endpoint(run, _failed, identify=False))
