"""Flows made in a line, and browsers that go through them: what the flow suites share."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from keystead.base import rand
from keystead.flows.binding import FlowStageBinding
from keystead.flows.executor import Executor
from keystead.flows.flow import AuthenticationEnum, DeniedActionEnum, Flow, FlowDesignationEnum
from keystead.flows.ports import Reply, Visitor
from keystead.flows.prompt import Prompt
from keystead.flows.register import STAGES
from keystead.flows.stages.prompt import PromptStage
from keystead.kinds.access import system
from keystead.kinds.call import NOBODY, SYSTEM, Call, Origin
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind
from keystead.kinds.state import State
from keystead.people import password
from keystead.people.actor import actor_of
from keystead.people.brand import Brand
from keystead.people.finding import by_pk
from keystead.people.group import Group
from keystead.people.session import find
from keystead.people.user import User
from keystead.policies.binding import PolicyBinding
from keystead.policies.expression import ExpressionPolicy
from keystead.store import Statement, Store, Unit, Write
from tests.flows.lists import BEGIN, KINDS, PORTS, VAULT, HandClock
from tests.flows.parts import SECRET, Given, enter, secret, text_field, who
from tests.strangers import UNREACHABLE

RUNS = Statement("test.runs", "SELECT flow, state FROM flow_runs")
EVENTS = Statement("test.events", "SELECT action, context, username FROM events WHERE action = $1 ORDER BY position")
SESSIONS = Statement("test.sessions", "SELECT id FROM sessions")


@dataclass(frozen=True)
class Studio:
    """Makes what flows are made of, and keeps it.

    :param executor: with every stage there is.
    """

    state: State
    clock: HandClock
    executor: Executor = field(default_factory=lambda: Executor({one.kind.model: one for one in STAGES}, PORTS))

    @property
    def call(self) -> Call:
        """A call by Keystead itself, now."""
        return Call(SYSTEM, self.clock.now(), self.state.settings)

    async def put(self, *objs: Given) -> None:
        """Keep new objects of whatever kind."""

        async def decide(call: Call) -> tuple[Changes, None]:
            changes = Changes()
            for obj in objs:
                changes.create(system(call, _kind(obj), "add"), obj, quiet=True)
            return changes, None

        await self.state.change(self.call, decide)

    async def change(self, old: Given, **members: object) -> Given:
        """Change an object; the new one."""
        new = msgspec.structs.replace(old, **members)

        async def decide(call: Call) -> tuple[Changes, None]:
            changes = Changes()
            changes.update(system(call, _kind(old), "change"), old, new, quiet=True)
            return changes, None

        await self.state.change(self.call, decide)
        return new

    async def remove(self, obj: Given) -> None:
        """Remove an object, and what hangs on it."""

        async def decide(call: Call) -> tuple[Changes, None]:
            changes = Changes()
            changes.delete(system(call, _kind(obj), "delete"), obj, KINDS)
            return changes, None

        await self.state.change(self.call, decide)

    async def sql(self, text: str, *args: str) -> None:
        """What happens behind everybody's back."""
        await self.state.store.commit(Unit((Write(Statement("test.sql", text), args),)))

    async def flow(self, *stages: object, designation: str = "authentication", **members: Given) -> Flow:
        """A flow of ``stages``, in this order; a stage in a tuple comes with members of its binding."""
        flow = Flow(
            pk=rand.uuid4(),
            name="A flow",
            slug=members.pop("slug", f"flow-{rand.hex128()[:12]}"),
            title=members.pop("title", "Welcome"),
            designation=FlowDesignationEnum(designation),
            authentication=AuthenticationEnum(members.pop("authentication", "none")),
            denied_action=DeniedActionEnum(members.pop("denied_action", "message_continue")),
            **members,
        )
        await self.put(flow)
        for order, bound in enumerate(stages):
            stage, more = bound if isinstance(bound, tuple) else (bound, {})
            await self.bind(flow, stage, order=order, **more)
        return flow

    async def bind(self, flow: Flow, stage: Given, *, order: int = 0, **members: Given) -> FlowStageBinding:
        """A stage put into a flow; both stage and binding are kept."""
        if self.state.settings.find("stages", stage.pk) is None:
            await self.put(stage)
        policies: Sequence[str] = members.pop("policies", ())
        binding = FlowStageBinding(pk=rand.uuid4(), target=flow.pk, stage=stage.pk, order=order, **members)
        await self.put(binding)
        for expression in policies:
            await self.policy(binding.pk, expression)
        return binding

    async def policy(self, target: str, expression: str, **members: Given) -> ExpressionPolicy:
        """An expression policy bound to ``target``."""
        policy = ExpressionPolicy(pk=rand.uuid4(), name=f"policy {rand.hex128()}", expression=expression)
        await self.put(policy)
        if target:
            await self.put(PolicyBinding(pk=rand.uuid4(), policy=policy.pk, target=target, order=0, **members))
        return policy

    async def person(self, username: str = "anna", given: str = SECRET, **members: Given) -> User:
        """Somebody with a password."""
        return await self.stranger(username, password=await password.hash_password(given), **members)

    async def stranger(self, username: str, **members: Given) -> User:
        """Somebody without a password."""
        number = await self.state.store.reserve("users", 1)
        named = {"name": username.title(), "email": f"{username}@example.org", "date_joined": BEGIN, **members}
        user = User(pk=number, username=username, uuid=rand.uuid4(), **named)
        await self.put(user)
        return user

    async def superuser(self, username: str = "root") -> User:
        """Somebody who may do everything."""
        group = Group(
            pk=rand.uuid4(), name=f"admins {username}", is_superuser=True, num_pk=await self.state.store.reserve("g", 1)
        )
        await self.put(group)
        return await self.person(username, groups=(group.pk,))

    async def prompts(self, *fields: str | Prompt, **members: Given) -> PromptStage:
        """A prompt stage (kept) with text fields of these keys."""
        prompts = [text_field(one) if isinstance(one, str) else one for one in fields]
        await self.put(*prompts)
        stage = PromptStage(pk=rand.uuid4(), name=rand.hex128(), fields=tuple(one.pk for one in prompts), **members)
        await self.put(stage)
        return stage

    def browser(self, flow: Flow, **members: Given) -> "Browser":
        """A browser on the way through ``flow``."""
        return Browser(self, flow, **members)

    async def events(self, action: str) -> list[dict[str, Any]]:
        """The contexts of the events with this action, oldest first."""
        return [msgspec.json.decode(str(row[1])) for row in await self.state.store.fetch(EVENTS, action)]

    async def runs(self) -> list[tuple[str, str]]:
        """The runs that are kept: flow and sealed state."""
        return [(str(row[0]), str(row[1])) for row in await self.state.store.fetch(RUNS)]

    async def sessions(self) -> set[str]:
        """The sessions there are."""
        return {str(row[0]) for row in await self.state.store.fetch(SESSIONS)}

    async def restarted(self) -> "Studio":
        """The same installation after a restart: nothing in memory, everything from the store."""
        state = State(self.state.store, KINDS, VAULT, self.clock, self.state.outbound)
        state.install_id = self.state.install_id
        await state.load()
        return Studio(state, self.clock)


