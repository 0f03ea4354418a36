"""TOTPDevice: an application that shows a new code every half minute (RFC 6238)."""

from datetime import datetime
from typing import Annotated

import msgspec

from keystead.kinds.kind import Kind, Table
from keystead.kinds.marks import HIDDEN, READ_ONLY, Column
from keystead.people.devices.device import LATER, OWN, DeviceShown, Name, Owner, administered, leaving, rules, view


class TOTPDevice(msgspec.Struct, frozen=True, kw_only=True):
    """An application that shows codes.

    :param key_sealed: the key it shares with us, sealed.
    :param last_step: the newest half minute whose code was taken: none counts twice (§5.2).
    """

    pk: Annotated[int, READ_ONLY, Column("id")]
    name: Name
    user: Owner
    confirmed: Annotated[bool, HIDDEN] = False
    created: Annotated[datetime, HIDDEN]
    last_updated: Annotated[datetime, HIDDEN]
    last_used: Annotated[datetime | None, HIDDEN] = None
    key_sealed: Annotated[str, HIDDEN] = ""
    digits: Annotated[int, HIDDEN] = 6
    last_step: Annotated[int, HIDDEN] = 0


TOTP_DEVICE = Kind(
    model="authentik_stages_authenticator_totp.totpdevice",
    struct=TOTPDevice,
    path="authenticators/totp",
    title=("TOTP Device", "TOTP Devices"),
    key_name="id",
    table=Table("devices_totp", owner="user_id"),
    verbs=OWN,
    shown=DeviceShown,
    view=view,
    rules=rules,
    leaving=leaving,
    filters=("name",),
    stored_only=LATER,
)
ADMINISTERED = administered(TOTP_DEVICE)
