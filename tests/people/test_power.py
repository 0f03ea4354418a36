"""Nobody gives, takes or takes over what they lack (SECURITY AP-06..08), whichever way they try."""

from typing import Any

import pytest

from keystead.base import rand
from keystead.people import power
from keystead.people.finding import by_pk
from keystead.people.group import Group
from keystead.people.role import Role
from keystead.people.user import USER, User
from tests.client import Client
from tests.house import House, new_user

USERS = "/api/v3/core/users/"
GROUPS = "/api/v3/core/groups/"
ROLES = "/api/v3/rbac/roles/"
TOKENS = "/api/v3/core/tokens/"
EVERYTHING = tuple(
    f"authentik_{model.partition('.')[0]}.{word}_{model.partition('.')[2]}"
    for model in ("core.user", "core.group", "rbac.role", "core.token", "core.authenticatedsession")
    for word in ("view", "add", "change", "delete")
)
STRONG = "authentik_flows.change_flow"
"""A permission the manager lacks."""


class Estate:
    """A house with a manager of people who is no superuser, and people and groups of every strength."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.held = Role(pk=rand.uuid4(), name="manager", permissions=EVERYTHING)
        self.weak = Role(pk=rand.uuid4(), name="weak", permissions=EVERYTHING[:2])
        self.strong = Role(pk=rand.uuid4(), name="strong", permissions=(STRONG,))
        self.plain = Group(pk=rand.uuid4(), name="plain", num_pk=101)
        self.managers = Group(pk=rand.uuid4(), name="managers", num_pk=102, roles=(self.held.pk,))
        self.strongers = Group(pk=rand.uuid4(), name="strongers", num_pk=103, roles=(self.strong.pk,))
        self.below_strong = Group(pk=rand.uuid4(), name="below strong", num_pk=104, parents=(self.strongers.pk,))
        self.below_admins = Group(pk=rand.uuid4(), name="below admins", num_pk=105, parents=(house.admins.pk,))

    async def settle(self) -> None:
        house = self.house
        await house.put(self.held, self.weak, self.strong)
        await house.put(self.plain, self.managers, self.strongers)
        await house.put(self.below_strong, self.below_admins)
        self.manager_user = await house.person("manager", groups=(self.managers.pk,))
        self.manager = await house.client_of(self.manager_user)
        self.other = await house.person("other")
        self.equals = [
            await house.person("equal", groups=(self.managers.pk,)),
            await house.person("weaker", roles=(self.weak.pk,)),
            self.other,
        ]
        self.stronger = [
            house.superuser,
            await house.person("by-role", roles=(self.strong.pk,)),
            await house.person("by-group", groups=(self.strongers.pk,)),
            await house.person("by-ancestor", groups=(self.below_strong.pk,)),
            await house.person("below-admins", groups=(self.below_admins.pk,)),
            await house.person("asleep", groups=(house.admins.pk,), is_active=False),
        ]

    @property
    def strong_groups(self) -> list[Group]:
        return [self.house.admins, self.strongers, self.below_strong, self.below_admins]


@pytest.fixture
async def estate(house: House) -> Estate:
    made = Estate(house)
    await made.settle()
    return made


async def unchanged(estate: Estate, user: User) -> None:
    assert await by_pk(estate.house.state, user.pk) == user


async def tries(client: Client, method: str, url: str, body: dict[str, Any] | None = None) -> int:
    return (await client.request(method, url, json=... if body is None else body)).status


async def test_powers_are_what_a_person_could_do(estate: Estate) -> None:
    state, settings = estate.house.state, estate.house.state.settings
    assert await power.of_user(state, settings, estate.manager_user.pk) == power.Power(
        is_superuser=False, permissions=frozenset(EVERYTHING)
    )
    superusers = [await power.of_user(state, settings, user.pk) for user in estate.stronger]
    assert [found.is_superuser for found in superusers] == [True, False, False, False, True, True]
    assert [STRONG in found.permissions for found in superusers] == [False, True, True, True, False, False]
    assert await power.of_user(state, settings, 987654) == power.Power()
    assert await power.of_groups(state, settings, []) == power.Power()
    both = await power.of_groups(state, settings, [estate.below_strong.pk, estate.managers.pk])
    assert both.permissions == {*EVERYTHING, STRONG}
    assert power.of_roles(settings, [estate.weak.pk, "no-such-role"]).permissions == frozenset(EVERYTHING[:2])


async def test_somebody_stronger_is_neither_changed_nor_removed_nor_taken_over(estate: Estate) -> None:
    manager = estate.manager
    resetter = await estate.house.client_with("authentik_core.reset_user_password", "authentik_core.view_user")
    for user in estate.stronger:
        url = f"{USERS}{user.pk}/"
        bodies: list[dict[str, Any]] = [
            {"email": "mine@example.org"},
            {"username": "renamed"},
            {"is_active": not user.is_active},
            {"attributes": {"a": 1}},
            {"groups": []},
            {"roles": []},
        ]
        for body in bodies:
            assert await tries(manager, "PATCH", url, body) == 403, (user.username, body)
        assert await tries(manager, "PUT", url, {"username": user.username, "name": "x"}) == 403
        assert await tries(manager, "DELETE", url) == 403
        for client in (manager, resetter):
            assert await tries(client, "POST", f"{url}set_password/", {"password": "correct horse"}) == 403
            assert await tries(client, "POST", f"{url}recovery/", {}) == 403
        await unchanged(estate, user)


async def test_somebody_no_stronger_is(estate: Estate) -> None:
    manager = estate.manager
    for user in estate.equals:
        url = f"{USERS}{user.pk}/"
        assert await tries(manager, "PATCH", url, {"email": "new@example.org"}) == 200
        assert await tries(manager, "POST", f"{url}set_password/", {"password": "correct horse"}) == 204
    assert await tries(manager, "DELETE", f"{USERS}{estate.other.pk}/") == 204


async def test_a_password_of_ones_own_is_no_exception(estate: Estate) -> None:
    """Who steals a token or finds an unlocked screen must not be able to keep the account."""
    url = f"{USERS}{estate.house.plain.pk}/set_password/"
    assert await tries(estate.house.user, "POST", url, {"password": "correct horse"}) == 404
    assert await tries(estate.house.admin, "POST", url, {"password": "correct horse"}) == 204


async def test_nobody_joins_or_leaves_a_group_that_gives_more_than_they_have(estate: Estate) -> None:
    manager, me = estate.manager, estate.manager_user
    for group in estate.strong_groups:
        for user in (me, estate.other):
            groups = [*user.groups, group.pk]
            assert await tries(manager, "PATCH", f"{USERS}{user.pk}/", {"groups": groups}) == 403, group.name
            for verb in ("add_user", "remove_user"):
                assert await tries(manager, "POST", f"{GROUPS}{group.pk}/{verb}/", {"pk": user.pk}) == 403, group.name
        assert await tries(manager, "PATCH", f"{GROUPS}{group.pk}/", {"users": [me.pk]}) == 403
        made = {"username": "made", "name": "made", "groups": [group.pk]}
        assert await tries(manager, "POST", USERS, made) == 403
    await unchanged(estate, me)
    assert await tries(manager, "POST", f"{GROUPS}{estate.plain.pk}/add_user/", {"pk": me.pk}) == 204
    assert await tries(manager, "PATCH", f"{USERS}{estate.other.pk}/", {"groups": [estate.managers.pk]}) == 200


async def test_nobody_puts_a_group_under_one_that_gives_more_than_they_have(estate: Estate) -> None:
    manager, plain = estate.manager, estate.plain
    for above in estate.strong_groups:
        assert await tries(manager, "PATCH", f"{GROUPS}{plain.pk}/", {"parents": [above.pk]}) == 403, above.name
        body = {"name": "new", "parents": [above.pk], "users": [estate.manager_user.pk]}
        assert await tries(manager, "POST", GROUPS, body) == 403
    for below in (estate.below_strong, estate.below_admins):
        assert await tries(manager, "PATCH", f"{GROUPS}{below.pk}/", {"parents": []}) == 403, "nor takes it out"
    assert await tries(manager, "PATCH", f"{GROUPS}{plain.pk}/", {"parents": [estate.managers.pk]}) == 200


async def test_nobody_makes_or_unmakes_superusers_without_the_permission_for_it(estate: Estate) -> None:
    manager = estate.manager
    assert await tries(manager, "PATCH", f"{GROUPS}{estate.plain.pk}/", {"is_superuser": True}) == 403
    assert await tries(manager, "POST", GROUPS, {"name": "roots", "is_superuser": True}) == 403
    assert await tries(manager, "PATCH", f"{GROUPS}{estate.house.admins.pk}/", {"is_superuser": False}) == 403
    enabler = await estate.house.client_with(*EVERYTHING, "authentik_core.enable_group_superuser")
    assert await tries(enabler, "PATCH", f"{GROUPS}{estate.plain.pk}/", {"is_superuser": True}) == 200
    assert await tries(enabler, "PATCH", f"{GROUPS}{estate.plain.pk}/", {"is_superuser": False}) == 403


async def test_nobody_hands_out_a_role_that_gives_more_than_they_have(estate: Estate) -> None:
    manager, me, strong = estate.manager, estate.manager_user, estate.strong
    for user in (me, estate.other):
        assert await tries(manager, "PATCH", f"{USERS}{user.pk}/", {"roles": [strong.pk]}) == 403
        for verb in ("add_user", "remove_user"):
            assert await tries(manager, "POST", f"{ROLES}{strong.pk}/{verb}/", {"pk": user.pk}) == 403
    assert await tries(manager, "PATCH", f"{GROUPS}{estate.plain.pk}/", {"roles": [strong.pk]}) == 403
    assert await tries(manager, "POST", GROUPS, {"name": "new", "roles": [strong.pk]}) == 403
    assert await tries(manager, "PATCH", f"{GROUPS}{estate.strongers.pk}/", {"roles": []}) == 403
    assert await tries(manager, "DELETE", f"{ROLES}{strong.pk}/") == 403
    assert await tries(manager, "POST", f"{ROLES}{estate.weak.pk}/add_user/", {"pk": estate.other.pk}) == 204
    assert await tries(manager, "PATCH", f"{GROUPS}{estate.plain.pk}/", {"roles": [estate.weak.pk]}) == 200


async def test_nobody_takes_from_people_what_they_have_by_removing_it(estate: Estate) -> None:
    for group in estate.strong_groups:
        assert await tries(estate.manager, "DELETE", f"{GROUPS}{group.pk}/") == 403, group.name
    assert await tries(estate.manager, "DELETE", f"{GROUPS}{estate.plain.pk}/") == 204


async def test_keys_of_stronger_people_stay_theirs(estate: Estate) -> None:
    house = estate.house
    keeper = await house.client_with(*EVERYTHING, "authentik_core.view_token_key", "authentik_core.set_token_key")
    for user in (*estate.stronger[:2], estate.other):
        identifier = f"of-{user.username}"
        body = {"identifier": identifier, "user": user.pk, "intent": "api"}
        assert await tries(house.admin, "POST", TOKENS, body) == 201
        allowed = user is estate.other
        url = f"{TOKENS}{identifier}/"
        assert await tries(estate.manager, "GET", f"{url}view_key/") == 403, "viewing tokens is not viewing keys"
        assert await tries(estate.manager, "POST", f"{url}set_key/", {"key": "mine"}) == 403
        assert await tries(house.user, "GET", f"{url}view_key/") == 404
        assert await tries(keeper, "GET", f"{url}view_key/") == (200 if allowed else 403)
        assert await tries(keeper, "POST", f"{url}set_key/", {"key": f"k{user.pk}"}) == (204 if allowed else 403)
        assert await tries(keeper, "PATCH", url, {"description": "x"}) == 403, "tokens are changed by their owners"
        assert await tries(keeper, "PATCH", url, {"user": 1}) == 403
        assert await tries(keeper, "DELETE", url) == (204 if allowed else 403)
    made = await keeper.post(TOKENS, {"identifier": "for-root", "user": house.superuser.pk, "intent": "api"})
    assert made.status == 400, "and nobody makes one for somebody else"
    assert "user" in made.json


async def test_a_superuser_may_do_all_of_it(estate: Estate) -> None:
    admin = estate.house.admin
    for user in estate.stronger[1:]:
        assert await tries(admin, "PATCH", f"{USERS}{user.pk}/", {"email": "x@example.org"}) == 200
        assert await tries(admin, "DELETE", f"{USERS}{user.pk}/") == 204
    assert await tries(admin, "PATCH", f"{GROUPS}{estate.plain.pk}/", {"parents": [estate.house.admins.pk]}) == 200
    assert await tries(admin, "DELETE", f"{ROLES}{estate.strong.pk}/") == 204
    assert USER.leaving is not None
    assert new_user(1, "unused").pk == 1
