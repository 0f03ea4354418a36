"""Connections: whose they are, what stays as it is, who may make one, and that tokens in them are sealed."""

import pytest

from keystead.people.group import Group
from keystead.store import Statement
from tests.doors.rest.source_furniture import OWN
from tests.house import House

API = "/api/v3"
USERS, GROUPS = f"{API}/sources/user_connections", f"{API}/sources/group_connections"
ROWS = Statement("test.connections", "SELECT identifier, secret FROM user_connections")


async def source(house: House, type_: str = "ldap", slug: str = "") -> str:
    body = {"name": type_, "slug": slug or type_, **OWN[type_]}
    answered = await house.admin.post(f"{API}/sources/{type_}/", body)
    assert answered.status == 201, answered.text
    return str(answered.json["pk"])


async def test_a_type_lists_its_own_and_all_lists_all(house: House) -> None:
    ldap, oauth = await source(house), await source(house, "oauth")
    first = await house.admin.post(f"{USERS}/ldap/", {"source": ldap, "identifier": "a", "user": house.plain.pk})
    second = await house.admin.post(f"{USERS}/oauth/", {"source": oauth, "identifier": "a", "user": house.plain.pk})
    assert (first.status, second.status) == (201, 201), second.text
    assert first.json["pk"] != second.json["pk"]
    assert first.json["user_obj"]["username"] == "plain"
    assert first.json["source_obj"]["slug"] == "ldap"
    for path, count in (("ldap", 1), ("oauth", 1), ("plex", 0), ("all", 2)):
        listed = await house.admin.get(f"{USERS}/{path}/", query={"user": str(house.plain.pk)})
        assert listed.json["pagination"]["count"] == count, path
    assert (await house.admin.get(f"{USERS}/oauth/{first.json['pk']}/")).status == 404
    assert (await house.admin.delete(f"{USERS}/oauth/{first.json['pk']}/")).status == 404
    assert (await house.admin.get(f"{USERS}/all/{first.json['pk']}/")).json["source"] == ldap
    assert (await house.admin.post(f"{USERS}/all/", {})).status == 405


async def test_they_are_found_by_their_source(house: House) -> None:
    for slug in ("one", "two"):
        pk = await source(house, slug=slug)
        await house.admin.post(f"{USERS}/ldap/", {"source": pk, "identifier": slug})
        await house.admin.post(f"{GROUPS}/ldap/", {"source": pk, "identifier": slug, "group": house.admins.pk})
    for base in (USERS, GROUPS):
        for path in ("ldap", "all"):
            listed = await house.admin.get(f"{base}/{path}/", query={"source__slug": "two"})
            assert [one["identifier"] for one in listed.json["results"]] == ["two"]
            nothing = await house.admin.get(f"{base}/{path}/", query={"source__slug": "three"})
            assert nothing.json["results"] == []
    used = await house.admin.get(f"{API}/sources/ldap/one/used_by/")
    assert sorted(one["model_name"] for one in used.json) == ["groupldapsourceconnection", "userldapsourceconnection"]


async def test_without_a_user_it_is_the_callers(house: House) -> None:
    pk = await source(house)
    made = await house.admin.post(f"{USERS}/ldap/", {"source": pk, "identifier": "me"})
    assert made.json["user"] == house.superuser.pk
    refused = await house.admin.post(f"{GROUPS}/ldap/", {"source": pk, "identifier": "g"})
    assert (refused.status, next(iter(refused.json))) == (400, "group")


async def test_whom_it_connects_stays_as_it_is(house: House) -> None:
    pk = await source(house)
    made = await house.admin.post(f"{USERS}/ldap/", {"source": pk, "identifier": "a", "user": house.plain.pk})
    for path in ("ldap", "all"):
        body = {"source": pk, "identifier": f"b-{path}", "user": house.superuser.pk}
        changed = await house.admin.put(f"{USERS}/{path}/{made.json['pk']}/", body)
        assert (changed.status, changed.json["user"], changed.json["identifier"]) == (
            200,
            house.plain.pk,
            f"b-{path}",
        )


