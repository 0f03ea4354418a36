"""The executor: leads a visitor through a flow, stage by stage. It alone plans, counts, commits and goes on.

``show`` tells the challenge at hand, ``answer`` judges an answer to it, ``begin`` starts a run with a context from
above. Whatever a request does to a run lands in one commit: the run's row, the session, the stages' changes, the
events. Stages that ask nothing run within the step that reaches them. Of two requests that move one run, the second
changes nothing and is shown where the first one led.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any, Final, TypeAlias

import msgspec

from keystead.base import log
from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem
from keystead.flows import plan as plans
from keystead.flows import replies, setup
from keystead.flows.arrival import Arrived, UnfitError
from keystead.flows.binding import InvalidResponseActionEnum
from keystead.flows.challenge import complaints, flow_path
from keystead.flows.course import Course
from keystead.flows.entry import enter, home, pending, seed
from keystead.flows.flow import Flow
from keystead.flows.gate import admit
from keystead.flows.password_check import SPENT
from keystead.flows.plan import Plan
from keystead.flows.ports import Ports, Reply, Visitor
from keystead.flows.stage import GENERAL, TAKEN, Again, Body, Challenge, Deny, Done, Error, Leave, Run, Stage
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.state import State
from keystead.store import GuardFailed, StoreDown, Write

_LOG = log.get("flows.executor")
Work: TypeAlias = Callable[[], Awaitable[Reply]]
LIFE: Final = timedelta(days=1)
"""How long a run may rest between two steps."""
_AFRESH: Final = 5
"""How often a request looks again when others keep moving the same run."""
_OVERTAKEN: Final = frozenset({plans.RUN, setup.GUARD, TAKEN})
_INACTIVE: Final = "This account is not active. Ask whoever looks after it."


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

    async def show(self, call: Call, state: State, flow: Flow, visitor: Visitor) -> Reply:
        """What the visitor is asked now; plans a run where there is none.

        :raises Problem: ``NOT_FOUND`` for the first run once it is over, ``BUSY`` when too much waits.
        """
        work = partial(self._show, call, state, flow, visitor)
        return await self._afresh(call, flow, visitor, work, work)

    async def answer(self, call: Call, state: State, flow: Flow, visitor: Visitor, body: Body) -> Reply:
        """Judge an answer to the challenge at hand, and go on.

        :param body: the answer's members; ``component`` may be missing (flows.md §3).
        :raises Problem: as :meth:`show`.
        """
        work = partial(self._answer, call, state, flow, visitor, body)
        return await self._afresh(call, flow, visitor, work, partial(self._show, call, state, flow, visitor))

    async def begin(
        self, call: Call, state: State, flow: Flow, visitor: Visitor, context: Mapping[str, object]
    ) -> Reply:
        """Start a new run with ``context``, in the place of whatever the browser was at.

        A reply that has not ended means: send the browser to the flow's page.

        :param context: JSON; ``finish`` names who ends the run (:class:`~keystead.flows.ports.Finish`).
        :raises Problem: as :meth:`show`.
        """
        work = partial(self._show, call, state, flow, visitor, context)
        return await self._afresh(call, flow, visitor, work, work)

    async def cancel(self, call: Call, state: State, visitor: Visitor) -> None:
        """Drop whatever run the browser is at."""
        await _commit(state, call, Changes(), plans.forget(visitor))

    @staticmethod
    async def _afresh(call: Call, flow: Flow, visitor: Visitor, work: Work, otherwise: Work) -> Reply:
        """Do ``work``; where somebody else moved the run meanwhile, nothing of it has happened: do ``otherwise``."""
        for _ in range(_AFRESH):
            try:
                return await work()
            except GuardFailed as exc:
                if exc.guard == "active":
                    return replies.denied(Course(call, flow, visitor, Plan(steps=()), visitor.user, None), _INACTIVE)
                if exc.guard not in _OVERTAKEN:
                    raise
            except Problem as exc:
                if exc.kind is not Fault.CONFLICT:
                    raise
            except StoreDown:
                raise
            except Exception as exc:  # noqa: BLE001 - whatever a stage stumbles over, the run stays where it was
                _LOG.error("a flow broke", flow=flow.slug, request_id=call.request_id, exc_info=exc)
                return replies.broke(call, flow, visitor, exc)
            work = otherwise
        raise Problem(Fault.BUSY, "This page is being used elsewhere at the same time; try again.", retry_after=1)

    async def _show(
        self, call: Call, state: State, flow: Flow, visitor: Visitor, given: Mapping[str, object] | None = None
    ) -> Reply:
        arrived = await self._approach(call, state, flow, visitor, given)
        return arrived if isinstance(arrived, Reply) else await self._pause(state, arrived)

    async def _approach(
        self, call: Call, state: State, flow: Flow, visitor: Visitor, given: Mapping[str, object] | None = None
    ) -> Arrived | Reply:
        """Where the run stands, once stages that ask nothing are passed."""
        course = await enter(call, state, self.ports, flow, visitor, given)
        if isinstance(course, Reply):
            return course
        try:
            return await self._arrive(state, course)
        except UnfitError as exc:
            return await self._deny(state, course, Deny(str(exc)))

    async def _pause(self, state: State, arrived: Arrived) -> Reply:
        """Ask; a run that has moved is kept first."""
        if arrived.course.moved:
            await self._keep(state, arrived.course)
        return arrived.asks()

    async def _arrive(self, state: State, course: Course) -> Arrived | Reply:
        """Go on to the next stage that asks something, or to the end.

        :raises UnfitError: a silent stage cannot work with what was answered.
        """
        while not course.over:
            found = course.step()
            if found is None:
                return await self._restart(state, course, {})
            binding, kind, settings = found
            call, visitor, user, context = course.call, course.visitor, course.user, course.context
            if binding.re_evaluate_policies:
                wanted = await plans.judged(call, state, self.ports, binding, visitor, user, context)
                if isinstance(wanted, Deny):
                    return await self._deny(state, course, wanted)
                if not wanted:
                    course = course.skipped()
                    continue
            stage = self.stages.get(kind.model)
            if stage is None:
                return await self._deny(state, course, Deny(f"This version of Keystead has no {kind.title[0]}."))
            run = Run(call, state, self.ports, course.flow, binding, settings, visitor, context, user)
            outcome = await stage.ask(run)
            if isinstance(outcome, Challenge):
                return Arrived(course.noting(outcome.keep) if outcome.keep else course, run, stage, outcome)
            if not isinstance(outcome, Done):
                return await self._over(state, course, outcome)
            course = course.past(outcome)
        return await self._end(state, course)

    async def _answer(self, call: Call, state: State, flow: Flow, visitor: Visitor, body: Body) -> Reply:
        arrived = await self._approach(call, state, flow, visitor)
        if isinstance(arrived, Reply):
            return arrived
        if (beside := await self._beside(state, arrived, body)) is not None:
            return beside
        limit = arrived.stage.tries(arrived.run, body)
        if limit:
            if arrived.course.tried >= limit:  # the last try is being looked at; it decides whether the run ends
                return replies.denied(arrived.course, SPENT)
            arrived = replace(arrived, course=await self._count(state, arrived.course))
        outcome = await arrived.stage.answer(arrived.run, body)
        if isinstance(outcome, Done):
            return await self._proceed(state, arrived, outcome)
        if isinstance(outcome, Again):
            return await self._refuse(state, arrived, outcome, limit)
        return await self._over(state, arrived.course, outcome)

    async def _beside(self, state: State, arrived: Arrived, body: Body) -> Reply | None:
        """The challenge at hand, for an answer to something else; None if ``body`` may answer it."""
        wanted, given = arrived.stage.component, body.get("component")
        if arrived.course.moved or arrived.challenge.component != wanted:
            return await self._pause(state, arrived)
        if given and given != wanted:
            return arrived.asks({GENERAL: [Error("This is the answer to another step. Answer this one.")]})
        return None

    async def _proceed(self, state: State, arrived: Arrived, outcome: Done) -> Reply:
        """Go on after a good answer; where what follows cannot work with it, ask for another one."""
        try:
            reached = await self._arrive(state, arrived.course.past(outcome))
            if isinstance(reached, Reply):
                return reached
            await self._keep(state, reached.course)
        except UnfitError as exc:
            return arrived.asks(exc.errors)
        except Problem as exc:
            if exc.kind is not Fault.INVALID or not exc.fields:
                raise
            return arrived.asks(complaints(exc.fields))
        return replies.onward(reached.course)

    async def _count(self, state: State, course: Course) -> Course:
        """Write down one more try before it is looked at: of parallel tries only those that were counted are judged."""
        course = course.counted()
        return replace(course, kept=await self._keep(state, course))

    async def _refuse(self, state: State, arrived: Arrived, outcome: Again, limit: int) -> Reply:
        """Ask again, or start again, as the stage's place in the flow has it; the trace is kept in any case."""
        course, action = arrived.course, arrived.run.binding.invalid_response_action
        await _commit(state, course.call, outcome.changes)
        if limit and course.tried >= limit:
            return await self._deny(state, course, Deny(SPENT))
        if action is InvalidResponseActionEnum.RETRY:
            return arrived.asks(outcome.errors)
        with_context = action is InvalidResponseActionEnum.RESTART_WITH_CONTEXT
        return await self._restart(state, course, course.context if with_context else {})

    async def _restart(self, state: State, course: Course, context: Mapping[str, object]) -> Reply:
        """Plan the run anew. What was tried stays tried: starting again is no way round a limit."""
        call, flow, visitor = course.call, course.flow, course.visitor
        context = await seed(call, state, self.ports, flow, visitor, context)
        # Whoever was let in for what the run knew may not enter for nothing (a source's enrollment, say).
        if (refusal := await admit(call, state, self.ports, flow, visitor, context)) is not None:
            return await self._deny(state, course, refusal)
        user = await pending(state, visitor, context)
        plan = await plans.make(call, state, self.ports, flow, visitor, user, context)
        if isinstance(plan, Deny):
            return await self._deny(state, course, plan)
        plan = msgspec.structs.replace(plan, tries=course.plan.tries)
        afresh = replace(course, plan=plan, user=user)
        await self._keep(state, afresh)
        return replies.onward(afresh)

    async def _keep(self, state: State, course: Course) -> plans.Kept:
        """Commit a run that goes on; where it is kept afterwards."""
        sid = course.visitor.sid
        kept, writes = plans.keep(course.call, state, course.flow, sid, course.plan, course.kept, self.life)
        await _commit(state, course.call, course.changes, *writes)
        return kept

    async def _over(self, state: State, course: Course, outcome: Again | Deny | Leave) -> Reply:
        """A stage does not let the run go on.

        :raises UnfitError: it was a silent one, and cannot work with what was answered before.
        """
        if isinstance(outcome, Again):
            raise UnfitError(outcome.errors)
        if isinstance(outcome, Leave):
            return await self._leave(state, course, outcome)
        return await self._deny(state, course, outcome)

    async def _deny(self, state: State, course: Course, deny: Deny) -> Reply:
        """The run ends with a no; what stages did before stays done."""
        await _commit(state, course.call, course.changes, *((plans.drop(course.kept),) if course.kept else ()))
        return replies.denied(course, deny.message)

    async def _leave(self, state: State, course: Course, leave: Leave) -> Reply:
        """The run ends, and the browser goes elsewhere; what stages did before is kept in the same commit."""
        call, flow, visitor = course.call, leave.flow, course.visitor
        gone = replies.leaves(course, leave.to)
        if flow is not None:
            context = {**(course.context if leave.keep_context else {}), "is_redirected": course.flow.slug}
            entered = await enter(call, state, self.ports, flow, visitor, context)
            if isinstance(entered, Course):
                user = course.user if leave.keep_context else entered.user
                await self._keep(state, replace(entered, kept=course.kept, changes=course.changes, user=user))
                return replies.leaves(course, flow_path(call, flow.slug, visitor.query))
            gone = entered
        await _commit(state, call, course.changes, *((plans.drop(course.kept),) if course.kept else ()))
        return gone

    async def _end(self, state: State, course: Course) -> Reply:
        """Every stage is passed: what somebody above wants done happens in the same commit as the end of the run."""
        data = course.context.get("finish")
        finish = None
        if isinstance(data, Mapping):
            finish = await self.ports.finishers[str(data["by"])](course.call, state, course.visitor, data)
        last = [*(finish.changes.writes if finish else ())]
        if course.kept:
            last.append(plans.drop(course.kept))
        if course.flow.slug == setup.SLUG:
            last.append(setup.close())
        await _commit(state, course.call, course.changes, *last)
        if finish and finish.challenge:
            members = dict(finish.challenge)
            return replace(replies.asks(course, str(members.pop("component")), members), ended=True)
        redirect = course.context.get("redirect")
        return replies.leaves(course, finish.to if finish else str(redirect or home(course.call, course.visitor)))


async def _commit(state: State, call: Call, changes: Changes, *more: Write) -> None:
    whole = Changes()
    whole.extend(changes)
    whole.write(*more)
    if whole.writes or whole.settings:
        await state.commit(whole, call.at)
