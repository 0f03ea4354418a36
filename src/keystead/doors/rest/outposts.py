"""``outposts/``: what belongs to no kind of its own."""

from typing import Final

import msgspec

from keystead.base.errors import not_found
from keystead.doors.http.message import Request, Response
from keystead.doors.http.site import Site
from keystead.doors.rest.operation import Operation
from keystead.kinds import grants
from keystead.kinds.access import require
from keystead.kinds.call import Call
from keystead.kinds.marks import Uuid
from keystead.kinds.pending import Pending


class ServiceConnectionState(msgspec.Struct):
    """How the place where outposts are deployed is.

    :param version: of what runs there.
    """

    healthy: bool
    version: str


_LATER: Final = Pending("No service connection is tried yet, so nothing is known of its state.")


async def state(_request: Request, call: Call, site: Site, params: dict[str, str]) -> Response:
    """How the place where outposts are deployed is."""
    found = call.settings.find("service_connections", params["uuid"])
    if found is None:
        raise not_found()
    kind, obj = found
    require(await grants.on(call, site.state.store, kind, [obj]), kind, "view", obj)
    return await _LATER()


OPERATIONS: Final = (
    Operation(
        "GET",
        "outposts/service_connections/all/{uuid}/state/",
        state,
        "outposts_service_connections_all_state_retrieve",
        response=ServiceConnectionState,
        params=(("uuid", Uuid),),
    ),
)
