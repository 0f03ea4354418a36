"""Nobody raises themselves by a detour: through single objects, references, parts, names and sessions (AP-06..09)."""

from datetime import timedelta
from typing import Any

import pytest

from keystead import app
from keystead.base import rand
from keystead.flows.flow import FLOW
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Verb
from keystead.people import power
from keystead.people.group import Group
from keystead.people.role import ROLE, Role
from keystead.people.session import SESSION, start
from keystead.people.token import TOKEN
from keystead.people.user import USER, User
from keystead.policies.binding import POLICY_BINDING
from keystead.providers.application import APPLICATION
from tests.client import Client
from tests.family.bodies import Maker
from tests.family.every import makeable
from tests.house import House

API = "/api/v3"
CHANGE_USER = USER.permission("change")
PEOPLE = tuple(
    f"{kind.app}.{word}_{kind.name}"
    for kind in app.KINDS
    if kind.model in {"authentik_core.user", "authentik_core.group", "authentik_rbac.role"}
    for word in ("view", "add", "change", "delete")
)


def every_word(*models: str) -> tuple[str, ...]:
    """All permissions on objects of these models."""
    return tuple(name for kind in app.KINDS if kind.model in models for name in sorted(kind.codenames))


@pytest.fixture
async def manager(house: House) -> Client:
    """Somebody who manages people, groups and roles, and is no superuser."""
    return await house.client_with(*PEOPLE)


async def test_a_role_that_holds_something_on_an_object_is_handed_out_by_who_holds_it(
    house: House, manager: Client
) -> None:
    role, person = Role(pk=rand.uuid4(), name="on one"), await house.person("person")
    await house.put(role)
    await house.grant(role.pk, FLOW, rand.uuid4(), FLOW.permission("change"))
    url = f"{API}/rbac/roles/{role.pk}/"
    for verb in ("add_user", "remove_user"):
        assert (await manager.post(f"{url}{verb}/", {"pk": person.pk})).status == 403
    assert (await manager.patch(f"{API}/core/users/{person.pk}/", {"roles": [role.pk]})).status == 403
    assert (await manager.post(f"{API}/core/groups/", {"name": "g", "roles": [role.pk]})).status == 403
    assert (await manager.delete(url)).status == 403
    # Who has the role themselves, and who holds the permission on all objects, lacks nothing.
    mine = Role(pk=rand.uuid4(), name="mine", permissions=PEOPLE)
    await house.put(mine)
    member = await house.client_of(await house.person("member", roles=(mine.pk, role.pk)))
    assert (await member.post(f"{url}add_user/", {"pk": person.pk})).status == 204
    above = await house.client_with(*PEOPLE, FLOW.permission("change"))
    assert (await above.post(f"{url}remove_user/", {"pk": person.pk})).status == 204


async def test_who_holds_something_on_an_object_is_not_taken_over(house: House, manager: Client) -> None:
    role = Role(pk=rand.uuid4(), name="on one")
    await house.put(role)
    person = await house.person("person", roles=(role.pk,))
    body = {"password": "a long enough one"}
    assert (await manager.post(f"{API}/core/users/{person.pk}/set_password/", body)).status == 204
    await house.grant(role.pk, FLOW, rand.uuid4(), FLOW.permission("change"))
    assert (await manager.post(f"{API}/core/users/{person.pk}/set_password/", body)).status == 403
    assert (await manager.patch(f"{API}/core/users/{person.pk}/", {"email": "x@example.org"})).status == 403


async def test_what_is_held_on_one_person_opens_nobody_stronger(house: House) -> None:
    role = Role(pk=rand.uuid4(), name="on one")
    await house.put(role)
    await house.grant(role.pk, USER, house.superuser.pk, *sorted(USER.codenames))
    await house.grant(role.pk, ROLE, role.pk, *sorted(ROLE.codenames))
    helper = await house.client_of(await house.person("helper", roles=(role.pk,)))
    url = f"{API}/core/users/{house.superuser.pk}/"
    assert (await helper.get(url)).status == 200
    assert (await helper.patch(url, {"email": "mine@example.org"})).status == 403
    assert (await helper.post(f"{url}set_password/", {"password": "a long enough one"})).status == 403
    assert (await helper.delete(url)).status == 403
    assign = f"{API}/rbac/permissions/assigned_by_roles/{role.pk}/assign/"
    assert (await helper.post(assign, {"permissions": [CHANGE_USER]})).status == 403


