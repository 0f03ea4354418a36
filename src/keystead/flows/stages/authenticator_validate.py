"""Authenticator validation stage: asks for the second factor. Of the sorts of devices it knows how to ask Duo's.

Whoever has devices of other sorts only gets no further, nor does who is to set one up in the middle of the run: what
cannot be asked is never taken as given.
"""

import enum
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

from keystead.base.errors import invalid
from keystead.flows import duo
from keystead.flows.challenge import pending
from keystead.flows.passkeys import TypeRef, TypeShown, UserVerificationEnum, WebAuthnHintEnum, types_of
from keystead.flows.password_check import failure
from keystead.flows.schema import Answered, PersonAsked
from keystead.flows.shown import StageShown, flows_of
from keystead.flows.stage import Again, Body, Challenge, Deny, Done, Error, Outcome, Run, Stage
from keystead.kinds import ledger, records
from keystead.kinds.access import system
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind, steady
from keystead.kinds.marks import READ_ONLY, UNIQUE, Duration, Json, OnDelete, Ref, Text, Uuid
from keystead.kinds.state import State
from keystead.people.devices import email, every, sms, static, totp, webauthn
from keystead.people.devices.duo import DUO_DEVICE, DuoDevice

COMPONENT: Final = "ak-stage-authenticator-validate"


class NotConfiguredActionEnum(enum.StrEnum):
    """What happens to people who have no device."""

    SKIP = "skip"
    DENY = "deny"
    CONFIGURE = "configure"


class DeviceClassesEnum(enum.StrEnum):
    """Sorts of devices."""

    STATIC = "static"
    TOTP = "totp"
    WEBAUTHN = "webauthn"
    DUO = "duo"
    SMS = "sms"
    EMAIL = "email"


