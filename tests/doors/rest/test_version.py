"""ETag and If-Match: a stale edit is told, on settings and on records."""

import asyncio

import pytest

from tests.client import Answered
from tests.family.bodies import Maker
from tests.house import House

GROUPS = "/api/v3/core/groups/"
ROLES = "/api/v3/rbac/roles/"
USERS = "/api/v3/core/users/"


@pytest.fixture(params=[GROUPS, ROLES])
async def one(house: House, request: pytest.FixtureRequest) -> str:
    """The path of a new object: a record, and a setting."""
    made = await house.admin.post(request.param, {"name": "first"})
    assert made.status == 201
    return f"{request.param}{made.json['pk']}/"


async def patch(house: House, path: str, body: dict[str, object], version: str) -> Answered:
    return await house.admin.patch(path, body, headers={"If-Match": version})


async def test_an_edit_goes_on_from_the_newest_version_only(house: House, one: str) -> None:
    first = (await house.admin.get(one)).header("etag")
    assert first.startswith('"')
    changed = await patch(house, one, {"name": "second"}, first)
    assert changed.status == 200
    second = changed.header("etag")
    assert second != first
    assert (await house.admin.get(one)).header("etag") == second
    stale = await patch(house, one, {"name": "third"}, first)
    assert stale.status == 409
    assert "meanwhile" in stale.json["detail"]
    put = await house.admin.put(one, {"name": "third"}, headers={"If-Match": first})
    assert put.status == 409
    assert (await house.admin.delete(one, headers={"If-Match": first})).status == 409
    assert (await house.admin.get(one)).json["name"] == "second"
    assert (await house.admin.delete(one, headers={"If-Match": second})).status == 204


async def test_who_does_not_say_what_they_go_on_from_overwrites(house: House, one: str) -> None:
    assert (await house.admin.patch(one, {"name": "second"})).status == 200
    assert (await patch(house, one, {"name": "third"}, "*")).status == 200


async def test_several_versions_and_what_is_none(house: House, one: str) -> None:
    version = (await house.admin.get(one)).header("etag")
    assert (await patch(house, one, {"name": "b"}, f'"other", {version}')).status == 200
    version = (await house.admin.get(one)).header("etag")
    assert (await patch(house, one, {"name": "c"}, f"W/{version}")).status == 409, "weak tags match nothing"
    for wrong in (version.strip('"'), '"open', f"{version} {version}"):
        assert (await patch(house, one, {"name": "c"}, wrong)).status == 400, wrong
    assert (await house.admin.get(one)).json["name"] == "b"


async def test_of_two_edits_from_one_version_one_counts(house: House, one: str) -> None:
    for number in range(5):
        version = (await house.admin.get(one)).header("etag")
        names = [f"{number}-{who}" for who in range(6)]
        answers = await asyncio.gather(*(patch(house, one, {"name": name}, version) for name in names))
        assert sorted(answer.status for answer in answers) == [200, *[409] * 5]
        winner = names[[answer.status for answer in answers].index(200)]
        assert (await house.admin.get(one)).json["name"] == winner


async def test_edits_of_other_members_are_stale_too(house: House) -> None:
    made = await house.admin.post(GROUPS, {"name": "wide", "attributes": {"a": 1, "b": [1.0, "ü"]}})
    path = f"{GROUPS}{made.json['pk']}/"
    for number in range(5):
        version = (await house.admin.get(path)).header("etag")
        answers = await asyncio.gather(
            patch(house, path, {"name": f"wide {number}"}, version),
            patch(house, path, {"attributes": {"n": number, "deep": {"x": [1, 2.5, None]}}}, version),
            patch(house, path, {"attributes": {"n": number}}, version),
        )
        assert sorted(answer.status for answer in answers) == [200, 409, 409]


async def test_a_sign_in_makes_no_edit_stale(house: House) -> None:
    path = f"{USERS}{house.plain.pk}/"
    version = (await house.admin.get(path)).header("etag")
    assert (await house.user.get(f"{USERS}me/")).status == 200
    assert (await patch(house, path, {"name": "Plain"}, version)).status == 200


async def test_a_new_secret_is_a_new_version(house: House) -> None:
    pk = await Maker(house).target("authentik_providers_oauth2.oauth2provider")
    path = f"/api/v3/providers/oauth2/{pk}/"
    seen = set()
    for secret in ("a" * 40, "b" * 40):
        assert (await house.admin.patch(path, {"client_secret": secret})).status == 200
        seen.add((await house.admin.get(path)).header("etag"))
    assert len(seen) == 2