def _kind(obj: object) -> Kind[Any]:
    return next(kind for kind in KINDS if kind.struct is type(obj))


async def opened(store: Store) -> Studio:
    """An installation on an empty ``store``."""
    clock = HandClock()
    state = State(store, KINDS, VAULT, clock, UNREACHABLE)
    state.install_id = "installation-of-the-tests"
    await state.load()
    studio = Studio(state, clock)
    await studio.put(Brand(brand_uuid=rand.uuid4(), domain="authentik-default", default=True))
    return studio


@dataclass
class Browser:
    """A browser: keeps its session key, and is seen by the executor as a door would show it.

    :param sid: the cookie's session key.
    """

    studio: Studio
    flow: Flow
    query: dict[str, str] = field(default_factory=dict)
    sid: str = field(default_factory=rand.token)
    outpost: bool = False
    reply: Reply | None = None

    async def visitor(self) -> Visitor:
        session = await find(self.studio.state, self.sid, self.studio.clock.now())
        user = await by_pk(self.studio.state, session.user) if session else None
        if user is not None and not user.is_active:
            session = user = None
        return Visitor(self.sid, session, user, self.query, self.outpost)

    async def call(self, visitor: Visitor) -> Call:
        actor = None
        if visitor.user is not None and visitor.session is not None:
            actor = await actor_of(self.studio.state, visitor.user.pk, session=visitor.session.uuid, means="session")
        origin = Origin("POST", f"/api/v3/flows/executor/{self.flow.slug}/", "https://id.example.org", "id.example.org")
        base = self.studio.call
        return msgspec.structs.replace(base, actor=actor or NOBODY, peer="203.0.113.7", request_id="r1", origin=origin)

    async def _took(self, reply: Reply) -> dict[str, Any]:
        self.reply = reply
        self.sid = reply.visitor.sid
        if reply.challenge is None:
            return await self.get()
        encoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(reply.challenge))
        return encoded

    async def get(self) -> dict[str, Any]:
        """The challenge at hand, as JSON."""
        visitor = await self.visitor()
        return await self._took(
            await self.studio.executor.show(await self.call(visitor), self.studio.state, self.flow, visitor)
        )

    async def post(self, **body: object) -> dict[str, Any]:
        """Answer; the next challenge, as a client sees it that follows redirects."""
        visitor = await self.visitor()
        call = await self.call(visitor)
        return await self._took(await self.studio.executor.answer(call, self.studio.state, self.flow, visitor, body))

    async def begin(self, **context: object) -> dict[str, Any]:
        """Start with a context from above."""
        visitor = await self.visitor()
        call = await self.call(visitor)
        return await self._took(await self.studio.executor.begin(call, self.studio.state, self.flow, visitor, context))

    def twin(self) -> "Browser":
        """Another tab: the same cookie."""
        return replace(self, reply=None)


async def signed_in(studio: Studio, user: User, flow: Flow, **members: Given) -> Browser:
    """A browser in which ``user`` is signed in, now before ``flow``."""
    way = await studio.flow(who(), secret(), enter())
    browser = studio.browser(way)
    await browser.post(uid_field=user.username)
    await browser.post(password=SECRET)
    return studio.browser(flow, sid=browser.sid, **members)


async def two_steps(studio: Studio, **members: Given) -> Browser:
    return studio.browser(await studio.flow(who(), secret(**members), enter()))


async def one_step(studio: Studio, **members: Given) -> Browser:
    asked = secret(**members)
    await studio.put(asked)
    return studio.browser(await studio.flow(who(password_stage=asked.pk), enter()))
