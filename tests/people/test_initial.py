"""Initial permissions: what members of a role may do to what they make, in the commit that makes it (rest.md §9)."""

from typing import Any

from keystead.base import rand
from keystead.kinds.permissions import number
from keystead.people.group import GROUP, Group
from keystead.people.role import ROLE, Role
from keystead.people.user import USER
from keystead.store import Statement, Unit
from tests.client import Client
from tests.house import House

INITIAL = "/api/v3/rbac/initial_permissions/"
FLOWS = "/api/v3/flows/instances/"
ADD_FLOW, VIEW_FLOW, CHANGE_FLOW = (f"authentik_flows.{word}_flow" for word in ("add", "view", "change"))
FLOW_BODY = {"name": "f", "slug": "f", "title": "F", "designation": "authorization"}
ROWS = Statement("rows", "SELECT permission, object_pk FROM object_permissions ORDER BY permission, object_pk")


async def makers(house: House, *permissions: str) -> tuple[Role, Client]:
    """A role that may make things, and a member of it."""
    role = Role(pk=rand.uuid4(), name="makers", permissions=permissions)
    await house.put(role)
    return role, await house.client_of(await house.person("maker", roles=(role.pk,)))


async def set_up(house: House, role: Role, *permissions: str, name: str = "own things") -> dict[str, Any]:
    made = await house.admin.post(
        INITIAL, {"name": name, "role": role.pk, "permissions": [number(one) for one in permissions]}
    )
    assert made.status == 201, made.text
    found: dict[str, Any] = made.json
    return found


async def test_its_shape(house: House) -> None:
    role, _ = await makers(house)
    made = await set_up(house, role, VIEW_FLOW, USER.permission("view"))
    assert set(made) == {"pk", "name", "role", "permissions", "permissions_obj"}
    assert [one["codename"] for one in made["permissions_obj"]] == ["view_flow", "view_user"]
    assert [one["id"] for one in made["permissions_obj"]] == made["permissions"]
    assert (await house.admin.get(f"{INITIAL}{made['pk']}/")).json == made
    assert (await house.admin.get(f"{INITIAL}?name=own things")).json["results"] == [made]
    wrong = await house.admin.post(INITIAL, {"name": "x", "role": role.pk, "permissions": [1]})
    assert (wrong.status, "permissions" in wrong.json) == (400, True)
    assert (await house.admin.delete(f"/api/v3/rbac/roles/{role.pk}/")).status == 204
    assert (await house.admin.get(f"{INITIAL}{made['pk']}/")).status == 404


async def test_who_makes_a_setting_may_do_what_is_said(house: House) -> None:
    role, maker = await makers(house, ADD_FLOW)
    assert (await maker.post(FLOWS, FLOW_BODY | {"slug": "before", "name": "before"})).status == 201
    made = await set_up(house, role, VIEW_FLOW, CHANGE_FLOW, USER.permission("view"))
    flow = (await maker.post(FLOWS, FLOW_BODY)).json
    assert (await maker.get(f"{FLOWS}f/")).status == 200
    assert (await maker.patch(f"{FLOWS}f/", {"title": "New"})).status == 200
    assert (await maker.delete(f"{FLOWS}f/")).status == 403
    assert (await maker.get(f"{FLOWS}before/")).status == 404
    assert (await maker.get(FLOWS)).json["pagination"]["count"] == 1
    assert await house.state.store.fetch(ROWS) == [(CHANGE_FLOW, flow["pk"]), (VIEW_FLOW, flow["pk"])]
    assert (await house.admin.delete(f"{INITIAL}{made['pk']}/")).status == 204
    assert (await maker.post(FLOWS, FLOW_BODY | {"slug": "g", "name": "g"})).status == 201
    assert (await maker.get(f"{FLOWS}g/")).status == 404, "no more"
    assert (await maker.get(f"{FLOWS}f/")).status == 200, "what was given stays"


