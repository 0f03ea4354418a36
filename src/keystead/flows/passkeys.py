"""Words of WebAuthn (W3C Web Authentication Level 3) that several stages share, and the device types they name."""

import enum
from collections.abc import Iterable
from typing import Annotated, TypeAlias

import msgspec

from keystead.kinds.call import Call
from keystead.kinds.marks import OnDelete, Ref, Uuid
from keystead.people.devices.webauthn_type import WEBAUTHN_DEVICE_TYPE


class UserVerificationEnum(enum.StrEnum):
    """How much it matters that a device knows its holder (§5.8.6); also how much that it keeps the key (§5.4.6)."""

    REQUIRED = "required"
    PREFERRED = "preferred"
    DISCOURAGED = "discouraged"


class WebAuthnHintEnum(enum.StrEnum):
    """Which device a browser should offer first (§5.8.7)."""

    SECURITY_KEY = "security-key"
    CLIENT_DEVICE = "client-device"
    HYBRID = "hybrid"


TypeRef: TypeAlias = Annotated[
    Uuid, Ref("authentik_stages_authenticator_webauthn.webauthndevicetype", OnDelete.CASCADE_MANY)
]
"""The key of a device type."""


TypeShown = Annotated[dict[str, object], msgspec.Meta(title="WebAuthnDeviceType")]
"""A device type as its own path shows it."""


def types_of(call: Call, aaguids: Iterable[str]) -> list[dict[str, object]]:
    """The device types with these keys, in this order, as they are shown."""
    found = (call.settings.get(WEBAUTHN_DEVICE_TYPE, pk) for pk in aaguids)
    names = WEBAUTHN_DEVICE_TYPE.readable
    return [{name: getattr(one, name) for name in names} for one in found if one]
