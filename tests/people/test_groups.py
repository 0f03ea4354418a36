"""Groups: a hierarchy without circles, members, and what a client asks to be shown."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keystead.base import rand
from keystead.people.group import ancestors
from tests.engines import ENGINES
from tests.house import House, fresh_house

GROUPS = "/api/v3/core/groups/"


async def group(house: House, name: str, **more: Any) -> str:  # noqa: ANN401 - members of a group
    made = await house.admin.post(GROUPS, {"name": name, **more})
    assert made.status == 201, made.text
    pk: str = made.json["pk"]
    return pk


@pytest.fixture(scope="module", params=ENGINES)
async def shared(request: pytest.FixtureRequest) -> Any:  # noqa: ANN401 - an async generator of a house
    """One house for all examples."""
    async with fresh_house(request.param) as made:
        yield made


@given(edges=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=12))
@settings(max_examples=20)
async def test_no_changes_make_a_circle(shared: House, edges: list[tuple[int, int]]) -> None:
    keys = [await group(shared, rand.hex128()) for _ in range(5)]
    parents: dict[int, set[int]] = {number: set() for number in range(5)}

    def above(number: int) -> set[int]:
        found: set[int] = set()
        left = [number]
        while left:
            for parent in parents[left.pop()] - found:
                found.add(parent)
                left.append(parent)
        return found

    for child, parent in edges:
        wanted = parents[child] | {parent}
        circle = child == parent or child in above(parent)
        answered = await shared.admin.patch(f"{GROUPS}{keys[child]}/", {"parents": [keys[one] for one in wanted]})
        assert answered.status == (400 if circle else 200), (child, parent, parents)
        if circle:
            assert "parents" in answered.json
        else:
            parents[child] = wanted
    for number in range(5):
        found = await ancestors(shared.state, [keys[number]])
        assert sorted(found) == sorted(keys[one] for one in above(number))


async def test_members_come_and_go_and_doing_it_twice_changes_nothing(house: House) -> None:
    pk = await group(house, "team")
    for _ in range(2):
        assert (await house.admin.post(f"{GROUPS}{pk}/add_user/", {"pk": house.plain.pk})).status == 204
    shown = (await house.admin.get(f"{GROUPS}{pk}/")).json
    assert shown["users"] == [house.plain.pk]
    assert [one["username"] for one in shown["users_obj"]] == ["plain"]
    for _ in range(2):
        assert (await house.admin.post(f"{GROUPS}{pk}/remove_user/", {"pk": house.plain.pk})).status == 204
    assert (await house.admin.get(f"{GROUPS}{pk}/")).json["users"] == []
    for body, status in (({"pk": 987654}, 404), ({}, 400), ({"pk": "x"}, 400), ({"pk": 10**30}, 400)):
        assert (await house.admin.post(f"{GROUPS}{pk}/add_user/", body)).status == status, body


async def test_two_who_edit_the_members_at_once_both_count(house: House) -> None:
    pk = await group(house, "team")
    people = [await house.person(f"p{number}") for number in range(6)]
    adding = [house.admin.post(f"{GROUPS}{pk}/add_user/", {"pk": one.pk}) for one in people]
    assert {one.status for one in await asyncio.gather(*adding)} == {204}
    assert (await house.admin.get(f"{GROUPS}{pk}/")).json["users"] == sorted(one.pk for one in people)


async def test_what_is_shown_is_what_was_asked_for(house: House) -> None:
    role = (await house.admin.post("/api/v3/rbac/roles/", {"name": "role"})).json["pk"]
    top = await group(house, "top", roles=[role])
    low = await group(house, "low", parents=[top], users=[house.plain.pk])
    everything = "include_users=true&include_parents=true&include_children=true&include_inherited_roles=true"
    shown = (await house.admin.get(f"{GROUPS}{low}/?{everything}")).json
    assert [one["name"] for one in shown["parents_obj"]] == ["top"]
    assert [one["username"] for one in shown["users_obj"]] == ["plain"]
    assert [one["name"] for one in shown["inherited_roles_obj"]] == ["role"]
    assert shown["roles_obj"] == []
    above = (await house.admin.get(f"{GROUPS}{top}/?{everything}")).json
    assert above["children"] == [low]
    assert [one["name"] for one in above["children_obj"]] == ["low"]
    assert [one["name"] for one in above["roles_obj"]] == ["role"]
    bare = (await house.admin.get(f"{GROUPS}{low}/?include_users=false")).json
    assert (bare["users_obj"], bare["parents_obj"], bare["inherited_roles_obj"]) == (None, None, None)
    assert bare["users"] == [house.plain.pk]


async def test_numbers_for_other_systems_are_given_once(house: House) -> None:
    numbers = [(await house.admin.post(GROUPS, {"name": f"g{n}", "num_pk": 1})).json["num_pk"] for n in range(5)]
    assert len(set(numbers)) == 5
    one = (await house.admin.get(f"{GROUPS}?name=g1")).json["results"][0]
    changed = await house.admin.patch(f"{GROUPS}{one['pk']}/", {"num_pk": 99, "name": "renamed"})
    assert changed.json["num_pk"] == one["num_pk"]


async def test_a_hundred_levels_are_climbed_in_one_query(house: House) -> None:
    below = await group(house, "level 0", users=[house.plain.pk])
    first = below
    for number in range(1, 100):
        above = await group(house, f"level {number}", is_superuser=number == 99)
        assert (await house.admin.patch(f"{GROUPS}{below}/", {"parents": [above]})).status == 200
        below = above
    assert len(await ancestors(house.state, [first])) == 99
    assert (await house.user.get("/api/v3/core/users/")).status == 200, "a superuser by the topmost"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("members_by_username=plain", {"team"}),
        ("members_by_username=plain&members_by_username=akadmin", {"team", "authentik Admins"}),
        ("is_superuser=true", {"authentik Admins"}),
        ("is_superuser=false", {"team"}),
        ('attributes={"colour": "red"}', {"team"}),
        ('attributes={"deep__er": 1}', {"team"}),
        ('attributes={"colour": "blue"}', set()),
        ("search=TEAM", {"team"}),
    ],
)
async def test_groups_are_found_by(house: House, query: str, names: set[str]) -> None:
    await group(house, "team", users=[house.plain.pk], attributes={"colour": "red", "deep": {"er": 1}})
    listed = (await house.admin.get(f"{GROUPS}?{query}")).json
    assert {one["name"] for one in listed["results"]} == names


async def test_a_role_is_given_and_taken(house: House) -> None:
    role = (await house.admin.post("/api/v3/rbac/roles/", {"name": "role"})).json["pk"]
    url = f"/api/v3/rbac/roles/{role}/"
    for _ in range(2):
        assert (await house.admin.post(f"{url}add_user/", {"pk": house.plain.pk})).status == 204
    assert (await house.admin.get(f"/api/v3/core/users/{house.plain.pk}/")).json["roles"] == [role]
    used = (await house.admin.get(f"{url}used_by/")).json
    assert [(one["model_name"], one["name"], one["action"]) for one in used] == [("user", "Plain", "cascade_many")]
    for _ in range(2):
        assert (await house.admin.post(f"{url}remove_user/", {"pk": house.plain.pk})).status == 204
    assert (await house.admin.get(f"/api/v3/core/users/{house.plain.pk}/")).json["roles"] == []
    assert (await house.admin.post(f"{url}add_user/", {"pk": 987654})).status == 404
