"""Device binding: ties a policy, a group or a user to a device, as somebody who may use it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec

from keystead.base.errors import invalid
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind, Table
from keystead.kinds.marks import READ_ONLY, Column, Int32, OnDelete, Ref, Uuid
from keystead.kinds.render import base
from keystead.kinds.state import State
from keystead.people.shown import PartialGroup, PartialUser, partial_groups, partial_users
from keystead.providers.endpoints.connector import FAMILY


class DeviceUserBinding(msgspec.Struct, frozen=True, kw_only=True):
    """Who may use a device; exactly one of ``policy``, ``group`` and ``user`` is set.

    :param target: the device.
    :param is_primary: whether it is the person whose device it is.
    :param connector: what told of it; null where an administrator did.
    """

    pk: Annotated[Uuid, READ_ONLY, Column("id")]
    policy: Annotated[Uuid, Ref("policies")] | None = None
    group: Annotated[Uuid, Ref("authentik_core.group", gives=False), Column("group_id")] | None = None
    user: Annotated[int, Ref("authentik_core.user", gives=False), Column("user_id")] | None = None
    target: Annotated[Uuid, Ref("authentik_endpoints.device"), Column("device_id")]
    negate: bool = False
    enabled: bool = True
    order: Annotated[Int32, Column("place")]
    timeout: Annotated[int, msgspec.Meta(ge=0, le=2147483647)] = 30
    failure_result: bool = False
    expires: Annotated[datetime | None, READ_ONLY] = None
    expiring: Annotated[bool, READ_ONLY] = False
    is_primary: bool = False
    connector: Annotated[Uuid | None, READ_ONLY, Ref(FAMILY, OnDelete.SET_NULL)] = None


_NONE: Final[Mapping[str, object]] = {
    "connector_uuid": "00000000-0000-0000-0000-000000000000",
    "name": "",
    "enabled": False,
    **dict.fromkeys(("component", "verbose_name", "verbose_name_plural", "meta_model_name"), ""),
}
"""The connector of a binding that an administrator made: clients of the contract take no null there."""


class DeviceUserBindingShown(msgspec.Struct):
    """The computed members of a binding."""

    policy_obj: Annotated[dict[str, object] | None, msgspec.Meta(title="Policy")]
    group_obj: PartialGroup | None
    user_obj: PartialUser | None
    connector_obj: Annotated[dict[str, object], msgspec.Meta(title="Connector")]


async def view(
    call: Call, state: State, bindings: Sequence[DeviceUserBinding], _query: Mapping[str, Sequence[str]]
) -> list[DeviceUserBindingShown]:
    """What the bindings lead to."""
    groups = await partial_groups(state, [one.group for one in bindings if one.group])
    users = await partial_users(state, [one.user for one in bindings if one.user])
    shown = []
    for one in bindings:
        policy = call.settings.find("policies", one.policy) if one.policy else None
        teller = call.settings.find(FAMILY, one.connector) if one.connector else None
        shown.append(
            DeviceUserBindingShown(
                policy_obj=await base(call, state, *policy) if policy else None,
                group_obj=groups.get(one.group) if one.group else None,
                user_obj=users.get(one.user) if one.user else None,
                connector_obj=await base(call, state, *teller) if teller else dict(_NONE),
            )
        )
    return shown


async def rules(
    _call: Call, _state: State, _old: DeviceUserBinding | None, new: DeviceUserBinding
) -> DeviceUserBinding:
    """Exactly one thing is bound."""
    if sum(value is not None for value in (new.policy, new.group, new.user)) != 1:
        raise invalid({"non_field_errors": ["Name exactly one of policy, group and user."]})
    return new


DEVICE_BINDING: Kind[DeviceUserBinding] = Kind(
    model="authentik_endpoints.deviceuserbinding",
    struct=DeviceUserBinding,
    path="endpoints/device_bindings",
    title=("Device User binding", "Device User bindings"),
    key_name="policy_binding_uuid",
    table=Table("endpoint_bindings"),
    shown=DeviceUserBindingShown,
    view=view,
    rules=rules,
    search=(),
    order=("target", "order"),
    filters=(
        "policy",
        "target",
        "enabled",
        "order",
        "timeout",
        Filter("target_in", Uuid, many=True, sql="t.device_id = ANY({}::text[])"),
        Filter("policy__isnull", bool, sql="(t.policy IS NULL) = {}"),
    ),
    stored_only="Nobody is let in to or kept from a device by it yet.",
)
