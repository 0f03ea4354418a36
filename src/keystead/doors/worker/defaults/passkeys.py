"""Models of passkeys and security keys that administrators find by name: the makers' published identifiers (AAGUID).

The list is short on purpose: the whole of it is the FIDO Alliance's metadata, which a later version reads.
"""

from collections.abc import Sequence
from typing import Final

from keystead.people.devices.webauthn_type import WebAuthnDeviceType

_MODELS: Final = (
    ("bada5566-a7aa-401f-bd96-45619a55120d", "1Password"),
    ("fbfc3007-154e-4ecc-8c0b-6e020557d7bd", "Apple Passwords"),
    ("d548826e-79b4-db40-a3d8-11116f7e8349", "Bitwarden"),
    ("adce0002-35bc-c60a-648b-0b25f1f05503", "Chrome on Mac"),
    ("b5397666-4885-aa6b-cebf-e52262a439a2", "Chromium Browser"),
    ("531126d6-e717-415c-9320-3d9aa6981239", "Dashlane"),
    ("771b48fd-d3d4-4f74-9232-fc157ab0507a", "Edge on Mac"),
    ("f3809540-7f14-49c1-a8b3-8f813b225541", "Enpass"),
    ("ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4", "Google Password Manager"),
    ("dd4ec289-e01d-41c9-bb89-70fa845d4bf2", "iCloud Keychain (Managed)"),
    ("fdb141b2-5d84-443e-8a35-4698c205a502", "KeePassXC"),
    ("0ea242b4-43c4-4a1b-8b17-dd6d0b6baec6", "Keeper"),
    ("b84e4048-15dc-4dd0-8640-f4f60813c8af", "NordPass"),
    ("50726f74-6f6e-5061-7373-50726f746f6e", "Proton Pass"),
    ("53414d53-554e-4700-0000-000000000000", "Samsung Pass"),
    ("08987058-cadc-4b81-b6e1-30de50dcbe96", "Windows Hello (hardware)"),
    ("9ddd1817-af5a-4672-a2b9-3e3dd95000a9", "Windows Hello (virtual hardware)"),
    ("6028b017-b1d4-4c02-b4b3-afcdafc96bb2", "Windows Hello (software)"),
    ("2fc0579f-8113-47ea-b116-bb5a8db9202a", "YubiKey 5 Series with NFC"),
    ("ee882879-721c-4913-9775-3dfcce97072a", "YubiKey 5 Series"),
)


def passkeys() -> Sequence[WebAuthnDeviceType]:
    """The models."""
    return [WebAuthnDeviceType(aaguid=aaguid, description=name) for aaguid, name in _MODELS]