async def test_when_it_was_made_and_changed_is_told(house: House) -> None:
    pk = await source(house)
    made = (await house.admin.post(f"{USERS}/ldap/", {"source": pk, "identifier": "a"})).json
    assert made["created"] == made["last_updated"]
    house.clock.move(hours=1)
    same = (await house.admin.patch(f"{USERS}/ldap/{made['pk']}/", {"identifier": "a"})).json
    assert same == made
    changed = (await house.admin.patch(f"{USERS}/all/{made['pk']}/", {"identifier": "b"})).json
    assert changed["created"] == made["created"]
    assert changed["last_updated"] > made["last_updated"]


async def test_somebody_at_a_source_is_one_user(house: House) -> None:
    first, second = await source(house, slug="one"), await source(house, slug="two")
    body = {"source": first, "identifier": "a"}
    assert (await house.admin.post(f"{USERS}/ldap/", body)).status == 201
    again = await house.admin.post(f"{USERS}/ldap/", {**body, "user": house.plain.pk})
    assert "already exists" in again.json["identifier"][0]
    assert (await house.admin.post(f"{USERS}/ldap/", {**body, "source": second})).status == 201


async def test_a_connection_stays_with_sources_of_its_type(house: House) -> None:
    first, second, hub = await source(house, slug="one"), await source(house, slug="two"), await source(house, "oauth")
    made = (await house.admin.post(f"{USERS}/ldap/", {"source": first, "identifier": "a"})).json
    for path in ("ldap", "all"):
        place = f"{USERS}/{path}/{made['pk']}/"
        assert "source" in (await house.admin.patch(place, {"source": hub})).json
        assert "source" in (await house.admin.patch(place, {"source": house.brand.brand_uuid})).json
        assert (await house.admin.patch(place, {"source": second})).status == 200


async def test_the_owner_sees_and_ends_theirs_and_changes_nothing(house: House) -> None:
    pk = await source(house)
    mine = (await house.admin.post(f"{USERS}/ldap/", {"source": pk, "identifier": "a", "user": house.plain.pk})).json
    theirs = (await house.admin.post(f"{USERS}/ldap/", {"source": pk, "identifier": "b"})).json
    for path in ("ldap", "all"):
        listed = await house.user.get(f"{USERS}/{path}/")
        assert [one["pk"] for one in listed.json["results"]] == [mine["pk"]]
        assert (await house.user.get(f"{USERS}/{path}/{mine['pk']}/")).status == 200
        assert (await house.user.get(f"{USERS}/{path}/{theirs['pk']}/")).status == 404
        assert (await house.user.delete(f"{USERS}/{path}/{theirs['pk']}/")).status == 404
        refused = await house.user.patch(f"{USERS}/{path}/{mine['pk']}/", {"identifier": "b-2"})
        assert (refused.status, "not change it" in refused.json["detail"]) == (403, True)
    assert (await house.user.post(f"{USERS}/ldap/", {"source": pk, "identifier": "c"})).status == 403
    assert (await house.user.delete(f"{USERS}/all/{mine['pk']}/")).status == 204
    assert (await house.user.get(f"{GROUPS}/all/")).status == 403


