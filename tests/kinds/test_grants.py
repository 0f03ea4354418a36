"""Permissions on single objects: what they open, what they leave shut, and what they cost."""

from dataclasses import dataclass
from typing import Any

import pytest

from keystead.base import rand
from keystead.flows.flow import FLOW
from keystead.kinds import grants
from keystead.people.actor import actor_of
from keystead.people.group import GROUP, Group
from keystead.people.role import ROLE, Role
from keystead.people.token import TOKEN
from keystead.people.user import USER, User
from keystead.store import Row, Statement, Value
from tests.client import Client
from tests.family.bodies import Maker
from tests.house import House

API = "/api/v3"


@dataclass
class Helper:
    """Somebody who holds permissions through a role only."""

    house: House
    role: Role
    user: User
    client: Client

    async def may(self, kind: Any, pk: object, *words: str) -> None:  # noqa: ANN401 - a kind
        await self.house.grant(self.role.pk, kind, pk, *(kind.permission(word) for word in words))


@pytest.fixture
async def helper(house: House) -> Helper:
    role = Role(pk=rand.uuid4(), name="helpers")
    await house.put(role)
    user = await house.person("helper", roles=(role.pk,))
    return Helper(house, role, user, await house.client_of(user))


async def flows(house: House, count: int) -> list[dict[str, Any]]:
    maker = Maker(house)
    keys = [await maker.make(FLOW) for _ in range(count)]
    found = [house.state.settings.get(FLOW, pk) for pk in keys]
    return [{"pk": flow.pk, "slug": flow.slug} for flow in found if flow]


async def test_a_setting_is_seen_by_who_may_see_that_one(house: House, helper: Helper) -> None:
    mine, other, third = await flows(house, 3)
    assert (await helper.client.get(f"{API}/flows/instances/")).status == 403
    await helper.may(FLOW, mine["pk"], "view")
    await helper.may(FLOW, third["pk"], "view")
    listed = (await helper.client.get(f"{API}/flows/instances/?page_size=1")).json
    assert listed["pagination"]["count"] == 2, "counted after narrowing"
    assert listed["pagination"]["next"] == 2
    second = (await helper.client.get(f"{API}/flows/instances/?page_size=1&page=2")).json
    assert {one["pk"] for page in (listed, second) for one in page["results"]} == {mine["pk"], third["pk"]}
    assert (await helper.client.get(f"{API}/flows/instances/?slug={other['slug']}")).json["results"] == []
    assert (await helper.client.get(f"{API}/flows/instances/{mine['slug']}/")).status == 200
    assert (await helper.client.get(f"{API}/flows/instances/{other['slug']}/")).status == 404
    assert (await helper.client.patch(f"{API}/flows/instances/{mine['slug']}/", {"title": "x"})).status == 403
    assert (await helper.client.delete(f"{API}/flows/instances/{mine['slug']}/")).status == 403
    assert (await helper.client.delete(f"{API}/flows/instances/{other['slug']}/")).status == 404


async def test_each_word_opens_its_own_verb_on_that_object(house: House, helper: Helper) -> None:
    mine, other = await flows(house, 2)
    url = f"{API}/flows/instances/{mine['slug']}/"
    await helper.may(FLOW, mine["pk"], "change")
    assert (await helper.client.get(url)).status == 404
    assert (await helper.client.patch(url, {"title": "New"})).json["title"] == "New"
    assert (await helper.client.patch(f"{API}/flows/instances/{other['slug']}/", {"title": "x"})).status == 404
    assert (await helper.client.delete(url)).status == 404
    await helper.may(FLOW, mine["pk"], "delete")
    assert (await helper.client.delete(url)).status == 204
    assert (await helper.client.post(f"{API}/flows/instances/", {})).status == 403


