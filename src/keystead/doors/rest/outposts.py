"""``outposts/``: what belongs to no kind of its own."""

from typing import Final

import msgspec

from keystead.doors.rest.operation import Operation
from keystead.kinds.marks import Uuid
from keystead.kinds.pending import Pending


class ServiceConnectionState(msgspec.Struct):
    """How the place where outposts are deployed is.

    :param version: of what runs there.
    """

    healthy: bool
    version: str


OPERATIONS: Final = (
    Operation(
        "GET",
        "outposts/service_connections/all/{uuid}/state/",
        Pending("No service connection is tried yet, so nothing is known of its state."),
        "outposts_service_connections_all_state_retrieve",
        response=ServiceConnectionState,
        params=(("uuid", Uuid),),
    ),
)
