"""Polymorphic families: every type in one list, each by its base members, to those who may see its type."""

from typing import Any

import pytest

from keystead import app
from keystead.doors.rest.families import Family
from keystead.kinds.kind import Kind, Verb
from keystead.kinds.render import ABSENT
from tests.family.bodies import Maker
from tests.family.every import AnyKind, makeable
from tests.house import House

FAMILIES = pytest.mark.parametrize("family", app.FAMILIES, ids=[family.name for family in app.FAMILIES])
META = {"component", "verbose_name", "verbose_name_plural", "meta_model_name"}


async def make(maker: Maker, kind: Kind[Any]) -> object:
    """A new object of ``kind``; what names it in a URL."""
    return getattr(await maker.kept(kind, await maker.make(kind)), kind.key)


def makeable_of(family: Family) -> list[AnyKind]:
    return [kind for kind in app.KINDS if kind.family == family.name and makeable(kind)]


@FAMILIES
async def test_every_type_is_in_the_list_and_stands_alone(house: House, family: Family) -> None:
    maker = Maker(house)
    base = f"/api/v3/{family.path}/"
    made = {kind.model: await make(maker, kind) for kind in makeable_of(family)}
    assert made, "the family has no types"
    listed = (await house.admin.get(base, query={"page_size": "100"})).json
    assert set(listed) == {"pagination", "results", "autocomplete"}
    by_model = {one["meta_model_name"]: one for one in listed["results"]}
    assert set(by_model) == set(made)
    members = {frozenset(one) for one in listed["results"]}
    assert len(members) == 1, "base members are the same for every type"
    for kind in makeable_of(family):
        shown = by_model[kind.model]
        assert set(shown) >= META
        assert (shown["component"], shown["verbose_name"]) == (kind.component, kind.title[0])
        alone = await house.admin.get(f"{base}{made[kind.model]}/")
        assert (alone.status, alone.json) == (200, shown)
        own = (await house.admin.get(f"/api/v3/{kind.path}/{made[kind.model]}/")).json
        assert {name: own.get(name, [] if name in ABSENT else None) for name in shown} == shown
        used = await house.admin.get(f"{base}{made[kind.model]}/used_by/")
        assert used.status == 200
        assert used.json == (await house.admin.get(f"/api/v3/{kind.path}/{made[kind.model]}/used_by/")).json


@FAMILIES
async def test_types_are_what_an_administrator_chooses_from(house: House, family: Family) -> None:
    answered = await house.user.get(f"/api/v3/{family.path}/types/")
    assert answered.status == 200
    assert {one["component"] for one in answered.json} == {
        kind.component for kind in app.KINDS if kind.family == family.name and Verb.CREATE in kind.verbs
    }
    for one in answered.json:
        assert one["name"]
        assert one["description"]
        assert set(one) >= {"name", "description", "component", "model_name", "requires_enterprise", "deprecated"}
        assert one["requires_enterprise"] is False


@FAMILIES
async def test_who_sees_one_type_sees_that_one_only(house: House, family: Family) -> None:
    maker = Maker(house)
    made = {kind.model: (kind, await make(maker, kind)) for kind in makeable_of(family)}
    base = f"/api/v3/{family.path}/"
    assert (await house.nobody.get(base)).status == 403
    assert (await house.user.get(base)).status == 403
    for kind, pk in made.values():
        for method in ("GET", "DELETE"):
            assert (await house.nobody.request(method, f"{base}{pk}/")).status == 403
            assert (await house.user.request(method, f"{base}{pk}/")).status == 404
        assert (await house.user.get(f"{base}{pk}/used_by/")).status == 404
        viewer = await house.client_with(kind.permission("view"))
        listed = (await viewer.get(base)).json
        assert [one["meta_model_name"] for one in listed["results"]] == [kind.model]
        assert listed["pagination"]["count"] == 1
        assert (await viewer.get(f"{base}{pk}/")).status == 200
        assert (await viewer.delete(f"{base}{pk}/")).status == 403
        for other, key in made.values():
            if other is not kind:
                assert (await viewer.get(f"{base}{key}/")).status == 404


@FAMILIES
async def test_removing_by_the_family_is_removing(house: House, family: Family) -> None:
    maker = Maker(house)
    for kind in makeable_of(family):
        if Verb.DESTROY not in kind.verbs:
            continue
        pk = await maker.make(kind)
        key = getattr(await maker.kept(kind, pk), kind.key)
        assert (await house.admin.delete(f"/api/v3/{family.path}/{key}/")).status == 204
        assert await maker.kept(kind, pk) is None
        assert (await house.admin.delete(f"/api/v3/{family.path}/{key}/")).status == 404


@FAMILIES
async def test_a_family_is_searched_ordered_and_paged(house: House, family: Family) -> None:
    maker = Maker(house)
    kinds = makeable_of(family)
    keys = [
        await maker.make(kind, name=f"{'Zeta' if number % 2 else 'alpha'} {number}")
        for number, kind in enumerate(kinds * 3)
    ]
    base = f"/api/v3/{family.path}/"
    names = [one["name"] for one in (await house.admin.get(base, query={"page_size": "100"})).json["results"]]
    assert names == sorted(names)
    turned = (await house.admin.get(base, query={"page_size": "100", "ordering": "-name"})).json["results"]
    assert [one["name"] for one in turned] == sorted(names, reverse=True)
    by_key = (await house.admin.get(base, query={"page_size": "100", "ordering": "pk"})).json["results"]
    found = [one[kinds[0].pk] for one in by_key]
    assert found == sorted(found)
    assert set(keys) <= set(found)
    for needle in ("zeta", "ZETA"):
        hit = (await house.admin.get(base, query={"page_size": "100", "search": needle})).json["results"]
        assert {one["name"] for one in hit} == {name for name in names if "Zeta" in name}
    seen: list[object] = []
    number = 1
    while number:
        page = (await house.admin.get(base, query={"page": str(number), "page_size": "2"})).json
        seen += [one[kinds[0].pk] for one in page["results"]]
        number = page["pagination"]["next"]
    assert sorted(map(str, seen)) == sorted(map(str, found))
    for query in ({"ordering": "expression"}, {"ordering": ""}, {"ordering": "-"}, {"no_such": "x"}):
        assert (await house.admin.get(base, query=query)).status == 200
    for page in ("0", "-1", "999", "x"):
        assert (await house.admin.get(base, query={"page": page})).status == 404


@FAMILIES
@pytest.mark.parametrize("key", ["x", "0", "-1", "9" * 40, "9" * 5000, "%00", "00000000-0000-4000-8000-000000000000"])
async def test_a_key_that_is_none_is_not_found(house: House, family: Family, key: str) -> None:
    for method, tail in (("GET", ""), ("DELETE", ""), ("GET", "used_by/")):
        assert (await house.admin.request(method, f"/api/v3/{family.path}/{key}/{tail}")).status == 404
