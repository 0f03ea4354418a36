"""Static authenticator stage: gives out codes for the day the other device is not at hand."""

from typing import Annotated, Final

import msgspec

from keystead.flows.flow import FlowRef
from keystead.flows.schema import Answered, PersonAsked
from keystead.flows.shown import BY_UUID, StageShown, view
from keystead.flows.stage import not_built
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Text, Uuid

COMPONENT: Final = "ak-stage-authenticator-static"


class AuthenticatorStaticStage(msgspec.Struct, frozen=True, kw_only=True):
    """Sets up codes, each of which counts once.

    :param configure_flow: the flow in which people get them by themselves.
    :param friendly_name: what new devices are called.
    :param token_count: how many codes there are.
    :param token_length: characters in a code.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    configure_flow: FlowRef | None = None
    friendly_name: str = ""
    token_count: Annotated[int, msgspec.Meta(ge=0, le=2147483647)] = 6
    token_length: Annotated[int, msgspec.Meta(ge=0, le=100)] = 12


class AuthenticatorStaticChallenge(PersonAsked, kw_only=True):
    """Shows the codes, this once."""

    component: str = COMPONENT
    codes: list[str]


class AuthenticatorStaticChallengeResponse(Answered, kw_only=True):
    """Written down."""

    component: Text = COMPONENT


AUTHENTICATOR_STATIC_STAGE = Kind(
    model="authentik_stages_authenticator_static.authenticatorstaticstage",
    struct=AuthenticatorStaticStage,
    path="stages/authenticator/static",
    title=("Static Authenticator Setup Stage", "Static Authenticator Setup Stages"),
    key_name="stage_uuid",
    family="stages",
    component="ak-stage-authenticator-static-form",
    shown=StageShown,
    view=view,
    filters=("configure_flow", "friendly_name", "name", "token_count", "token_length", BY_UUID),
    stored_only="No codes are given out yet: a run that reaches the stage is denied.",
)
STAGE = not_built(AUTHENTICATOR_STATIC_STAGE, AuthenticatorStaticChallenge, AuthenticatorStaticChallengeResponse)
