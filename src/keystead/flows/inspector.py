"""The inspector: where a run stands and what it knows, for those who build flows. Secrets are masked."""

from typing import Annotated, Any

import msgspec

from keystead.flows.binding import FLOW_STAGE_BINDING, FlowStageBinding
from keystead.flows.course import Course
from keystead.flows.entry import enter
from keystead.flows.flow import FLOW, Flow
from keystead.flows.ports import Ports, Visitor
from keystead.kinds.access import require
from keystead.kinds.call import Call
from keystead.kinds.ledger import cleaned
from keystead.kinds.render import render
from keystead.kinds.state import State


class FlowInspectorPlan(msgspec.Struct):
    """A run that stands at a stage.

    :param next_planned_stage: at the last stage that one again: the contract knows no run without a next one.
    :param session_id: tells runs apart; nobody can sign in with it.
    """

    current_stage: Annotated[dict[str, Any], msgspec.Meta(title="FlowStageBinding")]
    next_planned_stage: Annotated[dict[str, Any], msgspec.Meta(title="FlowStageBinding")]
    plan_context: dict[str, Any]
    session_id: str


class FlowInspection(msgspec.Struct):
    """What the inspector shows (flows.md §4)."""

    plans: list[FlowInspectorPlan]
    is_completed: bool
    current_plan: FlowInspectorPlan | msgspec.UnsetType = msgspec.UNSET


async def inspect(call: Call, state: State, ports: Ports, flow: Flow, visitor: Visitor) -> FlowInspection:
    """The visitor's own run of ``flow``, as it stands; looking changes nothing. A run that is over stands nowhere.

    :raises Problem: ``UNAUTHENTICATED`` or ``DENIED``: the caller may not inspect flows.
    """
    require(call, FLOW, "inspect")
    course = await enter(call, state, ports, flow, visitor, None)
    if not isinstance(course, Course):
        return FlowInspection([], is_completed=True)
    current = await _shown(call, state, course, course.plan.at)
    if current is None:
        return FlowInspection([], is_completed=course.over)
    plan = FlowInspectorPlan(
        current_stage=current,
        next_planned_stage=await _shown(call, state, course, course.plan.at + 1) or current,
        plan_context=_masked(course),
        session_id=course.kept.digest[:32] if course.kept else "",
    )
    return FlowInspection([plan], is_completed=course.over, current_plan=plan)


async def _shown(call: Call, state: State, course: Course, at: int) -> dict[str, Any] | None:
    steps = course.plan.steps
    binding: FlowStageBinding | None = call.settings.get(FLOW_STAGE_BINDING, steps[at]) if at < len(steps) else None
    if binding is None:
        return None
    shown: dict[str, Any] = msgspec.to_builtins((await render(call, state, FLOW_STAGE_BINDING, [binding], {}))[0])
    return shown


def _masked(course: Course) -> dict[str, Any]:
    masked = cleaned(course.context)
    return masked if isinstance(masked, dict) else {}
