"""Device access group: devices that the same people may use."""

from typing import Annotated

import msgspec

from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Json, Text, Uuid


class DeviceAccessGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Devices that the same people may use; policies bound to it say who."""

    pbm_uuid: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    attributes: Json = {}


DEVICE_ACCESS_GROUP = Kind(
    model="authentik_endpoints.deviceaccessgroup",
    struct=DeviceAccessGroup,
    path="endpoints/device_access_groups",
    title=("Device access group", "Device access groups"),
    key="pbm_uuid",
    key_name="pbm_uuid",
    filters=("name", "pbm_uuid"),
    bindable=True,
    stored_only="Nobody is kept from a device by it yet.",
)
