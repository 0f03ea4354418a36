"""Where a request's work on a run halts: before a stage that asks, or because an answer does not suit a silent one."""

from dataclasses import dataclass
from typing import Any

from keystead.flows import replies
from keystead.flows.course import Course
from keystead.flows.ports import Reply
from keystead.flows.stage import Challenge, Errors, Run, Stage


class UnfitError(Exception):
    """What was answered last does not suit a silent stage behind it."""

    def __init__(self, errors: Errors) -> None:
        super().__init__(" ".join(error.string for found in errors.values() for error in found))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Arrived:
    """A run before a stage that asks something."""

    course: Course
    run: Run[Any]
    stage: Stage[Any]
    challenge: Challenge

    def asks(self, errors: Errors | None = None) -> Reply:
        """The challenge, with complaints about the last answer."""
        return replies.asks(self.course, self.challenge.component, self.challenge.members, errors)
