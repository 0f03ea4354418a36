"""SAML and WS-Federation providers: their addresses, their older names, and what an assertion would say."""

import pytest

from tests.house import House
from tests.providers import asked

SAML, WSFED = "providers/saml", "providers/wsfed"
ACS = "https://sp.example.org/acs"
MAPPINGS = "propertymappings/provider/saml"


async def test_addresses_stand_once_there_is_an_application(house: House) -> None:
    provider = await asked.made(house, SAML, acs_url=ACS)
    urls = {name for name in provider if name.startswith("url_")}
    assert {provider[name] for name in urls} == {"-"}
    await asked.application(house, "wiki", provider["pk"])
    shown = await asked.shown(house, SAML, provider["pk"])
    base = "http://localhost:9000/application/saml/wiki/"
    assert {name: shown[name] for name in urls} == {
        "url_download_metadata": f"http://localhost:9000/api/v3/providers/saml/{provider['pk']}/metadata/?download",
        "url_issuer": f"{base}metadata/",
        "url_unified": base,
        "url_unified_init": f"{base}init/",
        "url_sso_post": f"{base}sso/binding/post/",
        "url_sso_redirect": f"{base}sso/binding/redirect/",
        "url_sso_init": f"{base}sso/binding/init/",
        "url_slo_post": f"{base}slo/binding/post/",
        "url_slo_redirect": f"{base}slo/binding/redirect/",
    }
    assert shown["issuer"] == shown["url_issuer"]


async def test_clients_of_two_releases_ago_say_issuer(house: House) -> None:
    provider = await asked.made(house, SAML, acs_url=ACS, issuer="authentik")
    assert (provider["issuer"], provider["issuer_override"]) == ("authentik", "authentik")
    changed = await house.admin.patch(
        f"{asked.API}/{SAML}/{provider['pk']}/", {"issuer": "old", "issuer_override": "new"}
    )
    assert (changed.json["issuer"], changed.json["issuer_override"]) == ("new", "new")


@pytest.mark.parametrize(("path", "body"), [(SAML, {"acs_url": ACS}), (WSFED, {"reply_url": ACS, "wtrealm": "urn:r"})])
async def test_what_signs_has_its_private_key(house: House, path: str, body: dict[str, object]) -> None:
    answered = await asked.post(house, path, **body, signing_kp=await asked.pair(house, key=False))
    assert asked.refused(answered, "signing_kp")
    await asked.made(house, path, **body, signing_kp=await asked.pair(house))


async def mapping(house: House, saml_name: str, expression: str, **more: object) -> str:
    """The key of a new mapping."""
    return str((await asked.made(house, MAPPINGS, saml_name=saml_name, expression=expression, **more))["pk"])


@pytest.mark.parametrize(("path", "body"), [(SAML, {"acs_url": ACS}), (WSFED, {"reply_url": ACS, "wtrealm": "urn:r"})])
async def test_a_preview_says_what_an_assertion_would(house: House, path: str, body: dict[str, object]) -> None:
    keys = [
        await mapping(house, "urn:name", "return request.user.name", friendly_name="Name"),
        await mapping(house, "urn:list", 'return ["a", None, 5, True]'),
        await mapping(house, "urn:gone", "return None"),
        await mapping(house, "urn:client", "return provider.name"),
    ]
    anna = await house.person("anna", attributes={"upn": "anna@corp"})
    named = await mapping(house, "urn:id", 'return "x-" + request.user.username')
    provider = await asked.made(house, path, name="P", property_mappings=keys, **body)
    url = f"{asked.API}/{path}/{provider['pk']}/"
    answered = await house.admin.get(f"{url}preview_user/", query={"for_user": str(anna.pk)})
    assert answered.status == 200, answered.text
    preview = answered.json["preview"]
    assert preview["attributes"] == [
        {"Name": "urn:client", "Value": ["P"]},
        {"Name": "urn:list", "Value": ["a", "5", "true"]},
        {"Name": "urn:name", "FriendlyName": "Name", "Value": ["Anna"]},
    ]
    assert len(preview["nameID"]) == 64
    for policy, said in (
        ("1.1:nameid-format:emailAddress", "anna@example.org"),
        ("2.0:nameid-format:WindowsDomainQualifiedName", "anna@corp"),
        ("1.1:nameid-format:X509SubjectName", preview["nameID"]),
        ("2.0:nameid-format:transient", ""),
    ):
        await house.admin.patch(url, {"default_name_id_policy": f"urn:oasis:names:tc:SAML:{policy}"})
        got = await house.admin.get(f"{url}preview_user/", query={"for_user": str(anna.pk)})
        assert got.json["preview"]["nameID"] == said
    await house.admin.patch(url, {"name_id_mapping": named})
    assert (await house.admin.get(f"{url}preview_user/")).json["preview"]["nameID"] == "x-akadmin"
    assert (await house.admin.get(f"{url}preview_user/", query={"for_user": "987654"})).status == 400


async def test_a_mapping_that_fails_is_told_of(house: House) -> None:
    broken = await mapping(house, "urn:x", "return 1 / 0", name="division")
    provider = await asked.made(house, SAML, acs_url=ACS, property_mappings=[broken])
    answered = await house.admin.get(f"{asked.API}/{SAML}/{provider['pk']}/preview_user/")
    assert answered.status == 400
    assert "division" in answered.text


async def test_a_preview_runs_mappings_so_to_view_is_not_enough(house: House) -> None:
    provider = await asked.made(house, SAML, acs_url=ACS)
    viewer = await house.client_with("authentik_providers_saml.view_samlprovider")
    assert (await viewer.get(f"{asked.API}/{SAML}/{provider['pk']}/preview_user/")).status == 403


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"acs_url": ACS}, 1),
        ({"audience": "urn:r"}, 1),
        ({"is_backchannel": "false"}, 1),
        ({"is_backchannel": "true"}, 0),
        ({"sp_binding": "redirect"}, 0),
        ({"saml_version": "2.0"}, 1),
        ({"saml_version": "1.1"}, 0),
    ],
)
async def test_the_filters_of_saml_fit_ws_federation(house: House, query: dict[str, str], count: int) -> None:
    await asked.made(house, WSFED, reply_url=ACS, wtrealm="urn:r")
    assert len(await asked.listed(house.admin, WSFED, **query)) == count


async def test_an_expression_compiles(house: House) -> None:
    for path, more in (
        (MAPPINGS, {"saml_name": "x"}),
        ("propertymappings/provider/scim", {}),
        ("propertymappings/provider/radius", {}),
        ("propertymappings/provider/google_workspace", {}),
        ("propertymappings/provider/microsoft_entra", {}),
        ("propertymappings/provider/rac", {"static_settings": {}}),
    ):
        answered = await asked.post(house, path, expression="return (", **more)
        assert asked.refused(answered, "expression"), path
    await asked.made(house, "propertymappings/provider/rac", expression="", static_settings={"a": "b"})
    taken = await asked.made(house, MAPPINGS, saml_name="x", expression="return 1")
    again = await asked.post(house, "propertymappings/provider/scim", name=taken["name"], expression="return 1")
    assert asked.refused(again, "name")
