"""Whoever a token speaks for is, in everything, who they are with a session: one query asks for both."""

from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import fields, replace

from keystead.base import rand
from keystead.kinds.call import Actor
from keystead.kinds.permissions import number
from keystead.people import token
from keystead.people.actor import actor_of
from keystead.people.group import GROUP, Group
from keystead.people.initial import InitialPermissions
from keystead.people.role import ROLE, Role
from keystead.people.token import IntentEnum
from keystead.people.user import USER, User
from tests.house import BEGIN, House

VIEW, CHANGE, ADD = (USER.permission(word) for word in ("view", "change", "add"))
ME = "/api/v3/core/users/me/"


async def key_of(house: House, user: User, **members: object) -> str:
    """The key of a new token of ``user``."""
    made, key = token.issue(house.state, identifier=f"t-{rand.hex128()}", user=user.pk, intent=IntentEnum.API)
    await house.put(msgspec.structs.replace(made, **members))
    return key.reveal()


async def role_of(house: House, name: str, *permissions: str) -> Role:
    made = Role(pk=rand.uuid4(), name=name, permissions=permissions)
    await house.put(made)
    return made


async def group_of(house: House, name: str, **members: object) -> Group:
    made = Group(pk=rand.uuid4(), name=name, num_pk=await house.state.store.reserve("groups.num_pk", 1))
    made = msgspec.structs.replace(made, **members)
    await house.put(made)
    return made


async def both(house: House, user: User) -> tuple[Actor | None, Actor | None]:
    """The actor that a token of ``user`` gives, and the one that asking for the user gives."""
    known, by_token = await token.api_actor(house.state, await key_of(house, user), BEGIN)
    assert known
    return by_token, await actor_of(house.state, user.pk, means="token")


async def test_an_actor_is_the_same_by_token_and_by_name_with_all_they_hold(house: House) -> None:
    direct, above, inherited = [
        await role_of(house, name, held)
        for name, held in (("direct", VIEW), ("above", CHANGE), ("inherited", GROUP.permission("view")))
    ]
    top = await group_of(house, "top", roles=(inherited.pk,))
    middle = await group_of(house, "middle", parents=(top.pk,), roles=(above.pk,))
    below = await group_of(house, "below", parents=(middle.pk,))
    other = await group_of(house, "other", roles=(direct.pk,))
    await house.grant(above.pk, USER, house.plain.pk, ADD)
    await house.grant(direct.pk, ROLE, direct.pk, ROLE.permission("view"))
    await house.put(
        InitialPermissions(pk=1, name="theirs", role=inherited.pk, permissions=(number(VIEW), number(CHANGE)))
    )
    user = await house.person("holder", roles=(direct.pk,), groups=(below.pk, other.pk))
    by_token, by_name = await both(house, user)
    assert by_token
    for field in fields(Actor):
        assert getattr(by_token, field.name) == getattr(by_name, field.name), field.name
    assert by_token == by_name
    # What is compared is there: two that lack everything are alike too.
    assert by_token.roles == {direct.pk, above.pk, inherited.pk}
    assert by_token.groups == {top.pk, middle.pk, below.pk, other.pk}
    assert by_token.permissions == {VIEW, CHANGE, GROUP.permission("view")}
    assert by_token.partial == {ADD, ROLE.permission("view")}
    assert by_token.initial == ((inherited.pk, frozenset({VIEW, CHANGE})),)
    assert (by_token.means, by_token.session, by_token.original, by_token.on) == ("token", "", None, frozenset())
    assert (by_token.is_superuser, by_token.username, by_token.email) == (False, "holder", user.email)
    by_session = await actor_of(house.state, user.pk, session="s", means="session")
    assert by_session == replace(by_token, session="s", means="session")


async def test_superusers_by_whatever_group_are_superusers_by_token(house: House) -> None:
    child = await group_of(house, "child", parents=(house.admins.pk,))
    for groups in ((house.admins.pk,), (child.pk,), ()):
        by_token, by_name = await both(house, await house.person(f"p{rand.hex128()[:8]}", groups=groups))
        assert by_token == by_name
        assert by_token
        assert by_token.is_superuser is bool(groups)


async def test_who_is_inactive_or_holds_nothing(house: House) -> None:
    assert await both(house, await house.person("gone", is_active=False, groups=(house.admins.pk,))) == (None, None)
    by_token, by_name = await both(house, house.plain)
    assert by_token == by_name
    assert by_token
    assert (by_token.roles, by_token.groups, by_token.permissions) == (frozenset(), frozenset(), frozenset())


@pytest.mark.parametrize("intent", list(IntentEnum))
@pytest.mark.parametrize(
    ("expiring", "after", "lives"),
    [(True, 1, True), (True, 0, False), (True, -1, False), (True, None, True), (False, -1, True), (False, None, True)],
)
async def test_only_a_live_key_for_the_api_opens_it(
    house: House,
    intent: IntentEnum,
    expiring: bool,  # noqa: FBT001 - a table's column
    after: int | None,
    lives: bool,  # noqa: FBT001 - a table's column
) -> None:
    expires = None if after is None else BEGIN + timedelta(microseconds=after)
    key = await key_of(house, house.superuser, intent=intent, expiring=expiring, expires=expires)
    found = await token.by_key(house.state, key, BEGIN)
    assert (found is not None) is lives
    known, actor = await token.api_actor(house.state, key, BEGIN)
    assert (known, actor is not None) == (lives, lives and intent is IntentEnum.API)
    status = (await house.nobody.with_token(key).get(ME)).status
    assert status == (200 if actor else 403)


@pytest.mark.parametrize("key", ["", "x", "x" * 1025, "a\x00b", "é", "\ud800"])
async def test_what_is_no_key_opens_nothing(house: House, key: str) -> None:
    assert await token.api_actor(house.state, key, BEGIN) == (False, None)


async def test_what_changes_for_the_user_changes_for_the_token_at_once(house: House) -> None:
    role = await role_of(house, "role", VIEW)
    user = await house.person("changing", roles=(role.pk,))
    key = await key_of(house, user)
    _, actor = await token.api_actor(house.state, key, BEGIN)
    assert actor
    assert actor.permissions == {VIEW}
    assert (await house.admin.patch(f"/api/v3/core/users/{user.pk}/", {"roles": []})).status == 200
    _, actor = await token.api_actor(house.state, key, BEGIN)
    assert actor
    assert actor.permissions == frozenset()
    assert (await house.admin.patch(f"/api/v3/core/users/{user.pk}/", {"is_active": False})).status == 200
    assert await token.api_actor(house.state, key, BEGIN) == (True, None)
    assert (await house.nobody.with_token(key).get(ME)).status == 403
    assert (await house.admin.delete(f"/api/v3/core/users/{user.pk}/")).status == 204
    assert await token.api_actor(house.state, key, BEGIN) == (False, None)