async def test_records_are_listed_counted_and_paged_in_sql(house: House, helper: Helper) -> None:
    people = [await house.person(f"p{number}") for number in range(5)]
    for user in people[1:4]:
        await helper.may(USER, user.pk, "view")
    seen: list[int] = []
    for page in (1, 2):
        listed = (await helper.client.get(f"{API}/core/users/?page_size=2&page={page}&ordering=username")).json
        assert listed["pagination"]["count"] == 3
        assert listed["pagination"]["total_pages"] == 2
        seen += [one["pk"] for one in listed["results"]]
    assert seen == [user.pk for user in people[1:4]]
    assert (await helper.client.get(f"{API}/core/users/?page_size=2&page=3")).status == 404
    assert (await helper.client.get(f"{API}/core/users/?search=p0")).json["pagination"]["count"] == 0
    assert (await helper.client.get(f"{API}/core/users/?search=p2")).json["pagination"]["count"] == 1
    assert (await helper.client.get(f"{API}/core/users/{people[0].pk}/")).status == 404
    assert (await house.admin.get(f"{API}/core/users/")).json["pagination"]["count"] == 8


async def test_what_is_ones_own_and_what_one_may_see_stand_in_one_list(house: House, helper: Helper) -> None:
    maker = Maker(house)
    theirs = await maker.make(TOKEN, identifier="theirs", user=house.plain.pk)
    await maker.make(TOKEN, identifier="hidden", user=house.plain.pk)
    await helper.may(TOKEN, theirs, "view")
    listed = (await helper.client.get(f"{API}/core/tokens/")).json
    assert listed["pagination"]["count"] == 2
    assert "theirs" in {one["identifier"] for one in listed["results"]}
    assert "hidden" not in {one["identifier"] for one in listed["results"]}


async def test_groups_and_their_ancestors_hand_it_down(house: House, helper: Helper) -> None:
    (mine,) = await flows(house, 1)
    await helper.may(FLOW, mine["pk"], "view")
    above = Group(pk=rand.uuid4(), name="above", num_pk=901, roles=(helper.role.pk,))
    below = Group(pk=rand.uuid4(), name="below", num_pk=902, parents=(above.pk,))
    await house.put(above)
    await house.put(below)
    member = await house.client_of(await house.person("member", groups=(below.pk,)))
    assert (await member.get(f"{API}/flows/instances/{mine['slug']}/")).status == 200
    assert (await member.get(f"{API}/flows/instances/")).json["pagination"]["count"] == 1
    assert (await house.user.get(f"{API}/flows/instances/{mine['slug']}/")).status == 404


async def test_actions_and_secrets_follow_the_object(house: House, helper: Helper) -> None:
    one, other = await house.person("one"), await house.person("other")
    await house.grant(helper.role.pk, USER, one.pk, "authentik_core.reset_user_password")
    body = {"password": "a long enough one"}
    assert (await helper.client.post(f"{API}/core/users/{one.pk}/set_password/", body)).status == 204
    assert (await helper.client.post(f"{API}/core/users/{other.pk}/set_password/", body)).status == 404
    group = Group(pk=rand.uuid4(), name="some", num_pk=903)
    await house.put(group)
    await helper.may(GROUP, group.pk, "change")
    assert (await helper.client.post(f"{API}/core/groups/{group.pk}/add_user/", {"pk": one.pk})).status == 204


async def test_used_by_tells_of_what_may_be_seen(house: House, helper: Helper) -> None:
    maker = Maker(house)
    provider = next(kind for kind in house.state.kinds.values() if kind.name == "oauth2provider")
    first = await maker.make(provider)
    second = await maker.make(provider)
    kept = house.state.settings.get(provider, first)
    assert kept
    flow_pk = kept.authorization_flow
    flow = house.state.settings.get(FLOW, flow_pk)
    assert flow
    await house.admin.patch(f"{API}/{provider.path}/{second}/", {"authorization_flow": flow_pk})
    await helper.may(FLOW, flow_pk, "view")
    url = f"{API}/flows/instances/{flow.slug}/used_by/"
    assert (await helper.client.get(url)).json == []
    await helper.may(provider, second, "view")
    assert {one["pk"] for one in (await helper.client.get(url)).json} == {str(second)}
    assert len((await house.admin.get(url)).json) == 2
    token = await maker.make(TOKEN, user=helper.user.pk)
    await helper.may(USER, helper.user.pk, "view")
    url = f"{API}/core/users/{helper.user.pk}/used_by/"
    assert token not in {one["pk"] for one in (await helper.client.get(url)).json}
    await helper.may(TOKEN, token, "view")
    assert token in {one["pk"] for one in (await helper.client.get(url)).json}


