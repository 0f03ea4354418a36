"""WebAuthnDevice: a passkey or a security key (W3C Web Authentication Level 3)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

import msgspec

from keystead.kinds.call import Call
from keystead.kinds.kind import Kind, Table
from keystead.kinds.marks import HIDDEN, READ_ONLY, Column
from keystead.kinds.state import State
from keystead.people.devices.device import LATER, OWN, DeviceShown, Owner, administered, leaving, rules, users_of
from keystead.people.devices.webauthn_type import WEBAUTHN_DEVICE_TYPE, WebAuthnDeviceType


class WebAuthnDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A key pair whose private half never leaves the person's device.

    :param aaguid: which model the device says it is; blank where it does not say.
    :param credential_id: how the device finds the key, base64url; null until it is set up.
    :param public_key: a COSE key, base64url.
    :param sign_count: how often it signed, as it said last (§6.1.1).
    :param rp_id: the host it is for.
    """

    pk: Annotated[int, READ_ONLY, Column("id")]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    user: Owner
    confirmed: Annotated[bool, HIDDEN] = False
    created_on: Annotated[datetime, READ_ONLY, Column("created")]
    last_updated: Annotated[datetime, HIDDEN]
    last_used: Annotated[datetime | None, HIDDEN] = None
    aaguid: Annotated[str, READ_ONLY] = ""
    credential_id: Annotated[str | None, HIDDEN] = None
    public_key: Annotated[str, HIDDEN] = ""
    sign_count: Annotated[int, HIDDEN] = 0
    rp_id: Annotated[str, HIDDEN] = ""


class WebAuthnDeviceShown(DeviceShown):
    """The computed members of a WebAuthn device."""

    device_type: WebAuthnDeviceType | None


def type_of(call: Call, device: WebAuthnDevice) -> WebAuthnDeviceType | None:
    """Which model the device is, if we know it."""
    return call.settings.get(WEBAUTHN_DEVICE_TYPE, device.aaguid)


async def view(
    call: Call, state: State, devices: Sequence[WebAuthnDevice], _query: Mapping[str, Sequence[str]]
) -> list[WebAuthnDeviceShown]:
    """Whose each device is, and which model."""
    return [
        WebAuthnDeviceShown(user, type_of(call, one))
        for one, user in zip(devices, await users_of(state, devices), strict=True)
    ]


WEBAUTHN_DEVICE = Kind(
    model="authentik_stages_authenticator_webauthn.webauthndevice",
    struct=WebAuthnDevice,
    path="authenticators/webauthn",
    title=("WebAuthn Device", "WebAuthn Devices"),
    key_name="id",
    table=Table("devices_webauthn", owner="user_id"),
    verbs=OWN,
    shown=WebAuthnDeviceShown,
    view=view,
    rules=rules,
    leaving=leaving,
    filters=("name",),
    stored_only=LATER,
)
ADMINISTERED = administered(WEBAUTHN_DEVICE)
