"""GoogleEndpointDevice: a computer that Google vouches for, through Chrome's device trust connector."""

from datetime import datetime
from typing import Annotated

import msgspec

from keystead.base import rand
from keystead.kinds.call import Call
from keystead.kinds.kind import READ, Kind, Table
from keystead.kinds.marks import HIDDEN, Column, Uuid
from keystead.kinds.state import State
from keystead.people.devices import device
from keystead.people.devices.device import LATER, Name, Owner, administered, leaving


class GoogleEndpointDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A computer.

    :param pk: drawn by us, whatever a request says.
    :param host_identifier: what Google calls it.
    """

    pk: Annotated[Uuid, Column("id")] = msgspec.field(default_factory=rand.uuid4)
    name: Name
    user: Annotated[Owner, HIDDEN]
    confirmed: Annotated[bool, HIDDEN] = False
    created: Annotated[datetime, HIDDEN]
    last_updated: Annotated[datetime, HIDDEN]
    last_used: Annotated[datetime | None, HIDDEN] = None
    host_identifier: Annotated[str, HIDDEN] = ""


async def rules(
    call: Call, state: State, old: GoogleEndpointDevice | None, new: GoogleEndpointDevice
) -> GoogleEndpointDevice:
    """As for every device; and a key stays what it is."""
    kept = new if old is None else msgspec.structs.replace(new, pk=old.pk)
    return await device.rules(call, state, old, kept)


GOOGLE_ENDPOINT_DEVICE = Kind(
    model="authentik_stages_authenticator_endpoint_gdtc.endpointdevice",
    struct=GoogleEndpointDevice,
    path="authenticators/endpoint",
    title=("Endpoint Device", "Endpoint Devices"),
    key_name="uuid",
    table=Table("devices_endpoint", owner="user_id"),
    verbs=READ,
    rules=rules,
    leaving=leaving,
    filters=("name",),
    stored_only=LATER,
)
ADMINISTERED = administered(GOOGLE_ENDPOINT_DEVICE)
