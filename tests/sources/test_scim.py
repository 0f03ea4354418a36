"""SCIM sources: the account and key that come with one, and what a client has named."""

from tests.house import House

API = "/api/v3"
SCIM = f"{API}/sources/scim/"
USERS, GROUPS = f"{API}/sources/scim_users/", f"{API}/sources/scim_groups/"


async def made(house: House, slug: str = "s") -> dict[str, object]:
    answered = await house.admin.post(SCIM, {"name": slug, "slug": slug})
    assert answered.status == 201, answered.text
    found: dict[str, object] = answered.json
    return found


async def test_a_source_comes_with_an_account_and_a_key(house: House) -> None:
    source = await made(house)
    assert source["root_url"] == "http://localhost:9000/source/scim/s/v2"
    token = source["token_obj"]
    assert isinstance(token, dict)
    assert (token["intent"], token["expiring"]) == ("api", False)
    assert token["user_obj"]["type"] == "service_account"
    assert token["user_obj"]["is_superuser"] is False
    key = (await house.admin.get(f"{API}/core/tokens/{token['identifier']}/view_key/")).json["key"]
    known = await house.nobody.with_token(key).get(f"{API}/core/users/me/")
    assert known.json["user"]["username"] == token["user_obj"]["username"]
    assert (await house.admin.delete(f"{SCIM}s/")).status == 204
    assert (await house.admin.get(f"{API}/core/tokens/{token['identifier']}/")).status == 404
    assert (await house.admin.get(f"{API}/core/users/{token['user_obj']['pk']}/")).status == 404
    assert (await house.nobody.with_token(key).get(f"{API}/core/users/me/")).status == 403


async def test_saving_a_source_does_not_change_its_key_but_replaces_a_lost_one(house: House) -> None:
    source = await made(house)
    token = source["token_obj"]
    assert isinstance(token, dict)
    renamed = await house.admin.patch(f"{SCIM}s/", {"name": "other", "slug": "other"})
    assert renamed.json["token_obj"] == token
    assert (await house.admin.delete(f"{API}/core/tokens/{token['identifier']}/")).status == 204
    assert (await house.admin.get(f"{SCIM}other/")).json["token_obj"] == {}
    mended = (await house.admin.patch(f"{SCIM}other/", {})).json["token_obj"]
    assert mended["identifier"] == token["identifier"]
    assert mended["pk"] != token["pk"]
    assert mended["user"] == token["user"]


async def test_nobody_passes_a_token_of_their_own_for_the_key(house: House) -> None:
    token = (await made(house))["token_obj"]
    assert isinstance(token, dict)
    await house.admin.delete(f"{API}/core/tokens/{token['identifier']}/")
    own = await house.user.post(f"{API}/core/tokens/", {"identifier": token["identifier"], "intent": "api"})
    assert own.status == 201
    assert (await house.admin.get(f"{SCIM}s/")).json["token_obj"] == {}


async def test_ids_are_drawn_or_given_and_name_the_object(house: House) -> None:
    source = (await made(house))["pk"]
    drawn = await house.admin.post(USERS, {"external_id": "1", "user": house.plain.pk, "source": source})
    assert drawn.status == 201, drawn.text
    assert (await house.admin.get(f"{USERS}{drawn.json['id']}/")).json == drawn.json
    assert drawn.json["user_obj"]["username"] == "plain"
    given = {"id": "given-1", "external_id": "2", "user": house.plain.pk, "source": source, "attributes": {"a": 1}}
    assert (await house.admin.post(USERS, given)).status == 201
    assert (await house.admin.get(f"{USERS}given-1/")).json["attributes"] == {"a": 1}
    for wrong in ("a/b", "a b", "..", "", "a%2fb"):
        assert "id" in (await house.admin.post(USERS, {**given, "id": wrong, "external_id": "3"})).json, wrong


async def test_a_client_names_each_of_its_objects_once(house: House) -> None:
    source, other = (await made(house))["pk"], (await made(house, "t"))["pk"]
    body = {"external_id": "1", "group": house.admins.pk, "source": source}
    assert (await house.admin.post(GROUPS, body)).status == 201
    assert "already exists" in (await house.admin.post(GROUPS, body)).json["external_id"][0]
    assert (await house.admin.post(GROUPS, {**body, "source": other})).status == 201


async def test_they_are_found_by_source_and_by_what_they_stand_for(house: House) -> None:
    source = (await made(house))["pk"]
    await house.admin.post(USERS, {"external_id": "u", "user": house.plain.pk, "source": source})
    await house.admin.post(GROUPS, {"external_id": "g", "group": house.admins.pk, "source": source})
    for path, query, count in (
        (USERS, {"source__slug": "s"}, 1),
        (USERS, {"source__slug": "t"}, 0),
        (USERS, {"user__username": "plain"}, 1),
        (USERS, {"user__id": str(house.superuser.pk)}, 0),
        (GROUPS, {"group__name": house.admins.name}, 1),
        (GROUPS, {"group__group_uuid": house.admins.pk}, 1),
        (GROUPS, {"source__slug": "none"}, 0),
    ):
        assert (await house.admin.get(path, query=query)).json["pagination"]["count"] == count, (path, query)


async def test_nobody_hands_a_client_power_they_lack(house: House) -> None:
    source = (await made(house))["pk"]
    names = ("user", "group")
    permissions = [f"authentik_sources_scim.{word}_scimsource{name}" for word in ("add", "change") for name in names]
    some = await house.client_with(*permissions, "authentik_sources_scim.view_scimsource")
    strong = {"external_id": "1", "user": house.superuser.pk, "source": source}
    assert (await some.post(USERS, strong)).status == 403
    assert (await some.post(GROUPS, {"external_id": "1", "group": house.admins.pk, "source": source})).status == 403
    weak = await some.post(USERS, {**strong, "user": house.plain.pk})
    assert weak.status == 201, weak.text
    assert (await some.patch(f"{USERS}{weak.json['id']}/", {"user": house.superuser.pk})).status in {403, 404}
