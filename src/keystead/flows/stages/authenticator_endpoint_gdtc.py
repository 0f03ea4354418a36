"""Google device trust stage: asks the Chrome browser what Google knows of the device it runs on."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec

from keystead.flows.flow import FlowRef
from keystead.flows.shown import StageShown, flows_of
from keystead.flows.stage import not_built
from keystead.kinds.access import may
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.kinds.ledger import cleaned
from keystead.kinds.marks import READ_ONLY, UNIQUE, WRITE_ONLY, Json, Text, Uuid
from keystead.kinds.state import State


class AuthenticatorEndpointGDTCStage(msgspec.Struct, frozen=True, kw_only=True):
    """Looks at the device through Chrome's device trust connector.

    :param configure_flow: the flow in which people set it up by themselves.
    :param friendly_name: what new devices are called.
    :param credentials: the key file of the service account that asks Google.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    configure_flow: FlowRef | None = None
    friendly_name: str = ""
    credentials: Annotated[Json, WRITE_ONLY]


class GDTCStageShown(StageShown):
    """The computed members: what is secret in the credentials is shown to those only who may change them."""

    credentials: Json


async def view(
    call: Call,
    _state: State,
    stages: Sequence[AuthenticatorEndpointGDTCStage],
    _query: Mapping[str, Sequence[str]],
) -> list[GDTCStageShown]:
    """The flows each stage is bound to, and its credentials."""
    shown = []
    for stage in stages:
        whole = may(call, AUTHENTICATOR_ENDPOINT_GDTC_STAGE, "change", stage)
        credentials = stage.credentials if whole else cleaned(stage.credentials)
        shown.append(GDTCStageShown(flows_of(call, stage.pk), credentials if isinstance(credentials, dict) else {}))
    return shown


AUTHENTICATOR_ENDPOINT_GDTC_STAGE: Kind[AuthenticatorEndpointGDTCStage] = Kind(
    model="authentik_stages_authenticator_endpoint_gdtc.authenticatorendpointgdtcstage",
    struct=AuthenticatorEndpointGDTCStage,
    path="stages/authenticator/endpoint_gdtc",
    title=("Google Device Trust Connector Stage", "Google Device Trust Connector Stages"),
    key_name="stage_uuid",
    family="stages",
    component="ak-stage-authenticator-endpoint-gdtc-form",
    shown=GDTCStageShown,
    view=view,
    filters=("configure_flow", "name"),
    stored_only="Google is not asked about devices yet: a run that reaches the stage is denied.",
)
STAGE = not_built(AUTHENTICATOR_ENDPOINT_GDTC_STAGE)
