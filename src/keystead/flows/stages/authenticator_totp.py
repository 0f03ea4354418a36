"""TOTP authenticator stage: sets up an application that shows a new code every half minute (RFC 6238)."""

import enum
from typing import Annotated, Final

import msgspec

from keystead.flows.flow import FlowRef
from keystead.flows.schema import Answered, PersonAsked
from keystead.flows.shown import BY_UUID, StageShown, view
from keystead.flows.stage import not_built
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Text, Uuid

COMPONENT: Final = "ak-stage-authenticator-totp"


class DigitsEnum(enum.StrEnum):
    """How many digits a code has."""

    SIX = "6"
    EIGHT = "8"


class AuthenticatorTOTPStage(msgspec.Struct, frozen=True, kw_only=True):
    """Sets up an application that shows codes.

    :param configure_flow: the flow in which people set one up by themselves.
    :param friendly_name: what new devices are called.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    configure_flow: FlowRef | None = None
    friendly_name: str = ""
    digits: DigitsEnum


class AuthenticatorTOTPChallenge(PersonAsked, kw_only=True):
    """Shows the key to scan, and asks for a first code."""

    component: str = COMPONENT
    config_url: str


class AuthenticatorTOTPChallengeResponse(Answered, kw_only=True):
    """The first code."""

    component: Text = COMPONENT
    code: Text


AUTHENTICATOR_TOTP_STAGE = Kind(
    model="authentik_stages_authenticator_totp.authenticatortotpstage",
    struct=AuthenticatorTOTPStage,
    path="stages/authenticator/totp",
    title=("TOTP Authenticator Setup Stage", "TOTP Authenticator Setup Stages"),
    key_name="stage_uuid",
    family="stages",
    component="ak-stage-authenticator-totp-form",
    shown=StageShown,
    view=view,
    filters=("configure_flow", "digits", "friendly_name", "name", BY_UUID),
    stored_only="No application that shows codes is set up yet: a run that reaches the stage is denied.",
)
STAGE = not_built(AUTHENTICATOR_TOTP_STAGE, AuthenticatorTOTPChallenge, AuthenticatorTOTPChallengeResponse)
