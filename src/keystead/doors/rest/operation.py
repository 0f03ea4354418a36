"""``Operation``: an endpoint of the API that belongs to no kind, declared once for its route and its documentation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from keystead.base.errors import denied
from keystead.doors.http.message import Request, Response
from keystead.doors.http.routes import MAX_BODY, Routes
from keystead.doors.http.site import Site
from keystead.doors.rest.routes import ROOT, Run, endpoint
from keystead.kinds.access import holds, signed_in
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter

PAGING: Final = (
    Filter("ordering", str, note="A member to order by; a leading `-` turns the order round."),
    Filter("page", int, note="Number of the page, from 1."),
    Filter("page_size", int, note="Objects a page; larger sizes than the server allows are cut to its limit."),
    Filter("search", str, note="Text to look for."),
)
"""The parameters that every paginated list takes."""


class Pagination(msgspec.Struct):
    """Where in a list a page stands; see :func:`keystead.kinds.listing.pagination`."""

    next: float
    previous: float
    count: float
    current: float
    total_pages: float
    start_index: float
    end_index: float


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    :param path: below ``/api/v3/``, with ``{name}`` for parameters, as in ``admin/version/``.
    :param run: answers; its docstring is the operation's description.
    :param operation: the whole operation id.
    :param request: the struct of the body.
    :param response: the struct (or type) of the answer; None for an empty one.
    :param query: the query parameters it reads.
    :param permission: the full name of the permission it wants, on all objects; empty where ``run`` decides itself.
    :param anonymous: whether it also answers callers who are nobody.
    :param media: the media types of the answer.
    :param params: path parameter -> its type, where it is not ``str``.
    :param takes: the media type of the body.
    :param max_body: bytes the body may have.
    :param also: further statuses it answers with, and when.
    """

    method: str
    path: str
    run: Run
    operation: str
    request: Any = None
    response: Any = None
    status: int = 200
    query: tuple[Filter, ...] = ()
    anonymous: bool = False
    permission: str = ""
    media: tuple[str, ...] = ("application/json",)
    params: tuple[tuple[str, Any], ...] = ()
    takes: str = "application/json"
    max_body: int = MAX_BODY
    also: tuple[tuple[int, str], ...] = ()


def add_operations(routes: Routes, operations: Sequence[Operation]) -> None:
    """Answer on every path of ``operations``."""
    for one in operations:
        run = one.run if one.anonymous else _checked(one)
        routes.add(one.method, ROOT + one.path, replace(endpoint(run), max_body=one.max_body))


def _checked(operation: Operation) -> Run:
    """What answers those who are somebody and hold the operation's permission: others are refused before."""

    async def checked(request: Request, call: Call, site: Site, params: dict[str, str]) -> Response:
        signed_in(call)
        if operation.permission and not holds(call, operation.permission):
            raise denied()
        return await operation.run(request, call, site, params)

    return checked
