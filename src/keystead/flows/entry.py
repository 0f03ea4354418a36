"""Entering a flow: the run a browser is at, or a new one - or why there is none for this visitor."""

from collections.abc import Mapping
from typing import Final

from keystead.base.errors import not_found
from keystead.flows import plan as plans
from keystead.flows import replies, setup
from keystead.flows.challenge import stays_here
from keystead.flows.course import Course
from keystead.flows.flow import DeniedActionEnum, Flow, FlowDesignationEnum, prefix
from keystead.flows.gate import admit
from keystead.flows.plan import Plan
from keystead.flows.ports import Ports, Reply, Visitor
from keystead.flows.stage import Deny
from keystead.kinds.call import Call
from keystead.kinds.state import State
from keystead.people.finding import by_pk
from keystead.people.user import User

REAUTHENTICATE: Final = "reauthenticate"
"""In the context of an authentication flow: ask, although somebody is signed in."""
ADDING: Final = "adding_account"
"""In the context of an authentication flow: whoever is signed in stays so, beside the one who signs in."""
_ELSEWHERE: Final = "The address to go to afterwards is not on this server, so this page does not go on."


async def enter(
    call: Call, state: State, ports: Ports, flow: Flow, visitor: Visitor, given: Mapping[str, object] | None
) -> Course | Reply:
    """The run at hand, or a new one; a reply where the visitor may not enter, or need not.

    :param given: a context from above: the run is a new one in any case.
    :raises Problem: ``NOT_FOUND`` for the first run once it is over.
    """
    context = await seed(call, state, ports, flow, visitor, given or {})
    bare = Course(call, flow, visitor, Plan(steps=(), context=context), visitor.user, None)
    onward = visitor.query.get("next", "")
    if onward and not stays_here(onward):
        return replies.denied(bare, _ELSEWHERE)
    kept = await plans.load(call, state, flow, visitor)
    if given is None and kept is not None and kept.plan is not None:
        return Course(call, flow, visitor, kept.plan, await pending(state, visitor, kept.plan.context), kept)
    signed_in = flow.designation is FlowDesignationEnum.AUTHENTICATION and visitor.user is not None
    if signed_in and not context.get(REAUTHENTICATE):
        return replies.leaves(bare, home(call, visitor))
    if (refusal := await admit(call, state, ports, flow, visitor, context)) is not None:
        return _not_admitted(bare, refusal)
    user = await pending(state, visitor, context)
    plan = await plans.make(call, state, ports, flow, visitor, user, context)
    if isinstance(plan, Deny):
        return replies.denied(bare, plan.message)
    return Course(call, flow, visitor, plan, user, kept, moved=given is not None)


def _not_admitted(course: Course, refusal: Deny) -> Reply:
    action = course.flow.denied_action
    if action is DeniedActionEnum.CONTINUE or (
        action is DeniedActionEnum.MESSAGE_CONTINUE and course.visitor.query.get("next")
    ):
        return replies.leaves(course, home(course.call, course.visitor))
    return replies.denied(course, refusal.message)


async def seed(
    call: Call, state: State, ports: Ports, flow: Flow, visitor: Visitor, given: Mapping[str, object]
) -> dict[str, object]:
    """The context a new run starts with."""
    context = {**plans.own(flow, visitor), **given}
    if flow.slug == setup.SLUG:
        first = await setup.first_administrator(state)
        if first is None:
            raise not_found()
        context["pending_user"] = first.pk
    if "application" not in context and (onward := visitor.query.get("next")):
        application = ports.destination(call, onward)
        if application is not None:
            context["application"] = application
    return context


async def pending(state: State, visitor: Visitor, context: Mapping[str, object]) -> User | None:
    """The pending user."""
    pk = context.get("pending_user")
    if not isinstance(pk, int):
        return None
    return visitor.user if visitor.user is not None and visitor.user.pk == pk else await by_pk(state, pk)


def home(call: Call, visitor: Visitor) -> str:
    """Where a browser goes that nobody sends elsewhere: to the query's ``next`` if that stays here, or to the root."""
    onward = visitor.query.get("next", "")
    return onward if stays_here(onward) else f"{prefix(call)}/"
