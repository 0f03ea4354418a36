"""Who am I: what people see of themselves, and of everybody signed in in the same browser."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec.structs import replace

from keystead.base.errors import denied
from keystead.kinds.access import holds
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Actor, Call
from keystead.kinds.marks import Email
from keystead.kinds.permissions import SYSTEM
from keystead.kinds.state import State
from keystead.people import session, shown
from keystead.people.actor import actor_of
from keystead.people.finding import by_pk
from keystead.people.user import LONGEST_NAME, USER, UserTypeEnum, avatar, uid


class UserSelfGroups(msgspec.Struct):
    """One's own group."""

    name: str
    pk: str


class UserSelfRoles(msgspec.Struct):
    """One's own role."""

    name: str
    pk: str


class UserSelf(msgspec.Struct):
    """Oneself."""

    pk: int
    username: Annotated[str, msgspec.Meta(max_length=LONGEST_NAME)]
    name: str
    is_active: bool
    is_superuser: bool
    is_current: bool
    groups: list[UserSelfGroups]
    roles: list[UserSelfRoles]
    email: Email
    avatar: str
    uid: str
    settings: dict[str, object]
    type: UserTypeEnum
    system_permissions: list[str]


class SessionUser(msgspec.Struct):
    """Who is signed in here.

    :param original: who acts as ``user``; absent when nobody acts as somebody else.
    :param users: everybody signed in in this browser.
    """

    user: UserSelf
    users: list[UserSelf]
    original: UserSelf | msgspec.UnsetType = msgspec.UNSET


async def me(call: Call, state: State, _obj: None, _query: Mapping[str, Sequence[str]]) -> Answer:
    """Who the caller is."""
    oneself = await _oneself(call, state, call.actor)
    original = await _oneself(call, state, call.actor.original) if call.actor.original else msgspec.UNSET
    everybody = [oneself]
    for one in (await session.parked(state, call.parked, call.at)).values():
        actor = await actor_of(state, one.user) if one.user != oneself.pk else None
        if actor is not None:
            everybody.append(await _oneself(call, state, actor, current=False))
    return Answer(SessionUser(oneself, everybody, original))


async def _oneself(call: Call, state: State, actor: Actor, *, current: bool = True) -> UserSelf:
    found = await by_pk(state, actor.pk)
    if found is None:
        raise denied()
    groups = await shown.partial_groups(state, found.groups)
    settings = found.attributes.get("settings")
    return UserSelf(
        pk=found.pk,
        username=found.username,
        name=found.name,
        is_active=found.is_active,
        is_superuser=actor.is_superuser,
        is_current=current,
        groups=[UserSelfGroups(groups[pk].name, pk) for pk in found.groups if pk in groups],
        roles=[UserSelfRoles(role.name, role.pk) for role in shown.roles_shown(call.settings, found.roles)],
        email=found.email,
        avatar=avatar(call.settings, found),
        uid=uid(state, found.pk),
        settings=settings if isinstance(settings, dict) else {},
        type=found.type,
        system_permissions=[
            name.partition(".")[2] for name in sorted(SYSTEM) if holds(replace(call, actor=actor), name)
        ],
    )


ACTIONS = (Action(USER, "GET", "me/", me, "me_retrieve", permission="", response=SessionUser),)
