"""One request's work on a run: what was loaded, how far it got, what it wants written. Each step makes a new one."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from keystead.flows.binding import FLOW_STAGE_BINDING, FlowStageBinding
from keystead.flows.flow import Flow
from keystead.flows.plan import Kept, Plan, holder
from keystead.flows.ports import Visitor
from keystead.flows.stage import Done, proven
from keystead.kinds.call import NOBODY, Actor, Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind
from keystead.people.user import User


@dataclass(frozen=True, slots=True)
class Course:
    """A run under way.

    :param user: the pending user, as the changes gathered so far will leave them.
    :param kept: the row it was read from or will replace.
    :param moved: it went past a stage in this request, or brought a context along, and has to be kept.
    """

    call: Call
    flow: Flow
    visitor: Visitor
    plan: Plan
    user: User | None
    kept: Kept | None
    changes: Changes = field(default_factory=Changes)
    moved: bool = False

    @property
    def context(self) -> Mapping[str, object]:
        """What stages found out so far."""
        return self.plan.context

    @property
    def proven(self) -> bool:
        """Whether the pending user has proved who they are."""
        return proven(self.user, self.visitor, self.context)

    @property
    def over(self) -> bool:
        """Whether every stage is passed."""
        return self.plan.at >= len(self.plan.steps)

    @property
    def tried(self) -> int:
        """How often the stage at hand was answered, where that is counted."""
        return self.plan.tries.get(self.plan.steps[self.plan.at], 0)

    def step(self) -> tuple[FlowStageBinding, Kind[Any], Any] | None:
        """The binding at hand, its stage's kind and settings; None when an administrator removed them meanwhile."""
        binding = self.call.settings.get(FLOW_STAGE_BINDING, self.plan.steps[self.plan.at])
        found = self.call.settings.find("stages", binding.stage) if binding else None
        return (binding, *found) if binding and found else None

    def skipped(self) -> "Course":
        """Past a stage whose policies leave it out."""
        return replace(self, plan=msgspec.structs.replace(self.plan, at=self.plan.at + 1))

    def noting(self, context: Mapping[str, object]) -> "Course":
        """With what a stage wants kept while it asks."""
        plan = msgspec.structs.replace(self.plan, context={**self.context, **context})
        return replace(self, plan=plan, moved=True)

    def counted(self) -> "Course":
        """With one more answer to the stage at hand."""
        key = self.plan.steps[self.plan.at]
        tries = {**self.plan.tries, key: self.plan.tries.get(key, 0) + 1}
        return replace(self, plan=msgspec.structs.replace(self.plan, tries=tries))

    def past(self, done: Done) -> "Course":
        """Past a stage that is satisfied."""
        context = {key: value for key, value in self.context.items() if key not in done.forget}
        context.update(done.context)
        visitor = done.visitor or self.visitor
        plan = msgspec.structs.replace(self.plan, at=self.plan.at + 1, context=context, holder=holder(visitor))
        changes = Changes()
        changes.extend(self.changes)
        changes.extend(done.changes)
        user = done.user or (self.user if "pending_user" in context else None)
        call = (
            self.call
            if visitor.user is self.visitor.user
            else msgspec.structs.replace(self.call, actor=_actor(visitor))
        )
        return replace(self, call=call, visitor=visitor, plan=plan, user=user, changes=changes, moved=True)


def _actor(visitor: Visitor) -> Actor:
    """Who acts after signing in or out, for what follows in the same request: their name, and none of their powers."""
    user = visitor.user
    if user is None:
        return NOBODY
    return Actor(
        pk=user.pk,
        username=user.username,
        uuid=user.uuid,
        name=user.name,
        email=user.email,
        session=visitor.session.uuid if visitor.session else "",
        means="session",
        type=user.type.value,
    )
