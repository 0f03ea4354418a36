"""WebAuthnDeviceType: a model of passkey or security key, by the identifier its maker gave it (AAGUID)."""

from typing import Annotated

import msgspec

from keystead.kinds.kind import Filter, Kind, Verb
from keystead.kinds.marks import HIDDEN, Text, Uuid


class WebAuthnDeviceType(msgspec.Struct, frozen=True, kw_only=True):
    """A model of authenticators (W3C Web Authentication Level 3 §6.5.1).

    :param icon: a picture of it, as a data URI.
    """

    aaguid: Uuid
    description: Text
    icon: Annotated[str, HIDDEN] = ""


WEBAUTHN_DEVICE_TYPE = Kind(
    model="authentik_stages_authenticator_webauthn.webauthndevicetype",
    struct=WebAuthnDeviceType,
    path="stages/authenticator/webauthn_device_types",
    title=("WebAuthn Device Type", "WebAuthn Device Types"),
    key="aaguid",
    key_name="aaguid",
    verbs=frozenset({Verb.LIST, Verb.RETRIEVE}),
    search=("description", "aaguid"),
    order=("description",),
    filters=(
        "aaguid",
        "description",
        Filter("icon", str, test=lambda one, icon: one.icon == icon, note="The picture, as a data URI."),
    ),
)
