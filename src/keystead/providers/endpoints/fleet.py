"""Fleet connector: devices that a Fleet server knows."""

from typing import Annotated

import msgspec

from keystead.base.errors import invalid
from keystead.base.secret import Secret
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.kinds.marks import UNIQUE, OnDelete, Ref, Text, Uuid
from keystead.kinds.state import State
from keystead.providers.endpoints import connector


class FleetConnector(msgspec.Struct, frozen=True, kw_only=True):
    """Reads devices from a Fleet server.

    :param token: what we show the server.
    :param headers_mapping: gives further header fields for requests to it.
    :param map_users: whether the people Fleet names are bound to their devices.
    :param map_teams_access_group: whether Fleet's teams become device access groups.
    """

    connector_uuid: Uuid = ""
    name: Annotated[Text, UNIQUE]
    enabled: bool = True
    url: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    token: Annotated[Secret, msgspec.Meta(extra_json_schema={"minLength": 1})]
    headers_mapping: Annotated[Uuid, Ref("propertymappings", OnDelete.SET_NULL)] | None = None
    map_users: bool = True
    map_teams_access_group: bool = False


async def rules(_call: Call, _state: State, _old: FleetConnector | None, new: FleetConnector) -> FleetConnector:
    """An address and a token."""
    if not new.url.startswith(("https://", "http://")):
        raise invalid({"url": ["Write an http or https address, such as https://fleet.example.org."]})
    if not new.token:
        raise invalid({"token": ["May not be blank."]})
    return new


FLEET_CONNECTOR: Kind[FleetConnector] = Kind(
    model="authentik_endpoints_connectors_fleet.fleetconnector",
    struct=FleetConnector,
    path="endpoints/fleet/connectors",
    title=("Fleet Connector", "Fleet Connectors"),
    key="connector_uuid",
    key_name="connector_uuid",
    family=connector.FAMILY,
    component="ak-endpoints-connector-fleet-form",
    rules=rules,
    filters=connector.NAME,
    stored_only="Nothing is read from Fleet yet.",
)
