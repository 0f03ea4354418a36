"""What sources of every type share: slugs, pictures, folders, policies, what people can connect with."""

import pytest

from keystead.sources.defaults import defaults
from tests.doors.rest.source_furniture import OWN, by, furnish_sources
from tests.house import House

API = "/api/v3"
LDAP = f"{API}/sources/ldap/"
DIRECTORY: dict[str, object] = {"name": "d", "slug": "d", **OWN["ldap"]}


async def made(house: House, type_: str, **members: object) -> dict[str, object]:
    body = {"name": type_, "slug": type_, **OWN[type_], **members}
    answered = await house.admin.post(f"{API}/sources/{type_}/", body)
    assert answered.status == 201, answered.text
    found: dict[str, object] = answered.json
    return found


async def test_a_slug_belongs_to_one_source_of_any_type(house: House) -> None:
    await made(house, "ldap", slug="same")
    refused = await house.admin.post(f"{API}/sources/plex/", {"name": "p", "slug": "same", **OWN["plex"]})
    assert refused.status == 400
    assert "already exists" in refused.json["slug"][0]
    again = await house.admin.post(f"{API}/sources/plex/", {"name": "LDAP", "slug": "other", **OWN["plex"]})
    assert again.status == 201, "names may be shared"


async def test_a_source_is_named_by_its_slug_in_its_family_too(house: House) -> None:
    source = await made(house, "ldap", slug="here")
    shown = await house.admin.get(f"{API}/sources/all/here/")
    assert (shown.status, shown.json["pk"]) == (200, source["pk"])
    assert (await house.admin.get(f"{API}/sources/all/{source['pk']}/")).status == 404
    assert (await house.admin.delete(f"{API}/sources/all/here/")).status == 204
    assert (await house.admin.get(f"{LDAP}here/")).status == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"slug": "one"}, ["one"]),
        ({"name": "two"}, ["two"]),
        ({"managed": "x"}, []),
        ({"search": "ONE"}, ["one"]),
        ({"slug": "no-such"}, []),
    ],
)
async def test_the_family_is_narrowed(house: House, query: dict[str, str], found: list[str]) -> None:
    await made(house, "ldap", name="one", slug="one")
    await made(house, "plex", name="two", slug="two")
    listed = await house.admin.get(f"{API}/sources/all/", query=query)
    assert [one["slug"] for one in listed.json["results"]] == found


async def test_a_source_is_found_by_what_policies_are_bound_to(house: House) -> None:
    source = await made(house, "ldap")
    await made(house, "plex")
    for path in ("ldap", "all"):
        listed = await house.admin.get(f"{API}/sources/{path}/", query={"pbm_uuid": str(source["pk"])})
        assert [one["slug"] for one in listed.json["results"]] == ["ldap"]


@pytest.mark.parametrize(
    ("template", "taken"),
    [
        ("goauthentik.io/sources/%(slug)s", True),
        ("partners", True),
        ("%(name)s", False),
        ("%(slug)999999999s", False),
        ("50%", False),
        ("/x", False),
        ("x//y", False),
        ("x/", False),
        ("x" * 513, False),
    ],
)
async def test_a_folder_is_a_path(house: House, template: str, taken: bool) -> None:  # noqa: FBT001 - a table's column
    answered = await house.admin.post(LDAP, {**DIRECTORY, "user_path_template": template})
    assert answered.status == (201 if taken else 400)
    assert taken or "user_path_template" in answered.json


async def test_pictures_are_resolved_and_types_have_their_own(house: House) -> None:
    plain = await made(house, "ldap")
    assert plain["icon_url"] == "/static/dist/assets/icons/source-ldap.svg"
    assert (await house.nobody.get(str(plain["icon_url"]))).status == 200
    themed = await made(house, "plex", icon="logo-%(theme)s.svg")
    assert themed["icon_themed_urls"] == {
        "light": "/files/media/public/logo-light.svg",
        "dark": "/files/media/public/logo-dark.svg",
    }
    assert (await made(house, "oauth"))["icon_url"] is None
    refused = await house.admin.post(LDAP, {**DIRECTORY, "icon": "javascript:alert(1)"})
    assert "icon" in refused.json


async def test_types_name_every_vendor_and_nothing_that_cannot_be_made(house: House) -> None:
    types = (await house.admin.get(f"{API}/sources/all/types/")).json
    names = {one["name"] for one in types}
    assert {"GitHub", "Google", "OpenID Connect", "LDAP Source", "SCIM Source"} <= names
    assert "Source" not in names
    vendors = [one for one in types if one["model_name"] == "oauthsource"]
    assert len(vendors) == 16
    assert {one["component"] for one in vendors} == {"ak-source-oauth-form"}
    assert len(names) == len(types)


