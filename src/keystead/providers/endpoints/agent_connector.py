"""Agent connector: devices that run the platform's own agent."""

from typing import Annotated

import msgspec

from keystead.kinds.action import Action
from keystead.kinds.kind import Kind
from keystead.kinds.marks import UNIQUE, Duration, OnDelete, Ref, Text, Uuid
from keystead.kinds.pending import Pending
from keystead.providers.endpoints import connector
from keystead.providers.endpoints.facts import DeviceFactsOSFamily

Offset = Annotated[int, msgspec.Meta(ge=0, le=2147483647)]


class AgentConnector(msgspec.Struct, frozen=True, kw_only=True):
    """Manages devices through an agent on them.

    :param snapshot_expiry: how long a device's facts count.
    :param auth_session_duration: how long somebody stays signed in at a device.
    :param nss_uid_offset: the number of the first user on a Linux device.
    :param nss_gid_offset: the number of the first group there.
    :param challenge_key: signs what proves to a browser on which device it runs.
    :param jwt_federation_providers: providers whose tokens devices may exchange for ours.
    """

    connector_uuid: Uuid = ""
    name: Annotated[Text, UNIQUE]
    enabled: bool = True
    snapshot_expiry: Duration = "hours=24"
    auth_session_duration: Duration = "hours=8"
    auth_terminate_session_on_expiry: bool = False
    refresh_interval: Duration = "minutes=30"
    authorization_flow: Annotated[Uuid, Ref("authentik_flows.flow", OnDelete.SET_NULL)] | None = None
    nss_uid_offset: Offset = 2000
    nss_gid_offset: Offset = 4000
    challenge_key: Annotated[Uuid, Ref("authentik_crypto.certificatekeypair", OnDelete.SET_NULL)] | None = None
    challenge_idle_timeout: Duration = "seconds=3"
    challenge_trigger_check_in: bool = False
    jwt_federation_providers: tuple[Annotated[int, Ref("providers", OnDelete.CASCADE_MANY)], ...] = ()


class MDMConfigRequest(msgspec.Struct):
    """For which devices."""

    platform: DeviceFactsOSFamily
    enrollment_token: Uuid


class MDMConfigResponse(msgspec.Struct):
    """What a device management rolls out."""

    config: str
    mime_type: str
    filename: str


AGENT_CONNECTOR: Kind[AgentConnector] = Kind(
    model="authentik_endpoints_connectors_agent.agentconnector",
    struct=AgentConnector,
    path="endpoints/agents/connectors",
    title=("Agent Connector", "Agent Connectors"),
    key="connector_uuid",
    key_name="connector_uuid",
    family=connector.FAMILY,
    component="ak-endpoints-connector-agent-form",
    filters=("name", "enabled"),
    stored_only="No agent can enroll, check in or sign anybody in yet.",
)
ACTIONS = (
    Action(
        AGENT_CONNECTOR,
        "POST",
        "{key}/mdm_config/",
        Pending("No configuration for a device management is made yet."),
        "mdm_config_create",
        permission="view",
        request=MDMConfigRequest,
        response=MDMConfigResponse,
    ),
)
