"""StaticDevice: codes on paper, each of which counts once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, cast

import msgspec

from keystead.kinds.call import Call
from keystead.kinds.kind import Kind, Table
from keystead.kinds.ledger import MASK
from keystead.kinds.marks import HIDDEN, READ_ONLY, Column
from keystead.kinds.state import State
from keystead.people.devices.device import LATER, OWN, DeviceShown, Name, Owner, administered, leaving, rules, users_of
from keystead.store import Statement

_CODES: Final = Statement(
    "static_codes.count", "SELECT device_id, count(*) FROM static_codes WHERE device_id = ANY($1::bigint[]) GROUP BY 1"
)


class StaticDevice(msgspec.Struct, frozen=True, kw_only=True):
    """Codes on paper. What is kept of them are digests, in a table of their own."""

    pk: Annotated[int, READ_ONLY, Column("id")]
    name: Name
    user: Owner
    confirmed: Annotated[bool, HIDDEN] = False
    created: Annotated[datetime, HIDDEN]
    last_updated: Annotated[datetime, HIDDEN]
    last_used: Annotated[datetime | None, HIDDEN] = None


class StaticDeviceToken(msgspec.Struct):
    """A code that is left.

    :param token: a mask: the code itself was shown once, when it was made.
    """

    token: Annotated[str, msgspec.Meta(max_length=100)]


class StaticDeviceShown(DeviceShown):
    """The computed members of a static device."""

    token_set: list[StaticDeviceToken]


async def view(
    _call: Call, state: State, devices: Sequence[StaticDevice], _query: Mapping[str, Sequence[str]]
) -> list[StaticDeviceShown]:
    """Whose each device is, and how many codes it has left."""
    keys = [one.pk for one in devices]
    left = {cast("int", row[0]): cast("int", row[1]) for row in await state.store.fetch(_CODES, keys)} if keys else {}
    return [
        StaticDeviceShown(user, [StaticDeviceToken(MASK)] * left.get(one.pk, 0))
        for one, user in zip(devices, await users_of(state, devices), strict=True)
    ]


STATIC_DEVICE = Kind(
    model="authentik_stages_authenticator_static.staticdevice",
    struct=StaticDevice,
    path="authenticators/static",
    title=("Static Device", "Static Devices"),
    key_name="id",
    table=Table("devices_static", owner="user_id"),
    verbs=OWN,
    shown=StaticDeviceShown,
    view=view,
    rules=rules,
    leaving=leaving,
    filters=("name",),
    stored_only=LATER,
)
ADMINISTERED = administered(STATIC_DEVICE)
