"""EmailDevice: an e-mail address to which codes are sent."""

from datetime import datetime
from typing import Annotated

import msgspec

from keystead.kinds.kind import Kind, Table
from keystead.kinds.marks import HIDDEN, READ_ONLY, Column
from keystead.people.devices.device import LATER, OWN, DeviceShown, Name, Owner, administered, leaving, rules, view


class EmailDevice(msgspec.Struct, frozen=True, kw_only=True):
    """An e-mail address as a second factor."""

    pk: Annotated[int, READ_ONLY, Column("id")]
    name: Name
    user: Owner
    confirmed: Annotated[bool, HIDDEN] = False
    created: Annotated[datetime, HIDDEN]
    last_updated: Annotated[datetime, HIDDEN]
    last_used: Annotated[datetime | None, HIDDEN] = None
    email: Annotated[str, READ_ONLY] = ""


EMAIL_DEVICE = Kind(
    model="authentik_stages_authenticator_email.emaildevice",
    struct=EmailDevice,
    path="authenticators/email",
    title=("Email Device", "Email Devices"),
    key_name="id",
    table=Table("devices_email", owner="user_id"),
    verbs=OWN,
    shown=DeviceShown,
    view=view,
    rules=rules,
    leaving=leaving,
    filters=("name",),
    stored_only=LATER,
)
ADMINISTERED = administered(EMAIL_DEVICE)
