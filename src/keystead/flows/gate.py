"""Who may enter a flow, and which of its stages a run passes through: policies, and what the flow itself requires.

A stage's policies *include* it, so a policy that fails must not be taken for one that says no: a password stage would
be skipped. Doubt ends the run (SECURITY FL-07).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from keystead.flows.challenge import application
from keystead.flows.flow import AuthenticationEnum, Flow, FlowDesignationEnum, PolicyEngineMode
from keystead.flows.ports import Ports, Visitor
from keystead.flows.stage import Deny
from keystead.flows.vouched import JOINING, SOURCE, SOURCE_VIEW, source_of
from keystead.kinds.call import Call
from keystead.kinds.state import State
from keystead.people.person import person_of
from keystead.people.user import User
from keystead.policies.binding import bindings_of
from keystead.policies.expression import EXPRESSION_POLICY
from keystead.policies.judge import Looks, PolicyResult, Request, Way
from keystead.policies.sandbox import make_view
from keystead.policies.values import user_view

_REQUIRED: Final = {
    AuthenticationEnum.REQUIRE_AUTHENTICATED: "Sign in first.",
    AuthenticationEnum.REQUIRE_UNAUTHENTICATED: "You are signed in already. Sign out first.",
    AuthenticationEnum.REQUIRE_SUPERUSER: "This is for administrators.",
    AuthenticationEnum.REQUIRE_REDIRECT: "This page is reached from another one only.",
    AuthenticationEnum.REQUIRE_OUTPOST: "This page is for outposts only.",
    AuthenticationEnum.REQUIRE_TOKEN: "This page is reached through a link that was sent to you.",
}
_UNSEEN: Final = frozenset({"finish", "pending_user", "application", SOURCE, JOINING})
_APPLICATION: Final = make_view(
    "application",
    {name: name for name in ("pk", "name", "slug", "group", "meta_launch_url", "meta_description", "meta_publisher")},
    text=lambda one: one.name,
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the policies of one thing say.

    :param doubt: one of them failed to give an answer, and none of the others makes up for it.
    """

    passing: bool
    doubt: bool = False
    messages: tuple[str, ...] = ()


class _Watched(Mapping[str, Way]):
    """The ways to ask policies, which also note those that gave no answer: they failed, or returned nothing."""

    def __init__(self, policies: Mapping[str, Way]) -> None:
        self._policies = policies
        self.unanswered: set[str] = set()

    def __getitem__(self, model: str) -> Way:
        way = self._policies.get(model)
        if isinstance(way, Looks):
            return self._looking(way)

        def asked(policy: Any, request: Request) -> PolicyResult:  # noqa: ANN401 - policies of every kind
            self.unanswered.add(policy.pk)
            if way is None:
                raise LookupError(f"nothing can ask policies of the kind {model} yet")
            result = way(policy, request)
            silent = model == EXPRESSION_POLICY.model and result.raw is None
            if not silent and not request.wanted:  # an answer while questions are open is no answer yet
                self.unanswered.discard(policy.pk)
            return result

        return asked

    def _looking(self, way: Looks) -> Looks:
        async def looked(state: State, policy: Any, request: Request) -> PolicyResult:  # noqa: ANN401 - as above
            self.unanswered.add(policy.pk)
            result = await way.run(state, policy, request)
            self.unanswered.discard(policy.pk)
            return result

        return Looks(looked)

    def __iter__(self) -> Iterator[str]:
        return iter(self._policies)

    def __len__(self) -> int:
        return len(self._policies)


def seen(call: Call, context: Mapping[str, object]) -> dict[str, object]:
    """The run's context as expressions see it; what only the floors above understand is left out."""
    names = {name: value for name, value in context.items() if name not in _UNSEEN}
    if (source := source_of(call, context)) is not None:
        names[SOURCE] = SOURCE_VIEW(source)
    if (asking := application(call, context)) is not None:
        names["application"] = _APPLICATION(asking)
    return names


async def judge(
    call: Call,
    state: State,
    ports: Ports,
    target: str,
    mode: PolicyEngineMode,
    user: User | None,
    context: Mapping[str, object],
    visitor: Visitor,
) -> Verdict:
    """What the policies bound to ``target`` say about ``user``; nothing bound lets everybody pass."""
    if not bindings_of(call.settings, target):
        return Verdict(passing=True)
    names = seen(call, context)
    person = await person_of(state, user) if user is not None else None
    if person is not None:
        names["pending_user"] = user_view(person)
    # What policies know as the request's query is the flow's own, not that of the executor's URL.
    call = msgspec.structs.replace(call, origin=msgspec.structs.replace(call.origin, query=dict(visitor.query)))
    watched = _Watched(ports.engine.policies)
    engine = replace(ports.engine, policies=watched)
    result = await engine.judge(call, state, target, user=person, mode=mode.value, context=names)
    return Verdict(result.passing, bool(watched.unanswered) and not result.passing, result.messages)


async def admit(
    call: Call, state: State, ports: Ports, flow: Flow, visitor: Visitor, context: Mapping[str, object]
) -> Deny | None:
    """None if ``visitor`` may enter ``flow``, else why not."""
    wanted = flow.authentication
    met = {
        AuthenticationEnum.NONE: True,
        AuthenticationEnum.REQUIRE_AUTHENTICATED: visitor.user is not None,
        AuthenticationEnum.REQUIRE_UNAUTHENTICATED: visitor.user is None,
        AuthenticationEnum.REQUIRE_SUPERUSER: visitor.user is not None and call.actor.is_superuser,
        AuthenticationEnum.REQUIRE_REDIRECT: bool(context.get("is_redirected")),
        AuthenticationEnum.REQUIRE_OUTPOST: visitor.outpost,
        AuthenticationEnum.REQUIRE_TOKEN: bool(context.get("is_restored")),
    }
    if not met[wanted]:
        return Deny(_REQUIRED[wanted])
    if flow.designation is FlowDesignationEnum.ENROLLMENT and visitor.user is not None:
        return Deny("You have an account and are signed in to it. Sign out to make another one.")
    verdict = await judge(call, state, ports, flow.pk, flow.policy_engine_mode, visitor.user, context, visitor)
    return None if verdict.passing else Deny(" ".join(verdict.messages))
