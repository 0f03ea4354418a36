"""DuoDevice: a person's account at Duo."""

from datetime import datetime
from typing import Annotated

import msgspec

from keystead.kinds.kind import Kind, Table
from keystead.kinds.marks import HIDDEN, READ_ONLY, Column
from keystead.people.devices.device import OWN, DeviceShown, Name, Owner, administered, leaving, rules, view


class DuoDevice(msgspec.Struct, frozen=True, kw_only=True):
    """An account at Duo.

    :param stage: the stage in which it was connected: its keys ask for the account.
    """

    pk: Annotated[int, READ_ONLY, Column("id")]
    name: Name
    user: Owner
    confirmed: Annotated[bool, HIDDEN] = False
    created: Annotated[datetime, HIDDEN]
    last_updated: Annotated[datetime, HIDDEN]
    last_used: Annotated[datetime | None, HIDDEN] = None
    duo_user_id: Annotated[str, HIDDEN] = ""
    stage: Annotated[str, HIDDEN, Column("stage_id")] = ""


DUO_DEVICE = Kind(
    model="authentik_stages_authenticator_duo.duodevice",
    struct=DuoDevice,
    path="authenticators/duo",
    title=("Duo Device", "Duo Devices"),
    key_name="id",
    table=Table("devices_duo", owner="user_id"),
    verbs=OWN,
    shown=DeviceShown,
    view=view,
    rules=rules,
    leaving=leaving,
    filters=("name",),
)
ADMINISTERED = administered(DUO_DEVICE)
