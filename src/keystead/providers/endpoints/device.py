"""Endpoint device: a machine that people work at, and what connectors told of it."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, cast

import msgspec

from keystead.base.clock import EPOCH, instant, micros
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.kind import ALL, Filter, Kind, Table, Verb
from keystead.kinds.marks import HIDDEN, LINE, Column, Json, Text, Uuid
from keystead.kinds.render import base
from keystead.kinds.state import State
from keystead.policies.binding import bindings_of
from keystead.providers.endpoints.access_group import DEVICE_ACCESS_GROUP
from keystead.providers.endpoints.connector import FAMILY, GroupRef
from keystead.providers.endpoints.facts import DeviceFacts, DeviceFactSnapshot, VendorEnum
from keystead.store import Row, Statement


class EndpointDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A machine.

    :param identifier: what connectors know it by, such as its serial number.
    """

    device_uuid: Annotated[Uuid, Column("id")] = ""
    name: Annotated[Text, LINE]
    identifier: Annotated[str, HIDDEN]
    access_group: GroupRef | None = None
    expiring: bool = False
    expires: datetime | None = None
    attributes: Json = {}


class DeviceConnection(msgspec.Struct):
    """What a connector knows of a device.

    :param latest_snapshot: what it told last.
    """

    device: Uuid
    connector: Uuid
    connector_obj: Annotated[dict[str, object], msgspec.Meta(title="Connector")]
    latest_snapshot: DeviceFactSnapshot | None


class EndpointDeviceShown(msgspec.Struct, kw_only=True):
    """The computed members of a device.

    :param facts: what was told of it last, by whatever connector; :data:`NOTHING` as long as nobody told anything.
    """

    pbm_uuid: Uuid
    access_group_obj: Annotated[dict[str, object], msgspec.Meta(title="DeviceAccessGroup")] | msgspec.UnsetType = (
        msgspec.UNSET
    )
    facts: DeviceFactSnapshot | None
    connections_obj: list[DeviceConnection]
    policies: list[Uuid]
    connections: list[Uuid]


class DeviceSummary(msgspec.Struct):
    """How many devices there are.

    :param unreachable_count: those of which nothing is known that still counts.
    :param outdated_agent_count: those whose agent is old; 0 as long as agents do not tell their version.
    """

    total_count: int
    unreachable_count: int
    outdated_agent_count: int


_CONNECTIONS: Final = Statement(
    "endpoint.connections",
    "SELECT device_id, id, connector, vendor, facts, facts_created, facts_expires FROM endpoint_connections"
    " WHERE device_id = ANY($1::text[]) ORDER BY facts_created DESC, id",
)
_COUNTS: Final = Statement(
    "endpoint.counts",
    "SELECT count(*), count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM endpoint_connections c WHERE c.device_id = d.id"
    " AND c.facts IS NOT NULL AND (c.facts_expires IS NULL OR c.facts_expires > $1))) FROM endpoint_devices d",
)
_facts: Final = msgspec.json.Decoder(DeviceFacts).decode
NOTHING: Final = DeviceFactSnapshot(
    data=DeviceFacts(), connection=str(uuid.UUID(int=0)), created=EPOCH, expires=None, vendor=VendorEnum.MERGED
)
"""What is known of a device nobody told anything of. Null is allowed; clients before 2026.8 fail on it."""


def _snapshot(row: Row) -> DeviceFactSnapshot | None:
    _, key, _, vendor, facts, created, expires = row
    if facts is None or created is None:
        return None
    return DeviceFactSnapshot(
        data=_facts(str(facts)),
        connection=str(key),
        created=instant(cast("int", created)),
        expires=instant(cast("int", expires)) if expires is not None else None,
        vendor=VendorEnum(str(vendor)),
    )


async def view(
    call: Call, state: State, devices: Sequence[EndpointDevice], _query: Mapping[str, Sequence[str]]
) -> list[EndpointDeviceShown]:
    """Groups, connections and the latest facts."""
    rows = await state.store.fetch(_CONNECTIONS, [one.device_uuid for one in devices]) if devices else []
    by_device: dict[str, list[Row]] = {}
    for row in rows:
        by_device.setdefault(str(row[0]), []).append(row)
    shown = []
    for one in devices:
        group = call.settings.get(DEVICE_ACCESS_GROUP, one.access_group)
        own = by_device.get(one.device_uuid, [])
        connections = []
        for row in own:
            if found := call.settings.find(FAMILY, row[2]):
                short = await base(call, state, *found)
                connections.append(DeviceConnection(one.device_uuid, str(row[2]), short, _snapshot(row)))
        shown.append(
            EndpointDeviceShown(
                pbm_uuid=one.device_uuid,
                access_group_obj=msgspec.structs.asdict(group) if group else msgspec.UNSET,
                facts=next((told for row in own if (told := _snapshot(row))), NOTHING),
                connections_obj=connections,
                policies=[bound.policy for bound in bindings_of(call.settings, one.device_uuid) if bound.policy],
                connections=[str(row[1]) for row in own],
            )
        )
    return shown


async def rules(_call: Call, _state: State, _old: EndpointDevice | None, new: EndpointDevice) -> EndpointDevice:
    """What does not expire has no end."""
    return new if new.expiring else msgspec.structs.replace(new, expires=None)


async def summary(call: Call, state: State, _obj: None, _query: Mapping[str, Sequence[str]]) -> Answer:
    """How many devices there are, and of how many nothing is known."""
    ((total, silent),) = await state.store.fetch(_COUNTS, micros(call.at), heavy=True)
    return Answer(DeviceSummary(cast("int", total), cast("int", silent), 0))


ENDPOINT_DEVICE: Kind[EndpointDevice] = Kind(
    model="authentik_endpoints.device",
    struct=EndpointDevice,
    path="endpoints/devices",
    title=("Endpoint Device", "Endpoint Devices"),
    key="device_uuid",
    key_name="device_uuid",
    table=Table("endpoint_devices", narrow="(NOT t.expiring OR t.expires IS NULL OR t.expires > {})"),
    verbs=ALL - {Verb.CREATE},
    shown=EndpointDeviceShown,
    retrieved="EndpointDeviceDetails",
    ignored=(("access_group_obj", "DeviceAccessGroupRequest"),),
    view=view,
    rules=rules,
    search=("name", "identifier"),
    order=("name",),
    filters=("name", Filter("identifier", str, sql="t.identifier = {}")),
    stored_only="No connector brings devices yet.",
)
ACTIONS = (
    Action(
        ENDPOINT_DEVICE,
        "GET",
        "summary/",
        summary,
        "summary_retrieve",
        permission="view",
        response=DeviceSummary,
    ),
)