async def test_nobody_connects_somebody_stronger(house: House) -> None:
    pk = await source(house)
    words = [f"{word}_{kind}ldapsourceconnection" for word in ("add", "change", "delete") for kind in ("user", "group")]
    some = await house.client_with(
        *(f"authentik_sources_ldap.{word}" for word in words),
        "authentik_core.change_usersourceconnection",
        "authentik_core.delete_usersourceconnection",
        "authentik_core.change_groupsourceconnection",
        "authentik_core.view_usersourceconnection",
        "authentik_core.view_groupsourceconnection",
    )
    strong = {"source": pk, "identifier": "a", "user": house.superuser.pk}
    assert (await some.post(f"{USERS}/ldap/", strong)).status == 403
    assert (await some.post(f"{USERS}/ldap/", {**strong, "user": house.plain.pk})).status == 201
    kept = (await house.admin.post(f"{USERS}/ldap/", {**strong, "identifier": "b"})).json["pk"]
    assert (await some.patch(f"{USERS}/all/{kept}/", {"identifier": "c"})).status == 403
    assert (await some.delete(f"{USERS}/all/{kept}/")).status == 403
    powerful = {"source": pk, "identifier": "g", "group": house.admins.pk}
    assert (await some.post(f"{GROUPS}/ldap/", powerful)).status == 403
    kept = (await house.admin.post(f"{GROUPS}/ldap/", powerful)).json["pk"]
    assert (await some.patch(f"{GROUPS}/all/{kept}/", {"identifier": "h"})).status == 403
    weak = Group(pk="6f1de7a3-9f2c-4c35-9a3c-0d9b4c1a2b3c", name="weak", num_pk=77)
    await house.put(weak)
    assert (await some.post(f"{GROUPS}/ldap/", {**powerful, "identifier": "w", "group": weak.pk})).status == 201


@pytest.mark.parametrize(("type_", "member"), [("oauth", "access_token"), ("plex", "plex_token")])
async def test_tokens_are_sealed_and_never_shown(house: House, type_: str, member: str) -> None:
    pk = await source(house, type_)
    body = {"source": pk, "identifier": "a", "user": house.plain.pk, member: "canary-token"}
    made = await house.admin.post(f"{USERS}/{type_}/", body)
    assert made.status == 201, made.text
    place = f"{USERS}/{type_}/{made.json['pk']}/"
    before = await house.state.store.fetch(ROWS)
    answers = [made, await house.admin.get(place), await house.admin.put(place, body), await house.user.get(place)]
    assert await house.state.store.fetch(ROWS) == before, "the same token is no change"
    answers.append(await house.admin.patch(place, {member: "canary-other"}))
    assert await house.state.store.fetch(ROWS) != before
    answers.append(await house.admin.get(f"{API}/events/events/", query={"page_size": "100"}))
    for answered in answers:
        assert answered.status < 400, answered.text
        assert "canary" not in answered.text
    assert "canary" not in repr(await house.state.store.fetch(ROWS))
    ((_, sealed),) = await house.state.store.fetch(ROWS)
    assert house.state.vault.open(str(sealed), f"user_connection/{made.json['pk']}") == "canary-other"


async def test_a_token_whose_end_nobody_told_is_no_longer_good(house: House) -> None:
    pk = await source(house, "oauth")
    made = await house.admin.post(f"{USERS}/oauth/", {"source": pk, "identifier": "a"})
    assert made.json["expires"] == made.json["created"]
    told = await house.admin.post(
        f"{USERS}/oauth/", {"source": pk, "identifier": "b", "expires": "2027-01-01T00:00:00Z"}
    )
    assert told.json["expires"] == "2027-01-01T00:00:00Z"


async def test_they_go_with_their_user_and_group(house: House) -> None:
    pk = await source(house)
    person = await house.person("brief")
    await house.admin.post(f"{USERS}/ldap/", {"source": pk, "identifier": "a", "user": person.pk})
    group = (await house.admin.post(f"{API}/core/groups/", {"name": "brief"})).json["pk"]
    await house.admin.post(f"{GROUPS}/ldap/", {"source": pk, "identifier": "a", "group": group})
    assert (await house.admin.delete(f"{API}/core/users/{person.pk}/")).status == 204
    assert (await house.admin.delete(f"{API}/core/groups/{group}/")).status == 204
    for base in (USERS, GROUPS):
        assert (await house.admin.get(f"{base}/all/")).json["pagination"]["count"] == 0
