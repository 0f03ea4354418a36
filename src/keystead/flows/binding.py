"""FlowStageBinding: puts a stage at a place in a flow, and says what happens when it is answered wrongly."""

import enum
from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec

from keystead.base.errors import invalid
from keystead.flows.flow import PolicyEngineMode
from keystead.flows.shown import Stage
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind, steady
from keystead.kinds.marks import READ_ONLY, Int32, Ref, Uuid
from keystead.kinds.render import base
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State
from keystead.policies.binding import POLICY_BINDING


class InvalidResponseActionEnum(enum.StrEnum):
    """What a refused answer leads to."""

    RETRY = "retry"
    RESTART = "restart"
    RESTART_WITH_CONTEXT = "restart_with_context"


class FlowStageBinding(msgspec.Struct, frozen=True, kw_only=True):
    """A stage's place in a flow.

    :param evaluate_on_plan: its policies decide, when the flow is entered, whether the stage is part of the run.
    :param re_evaluate_policies: its policies decide, when the stage is reached, whether it is skipped.
    """

    pk: Annotated[Uuid, READ_ONLY]
    target: Annotated[Uuid, Ref("authentik_flows.flow", part=True)]
    stage: Annotated[Uuid, Ref("stages")]
    evaluate_on_plan: bool = False
    re_evaluate_policies: bool = True
    order: Int32
    policy_engine_mode: PolicyEngineMode = PolicyEngineMode.ANY
    invalid_response_action: InvalidResponseActionEnum = InvalidResponseActionEnum.RETRY


class FlowStageBindingShown(msgspec.Struct):
    """The computed members of a binding."""

    policybindingmodel_ptr_id: Uuid
    stage_obj: Stage


def bindings_of(settings: Snapshot, flow_pk: str) -> Sequence[FlowStageBinding]:
    """The bindings of a flow, in order; equal orders stand as they were made to sort: by key."""

    def by_flow() -> dict[str, list[FlowStageBinding]]:
        found: dict[str, list[FlowStageBinding]] = {}
        for one in sorted(settings.all(FLOW_STAGE_BINDING), key=lambda one: (one.order, one.pk)):
            found.setdefault(one.target, []).append(one)
        return found

    return settings.memo("flows.bindings", by_flow).get(flow_pk, ())


@steady
async def view(
    call: Call, state: State, bindings: Sequence[FlowStageBinding], _query: Mapping[str, Sequence[str]]
) -> list[FlowStageBindingShown]:
    """The stages in short."""
    shown = []
    for one in bindings:
        found = call.settings.find("stages", one.stage)
        if found is None:  # references are checked at every change, so this is a defect and not a state to show
            raise LookupError(f"the flow-stage binding {one.pk} leads to no stage")
        stage = msgspec.convert(await base(call, state, *found), Stage, from_attributes=True)
        shown.append(FlowStageBindingShown(one.pk, stage))
    return shown


async def rules(call: Call, _state: State, _old: FlowStageBinding | None, new: FlowStageBinding) -> FlowStageBinding:
    """A stage stands at one place of a flow once."""
    for other in bindings_of(call.settings, new.target):
        if other.pk != new.pk and (other.stage, other.order) == (new.stage, new.order):
            raise invalid({"non_field_errors": ["This stage is bound to this flow at this order already."]})
    return new


async def _judged_by(
    call: Call, _state: State, policies: Sequence[str], _query: Mapping[str, Sequence[str]]
) -> frozenset[str]:
    """The bindings that one of these policies is bound to."""
    return frozenset(one.target for one in call.settings.all(POLICY_BINDING) if one.policy in policies)


FLOW_STAGE_BINDING = Kind(
    model="authentik_flows.flowstagebinding",
    struct=FlowStageBinding,
    path="flows/bindings",
    title=("Flow Stage Binding", "Flow Stage Bindings"),
    key_name="fsb_uuid",
    shown=FlowStageBindingShown,
    view=view,
    rules=rules,
    search=(),
    order=("target", "order"),
    filters=(
        "evaluate_on_plan",
        "invalid_response_action",
        "order",
        "policy_engine_mode",
        "re_evaluate_policies",
        "stage",
        "target",
        Filter("policies", Uuid, many=True, keys=_judged_by, note="Bound to one of these policies."),
        Filter("fsb_uuid", Uuid, test=lambda one, pk: one.pk == pk),
        Filter("pbm_uuid", Uuid, test=lambda one, pk: one.pk == pk),
    ),
    bindable=True,
)
