"""Filters that lists of providers share, under the names of the contract."""

from collections.abc import Collection, Mapping, Sequence

from keystead.flows.flow import FLOW
from keystead.kinds.call import Call
from keystead.kinds.field import Type
from keystead.kinds.kind import Filter
from keystead.kinds.marks import Uuid
from keystead.kinds.state import State
from keystead.providers.application import APPLICATION
from keystead.trust.keypair import KEYPAIR

Query = Mapping[str, Sequence[str]]


def _alike(one: object, other: object) -> bool:
    return one.casefold() == other.casefold() if isinstance(one, str) and isinstance(other, str) else one == other


def iexact(member: str, type_: Type = str) -> Filter:
    """``…__iexact``: the member has this value; texts whatever their case."""
    return Filter(f"{member}__iexact", type_, test=lambda one, value: _alike(getattr(one, member), value))


def certificate(member: str = "certificate") -> tuple[Filter, ...]:
    """The certificate that ``member`` names, by its key or by its name."""

    async def named(call: Call, _state: State, name: str, _query: Query) -> Collection[object]:
        pairs = {pair.pk for pair in call.settings.all(KEYPAIR) if _alike(pair.name, name)}
        return _holding(call, member, pairs)

    return (
        Filter(f"{member}__kp_uuid__iexact", Uuid, test=lambda one, value: getattr(one, member) == value),
        Filter(f"{member}__name__iexact", str, keys=named),
    )


def _holding(call: Call, member: str, values: Collection[object]) -> set[object]:
    """The providers whose ``member`` is one of ``values``."""
    found = call.settings.members("providers")
    return {one.pk for _, one in found if getattr(one, member, None) in values}


async def _with_flow(call: Call, _state: State, slug: str, _query: Query) -> Collection[object]:
    flows = {flow.pk for flow in call.settings.all(FLOW) if _alike(flow.slug, slug)}
    return _holding(call, "authorization_flow", flows)


async def _unassigned(call: Call, _state: State, wanted: bool, _query: Query) -> Collection[object]:  # noqa: FBT001 - the shape of every filter's keys
    used = {key for one in call.settings.all(APPLICATION) for key in (one.provider, *one.backchannel_providers)}
    return {one.pk for _, one in call.settings.members("providers") if (one.pk not in used) is wanted}


async def _working_for(call: Call, _state: State, pk: str, _query: Query) -> Collection[object]:
    application = call.settings.get(APPLICATION, pk)
    return application.backchannel_providers if application else ()


FLOW_SLUG = Filter("authorization_flow__slug__iexact", str, keys=_with_flow, note="Slug of the authorization flow.")
UNASSIGNED = Filter(
    "application__isnull", bool, keys=_unassigned, note="Whether the provider speaks for no application."
)
BEHIND = Filter("backchannel_application", Uuid, keys=_working_for, note="Works behind this application.")
