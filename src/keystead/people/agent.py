"""Agent: a program that works for somebody, with an account and a token of its own."""

import enum
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec

from keystead.base import rand
from keystead.base.errors import invalid
from keystead.kinds import records
from keystead.kinds.access import require, system
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Filter, Kind, Table, Verb
from keystead.kinds.marks import HIDDEN, READ_ONLY, Column, Email, Json, Ref, Text, Uuid
from keystead.kinds.render import render
from keystead.kinds.state import State
from keystead.people import token
from keystead.people.finding import by_pk
from keystead.people.power import check_reach
from keystead.people.shown import PartialUser, partial_users, uid
from keystead.people.user import USER, User, UserTypeEnum
from keystead.people.user import rules as user_rules

_FOLDER: Final = "goauthentik.io/agents"


class PolicyBehaviorEnum(enum.StrEnum):
    """What of its parent's access an agent has."""

    MIRROR = "mirror"
    COPY = "copy"
    NONE = "none"


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """A program that works for somebody; the rest of it is its user.

    :param parent_id: for whom.
    """

    pk: Annotated[int, READ_ONLY, Column("user_id")]
    parent_id: Annotated[int, HIDDEN, Ref("authentik_core.user")]
    policy_behavior: Annotated[PolicyBehaviorEnum, READ_ONLY] = PolicyBehaviorEnum.NONE
    expiring: bool = False
    expires: datetime | None = None


class AgentShown(msgspec.Struct):
    """The members of an agent that are those of its user, and its parent and token."""

    username: Annotated[str, msgspec.Meta(max_length=150)]
    name: str
    is_active: bool
    last_login: datetime | None
    email: Email
    attributes: Json
    uid: str
    uuid: Uuid
    parent: PartialUser
    token_identifier: str | None


class AgentCreateRequest(msgspec.Struct):
    """A new agent.

    :param parent: for whom it works; oneself if nobody is named.
    :param label: what people call it.
    """

    parent: int | msgspec.UnsetType = msgspec.UNSET
    label: str = ""
    expiring: bool = False
    expires: datetime | None = None
    policy_behavior: PolicyBehaviorEnum | msgspec.UnsetType = msgspec.UNSET


class AgentCreated(msgspec.Struct):
    """The agent and its token, shown this once."""

    agent: Annotated[dict[str, object], msgspec.Meta(title="Agent")]
    token: str


class AgentRequest(msgspec.Struct):
    """What an agent shall be like."""

    username: Annotated[str, msgspec.Meta(min_length=1, max_length=150)]
    name: Text
    is_active: bool | msgspec.UnsetType = msgspec.UNSET
    last_login: datetime | msgspec.UnsetType | None = msgspec.UNSET
    email: Email | msgspec.UnsetType = msgspec.UNSET
    attributes: Json | msgspec.UnsetType = msgspec.UNSET
    expiring: bool | msgspec.UnsetType = msgspec.UNSET
    expires: datetime | msgspec.UnsetType | None = msgspec.UNSET


class PatchedAgentRequest(msgspec.Struct):
    """The members to change."""

    username: Annotated[str, msgspec.Meta(min_length=1, max_length=150)] | msgspec.UnsetType = msgspec.UNSET
    name: Text | msgspec.UnsetType = msgspec.UNSET
    is_active: bool | msgspec.UnsetType = msgspec.UNSET
    last_login: datetime | msgspec.UnsetType | None = msgspec.UNSET
    email: Email | msgspec.UnsetType = msgspec.UNSET
    attributes: Json | msgspec.UnsetType = msgspec.UNSET
    expiring: bool | msgspec.UnsetType = msgspec.UNSET
    expires: datetime | msgspec.UnsetType | None = msgspec.UNSET


def token_identifier(user: User) -> str:
    """The identifier of an agent's token."""
    return f"agent-{user.uuid}-api"


async def view(
    _call: Call, state: State, agents: Sequence[Agent], _query: Mapping[str, Sequence[str]]
) -> list[AgentShown]:
    """The users of the agents, and for whom they work."""
    users = {one.pk: one for one in await records.load(state.store, USER, "id", [one.pk for one in agents])}
    parents = await partial_users(state, [one.parent_id for one in agents])
    keys = [token_identifier(one) for one in users.values()]
    known = {one.identifier for one in await records.load(state.store, token.TOKEN, "identifier", keys)}
    shown = []
    for one in agents:
        user = users[one.pk]
        key = token_identifier(user)
        shown.append(
            AgentShown(
                username=user.username,
                name=user.name,
                is_active=user.is_active,
                last_login=user.last_login,
                email=user.email,
                attributes=user.attributes,
                uid=uid(state, user.pk),
                uuid=user.uuid,
                parent=parents[one.parent_id],
                token_identifier=key if key in known else None,
            )
        )
    return shown


