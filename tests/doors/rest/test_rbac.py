"""Permissions over REST (rest.md §9): which there are, who holds them, giving and taking them."""

from typing import Any

import pytest

from keystead.base import rand
from keystead.flows.flow import FLOW
from keystead.kinds.permissions import number
from keystead.people.role import ROLE, Role
from keystead.people.user import USER
from tests.client import Answered, Client
from tests.family.bodies import Maker
from tests.house import House

PERMISSIONS = "/api/v3/rbac/permissions/"
BY_ROLES = f"{PERMISSIONS}assigned_by_roles/"
OF_ROLES = f"{PERMISSIONS}roles/"
VIEW, CHANGE = USER.permission("view"), USER.permission("change")


@pytest.fixture
async def role(house: House) -> Role:
    made = Role(pk=rand.uuid4(), name="helpers")
    await house.put(made)
    return made


def now(house: House, role: Role) -> Role:
    found = house.state.settings.get(ROLE, role.pk)
    assert found
    return found


async def assign(client: Client, role: Role, *permissions: str, **more: Any) -> Answered:  # noqa: ANN401 - members
    return await client.post(f"{BY_ROLES}{role.pk}/assign/", {"permissions": list(permissions), **more})


async def unassign(client: Client, role: Role, *permissions: str, **more: Any) -> Answered:  # noqa: ANN401 - members
    return await client.patch(f"{BY_ROLES}{role.pk}/unassign/", {"permissions": list(permissions), **more})


async def count(client: Client, url: str) -> int:
    found: int = (await client.get(url)).json["pagination"]["count"]
    return found


async def test_the_permissions_there_are(house: House) -> None:
    every = house.state.permissions.by_name
    assert await count(house.user, PERMISSIONS) == len(every)
    (one,) = (await house.user.get(f"{PERMISSIONS}?codename=view_user")).json["results"]
    assert one == {
        "id": number(VIEW),
        "name": "Can view User",
        "codename": "view_user",
        "model": "user",
        "app_label": "authentik_core",
        "app_label_verbose": "Core",
        "model_verbose": "User",
    }
    assert (await house.user.get(f"{PERMISSIONS}{one['id']}/")).json == one
    for key in ("0", "1", "-1", "x", "9" * 40):
        assert (await house.user.get(f"{PERMISSIONS}{key}/")).status == 404
    assert (await house.nobody.get(PERMISSIONS)).status == 403
    (access,) = (await house.user.get(f"{PERMISSIONS}?codename=access_admin_interface")).json["results"]
    assert access["app_label"] == "authentik_rbac"
    assert await count(house.user, f"{PERMISSIONS}?content_type__model=token") == 6
    flows = f"{PERMISSIONS}?content_type__app_label=authentik_flows&content_type__model=flow&page_size=100"
    assert {row["codename"] for row in (await house.user.get(flows)).json["results"]} == {
        name.partition(".")[2] for name in FLOW.codenames
    }
    assert await count(house.user, f"{PERMISSIONS}?search=RESET_user") == 1
    turned = (await house.user.get(f"{PERMISSIONS}?ordering=-codename&page_size=100&page=1")).json["results"]
    assert [row["codename"] for row in turned] == sorted((row["codename"] for row in turned), reverse=True)
    assert (await house.user.get(f"{PERMISSIONS}?page=999")).status == 404


async def test_permissions_on_all_objects_are_given_and_taken(house: House, role: Role) -> None:
    given = await assign(house.admin, role, VIEW, CHANGE, VIEW)
    assert (given.status, given.json) == (200, [{"id": str(number(VIEW))}, {"id": str(number(CHANGE))}])
    assert now(house, role).permissions == (CHANGE, VIEW)
    assert (await assign(house.admin, role, VIEW)).json == [{"id": str(number(VIEW))}]
    helper = await house.client_of(await house.person("helper", roles=(role.pk,)))
    assert (await helper.get("/api/v3/core/users/")).status == 200
    held = (await house.admin.get(f"{PERMISSIONS}?role={role.pk}")).json["results"]
    assert [one["codename"] for one in held] == ["change_user", "view_user"]
    assert (await house.user.get(f"{PERMISSIONS}?role={role.pk}")).status == 404
    (told,) = (await house.admin.get(f"{BY_ROLES}?model=authentik_core.user")).json["results"]
    assert told["role_pk"] == role.pk
    assert told["name"] == "helpers"
    assert told["object_permissions"] == []
    assert told["model_permissions"] == [
        {
            "id": one["id"],
            "codename": one["codename"],
            "model": "user",
            "app_label": "authentik_core",
            "name": one["name"],
        }
        for one in held
    ]
    taken = await unassign(house.admin, role, VIEW, FLOW.permission("view"))
    assert (taken.status, taken.body) == (204, b"")
    assert now(house, role).permissions == (CHANGE,)
    assert (await helper.get("/api/v3/core/users/")).status == 403


