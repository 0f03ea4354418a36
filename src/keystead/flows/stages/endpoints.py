"""Endpoint stage: asks a connector what it knows of the device somebody comes with."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec

from keystead.flows.mode import StageModeEnum
from keystead.flows.schema import Answered, Asked
from keystead.flows.shown import StageShown, flows_of
from keystead.flows.stage import not_built
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind, steady
from keystead.kinds.marks import READ_ONLY, UNIQUE, Ref, Text, Uuid
from keystead.kinds.render import base
from keystead.kinds.state import State

COMPONENT: Final = "ak-stage-endpoint-agent"
CONNECTORS: Final = "connectors"
"""The family of what tells about devices."""


class EndpointStage(msgspec.Struct, frozen=True, kw_only=True):
    """Looks at the device through a connector.

    :param mode: whether an unknown device ends the run.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    connector: Annotated[Uuid, Ref(CONNECTORS)]
    mode: StageModeEnum = StageModeEnum.OPTIONAL


class EndpointStageShown(StageShown):
    """The computed members."""

    connector_obj: Annotated[dict[str, object], msgspec.Meta(title="Connector")]


class EndpointAgentChallenge(Asked, kw_only=True):
    """Asks the agent on the device to sign something."""

    component: str = COMPONENT
    challenge: str
    challenge_idle_timeout: int


class EndpointAgentChallengeResponse(Answered, kw_only=True):
    """What the agent says; nothing where there is none."""

    component: Text = COMPONENT
    response: Text | msgspec.UnsetType | None = msgspec.UNSET


@steady
async def view(
    call: Call, state: State, stages: Sequence[EndpointStage], _query: Mapping[str, Sequence[str]]
) -> list[EndpointStageShown]:
    """The flows each stage is bound to, and its connector."""
    shown = []
    for stage in stages:
        found = call.settings.find(CONNECTORS, stage.connector)
        if found is None:  # references are checked at every change, so this is a defect and not a state to show
            raise LookupError(f"the endpoint stage {stage.pk} leads to no connector")
        shown.append(EndpointStageShown(flows_of(call, stage.pk), await base(call, state, *found)))
    return shown


ENDPOINT_STAGE = Kind(
    model="authentik_endpoints.endpointstage",
    struct=EndpointStage,
    path="stages/endpoints",
    title=("Endpoint Stage", "Endpoint Stages"),
    key_name="stage_uuid",
    family="stages",
    component="ak-stage-endpoint-form",
    shown=EndpointStageShown,
    view=view,
    filters=("name",),
    stored_only="No connector is asked about devices yet: a run that reaches the stage is denied, even if optional.",
)
STAGE = not_built(ENDPOINT_STAGE, EndpointAgentChallenge, EndpointAgentChallengeResponse)
