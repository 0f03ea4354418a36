"""The executor: leads a visitor through a flow, stage by stage. It alone plans, counts, commits and goes on.

``show`` tells the challenge at hand, ``answer`` judges an answer to it, ``begin`` starts a run with a context from above.
Whatever a request does to a run lands in one commit: the run's row, the session, the stages' changes, the events. Silent
stages run within the step that reaches them.
"""

import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

import msgspec

from keystead.base import log
from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem, not_found
from keystead.flows import challenge as ch
from keystead.flows import plan as plans
from keystead.flows import setup
from keystead.flows.binding import FlowStageBinding, InvalidResponseActionEnum
from keystead.flows.course import Course
from keystead.flows.flow import DeniedActionEnum, Flow, FlowDesignationEnum, prefix
from keystead.flows.gate import admit
from keystead.flows.password_check import SPENT
from keystead.flows.plan import Kept, Plan
from keystead.flows.ports import Finish, Ports, Reply, Visitor
from keystead.flows.stage import GENERAL, Again, Body, Challenge, Deny, Done, Error, Errors, Run, Stage
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.state import State
from keystead.people.user import User, by_pk
from keystead.store import GuardFailed

_LOG = log.get("flows.executor")
LIFE: Final = timedelta(days=1)
"""How long a run may rest between two steps."""
REAUTHENTICATE: Final = "reauthenticate"
"""In the context of an authentication flow: ask, although somebody is signed in."""
_AFRESH: Final = 5
"""How often a request looks again when others keep moving the same run."""
_INACTIVE: Final = "This account is not active. Ask whoever looks after it."


@dataclass(frozen=True, slots=True)
class _Arrived:
    """A run stands before a stage that asks something."""

    course: Course
    run: Run[Any]
    stage: Stage[Any]
    challenge: Challenge


class _Unfit(Exception):  # noqa: N818 - control flow inside this file: a silent stage refuses what was just answered
    """What was answered last does not suit a silent stage behind it."""

    def __init__(self, errors: Errors) -> None:
        super().__init__()
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Executor:
    """Runs flows.

    :param stages: how each kind of stage behaves, by its model; ``app.py`` lists them.
    :param ports: what the floors above hand in.
    :param life: how long a run may rest between two steps.
    """

    stages: Mapping[str, Stage[Any]]
    ports: Ports = field(default_factory=Ports)
    life: timedelta = LIFE