async def create(call: Call, state: State, _obj: None, body: AgentCreateRequest) -> Answer:
    """Make an agent, its account and its token."""
    power = require(call, AGENT, "add")
    parent = await by_pk(state, call.actor.pk if body.parent is msgspec.UNSET else body.parent)
    if parent is None:
        raise invalid({"parent": [f'Invalid pk "{body.parent}" - object does not exist.']})
    await check_reach(call, state, parent.pk, "make an agent of this user")
    if body.expiring and body.expires is None:
        raise invalid({"expires": ["Say when."]})
    behavior = PolicyBehaviorEnum.NONE if body.policy_behavior is msgspec.UNSET else body.policy_behavior
    pk, number = await state.store.reserve("users", 1), rand.hex128()[:12]
    user = User(
        pk=pk,
        uuid=rand.uuid4(),
        username=f"{parent.username[:120]}-agent-{number}",
        name=body.label.strip() or f"Agent of {parent.name or parent.username}",
        type=UserTypeEnum.SERVICE_ACCOUNT,
        path=_FOLDER,
        date_joined=call.at,
        password_change_date=call.at,
        last_updated=call.at,
    )
    ends = body.expires if body.expiring else None
    agent = Agent(pk=pk, parent_id=parent.pk, policy_behavior=behavior, expiring=body.expiring, expires=ends)
    key, secret = token.issue(
        state,
        identifier=token_identifier(user),
        user=pk,
        intent=token.IntentEnum.API,
        description=f"Made for {user.name}",
        expires=ends,
    )
    changes = Changes()
    # Who may make agents makes their accounts with them; such an account can do nothing that nobody gave it.
    changes.create(system(call, USER, "add"), user, quiet=True)
    changes.create(power, agent)
    changes.create(system(call, token.TOKEN, "add"), key, quiet=True)
    parents = await partial_users(state, [parent.pk])
    told = {
        **{name: getattr(agent, name) for name in AGENT.readable},
        **{name: getattr(user, name) for name in AgentShown.__struct_fields__ if hasattr(user, name)},
        "uid": uid(state, pk),
        "parent": parents[parent.pk],
        "token_identifier": key.identifier,
    }
    return Answer(AgentCreated(told, secret.reveal()), changes=changes)


async def update(call: Call, state: State, agent: Agent, body: AgentRequest | PatchedAgentRequest) -> Answer:
    """Change an agent; what is left out keeps its value."""
    power = require(call, AGENT, "change", agent)
    await check_reach(call, state, agent.pk, "change this agent")
    given = {
        name: value
        for name in PatchedAgentRequest.__struct_fields__
        if (value := getattr(body, name)) is not msgspec.UNSET
    }
    own = {name: given.pop(name) for name in ("expiring", "expires") if name in given}
    user = await by_pk(state, agent.pk)
    if user is None:
        raise invalid({"non_field_errors": ["The account of this agent is gone."]})
    changed = await user_rules(call, state, user, msgspec.structs.replace(user, **given))
    new = msgspec.structs.replace(agent, **own)
    new = new if new.expiring else msgspec.structs.replace(new, expires=None)
    changes = Changes()
    # The right to change agents is the right to change their accounts.
    changes.update(system(call, USER, "change"), user, changed)
    changes.update(power, agent, new)
    told = (await render(call, state, AGENT, [new], {}))[0]
    told |= {name: getattr(changed, name) for name in AgentShown.__struct_fields__ if hasattr(changed, name)}
    return Answer(told, changes=changes)


async def destroy(call: Call, state: State, agent: Agent, _query: Mapping[str, Sequence[str]]) -> Answer:
    """Remove an agent, its account and its token."""
    power = require(call, AGENT, "delete", agent)
    await check_reach(call, state, agent.pk, "remove this agent")
    user = await by_pk(state, agent.pk)
    changes = Changes()
    kinds = state.kinds.values()
    changes.delete(power, agent, kinds)
    if user is not None:
        # The account is the agent.
        changes.delete(system(call, USER, "delete"), user, kinds)
    return Answer(status=204, changes=changes)


AGENT: Kind[Agent] = Kind(
    model="authentik_agents.agent",
    struct=Agent,
    path="agents/agents",
    title=("Agent", "Agents"),
    key_name="id",
    table=Table("agents", key="user_id"),
    verbs=frozenset({Verb.LIST, Verb.RETRIEVE}),
    shown=AgentShown,
    view=view,
    search=(),
    order=("pk",),
    filters=(Filter("parent", int, sql="t.parent_id = {}"),),
    stored_only="An agent may do what its own account was given; its parent's access is not mirrored or copied yet.",
)
_SHOWN: Final = Annotated[dict[str, object], msgspec.Meta(title="Agent")]
ACTIONS = (
    Action(
        AGENT,
        "POST",
        "",
        create,
        "create",
        permission="add",
        request=AgentCreateRequest,
        response=AgentCreated,
        status=201,
    ),
    Action(AGENT, "PUT", "{key}/", update, "update", request=AgentRequest, response=_SHOWN),
    Action(AGENT, "PATCH", "{key}/", update, "partial_update", request=PatchedAgentRequest, response=_SHOWN),
    Action(AGENT, "DELETE", "{key}/", destroy, "destroy", permission="delete", status=204),
)
