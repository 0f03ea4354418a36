"""PolicyBinding: ties a policy, a group or a user to something that asks before it lets anybody in."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

import msgspec

from keystead.base.errors import invalid
from keystead.kinds import records
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind
from keystead.kinds.marks import READ_ONLY, Int32, Ref, Uuid
from keystead.kinds.render import base
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State
from keystead.people.group import GROUP
from keystead.people.shown import PartialGroup, PartialUser, partial_groups, partial_users
from keystead.people.user import USER


class PolicyBinding(msgspec.Struct, frozen=True, kw_only=True):
    """One condition on one thing; exactly one of ``policy``, ``group`` and ``user`` is set.

    :param target: the thing: an application, flow, flow-stage binding, source, rule …
    :param negate: turns the answer round.
    :param timeout: seconds the policy may take.
    :param failure_result: the answer when the policy fails to give one.
    """

    pk: Annotated[Uuid, READ_ONLY]
    policy: Annotated[Uuid, Ref("policies")] | None = None
    group: Annotated[Uuid, Ref("authentik_core.group", gives=False)] | None = None
    user: Annotated[int, Ref("authentik_core.user", gives=False)] | None = None
    target: Annotated[Uuid, Ref("bindable", part=True)]
    negate: bool = False
    enabled: bool = True
    order: Int32
    timeout: Annotated[int, msgspec.Meta(ge=0, le=2147483647)] = 30
    failure_result: bool = False
    expires: Annotated[datetime | None, READ_ONLY] = None
    expiring: Annotated[bool, READ_ONLY] = False


class PolicyBindingShown(msgspec.Struct):
    """The computed members of a binding."""

    policy_obj: Annotated[dict[str, object] | None, msgspec.Meta(title="Policy")]
    group_obj: PartialGroup | None
    user_obj: PartialUser | None


def bindings_of(settings: Snapshot, target: str) -> Sequence[PolicyBinding]:
    """The enabled bindings of ``target``, in order."""

    def by_target() -> dict[str, list[PolicyBinding]]:
        found: dict[str, list[PolicyBinding]] = {}
        for one in sorted(settings.all(POLICY_BINDING), key=lambda one: one.order):
            if one.enabled:
                found.setdefault(one.target, []).append(one)
        return found

    return settings.memo("bindings.by_target", by_target).get(target, ())


async def view(
    call: Call, state: State, bindings: Sequence[PolicyBinding], _query: Mapping[str, Sequence[str]]
) -> list[PolicyBindingShown]:
    """What the bindings lead to."""
    groups = await partial_groups(state, [one.group for one in bindings if one.group])
    users = await partial_users(state, [one.user for one in bindings if one.user])
    shown = []
    for one in bindings:
        found = call.settings.find("policies", one.policy) if one.policy else None
        shown.append(
            PolicyBindingShown(
                policy_obj=await base(call, state, *found) if found else None,
                group_obj=groups.get(one.group) if one.group else None,
                user_obj=users.get(one.user) if one.user else None,
            )
        )
    return shown


async def rules(call: Call, state: State, _old: PolicyBinding | None, new: PolicyBinding) -> PolicyBinding:
    """Exactly one thing is bound, and it exists; one policy stands at a target and place once."""
    if sum(value is not None for value in (new.policy, new.group, new.user)) != 1:
        raise invalid({"non_field_errors": ["Name exactly one of policy, group and user."]})
    if new.group and not await records.load(state.store, GROUP, "id", [new.group]):
        raise invalid({"group": [f'Invalid pk "{new.group}": there is no such group.']})
    if new.user and not await records.load(state.store, USER, "id", [new.user]):
        raise invalid({"user": [f'Invalid pk "{new.user}": there is no such user.']})
    for other in call.settings.all(POLICY_BINDING):
        if (
            other.pk != new.pk
            and new.policy
            and (other.policy, other.target, other.order)
            == (
                new.policy,
                new.target,
                new.order,
            )
        ):
            raise invalid({"non_field_errors": ["This policy is bound to this target at this place already."]})
    return new


POLICY_BINDING = Kind(
    model="authentik_policies.policybinding",
    struct=PolicyBinding,
    path="policies/bindings",
    title=("Policy Binding", "Policy Bindings"),
    key_name="policy_binding_uuid",
    shown=PolicyBindingShown,
    view=view,
    rules=rules,
    permissions=(
        ("view_policy_cache", "Can view how many answers of policies are cached"),
        ("clear_policy_cache", "Can clear the cache of policies' answers"),
    ),
    search=(),
    order=("target", "order"),
    filters=(
        "policy",
        "target",
        "enabled",
        "order",
        "timeout",
        Filter("target_in", Uuid, many=True, test=lambda one, targets: one.target in targets),
        Filter("policy__isnull", bool, test=lambda one, value: (one.policy is None) is value),
    ),
)
