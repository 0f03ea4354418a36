"""Bindings: exactly one thing is bound, to something that can be, at a place of its own."""

from typing import Any

import pytest

from keystead.policies.binding import PolicyBinding, bindings_of
from tests.house import House

BINDINGS = "/api/v3/policies/bindings/"


async def flow(house: House, slug: str) -> dict[str, Any]:
    body = {"name": slug, "title": slug, "slug": slug, "designation": "authentication"}
    made = await house.admin.post("/api/v3/flows/instances/", body)
    assert made.status == 201, made.text
    found: dict[str, Any] = made.json
    return found


async def policy(house: House, name: str) -> str:
    made = await house.admin.post("/api/v3/policies/expression/", {"name": name, "expression": "return True"})
    pk: str = made.json["pk"]
    return pk


@pytest.mark.parametrize(
    "bound", [(), ("policy", "user"), ("policy", "group"), ("user", "group"), ("policy", "user", "group")]
)
async def test_exactly_one_thing_is_bound(house: House, bound: tuple[str, ...]) -> None:
    target = await flow(house, "target")
    things = {"policy": await policy(house, "p"), "user": house.plain.pk, "group": house.admins.pk}
    body = {"target": target["policybindingmodel_ptr_id"], "order": 0, **{name: things[name] for name in bound}}
    answered = await house.admin.post(BINDINGS, body)
    assert answered.status == 400
    assert "non_field_errors" in answered.json
    for name, thing in things.items():
        made = await house.admin.post(BINDINGS, {**body, "policy": None, "user": None, "group": None, name: thing})
        assert made.status == 201, made.text
        other = next(one for one in things if one != name)
        assert (await house.admin.patch(f"{BINDINGS}{made.json['pk']}/", {other: things[other]})).status == 400
        swap = {name: None, other: things[other], "order": 50 + len(other)}
        assert (await house.admin.patch(f"{BINDINGS}{made.json['pk']}/", swap)).status == 200
        assert (await house.admin.delete(f"{BINDINGS}{made.json['pk']}/")).status == 204


async def test_a_policy_stands_at_a_place_of_a_target_once(house: House) -> None:
    target, other = await flow(house, "one"), await flow(house, "two")
    first = {"target": target["policybindingmodel_ptr_id"], "order": 1, "policy": await policy(house, "p")}
    assert (await house.admin.post(BINDINGS, first)).status == 201
    assert (await house.admin.post(BINDINGS, first)).status == 400
    assert (await house.admin.post(BINDINGS, {**first, "order": 2})).status == 201
    assert (await house.admin.post(BINDINGS, {**first, "target": other["policybindingmodel_ptr_id"]})).status == 201
    assert (await house.admin.post(BINDINGS, {**first, "policy": await policy(house, "q")})).status == 201


async def test_only_what_can_be_bound_to_is_a_target(house: House) -> None:
    pk = await policy(house, "p")
    for target in (pk, house.brand.brand_uuid, "00000000-0000-4000-8000-000000000000", "x"):
        answered = await house.admin.post(BINDINGS, {"target": target, "order": 0, "policy": pk})
        assert answered.status == 400
        assert "target" in answered.json


async def test_what_is_bound_is_shown(house: House) -> None:
    target = (await flow(house, "target"))["policybindingmodel_ptr_id"]
    pk = await policy(house, "shown")
    bound = (await house.admin.post(BINDINGS, {"target": target, "order": 0, "policy": pk})).json
    assert bound["policy_obj"]["name"] == "shown"
    assert (bound["group_obj"], bound["user_obj"]) == (None, None)
    assert (await house.admin.get(f"/api/v3/policies/expression/{pk}/")).json["bound_to"] == 1
    user = (await house.admin.post(BINDINGS, {"target": target, "order": 1, "user": house.plain.pk})).json
    assert user["user_obj"]["username"] == "plain"
    group = (await house.admin.post(BINDINGS, {"target": target, "order": 2, "group": house.admins.pk})).json
    assert group["group_obj"]["name"] == "authentik Admins"
    assert (group["timeout"], group["negate"], group["enabled"], group["failure_result"]) == (30, False, True, False)


async def test_bindings_are_found_and_ordered(house: House) -> None:
    one, two = await flow(house, "one"), await flow(house, "two")
    targets = [one["policybindingmodel_ptr_id"], two["policybindingmodel_ptr_id"]]
    pk = await policy(house, "p")
    for order in (30, 10, 20):
        for target in targets:
            await house.admin.post(BINDINGS, {"target": target, "order": order, "policy": pk, "enabled": order != 20})
    await house.admin.post(BINDINGS, {"target": targets[0], "order": 5, "user": house.plain.pk})
    listed = (await house.admin.get(f"{BINDINGS}?target={targets[0]}")).json["results"]
    assert [item["order"] for item in listed] == [5, 10, 20, 30]
    for query, count in (
        (f"target_in={targets[0]}&target_in={targets[1]}", 7),
        ("policy__isnull=true", 1),
        (f"policy={pk}", 6),
        ("enabled=false", 2),
        ("order=10", 2),
        ("timeout=30", 7),
        ("search=nothing", 7),
    ):
        assert (await house.admin.get(f"{BINDINGS}?{query}")).json["pagination"]["count"] == count, query
    found = bindings_of(house.state.settings, targets[0])
    assert [item.order for item in found] == [5, 10, 30], "only those that are switched on"
    assert bindings_of(house.state.settings, "nothing") == ()
    assert all(isinstance(item, PolicyBinding) for item in found)
