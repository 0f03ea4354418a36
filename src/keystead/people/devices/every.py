"""Every device somebody has, of all sorts in one list."""

from collections.abc import Sequence
from typing import Any, Final

from keystead.kinds import records
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.kinds.state import State
from keystead.people.devices import duo, email, endpoint, sms, static, totp, webauthn
from keystead.people.devices.device import Device

KINDS: Final[tuple[Kind[Any], ...]] = (
    duo.DUO_DEVICE,
    email.EMAIL_DEVICE,
    endpoint.GOOGLE_ENDPOINT_DEVICE,
    sms.SMS_DEVICE,
    static.STATIC_DEVICE,
    totp.TOTP_DEVICE,
    webauthn.WEBAUTHN_DEVICE,
)
TWINS: Final[tuple[Kind[Any], ...]] = (
    duo.ADMINISTERED,
    email.ADMINISTERED,
    endpoint.ADMINISTERED,
    sms.ADMINISTERED,
    static.ADMINISTERED,
    totp.ADMINISTERED,
    webauthn.ADMINISTERED,
)


async def of_user(call: Call, state: State, user: int, kinds: Sequence[Kind[Any]] = KINDS) -> list[Device]:
    """The devices of one user; of these kinds, in their order, by name."""
    found = []
    for kind in kinds:
        devices = await records.load(state.store, kind, "user_id", [user])
        found += [_short(call, kind, one) for one in sorted(devices, key=lambda one: (one.name, str(one.pk)))]
    return found


def _short(call: Call, kind: Kind[Any], device: Any) -> Device:  # noqa: ANN401 - devices of every kind
    return Device(
        verbose_name=kind.title[0],
        verbose_name_plural=kind.title[1],
        meta_model_name=kind.model,
        pk=str(device.pk),
        name=device.name,
        type=kind.model,
        confirmed=device.confirmed,
        created=device.created_on if kind is webauthn.WEBAUTHN_DEVICE else device.created,
        last_updated=device.last_updated,
        last_used=device.last_used,
        extra_description=_told(call, device),
        external_id=_elsewhere(device),
    )


def _told(call: Call, device: object) -> str | None:
    if isinstance(device, webauthn.WebAuthnDevice):
        model = webauthn.type_of(call, device)
        return model.description if model else None
    if isinstance(device, sms.SMSDevice):
        return device.phone_number or None
    return device.email or None if isinstance(device, email.EmailDevice) else None


def _elsewhere(device: object) -> str | None:
    if isinstance(device, duo.DuoDevice):
        return device.duo_user_id or None
    if isinstance(device, webauthn.WebAuthnDevice):
        return device.aaguid or None
    return device.host_identifier or None if isinstance(device, endpoint.GoogleEndpointDevice) else None
