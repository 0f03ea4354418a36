"""Errors in the words of the API (rest.md §5): 400 by member, 403 and 404 with ``detail``, never 401."""

from typing import Final

import msgspec

from keystead.base.errors import Kind, Problem
from keystead.doors.http.message import Request, Response
from keystead.doors.http.site import Site

STATUS: Final = {
    Kind.INVALID: 400,
    Kind.UNAUTHENTICATED: 403,
    Kind.DENIED: 403,
    Kind.NOT_FOUND: 404,
    Kind.METHOD: 405,
    Kind.CONFLICT: 409,
    Kind.TOO_LARGE: 413,
    Kind.MEDIA: 415,
    Kind.NOT_BUILT: 501,
    Kind.BUSY: 503,
    Kind.INTERNAL: 500,
}
_CODE: Final = {
    Kind.UNAUTHENTICATED: "not_authenticated",
    Kind.DENIED: "permission_denied",
    Kind.INVALID: "invalid",
}


def answer(_request: Request, _site: Site, exc: BaseException) -> Response:
    """``exc`` as the API says it."""
    problem = exc if isinstance(exc, Problem) else Problem(Kind.INTERNAL)
    body: dict[str, object]
    if problem.kind is Kind.INVALID:
        body = dict(problem.fields) if problem.fields else {"non_field_errors": [problem.detail or "Invalid input."]}
        body.setdefault("code", "invalid")
    else:
        body = {"detail": problem.detail, "code": _CODE.get(problem.kind, problem.kind.value)}
    response = Response(STATUS[problem.kind], msgspec.json.encode(body), headers=[(b"cache-control", b"no-store")])
    if problem.retry_after:
        response.header(b"retry-after", str(problem.retry_after).encode())
    return response
