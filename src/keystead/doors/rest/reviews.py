"""Lists of review rounds that no verb makes: those that are open, and the latest ones of one object."""

from typing import Final

from keystead.doors.http.message import Request, Response
from keystead.doors.http.site import Site
from keystead.doors.rest.operation import PAGING, Operation
from keystead.doors.rest.verbs import json, query_of
from keystead.kinds import asked, listing
from keystead.kinds.access import signed_in
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter
from keystead.people.lifecycle.iteration import (
    LifecycleIteration,
    PaginatedLifecycleIterationList,
    latest,
    opened,
)

_MINE: Final = Filter("user_is_reviewer", bool, note="Only what waits for the caller.")


async def list_open(request: Request, call: Call, site: Site, _params: dict[str, str]) -> Response:
    """A page of the rounds that wait for reviewers, the oldest first."""
    signed_in(call)
    query = query_of(request)
    page = listing.page(query)
    found = await opened(call, site.state, to_review=bool(asked.asked_for(_MINE, query)))
    pages = listing.pagination(page, len(found))
    first = (page.number - 1) * page.size
    return json({"pagination": pages, "results": found[first : first + page.size], "autocomplete": {}})


async def list_latest(request: Request, call: Call, site: Site, params: dict[str, str]) -> Response:
    """The newest round of each rule over one object."""
    signed_in(call)
    mine = bool(asked.asked_for(_MINE, query_of(request)))
    return json(await latest(call, site.state, params["content_type"], params["object_id"], to_review=mine))


OPERATIONS: Final = (
    Operation(
        "GET",
        "lifecycle/iterations/open/",
        list_open,
        "lifecycle_iterations_list_open",
        response=PaginatedLifecycleIterationList,
        query=(_MINE, *PAGING),
    ),
    Operation(
        "GET",
        "lifecycle/iterations/latest/{content_type}/{object_id}/",
        list_latest,
        "lifecycle_iterations_list_latest",
        response=list[LifecycleIteration],
        query=(_MINE, *(item for item in PAGING if item.name in {"ordering", "search"})),
    ),
)