async def test_who_makes_a_record_too_in_the_same_commit(house: House, monkeypatch: Any) -> None:  # noqa: ANN401 - a fixture
    role, maker = await makers(house, USER.permission("add"), GROUP.permission("add"))
    await set_up(house, role, USER.permission("view"), GROUP.permission("view"))
    units: list[list[str]] = []
    commit = house.state.store.commit

    async def recorded(unit: Unit) -> None:
        await commit(unit)
        units.append([write.statement.name for write in unit.writes])

    monkeypatch.setattr(house.state.store, "commit", recorded)
    one = (await maker.post("/api/v3/core/users/", {"username": "one", "name": "One"})).json
    two = (await maker.post("/api/v3/core/users/", {"username": "two", "name": "Two"})).json
    assert sum("grants.add" in names for names in units) == 2
    assert all("event.insert" in names for names in units if "grants.add" in names)
    listed = (await maker.get("/api/v3/core/users/")).json
    assert {user["pk"] for user in listed["results"]} == {one["pk"], two["pk"]}
    svc = await maker.post("/api/v3/core/users/service_account/", {"name": "svc", "create_group": True})
    assert svc.status == 200, svc.text
    assert (await maker.get(f"/api/v3/core/users/{svc.json['user_pk']}/")).status == 200
    assert (await maker.get(f"/api/v3/core/groups/{svc.json['group_pk']}/")).status == 200
    kept = house.state.settings.get(ROLE, role.pk)
    assert kept
    assert kept.objects == (GROUP.permission("view"), USER.permission("view"))


async def test_it_comes_through_groups_and_their_ancestors(house: House) -> None:
    role, _ = await makers(house, ADD_FLOW)
    await set_up(house, role, VIEW_FLOW)
    above = Group(pk=rand.uuid4(), name="above", num_pk=701, roles=(role.pk,))
    below = Group(pk=rand.uuid4(), name="below", num_pk=702, parents=(above.pk,))
    await house.put(above)
    await house.put(below)
    client = await house.client_of(await house.person("below", groups=(below.pk,)))
    assert (await client.post(FLOWS, FLOW_BODY)).status == 201
    assert (await client.get(f"{FLOWS}f/")).status == 200


async def test_taking_a_permission_keeps_the_word_for_what_will_be_made(house: House) -> None:
    role, maker = await makers(house, ADD_FLOW)
    await set_up(house, role, VIEW_FLOW)
    flow = (await maker.post(FLOWS, FLOW_BODY)).json
    body = {"permissions": [VIEW_FLOW], "model": "authentik_flows.flow", "object_pk": flow["pk"]}
    url = f"/api/v3/rbac/permissions/assigned_by_roles/{role.pk}/unassign/"
    assert (await house.admin.patch(url, body)).status == 204
    kept = house.state.settings.get(ROLE, role.pk)
    assert kept
    assert kept.objects == (VIEW_FLOW,)


async def test_nobody_lets_others_do_what_they_may_not(house: House) -> None:
    """SECURITY AP-07: neither by what objects get nor by whose objects get it."""
    words = [f"authentik_rbac.{word}_initialpermissions" for word in ("view", "add", "change", "delete")]
    manager = await house.client_with(*words, VIEW_FLOW)
    weak = Role(pk=rand.uuid4(), name="weak", permissions=(VIEW_FLOW,))
    strong = Role(pk=rand.uuid4(), name="strong", permissions=(CHANGE_FLOW,))
    await house.put(weak, strong)
    held, lacked = [number(VIEW_FLOW)], [number(VIEW_FLOW), number(CHANGE_FLOW)]
    made = await manager.post(INITIAL, {"name": "a", "role": weak.pk, "permissions": held})
    assert made.status == 201, made.text
    assert (await manager.post(INITIAL, {"name": "b", "role": weak.pk, "permissions": lacked})).status == 403
    assert (await manager.post(INITIAL, {"name": "c", "role": strong.pk, "permissions": held})).status == 403
    url = f"{INITIAL}{made.json['pk']}/"
    assert (await manager.patch(url, {"permissions": lacked})).status == 403
    assert (await manager.patch(url, {"role": strong.pk})).status == 403
    assert (await manager.patch(url, {"name": "d"})).status == 200
    assert (await house.admin.patch(url, {"permissions": lacked})).status == 200
    assert (await manager.patch(url, {"permissions": held})).status == 403, "nor take it away"
    assert (await manager.delete(url)).status == 403
    assert (await house.admin.patch(url, {"permissions": held})).status == 200
    assert (await manager.delete(url)).status == 204