async def test_people_are_shown_what_they_may_connect_with(house: House) -> None:
    await made(house, "ldap", slug="directory")
    await made(house, "plex", slug="off", enabled=False)
    hub = await made(house, "oauth", slug="hub", name="Hub", icon="/hub.svg")
    path = f"{API}/sources/all/user_settings/"
    assert (await house.user.get(path)).json == [
        {"object_uid": "hub", "component": "ak-user-settings-source-oauth", "title": "Hub", "icon_url": "/hub.svg"}
    ]
    assert (await house.nobody.get(path)).status == 403
    bound = {"target": hub["pk"], "user": house.superuser.pk, "order": 0}
    assert (await house.admin.post(f"{API}/policies/bindings/", bound)).status == 201
    assert (await house.user.get(path)).json == []
    assert len((await house.admin.get(path)).json) == 1


async def test_nothing_runs_and_the_status_says_so(house: House) -> None:
    await made(house, "ldap", slug="d")
    await made(house, "kerberos", slug="k")
    for path in ("ldap/d", "kerberos/k"):
        told = await house.admin.get(f"{API}/sources/{path}/sync/status/")
        assert (told.status, told.json) == (200, {"is_running": False})
        assert (await house.user.get(f"{API}/sources/{path}/sync/status/")).status == 404


async def test_a_client_certificate_needs_its_key(house: House) -> None:
    pair = {"common_name": "c", "validity_days": 3, "alg": "ecdsa"}
    whole = (await house.admin.post(f"{API}/crypto/certificatekeypairs/generate/", pair)).json
    text = (await house.admin.get(f"{API}/crypto/certificatekeypairs/{whole['pk']}/view_certificate/")).json["data"]
    bare = (await house.admin.post(f"{API}/crypto/certificatekeypairs/", {"name": "b", "certificate_data": text})).json
    taken = await house.admin.post(
        LDAP, {**DIRECTORY, "client_certificate": whole["pk"], "peer_certificate": bare["pk"]}
    )
    assert taken.status == 201, taken.text
    refused = await house.admin.patch(f"{LDAP}d/", {"client_certificate": bare["pk"]})
    assert "private key" in refused.json["client_certificate"][0]


async def test_mappings_share_names_with_every_other_mapping(house: House) -> None:
    body = {"name": "one", "expression": "return {}"}
    assert (await house.admin.post(f"{API}/propertymappings/source/ldap/", body)).status == 201
    for path in ("source/oauth", "source/ldap"):
        refused = await house.admin.post(f"{API}/propertymappings/{path}/", body)
        assert "already exists" in refused.json["name"][0]
    broken = {"name": "two", "expression": "return {"}
    refused = await house.admin.post(f"{API}/propertymappings/source/saml/", broken)
    assert (refused.status, next(iter(refused.json))) == (400, "expression")


async def test_the_default_objects_are_what_the_api_would_take(house: House) -> None:
    objs = defaults()
    await house.put(*objs)
    listed = (await house.admin.get(f"{API}/sources/all/")).json["results"]
    assert [(one["slug"], one["managed"], one["component"]) for one in listed] == [
        ("authentik-built-in", "goauthentik.io/sources/inbuilt", "")
    ]
    assert (listed[0]["authentication_flow"], listed[0]["enrollment_flow"]) == (None, None)
    found = await house.admin.get(f"{API}/sources/all/", query={"managed": "goauthentik.io/sources/inbuilt"})
    assert found.json["pagination"]["count"] == 1
    for path, count in (("ldap", 9), ("kerberos", 4)):
        mappings = (await house.admin.get(f"{API}/propertymappings/source/{path}/")).json["results"]
        assert len(mappings) == count
        for one in mappings:
            assert (await house.admin.put(f"{API}/propertymappings/source/{path}/{one['pk']}/", one)).status == 200, (
                one["name"]
            )


async def test_the_built_in_source_stays(house: House) -> None:
    await house.put(*defaults()[:1])
    refused = await house.admin.delete(f"{API}/sources/all/authentik-built-in/")
    assert (refused.status, "cannot be removed" in refused.json["detail"]) == (403, True)
    assert (await house.admin.get(f"{API}/sources/all/authentik-built-in/")).status == 200


async def test_everything_goes_with_its_source(house: House) -> None:
    flow = {"name": "f", "title": "f", "slug": "f", "designation": "stage_configuration"}
    before = (await house.admin.post(f"{API}/flows/instances/", flow)).json["pk"]
    pair = {"common_name": "c", "validity_days": 3, "alg": "ecdsa"}
    key = (await house.admin.post(f"{API}/crypto/certificatekeypairs/generate/", pair)).json["pk"]
    await furnish_sources(by(house.admin), flow=before, pair=key, user=house.plain.pk, group=house.admins.pk)
    for type_ in OWN:
        assert (await house.admin.delete(f"{API}/sources/{type_}/a-{type_}/")).status == 204
    for path in ("user_connections/all", "group_connections/all", "scim_users", "scim_groups"):
        listed = await house.admin.get(f"{API}/sources/{path}/")
        assert listed.json["pagination"]["count"] == 0, path