class AuthenticatorValidateStage(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for a second factor.

    :param device_classes: which sorts of devices are taken.
    :param configuration_stages: what people without a device may choose from, for ``configure``.
    :param last_auth_threshold: how long a proof given before spares another one; nothing: it never does.
    :param webauthn_allowed_device_types: which types of passkeys are taken; empty: every one.
    :param email_otp_throttling_factor: how much longer each wrong code makes people wait; likewise the others.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    not_configured_action: NotConfiguredActionEnum = NotConfiguredActionEnum.SKIP
    device_classes: tuple[DeviceClassesEnum, ...] = tuple(DeviceClassesEnum)
    configuration_stages: tuple[Annotated[Uuid, Ref("stages", OnDelete.CASCADE_MANY)], ...] = ()
    last_auth_threshold: Duration = "seconds=0"
    webauthn_user_verification: UserVerificationEnum = UserVerificationEnum.PREFERRED
    webauthn_hints: tuple[WebAuthnHintEnum, ...] = ()
    webauthn_allowed_device_types: tuple[TypeRef, ...] = ()
    email_otp_throttling_factor: float = 1.0
    sms_otp_throttling_factor: float = 1.0
    totp_otp_throttling_factor: float = 1.0
    static_otp_throttling_factor: float = 1.0


class AuthenticatorValidateStageShown(StageShown):
    """The computed members."""

    webauthn_allowed_device_types_obj: list[TypeShown]


class DeviceChallenge(msgspec.Struct):
    """A device that may answer, and what it is asked.

    :param challenge: for a passkey what the browser wants (W3C Web Authentication §5.5); for others mostly empty.
    """

    device_class: DeviceClassesEnum
    device_uid: Text
    challenge: Json
    last_used: datetime | None


class SelectableStage(msgspec.Struct):
    """A stage in which a device can be set up."""

    pk: Uuid
    name: str
    verbose_name: str
    meta_model_name: str


class AuthenticatorValidationChallenge(PersonAsked, kw_only=True):
    """Asks for one of the person's devices, or in which stage to set one up."""

    component: str = COMPONENT
    device_challenges: list[DeviceChallenge]
    configuration_stages: list[SelectableStage]


class AuthenticatorValidationChallengeResponse(Answered, kw_only=True):
    """What a device says, or which one shall, or which stage sets one up."""

    component: Text = COMPONENT
    selected_challenge: DeviceChallenge | msgspec.UnsetType = msgspec.UNSET
    selected_stage: Text | msgspec.UnsetType = msgspec.UNSET
    code: Text | msgspec.UnsetType = msgspec.UNSET
    webauthn: Json | msgspec.UnsetType = msgspec.UNSET
    duo: int | msgspec.UnsetType = msgspec.UNSET


_KINDS: Final[Mapping[DeviceClassesEnum, Kind[Any]]] = {
    DeviceClassesEnum.STATIC: static.STATIC_DEVICE,
    DeviceClassesEnum.TOTP: totp.TOTP_DEVICE,
    DeviceClassesEnum.WEBAUTHN: webauthn.WEBAUTHN_DEVICE,
    DeviceClassesEnum.SMS: sms.SMS_DEVICE,
    DeviceClassesEnum.EMAIL: email.EMAIL_DEVICE,
}
"""The sorts that are not asked yet."""
_DUO_STAGE: Final = "authentik_stages_authenticator_duo.authenticatorduostage"
_DIGITS: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
_PUSHES: Final = 5
"""How often a run asks a person's telephone: nobody is worn down until they allow what they did not begin."""
_UNABLE: Final = (
    "This version of Keystead cannot ask for the second factor that you have, so you do not get past here with it. Tell"
    " whoever looks after this service."
)


async def _asked(run: Run[AuthenticatorValidateStage]) -> Sequence[DuoDevice] | Done | Deny:
    """The devices that can be asked; without one, what the stage says to that."""
    if run.user is None or not run.proven:
        return Deny("Prove who you are first; a second factor alone proves little.")
    stage, user = run.stage, run.user
    if DeviceClassesEnum.DUO in stage.device_classes:
        held = await records.load(run.state.store, DUO_DEVICE, "user_id", [user.pk])
        if able := [one for one in held if one.confirmed and one.duo_user_id]:
            return sorted(able, key=lambda one: one.pk)
    others = [kind for sort, kind in _KINDS.items() if sort in stage.device_classes]
    if any(one.confirmed for one in await every.of_user(run.call, run.state, user.pk, others)):
        return Deny(_UNABLE)
    match stage.not_configured_action:
        case NotConfiguredActionEnum.SKIP:
            return Done()
        case NotConfiguredActionEnum.DENY:
            return Deny("This needs a second factor, and you have none. Set one up first.")
    return Deny("This needs a second factor, and this version of Keystead lets nobody set one up on the way.")


async def ask(run: Run[AuthenticatorValidateStage]) -> Challenge | Outcome:
    """Offer the devices that can be asked."""
    found = await _asked(run)
    if isinstance(found, (Done, Deny)):
        return found
    offered = [DeviceChallenge(DeviceClassesEnum.DUO, str(one.pk), {}, one.last_used) for one in found]
    members = {"device_challenges": msgspec.to_builtins(offered), "configuration_stages": []}
    return Challenge(COMPONENT, {**pending(run), **members})


def _number(body: Body) -> int:
    given = body.get("duo")
    if isinstance(given, str):  # of a form
        return int(given) if _DIGITS.fullmatch(given) else 0
    return given if isinstance(given, int) and not isinstance(given, bool) else 0


async def answer(run: Run[AuthenticatorValidateStage], body: Body) -> Outcome:
    """Let Duo ask, and wait for what the person says there."""
    found = await _asked(run)
    if isinstance(found, (Done, Deny)):
        return found
    if other := next((member for member in ("code", "webauthn") if body.get(member)), ""):
        return Again({other: [Error("None of your devices answers this way.")]})
    device = next((one for one in found if one.pk == _number(body)), None)
    if device is None:
        # Choosing a device to which nothing is sent beforehand comes before asking it.
        return Again({} if body.get("selected_challenge") else {"duo": [Error("Choose one of your devices.")]})
    return await _confirmed(run, device)


async def _confirmed(run: Run[AuthenticatorValidateStage], device: DuoDevice) -> Outcome:
    """What the person says on their device."""
    call, user = run.call, run.user
    keyed = call.settings.find("stages", device.stage)
    if user is None or keyed is None or keyed[0].model != _DUO_STAGE:
        return Again({"duo": [Error("The stage in which this device was connected is not there any more.")]})
    who = {"user_id": device.duo_user_id, "username": user.username, "peer": call.peer}
    try:
        allowed = await duo.allowed(run.state.outbound, duo.application(keyed[1]), call.at, **who)
    except duo.DuoError as exc:
        return Again({"duo": [Error(str(exc))]})
    if not allowed:
        trace = failure(run, AUTHENTICATOR_VALIDATE_STAGE, user.username, tried=False, user=user)
        return Again({"duo": [Error("This was not allowed at Duo.", "denied")]}, trace)
    changes = Changes()
    # That it was used is a fact, and nobody's decision.
    used = msgspec.structs.replace(device, last_used=call.at)
    changes.update(system(call, DUO_DEVICE, "change"), device, used, quiet=True)
    return Done({"auth_method": "auth_mfa", "auth_method_args": _told(run, device)}, changes=changes)


def _told(run: Run[AuthenticatorValidateStage], device: DuoDevice) -> dict[str, object]:
    """How the person proved who they are, with the device that confirmed it."""
    before = run.context.get("auth_method_args")
    known = dict(before) if isinstance(before, Mapping) else {}
    return {**known, "mfa_devices": [ledger.reference(DUO_DEVICE, device)]}


async def rules(
    _call: Call, _state: State, _old: AuthenticatorValidateStage | None, new: AuthenticatorValidateStage
) -> AuthenticatorValidateStage:
    """Whoever is to set up a device needs a stage for it; waiting is not turned into haste."""
    if new.not_configured_action is NotConfiguredActionEnum.CONFIGURE and not new.configuration_stages:
        raise invalid({"configuration_stages": ["Name at least one stage in which people set up a device."]})
    for name in new.__struct_fields__:
        if name.endswith("_throttling_factor") and getattr(new, name) < 0:
            raise invalid({name: ["May not be less than 0."]})
    return new


@steady
async def view(
    call: Call, _state: State, stages: Sequence[AuthenticatorValidateStage], _query: Mapping[str, Sequence[str]]
) -> list[AuthenticatorValidateStageShown]:
    """The flows each stage is bound to, and the types of passkeys it takes."""
    return [
        AuthenticatorValidateStageShown(flows_of(call, stage.pk), types_of(call, stage.webauthn_allowed_device_types))
        for stage in stages
    ]


AUTHENTICATOR_VALIDATE_STAGE = Kind(
    model="authentik_stages_authenticator_validate.authenticatorvalidatestage",
    struct=AuthenticatorValidateStage,
    path="stages/authenticator/validate",
    title=("Authenticator Validation Stage", "Authenticator Validation Stages"),
    key_name="stage_uuid",
    family="stages",
    component="ak-stage-authenticator-validate-form",
    shown=AuthenticatorValidateStageShown,
    view=view,
    rules=rules,
    filters=("configuration_stages", "name", "not_configured_action"),
)
STAGE = Stage(
    AUTHENTICATOR_VALIDATE_STAGE,
    ask,
    answer,
    component=COMPONENT,
    tries=lambda _run, body: _PUSHES if _number(body) else 0,
    challenge=AuthenticatorValidationChallenge,
    response=AuthenticatorValidationChallengeResponse,
)
