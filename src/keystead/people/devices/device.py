"""What all sorts of devices have in common: whose they are, how they are shown, what a change does."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, TypeAlias, TypeVar

import msgspec

from keystead.base.errors import invalid
from keystead.kinds.call import Call
from keystead.kinds.kind import ALL, READ, Kind, Verb
from keystead.kinds.marks import READ_ONLY, Column, Ref
from keystead.kinds.state import State
from keystead.people.power import check_reach
from keystead.people.shown import PartialUser, partial_users

T = TypeVar("T", bound=msgspec.Struct)
OWN: Final = READ | {Verb.UPDATE, Verb.PARTIAL_UPDATE, Verb.DESTROY}
"""What people do with their own devices: they make them in flows, not here."""
LATER: Final = "Second factors of this sort are not asked for yet: devices are kept and shown, and prove nothing."
Name: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Owner: TypeAlias = Annotated[int, READ_ONLY, Column("user_id"), Ref("authentik_core.user")]


class DeviceShown(msgspec.Struct):
    """The computed member of a device."""

    user: PartialUser


async def users_of(state: State, devices: Sequence[Any]) -> list[PartialUser]:
    """Whose each device is."""
    found = await partial_users(state, [one.user for one in devices])
    return [found[one.user] for one in devices]


async def view(
    _call: Call, state: State, devices: Sequence[Any], _query: Mapping[str, Sequence[str]]
) -> list[DeviceShown]:
    """Whose each device is."""
    return [DeviceShown(user) for user in await users_of(state, devices)]


async def rules(call: Call, _state: State, old: T | None, new: T) -> T:
    """A device made here is the caller's own, and proves nothing: only its owner can set it up, in a flow."""
    if old is None and not call.actor.pk:
        raise invalid({"non_field_errors": ["A device belongs to somebody, and whoever asks here is nobody."]})
    given: dict[str, object] = {"user": call.actor.pk, "last_updated": call.at} if old is None else {}
    if old is not None and new != old:
        given = {"last_updated": call.at}
    return msgspec.structs.replace(new, **given)


async def leaving(call: Call, state: State, device: Any) -> None:  # noqa: ANN401 - devices of every kind
    """Nobody takes a device from somebody stronger, whose account it guards."""
    await check_reach(call, state, device.user, "remove this device")


def administered(kind: Kind[T]) -> Kind[T]:
    """The twin of ``kind`` under ``authenticators/admin/``: the same devices, for those with permissions only."""
    path = kind.path.replace("authenticators/", "authenticators/admin/")
    return kind.twin(path, ALL - {Verb.USED_BY})


class Device(msgspec.Struct, kw_only=True):
    """A device of whatever sort, in short.

    :param type: the sort, as a model's name.
    :param extra_description: what tells it from others of the same sort, for people.
    :param external_id: what somebody else calls it.
    """

    verbose_name: Annotated[str, READ_ONLY]
    verbose_name_plural: Annotated[str, READ_ONLY]
    meta_model_name: Annotated[str, READ_ONLY]
    pk: str
    name: str
    type: Annotated[str, READ_ONLY]
    confirmed: bool
    created: Annotated[datetime, READ_ONLY]
    last_updated: Annotated[datetime, READ_ONLY]
    last_used: Annotated[datetime | None, READ_ONLY]
    extra_description: Annotated[str | None, READ_ONLY]
    external_id: Annotated[str | None, READ_ONLY]
