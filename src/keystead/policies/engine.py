"""The engine: asks what is bound to a thing whether somebody may pass. Exception, timeout or doubt means no."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from keystead.base import log, metrics
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind
from keystead.kinds.state import State
from keystead.people.finding import user_by
from keystead.people.person import Person, person_of
from keystead.people.user import User
from keystead.policies.binding import PolicyBinding, bindings_of
from keystead.policies.judge import Looks, Policies, PolicyResult, Request, Wanted, Way
from keystead.policies.values import RESULT, user_view

_LOG = log.get("policies.engine")
_RUNS: Final = metrics.counter("authentik_policy_executions_total", "Policies that were asked.")
Mode = Literal["any", "all"]
_DENIED: Final = PolicyResult(passing=False)


@dataclass(frozen=True, slots=True)
class Engine:
    """Asks policies.

    :param policies: model -> how a policy of that kind is asked; handed in by ``app.py``.
    """

    policies: Policies = field(default_factory=dict)

    async def judge(
        self,
        call: Call,
        state: State,
        target: str,
        *,
        user: User | Person | None,
        mode: Mode = "any",
        context: dict[str, object] | None = None,
        subject: object = None,
    ) -> PolicyResult:
        """Whether ``user`` may pass what is bound to ``target``; nothing bound lets everybody pass.

        :param mode: ``any``: one binding that lets pass suffices; ``all``: each must.
        """
        bindings = bindings_of(call.settings, target)
        if not bindings:
            return PolicyResult(passing=True)
        person = await person_of(state, user) if isinstance(user, User) else user
        request = Request(call, person, context if context is not None else {}, subject)
        results = [await self._bound(state, binding, request) for binding in bindings]
        passing = all(one.passing for one in results) if mode == "all" else any(one.passing for one in results)
        # Only the answers that decided speak to the person.
        told = [one for one in results if one.passing == passing or not passing]
        return PolicyResult(
            passing=passing,
            messages=tuple(dict.fromkeys(text for one in told for text in one.messages)),
            log=tuple(text for one in results for text in one.log),
            failed=any(one.failed for one in results),
        )

    async def _bound(self, state: State, binding: PolicyBinding, request: Request) -> PolicyResult:
        person = request.person
        if binding.policy is not None:
            found = request.call.settings.find("policies", binding.policy)
            if found is None:
                return PolicyResult(passing=binding.failure_result)
            result = await self.ask(state, *found, request, failure=binding.failure_result, seconds=binding.timeout)
        elif person is None:
            return _DENIED  # nobody is in no group and is no user; a negated binding does not turn doubt into leave
        elif binding.group is not None:
            result = PolicyResult(passing=any(group.pk == binding.group for group in person.all_groups))
        else:
            result = PolicyResult(passing=person.user.pk == binding.user)
        if not binding.negate or result.failed:
            return result
        return PolicyResult(passing=not result.passing, messages=result.messages, log=result.log, raw=result.raw)

    async def ask(
        self,
        state: State,
        kind: Kind[Any],
        policy: Any,  # noqa: ANN401 - policies of every kind
        request: Request,
        *,
        failure: bool = False,
        seconds: int = 30,
    ) -> PolicyResult:
        """One policy's answer; when it fails to give one, ``failure``, and an event tells of it."""
        _RUNS.inc()
        evaluate = self.policies.get(kind.model)
        call = request.call
        try:
            if evaluate is None:
                raise LookupError(f"nothing can ask a {kind.title[0]} yet")  # noqa: TRY301 - one place handles every failure
            async with asyncio.timeout(max(1, seconds)):
                result = await self._evaluated(state, evaluate, policy, request)
        except Exception as exc:  # noqa: BLE001 - whatever it is, it means no
            _LOG.warning("a policy failed", policy=policy.name, reason=str(exc), request_id=call.request_id)
            await self._tell(
                state,
                call,
                "policy_exception",
                kind,
                policy,
                {"message": f"{policy.name}: {exc}", "request": _asked(request)},
            )
            return PolicyResult(passing=failure, log=(f"{policy.name}: {exc}",), failed=True)
        if policy.execution_logging:
            await self._tell(
                state,
                call,
                "policy_execution",
                kind,
                policy,
                {"result": {"passing": result.passing, "messages": list(result.messages)}, "request": _asked(request)},
            )
        return result

    async def _evaluated(self, state: State, evaluate: Way, policy: Any, request: Request) -> PolicyResult:  # noqa: ANN401 - as ask
        """Run a policy, again with what its helpers wanted to know, until they want no more."""
        if isinstance(evaluate, Looks):
            return await evaluate.run(state, policy, request)
        for _ in range(_LOOKUPS):
            try:
                result = evaluate(policy, request)
            except Wanted:
                result = None
            # What was wanted counts even where the expression swallowed the signal: its answer rests on nothing.
            wanted = list(request.wanted)
            request.wanted.clear()
            if result is not None and not wanted:
                return result
            for question in wanted:
                request.known[question] = await self._look_up(state, request, *question)
        raise LookupError(f"it asked for more than {_LOOKUPS} things")

    async def _look_up(self, state: State, request: Request, name: str, args: tuple[object, ...]) -> object:
        if name == "ak_user_by":
            found = await user_by(state, {name: str(value) for name, value in _named(args).items()})
            return user_view(await person_of(state, found)) if found else None
        called = next((one for one in args if isinstance(one, str)), "")
        if request.depth >= _DEEPEST:
            raise LookupError(f"policies call each other more than {_DEEPEST} levels deep")
        for kind, policy in request.call.settings.members("policies"):
            if policy.name == called:
                context = {**request.context, **_named(args)}
                # It looks up for itself: what it is told depends on its own context.
                asked = replace(request, context=context, known={}, wanted=[], depth=request.depth + 1)
                return RESULT(await self.ask(state, kind, policy, asked))
        raise LookupError(f"there is no policy called {called!r}")

    async def _tell(
        self,
        state: State,
        call: Call,
        action: str,
        kind: Kind[Any],
        policy: Any,  # noqa: ANN401 - as ask
        context: Mapping[str, object],
    ) -> None:
        changes = Changes()
        changes.event(call, action, kind.app, context, about=(kind, policy))
        try:
            await state.commit(changes, call.at)
        except Exception as exc:  # noqa: BLE001 - a judgement stands even where it cannot be written down
            _LOG.error("an event could not be written", reason=str(exc))


_LOOKUPS: Final = 16
"""How many times an expression may ask the store."""
_DEEPEST: Final = 8
"""How deep policies may call each other."""


def _named(args: tuple[object, ...]) -> dict[str, object]:
    """The named arguments among a question's."""
    return {str(one[0]): one[1] for one in args if isinstance(one, tuple)}


def _asked(request: Request) -> dict[str, object]:
    return {"user": request.person.user.username if request.person else "", "context": _names(request.context)}


def _names(context: Mapping[str, object]) -> Sequence[str]:
    return sorted(context)
