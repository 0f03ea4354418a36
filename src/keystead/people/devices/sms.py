"""SMSDevice: a telephone number to which codes are sent."""

from datetime import datetime
from typing import Annotated

import msgspec

from keystead.kinds.kind import Kind, Table
from keystead.kinds.marks import HIDDEN, READ_ONLY, Column
from keystead.people.devices.device import LATER, OWN, DeviceShown, Name, Owner, administered, leaving, rules, view


class SMSDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A telephone number; or its digest, where the stage keeps no numbers."""

    pk: Annotated[int, READ_ONLY, Column("id")]
    name: Name
    user: Owner
    confirmed: Annotated[bool, HIDDEN] = False
    created: Annotated[datetime, HIDDEN]
    last_updated: Annotated[datetime, HIDDEN]
    last_used: Annotated[datetime | None, HIDDEN] = None
    phone_number: Annotated[str, READ_ONLY] = ""


SMS_DEVICE = Kind(
    model="authentik_stages_authenticator_sms.smsdevice",
    struct=SMSDevice,
    path="authenticators/sms",
    title=("SMS Device", "SMS Devices"),
    key_name="id",
    table=Table("devices_sms", owner="user_id"),
    verbs=OWN,
    shown=DeviceShown,
    view=view,
    rules=rules,
    leaving=leaving,
    filters=("name",),
    stored_only=LATER,
)
ADMINISTERED = administered(SMS_DEVICE)
