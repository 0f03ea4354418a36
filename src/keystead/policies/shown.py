"""What every policy shows beside its own members, and the filters they share."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from keystead.kinds.call import Call
from keystead.kinds.history import moments
from keystead.kinds.kind import Filter, steady
from keystead.kinds.marks import Uuid
from keystead.kinds.state import State


class PolicyShown(msgspec.Struct):
    """The computed member of every policy: how many things it is bound to."""

    bound_to: int


@steady
async def view(
    call: Call, _state: State, policies: Sequence[Any], _query: Mapping[str, Sequence[str]]
) -> list[PolicyShown]:
    """Count the bindings; every policy's kind has this view."""
    return [PolicyShown(bound_to(call, policy.pk)) for policy in policies]


def bound_to(call: Call, pk: str) -> int:
    """How many bindings a policy has."""
    found = call.settings.find("policies", pk)
    return sum(one.field == "policy" for one in call.settings.referrers(found[0], pk)) if found else 0


_BY_UUID: Final = Filter("policy_uuid", Uuid, test=lambda policy, pk: policy.pk == pk)


def common(model: str) -> tuple[str | Filter, ...]:
    """The filters of most policies, beside those by their own members."""
    return ("name", "execution_logging", _BY_UUID, *moments(model))