async def test_what_is_stronger_keeps_its_name_and_attributes(house: House, manager: Client) -> None:
    """A mapping, a policy or an application may know a role or group by its name (AP-06)."""
    role = Role(pk=rand.uuid4(), name="strong", permissions=(FLOW.permission("change"),))
    await house.put(role)
    group = Group(pk=rand.uuid4(), name="strong", num_pk=801, roles=(role.pk,))
    weak = Group(pk=rand.uuid4(), name="weak", num_pk=802)
    await house.put(group, weak)
    assert (await manager.patch(f"{API}/rbac/roles/{role.pk}/", {"name": "x"})).status == 403
    for one in (group, house.admins):
        for body in ({"name": "x"}, {"attributes": {"a": 1}}, {"users": [house.plain.pk]}):
            assert (await manager.patch(f"{API}/core/groups/{one.pk}/", body)).status == 403, body
    assert (
        await manager.patch(f"{API}/core/groups/{weak.pk}/", {"name": "x", "users": [house.plain.pk]})
    ).status == 200
    assert (await manager.patch(f"{API}/rbac/roles/{role.pk}/", {"name": "strong"})).status == 200, "nothing changes"


async def test_each_direction_of_superuser_has_a_permission_of_its_own(house: House) -> None:
    disabler = await house.client_with(*PEOPLE, "authentik_core.disable_group_superuser")
    group = Group(pk=rand.uuid4(), name="roots", num_pk=803, is_superuser=True)
    await house.put(group)
    url = f"{API}/core/groups/{group.pk}/"
    assert (await disabler.patch(url, {"is_superuser": False, "name": "x"})).status == 403, "one thing at a time"
    assert (await disabler.patch(url, {"is_superuser": False})).status == 200
    assert (await disabler.patch(url, {"is_superuser": True})).status == 403


async def _session(house: House, user: User) -> str:
    changes = Changes()
    made, writes = start(house.call, user.pk, rand.hex128(), expires=house.call.at + timedelta(hours=1), auth={})
    changes.write(*writes)
    await house.state.commit(changes, house.call.at)
    return made.uuid


async def test_sessions_of_stronger_people_are_not_ended(house: House) -> None:
    helper = await house.client_with(*every_word(SESSION.model))
    strong, weak = await _session(house, house.superuser), await _session(house, house.plain)
    url = f"{API}/core/authenticated_sessions/"
    assert (await helper.delete(f"{url}{strong}/")).status == 403
    assert (await helper.delete(f"{url}bulk_delete/?user_pks={house.plain.pk},{house.superuser.pk}")).status == 403
    assert (await helper.delete(f"{url}bulk_delete/?user_pks={house.plain.pk}")).json == {"deleted": 1}
    weak = await _session(house, house.plain)
    assert (await helper.delete(f"{url}{weak}/")).status == 204


async def test_a_part_is_made_changed_and_removed_by_who_may_change_the_whole(house: House) -> None:
    maker = Maker(house)
    words = every_word(POLICY_BINDING.model, APPLICATION.model)
    whole = await house.client_with(*words)
    part = await house.client_with(*(name for name in words if name != APPLICATION.permission("change")))
    target, other = await maker.make(APPLICATION), await maker.make(APPLICATION)
    url = f"{API}/policies/bindings/"
    body = {"target": target, "user": house.plain.pk, "order": 0}
    assert (await part.post(url, body)).status == 403
    made = await whole.post(url, body)
    assert made.status == 201, made.text
    one = f"{url}{made.json['pk']}/"
    for client, done in ((part, 403), (whole, 200)):
        assert (await client.patch(one, {"negate": True})).status == done
        assert (await client.patch(one, {"target": other})).status == done
    assert (await part.delete(one)).status == 403
    role = Role(pk=rand.uuid4(), name="on one", permissions=every_word(POLICY_BINDING.model))
    await house.put(role)
    await house.grant(role.pk, APPLICATION, other, APPLICATION.permission("change"))
    helper = await house.client_of(await house.person("helper", roles=(role.pk,)))
    assert (await helper.patch(one, {"order": 5})).status == 200
    assert (await helper.patch(one, {"target": target})).status == 403, "nor moved to what one may not change"
    assert (await helper.delete(one)).status == 204