async def test_permissions_on_one_object_are_given_and_taken(house: House, role: Role) -> None:
    one, other = await house.person("one"), await house.person("other")
    about = {"model": "authentik_core.user", "object_pk": str(one.pk)}
    given = await assign(house.admin, role, VIEW, CHANGE, **about)
    assert given.status == 200
    listed = (await house.admin.get(f"{OF_ROLES}?uuid={role.pk}")).json
    assert {row["id"] for row in listed["results"]} == {int(row["id"]) for row in given.json}
    row = next(row for row in listed["results"] if row["codename"] == "view_user")
    assert row == {
        "id": int(given.json[0]["id"]),
        "codename": "view_user",
        "model": "user",
        "app_label": "authentik_core",
        "object_pk": str(one.pk),
        "name": "Can view User",
        "app_label_verbose": "Core",
        "model_verbose": "User",
        "object_description": "One",
    }
    assert (await assign(house.admin, role, VIEW, **about)).json == given.json[:1], "twice is once"
    helper = await house.client_of(await house.person("helper", roles=(role.pk,)))
    assert (await helper.get(f"/api/v3/core/users/{one.pk}/")).status == 200
    assert (await helper.get(f"/api/v3/core/users/{other.pk}/")).status == 404
    (told,) = (await house.admin.get(BY_ROLES, query=about)).json["results"]
    assert {row["id"] for row in told["object_permissions"]} == {int(row["id"]) for row in given.json}
    assert (await house.admin.get(BY_ROLES, query=about | {"object_pk": str(other.pk)})).json["results"] == []
    assert (await unassign(house.admin, role, VIEW, **about)).status == 204
    assert (await helper.get(f"/api/v3/core/users/{one.pk}/")).status == 404
    assert now(house, role).objects == (CHANGE,)
    assert (await assign(house.admin, role, CHANGE, **about | {"object_pk": str(other.pk)})).status == 200
    assert (await unassign(house.admin, role, CHANGE, **about)).status == 204
    assert now(house, role).objects == (CHANGE,), "it is still held on the other"
    assert (await unassign(house.admin, role, CHANGE, **about | {"object_pk": str(other.pk)})).status == 204
    assert now(house, role).objects == ()


async def test_each_change_is_told(house: House, role: Role) -> None:
    about = {"model": "authentik_core.user", "object_pk": str(house.plain.pk)}
    await assign(house.admin, role, VIEW)
    await assign(house.admin, role, VIEW, **about)
    await unassign(house.admin, role, VIEW, **about)
    query = {"action": "model_updated", "context_model_pk": role.pk, "ordering": "created"}
    told = [one["context"] for one in (await house.admin.get("/api/v3/events/events/", query=query)).json["results"]]
    assert sorted((one["change"], one.get("object", {}).get("name", "")) for one in told) == [
        ("assigned", ""),
        ("assigned", "Plain"),
        ("unassigned", "Plain"),
    ]
    assert all(one["permissions"] == [VIEW] for one in told)


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ({}, "permissions"),
        ({"permissions": []}, "permissions"),
        ({"permissions": "view_user"}, "permissions"),
        ({"permissions": [""]}, "permissions"),
        ({"permissions": ["authentik_core.fly_user"]}, "permissions"),
        ({"permissions": ["no_such"]}, "permissions"),
        ({"permissions": [VIEW], "object_pk": "1"}, "model"),
        ({"permissions": [VIEW], "object_pk": "1", "model": "authentik_core.unicorn"}, "model"),
        ({"permissions": [VIEW], "object_pk": "987654", "model": "authentik_core.user"}, "object_pk"),
        ({"permissions": [VIEW], "object_pk": "x", "model": "authentik_core.user"}, "object_pk"),
        ({"permissions": [VIEW], "object_pk": "1", "model": "authentik_tenants.domain"}, "object_pk"),
        ({"permissions": [FLOW.permission("view")], "object_pk": "1", "model": "authentik_core.user"}, "permissions"),
    ],
)
async def test_what_cannot_be_given_is_named(house: House, role: Role, body: dict[str, object], member: str) -> None:
    for method, verb in (("POST", "assign"), ("PATCH", "unassign")):
        answered = await house.admin.request(method, f"{BY_ROLES}{role.pk}/{verb}/", json=body)
        assert answered.status == 400, answered.text
        assert member in answered.json
    assert now(house, role).permissions == ()


async def test_a_codename_alone_does_where_only_one_has_it(house: House, role: Role) -> None:
    assert (await assign(house.admin, role, "view_user")).json == [{"id": str(number(VIEW))}]
    assert now(house, role).permissions == (VIEW,)


async def test_settings_are_named_by_their_primary_key(house: House, role: Role) -> None:
    maker = Maker(house)
    flow = await maker.make(FLOW)
    about = {"model": FLOW.model, "object_pk": str(flow)}
    (given,) = (await assign(house.admin, role, FLOW.permission("view"), **about)).json
    (row,) = (await house.admin.get(f"{OF_ROLES}?search={flow}")).json["results"]
    assert (str(row["id"]), row["object_pk"]) == (given["id"], flow)
    kept = house.state.settings.get(FLOW, flow)
    assert kept
    assert row["object_description"] == kept.name


