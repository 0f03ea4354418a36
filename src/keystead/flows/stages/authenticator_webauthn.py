"""WebAuthn authenticator stage: sets up a passkey or a security key (W3C Web Authentication Level 3)."""

import enum
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec

from keystead.flows.flow import FlowRef
from keystead.flows.passkeys import TypeRef, TypeShown, UserVerificationEnum, WebAuthnHintEnum, types_of
from keystead.flows.schema import Answered, PersonAsked
from keystead.flows.shown import StageShown, flows_of
from keystead.flows.stage import not_built
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind, steady
from keystead.kinds.marks import READ_ONLY, UNIQUE, Json, Text, Uuid
from keystead.kinds.state import State

COMPONENT: Final = "ak-stage-authenticator-webauthn"


class AuthenticatorAttachmentEnum(enum.StrEnum):
    """Whether the device is part of the computer (§5.4.5)."""

    PLATFORM = "platform"
    CROSS_PLATFORM = "cross-platform"


class AuthenticatorWebAuthnStage(msgspec.Struct, frozen=True, kw_only=True):
    """Sets up a passkey or a security key.

    :param configure_flow: the flow in which people set one up by themselves.
    :param friendly_name: what new devices are called.
    :param resident_key_requirement: how much it matters that the device keeps the key (§5.4.6).
    :param device_type_restrictions: which types of devices are taken; empty: every one.
    :param max_attempts: how many answers a run takes; 0: any number.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    configure_flow: FlowRef | None = None
    friendly_name: str = ""
    user_verification: UserVerificationEnum = UserVerificationEnum.PREFERRED
    authenticator_attachment: AuthenticatorAttachmentEnum | None = None
    resident_key_requirement: UserVerificationEnum = UserVerificationEnum.PREFERRED
    hints: tuple[WebAuthnHintEnum, ...] = ()
    device_type_restrictions: tuple[TypeRef, ...] = ()
    max_attempts: Annotated[int, msgspec.Meta(ge=0, le=2147483647)] = 0


class AuthenticatorWebAuthnStageShown(StageShown):
    """The computed members."""

    device_type_restrictions_obj: list[TypeShown]


class AuthenticatorWebAuthnChallenge(PersonAsked, kw_only=True):
    """Asks the browser to make a key; ``registration`` is what it wants for that (§5.4)."""

    component: str = COMPONENT
    registration: Json


class AuthenticatorWebAuthnChallengeResponse(Answered, kw_only=True):
    """The new key (§5.1)."""

    component: Text = COMPONENT
    response: Json


@steady
async def view(
    call: Call, _state: State, stages: Sequence[AuthenticatorWebAuthnStage], _query: Mapping[str, Sequence[str]]
) -> list[AuthenticatorWebAuthnStageShown]:
    """The flows each stage is bound to, and the types of devices it takes."""
    return [
        AuthenticatorWebAuthnStageShown(flows_of(call, stage.pk), types_of(call, stage.device_type_restrictions))
        for stage in stages
    ]


AUTHENTICATOR_WEBAUTHN_STAGE = Kind(
    model="authentik_stages_authenticator_webauthn.authenticatorwebauthnstage",
    struct=AuthenticatorWebAuthnStage,
    path="stages/authenticator/webauthn",
    title=("WebAuthn Authenticator Setup Stage", "WebAuthn Authenticator Setup Stages"),
    key_name="stage_uuid",
    family="stages",
    component="ak-stage-authenticator-webauthn-form",
    shown=AuthenticatorWebAuthnStageShown,
    view=view,
    filters=(
        "authenticator_attachment",
        "configure_flow",
        "device_type_restrictions",
        "max_attempts",
        "name",
        "resident_key_requirement",
        "user_verification",
    ),
    stored_only="No passkey is set up yet: a run that reaches the stage is denied.",
)
STAGE = not_built(AUTHENTICATOR_WEBAUTHN_STAGE, AuthenticatorWebAuthnChallenge, AuthenticatorWebAuthnChallengeResponse)