async def test_a_family_shows_what_may_be_seen_of_each_type(house: House, helper: Helper) -> None:
    maker = Maker(house)
    kinds = [kind for kind in house.state.kinds.values() if kind.family == "stages"][:2]
    keys = [await maker.make(kind) for kind in kinds for _ in range(2)]
    assert (await helper.client.get(f"{API}/stages/all/")).status == 403
    await helper.may(kinds[1], keys[2], "view")
    listed = (await helper.client.get(f"{API}/stages/all/")).json
    assert [one["pk"] for one in listed["results"]] == [keys[2]]
    assert listed["pagination"]["count"] == 1
    assert (await helper.client.get(f"{API}/stages/all/{keys[2]}/")).status == 200
    assert (await helper.client.get(f"{API}/stages/all/{keys[3]}/")).status == 404
    viewer = await house.client_with(kinds[0].permission("view"))
    assert (await viewer.get(f"{API}/stages/all/")).json["pagination"]["count"] == 2


async def test_what_goes_takes_its_permissions_along(house: House, helper: Helper) -> None:
    (mine,) = await flows(house, 1)
    person = await house.person("person")
    await helper.may(FLOW, mine["pk"], "view", "change")
    await helper.may(USER, person.pk, "view")
    listed = f"{API}/rbac/permissions/roles/?uuid={helper.role.pk}"
    assert (await house.admin.get(listed)).json["pagination"]["count"] == 3
    await house.admin.delete(f"{API}/flows/instances/{mine['slug']}/")
    assert (await house.admin.get(listed)).json["pagination"]["count"] == 1
    await house.admin.delete(f"{API}/core/users/{person.pk}/")
    assert (await house.admin.get(listed)).json["pagination"]["count"] == 0
    await helper.may(USER, house.plain.pk, "view")
    await house.admin.delete(f"{API}/rbac/roles/{helper.role.pk}/")
    (row,) = await house.state.store.fetch(Statement("kept", "SELECT count(*) FROM object_permissions"))
    assert row == (0,)
    assert (await helper.client.get(f"{API}/core/users/")).status == 403


async def test_who_holds_nothing_on_objects_costs_no_query(
    house: House, helper: Helper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signing in, tokens and requests of administrators stay as they were: one query for the actor, none besides."""
    asked: list[str] = []
    store = house.state.store
    fetch = store.fetch

    async def counted(statement: Statement, *args: Value, heavy: bool = False) -> list[Row]:
        asked.append(statement.name)
        return await fetch(statement, *args, heavy=heavy)

    (mine,) = await flows(house, 1)
    await helper.may(USER, house.plain.pk, "view")
    viewer = await house.client_with(FLOW.permission("view"), USER.permission("view"))
    monkeypatch.setattr(store, "fetch", counted)
    for client in (house.admin, house.user, viewer, helper.client):
        await client.get(f"{API}/flows/instances/{mine['slug']}/")
        await client.get(f"{API}/flows/instances/")
    for client in (house.admin, viewer):
        await client.get(f"{API}/core/users/")
        await client.get(f"{API}/core/users/{house.plain.pk}/")
    assert not [name for name in asked if name.startswith("grants.")]
    assert await actor_of(house.state, house.plain.pk) is not None
    assert (await helper.client.get(f"{API}/core/users/{house.plain.pk}/")).status == 200
    assert [name for name in asked if name.startswith("grants.")] == ["grants.on"]


async def test_what_is_held_is_looked_up_once_for_all_objects(house: House, helper: Helper) -> None:
    await helper.may(USER, house.plain.pk, "view")
    call = await house.call_of(helper.user)
    assert grants.some(call, USER, "view")
    assert not grants.some(call, USER, "change")
    assert not grants.some(await house.call_of(house.superuser), USER, "view")
    assert await grants.keys(call, house.state.store, USER, "view") == {str(house.plain.pk)}
    assert await grants.keys(call, house.state.store, USER, "change") == frozenset()
    told = await grants.on(call, house.state.store, USER, [house.plain, house.superuser])
    assert told.actor.on == {(USER.permission("view"), str(house.plain.pk))}
    assert await grants.on(call, house.state.store, FLOW, [house.plain]) is call
    role = house.state.settings.get(ROLE, helper.role.pk)
    assert role
    assert role.objects == (USER.permission("view"),)