async def test_nobody_gives_or_takes_what_they_lack(house: House, role: Role) -> None:
    """SECURITY AP-07."""
    lacking = await house.client_with(ROLE.permission("view"), ROLE.permission("change"))
    holding = await house.client_with(ROLE.permission("view"), ROLE.permission("change"), VIEW, USER.permission("add"))
    about = {"model": "authentik_core.user", "object_pk": str(house.plain.pk)}
    for more in ({}, about):
        assert (await assign(lacking, role, VIEW, **more)).status == (400 if more else 403)
        assert (await assign(holding, role, VIEW, CHANGE, **more)).status == 403
        assert (await assign(house.admin, role, CHANGE, **more)).status == 200
        assert (await unassign(holding, role, CHANGE, **more)).status == 403
        assert (await assign(holding, role, VIEW, **more)).status == 200
        assert (await unassign(holding, role, VIEW, **more)).status == 204
    assert now(house, role).permissions == (CHANGE,)
    assert now(house, role).objects == (CHANGE,)


async def test_what_is_held_on_one_object_is_given_on_that_one_only(house: House, role: Role) -> None:
    one, other = await house.person("one"), await house.person("other")
    mine = Role(pk=rand.uuid4(), name="mine", permissions=(ROLE.permission("view"), ROLE.permission("change")))
    await house.put(mine)
    for user in (one, other):
        await house.grant(mine.pk, USER, user.pk, VIEW)
    await house.grant(mine.pk, USER, one.pk, CHANGE)
    helper = await house.client_of(await house.person("helper", roles=(mine.pk,)))
    about = {"model": "authentik_core.user", "object_pk": str(one.pk)}
    assert (await assign(helper, role, CHANGE, **about)).status == 200
    assert (await assign(helper, role, CHANGE, **about | {"object_pk": str(other.pk)})).status == 403
    assert (await assign(helper, role, CHANGE)).status == 403


async def test_a_role_is_changed_by_who_may_change_it(house: House, role: Role) -> None:
    assert (await assign(house.nobody, role, VIEW)).status == 403
    assert (await assign(house.user, role, VIEW)).status == 404
    viewer = await house.client_with(ROLE.permission("view"), VIEW)
    assert (await assign(viewer, role, VIEW)).status == 403
    assert (await unassign(viewer, role, VIEW)).status == 403
    assert (await assign(house.admin, Role(pk=rand.uuid4(), name="none"), VIEW)).status == 404


async def test_lists_tell_of_the_roles_one_may_see(house: House, role: Role) -> None:
    other = Role(pk=rand.uuid4(), name="other")
    await house.put(other)
    for one in (role, other):
        await house.grant(one.pk, USER, house.plain.pk, VIEW)
    for url in (BY_ROLES, OF_ROLES):
        assert (await house.user.get(url)).status == 403
        assert (await house.nobody.get(url)).status == 403
    mine = Role(pk=rand.uuid4(), name="mine")
    await house.put(mine)
    helper = await house.client_of(await house.person("helper", roles=(mine.pk,)))
    await house.grant(mine.pk, ROLE, role.pk, ROLE.permission("view"))
    assert [one["role_pk"] for one in (await helper.get(BY_ROLES)).json["results"]] == [role.pk]
    (row,) = (await helper.get(OF_ROLES)).json["results"]
    assert row["object_description"] is None, "whom it is about is not this caller's to know"
    assert (await helper.get(f"{OF_ROLES}?uuid={other.pk}")).json["results"] == []
    assert (await house.admin.get(f"{OF_ROLES}?uuid=no-uuid")).status == 400
    assert (await house.admin.get(f"{OF_ROLES}?uuid={other.pk}&page=2")).status == 404
    assert await count(house.admin, f"{OF_ROLES}?search=view_u%25") == 0
    listed = (await house.admin.get(f"{OF_ROLES}?ordering=-object_pk&page_size=1")).json
    assert listed["pagination"]["count"] == 3
    assert listed["autocomplete"] == {}
    assert [one["name"] for one in (await house.admin.get(f"{BY_ROLES}?search=OTH")).json["results"]] == ["other"]
    names = [one["name"] for one in (await house.admin.get(f"{BY_ROLES}?ordering=-name")).json["results"]]
    assert names == sorted(names, reverse=True)


async def test_an_object_that_is_gone_has_no_description(house: House, role: Role) -> None:
    person = await house.person("person")
    await house.grant(role.pk, USER, person.pk, VIEW)
    await house.grant(role.pk, USER, 987654, VIEW)
    shown = {row["object_pk"]: row["object_description"] for row in (await house.admin.get(OF_ROLES)).json["results"]}
    assert shown == {str(person.pk): "Person", "987654": None}