GIVERS = {"authentik_core.user", "authentik_core.group", "authentik_rbac.role"}


def _leading(target: str) -> list[Any]:
    """Kinds whose objects, made through the API, lead to a user, group or role that gives."""
    return [
        pytest.param(kind, field, id=f"{kind.model}.{field.name}")
        for kind in app.KINDS
        for field in kind.references
        if field.ref and field.ref.target == target and field.ref.gives and field.writable and Verb.CREATE in kind.verbs
        if makeable(kind)
    ]


@pytest.mark.parametrize(("kind", "field"), [one for target in sorted(GIVERS) for one in _leading(target)])
async def test_no_reference_leads_to_somebody_stronger(house: House, kind: Any, field: Any) -> None:  # noqa: ANN401 - every kind
    """A device, a connection, a group that newcomers join: it must not give what its maker lacks."""
    if kind is TOKEN:
        return  # its own rules say more: tests/people/test_tokens.py
    maker = Maker(house)
    role = Role(pk=rand.uuid4(), name="strong", permissions=("authentik_rbac.edit_system_settings",))
    weak_role = Role(pk=rand.uuid4(), name="weak")
    await house.put(role, weak_role)
    weak_group = Group(pk=rand.uuid4(), name="weak", num_pk=804)
    await house.put(weak_group)
    strong: dict[str, object] = {
        "authentik_core.user": house.superuser.pk,
        "authentik_core.group": house.admins.pk,
        "authentik_rbac.role": role.pk,
    }
    weak: dict[str, object] = {
        "authentik_core.user": house.plain.pk,
        "authentik_core.group": weak_group.pk,
        "authentik_rbac.role": weak_role.pk,
    }
    helper = await house.client_with(*(name for one in app.KINDS for name in one.codenames))
    body = await maker.body(kind, full=False)
    value = [strong[field.ref.target]] if field.many else strong[field.ref.target]
    refused = await helper.post(f"{API}/{kind.path}/", body | {field.name: value})
    assert refused.status == 403, refused.text
    assert (await house.admin.post(f"{API}/{kind.path}/", body | {field.name: value})).status in {201, 400}
    value = [weak[field.ref.target]] if field.many else weak[field.ref.target]
    allowed = await helper.post(f"{API}/{kind.path}/", await maker.body(kind, full=False) | {field.name: value})
    assert allowed.status != 403, allowed.text


def test_whose_references_give_nothing_is_settled() -> None:
    """References to people, groups and roles that the door lets pass; a new one wants a reason."""
    free = {
        f"{kind.model}.{field.name}"
        for kind in app.KINDS
        for field in kind.references
        if field.ref and field.ref.target in GIVERS and not field.ref.gives
    }
    assert free <= {
        "authentik_core.user.groups",  # its rules look at what is joined and left
        "authentik_core.user.roles",
        "authentik_core.group.parents",  # as above
        "authentik_core.group.roles",
        "authentik_core.group.users",  # its rules look at what the group gives
        "authentik_requests.grantrequest.owner",  # for whom an agent asked
        "authentik_requests.grantrequest.revoker",  # who took it back
        "authentik_policies.policybinding.user",  # whom a rule is about
        "authentik_policies.policybinding.group",
        "authentik_endpoints.deviceuserbinding.user",
        "authentik_endpoints.deviceuserbinding.group",
        "authentik_events.notificationrule.destination_group",  # who is told
        "authentik_lifecycle.lifecyclerule.reviewer_groups",  # who is asked
        "authentik_lifecycle.useroffboarding.created_by",  # who made it
        "authentik_stages_invitation.invitation.created_by",
        "authentik_providers_scim.scimprovider.group_filters",  # who is told of elsewhere
        "authentik_providers_google_workspace.googleworkspaceprovider.filter_group",
        "authentik_providers_microsoft_entra.microsoftentraprovider.filter_group",
    }


async def test_power_adds_up(house: House) -> None:
    one = power.Power(permissions=frozenset({"a"}), partial=frozenset({("r", "x")}))
    both = one | power.Power(is_superuser=True, permissions=frozenset({"b"}))
    assert both == power.Power(is_superuser=True, permissions=frozenset("ab"), partial=frozenset({("r", "x")}))
    assert await power.of_users(house.state, house.state.settings, []) == power.Power()
