"""RequestRuleBinding: what can be asked for by a rule; RequestRuleChildBinding: what is given together with it."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec

from keystead.base.errors import invalid
from keystead.flows.flow import PolicyEngineMode
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.kinds.marks import Duration, Ref, Uuid
from keystead.kinds.render import render
from keystead.kinds.state import State
from keystead.providers.requests.rule import BINDING, MODEL, REQUEST_RULE
from keystead.providers.requests.target import RelatedTarget, check_target, related


class RequestRuleBinding(msgspec.Struct, frozen=True, kw_only=True):
    """What can be asked for by a rule: by whoever the policies, groups and users bound to this binding let pass.

    :param target: an application, or an entitlement of one.
    :param expiry_pending: how long a request waits for a decision.
    :param expiry_granted_max: how long access is given at most.
    """

    uuid: Uuid = ""
    policy_engine_mode: PolicyEngineMode = PolicyEngineMode.ANY
    rule: Annotated[Uuid, Ref(MODEL)]
    target: Annotated[Uuid, Ref("bindable")]
    expiry_pending: Duration = "days=7"
    expiry_granted_max: Duration = "days=30"


class RequestRuleBindingShown(msgspec.Struct):
    """The computed members: what policies are bound to, the rule in full, and what is given with the target."""

    pbm_uuid: Uuid
    rule_obj: Annotated[dict[str, object], msgspec.Meta(title="RequestRule")]
    related: list[Uuid]
    related_obj: list[RelatedTarget]


class RequestRuleChildBinding(msgspec.Struct, frozen=True, kw_only=True):
    """What is given together with the target of a binding."""

    uuid: Uuid = ""
    binding: Annotated[Uuid, Ref(BINDING)]
    target: Annotated[Uuid, Ref("bindable")]


async def view(
    call: Call, state: State, bindings: Sequence[RequestRuleBinding], _query: Mapping[str, Sequence[str]]
) -> list[RequestRuleBindingShown]:
    """The rules in full, and what is given together with the targets."""
    shown = []
    for one in bindings:
        rule = call.settings.get(REQUEST_RULE, one.rule)
        rendered = await render(call, state, REQUEST_RULE, [rule] if rule else [], {})
        together = [
            child.target for child in call.settings.all(REQUEST_RULE_CHILD_BINDING) if child.binding == one.uuid
        ]
        told = [short for pk in together if (short := related(call, pk)) is not None]
        shown.append(RequestRuleBindingShown(one.uuid, next(iter(rendered), {}), together, told))
    return shown


async def rules(
    call: Call, _state: State, _old: RequestRuleBinding | None, new: RequestRuleBinding
) -> RequestRuleBinding:
    """Something that can be asked for, once by each rule."""
    check_target(call, new.target)
    for other in call.settings.all(REQUEST_RULE_BINDING):
        if other.uuid != new.uuid and (other.rule, other.target) == (new.rule, new.target):
            raise invalid({"target": ["This can be asked for by this rule already."]})
    return new


async def child_rules(
    call: Call, _state: State, _old: RequestRuleChildBinding | None, new: RequestRuleChildBinding
) -> RequestRuleChildBinding:
    """Something else that can be asked for, once with each target."""
    check_target(call, new.target)
    binding = call.settings.get(REQUEST_RULE_BINDING, new.binding)
    if binding is not None and binding.target == new.target:
        raise invalid({"target": ["This is what is asked for; name something else that is given with it."]})
    for other in call.settings.all(REQUEST_RULE_CHILD_BINDING):
        if other.uuid != new.uuid and (other.binding, other.target) == (new.binding, new.target):
            raise invalid({"target": ["This is given together with it already."]})
    return new


REQUEST_RULE_BINDING: Kind[RequestRuleBinding] = Kind(
    model=BINDING,
    struct=RequestRuleBinding,
    path="requests/rule-bindings",
    title=("Request Rule Binding", "Request Rule Bindings"),
    key="uuid",
    key_name="uuid",
    shown=RequestRuleBindingShown,
    view=view,
    rules=rules,
    search=(),
    order=("rule", "target"),
    filters=("rule", "target"),
    bindable=True,
    stored_only="It says what may be asked for; asking itself is not built yet.",
)
REQUEST_RULE_CHILD_BINDING: Kind[RequestRuleChildBinding] = Kind(
    model="authentik_requests.requestrulechildbinding",
    struct=RequestRuleChildBinding,
    path="requests/rule-child-bindings",
    title=("Request Rule Child Binding", "Request Rule Child Bindings"),
    key="uuid",
    key_name="uuid",
    rules=child_rules,
    search=(),
    order=("binding", "target"),
    filters=("binding", "target"),
    stored_only="Access cannot be asked for yet, so nothing is given together with it.",
)
