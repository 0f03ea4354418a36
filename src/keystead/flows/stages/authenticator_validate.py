"""Authenticator validation stage: asks for the second factor, or for a passkey alone."""

import enum
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec

from keystead.base.errors import invalid
from keystead.flows.passkeys import TypeRef, TypeShown, UserVerificationEnum, WebAuthnHintEnum, types_of
from keystead.flows.schema import Answered, PersonAsked
from keystead.flows.shown import StageShown, flows_of
from keystead.flows.stage import not_built
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind, steady
from keystead.kinds.marks import READ_ONLY, UNIQUE, Duration, Json, OnDelete, Ref, Text, Uuid
from keystead.kinds.state import State

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
    stored_only="Second factors are not asked for yet: a run that reaches the stage is denied, also with `skip`.",
)
STAGE = not_built(
    AUTHENTICATOR_VALIDATE_STAGE, AuthenticatorValidationChallenge, AuthenticatorValidationChallengeResponse
)
