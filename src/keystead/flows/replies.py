"""What a run tells the browser: the next question, a way out, a no, or that something broke."""

import traceback
from collections.abc import Mapping

from keystead.flows.challenge import ACCESS_DENIED, FLOW_ERROR, REDIRECT, flow_info, identity, told
from keystead.flows.course import Course
from keystead.flows.flow import Flow
from keystead.flows.ports import Reply, Visitor
from keystead.flows.stage import Errors
from keystead.kinds.call import Call


def body(
    course: Course, component: str, members: Mapping[str, object], errors: Errors | None = None
) -> dict[str, object]:
    """A challenge with all its members."""
    who = str(identity(course.user, course.context, proven=course.proven)["pending_user"])
    found: dict[str, object] = {
        "flow_info": flow_info(course.call, course.flow, course.visitor, course.context, who),
        "component": component,
        **members,
    }
    if errors:
        found["response_errors"] = told(errors)
    return found


def asks(course: Course, component: str, members: Mapping[str, object], errors: Errors | None = None) -> Reply:
    """Show a challenge; one that only leads elsewhere says where to."""
    to = str(members["to"]) if component == REDIRECT else None
    return Reply(body(course, component, members, errors), to, course.visitor)


def onward(course: Course) -> Reply:
    """The answer was taken: look again under the same URL."""
    return Reply(None, "", course.visitor)


def leaves(course: Course, to: str) -> Reply:
    """The run is over: go there."""
    return Reply(body(course, REDIRECT, {"to": to}), to, course.visitor, ended=True)


def denied(course: Course, message: str) -> Reply:
    """The run is over: no."""
    members = identity(course.user, course.context, proven=course.proven)
    if message:
        members["error_message"] = message
    return Reply(body(course, ACCESS_DENIED, members), None, course.visitor, ended=True)


def broke(call: Call, flow: Flow, visitor: Visitor, exc: Exception) -> Reply:
    """Something of ours broke; only superusers are told what."""
    members: dict[str, object] = {
        "flow_info": flow_info(call, flow, visitor, {}, ""),
        "component": FLOW_ERROR,
        "request_id": call.request_id,
    }
    if call.actor.is_superuser:
        members["error"] = f"{type(exc).__name__}: {exc}"
        members["traceback"] = "".join(traceback.format_exception(exc))
    return Reply(members, None, visitor)
