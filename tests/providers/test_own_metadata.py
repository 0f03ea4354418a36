"""Our metadata for applications that speak SAML and WS-Federation: who gets them, what they say, who signed them."""

import asyncio
import re
from typing import Any

import pytest
from signxml.verifier import SignatureConfiguration, XMLVerifier

from keystead.base import rand
from keystead.providers.application import APPLICATION
from keystead.trust import keypair, keys, xmlsign
from keystead.wire import xmlstrict
from keystead.wire.xmlstrict import Element
from tests.client import Client
from tests.doors.rest.test_files import sent
from tests.house import BEGIN, House
from tests.providers import asked

SAML, WSFED = "providers/saml", "providers/wsfed"
ACS = "https://sp.example.org/acs"
GIVEN: dict[str, dict[str, object]] = {SAML: {"acs_url": ACS}, WSFED: {"reply_url": ACS, "wtrealm": "urn:r"}}
BOTH = pytest.mark.parametrize("path", [SAML, WSFED])
MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"
FED = "{http://docs.oasis-open.org/wsfed/federation/200706}"
WSA = "{http://www.w3.org/2005/08/addressing}"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
BINDING = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-"
ROOT = "http://localhost:9000"


async def spoken_for(house: House, path: str, slug: str = "wiki", **more: object) -> Any:  # noqa: ANN401 - JSON
    """A provider with an application, as administrators see it."""
    provider = await asked.made(house, path, **GIVEN[path], **more)
    await asked.application(house, slug, provider["pk"])
    return await asked.shown(house, path, provider["pk"])


async def told(house: House, path: str, pk: object, **query: str) -> str:
    """The metadata as anybody gets them."""
    answered = await house.nobody.get(f"{asked.API}/{path}/{pk}/metadata/", query=query)
    assert answered.status == 200, answered.text
    return str(answered.json["metadata"])


async def root_of(house: House, path: str, pk: object, **query: str) -> Element:
    """Their root element."""
    return xmlstrict.parse((await told(house, path, pk, **query)).encode())


async def key(house: House, alg: keys.NewKey = keys.NewKey.ECDSA) -> keypair.CertificateKeyPair:
    """A new pair with its private key."""
    one = keypair.make(f"c-{rand.hex128()}", "c", 30, BEGIN, alg)
    await house.put(one)
    return one


def check(text: str, pair: keypair.CertificateKeyPair) -> None:
    """Let a foreign library check the signature."""
    expected = SignatureConfiguration(location="./", verification_time=BEGIN)
    XMLVerifier().verify(text.encode(), x509_cert=pair.certificate_data, id_attribute="ID", expect_config=expected)


@BOTH
async def test_there_are_none_before_there_is_an_application(house: House, path: str) -> None:
    provider = await asked.made(house, path, **GIVEN[path])
    url = f"{asked.API}/{path}/{provider['pk']}/metadata/"
    for client in (house.admin, house.nobody):
        for query in ({}, {"download": ""}):
            assert (await client.get(url, query=query)).status == 404
    assert (await house.nobody.get(f"{asked.API}/{path}/987654/metadata/")).status == 404


async def test_what_they_tell_of_a_saml_provider(house: House) -> None:
    pair = await key(house)
    provider = await spoken_for(house, SAML, signing_kp=pair.pk, verification_kp=await asked.pair(house, key=False))
    text = await told(house, SAML, provider["pk"])
    check(text, pair)
    root = xmlstrict.parse(text.encode())
    assert (root.name, root.attributes["entityID"]) == (f"{MD}EntityDescriptor", provider["issuer"])
    assert [one.name for one in root.children] == [f"{DS}Signature", f"{MD}IDPSSODescriptor"]
    role = root.children[1]
    assert role.attributes == {
        "protocolSupportEnumeration": "urn:oasis:names:tc:SAML:2.0:protocol",
        "WantAuthnRequestsSigned": "true",
    }
    assert [(one.name.removeprefix(MD), *one.attributes.values(), one.text) for one in role.children] == [
        ("KeyDescriptor", "signing", ""),
        ("SingleLogoutService", f"{BINDING}Redirect", provider["url_slo_redirect"], ""),
        ("SingleLogoutService", f"{BINDING}POST", provider["url_slo_post"], ""),
        ("NameIDFormat", "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"),
        ("NameIDFormat", "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"),
        ("NameIDFormat", "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"),
        ("NameIDFormat", "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"),
        ("SingleSignOnService", f"{BINDING}Redirect", provider["url_sso_redirect"], ""),
        ("SingleSignOnService", f"{BINDING}POST", provider["url_sso_post"], ""),
    ]
    certificate = role.children[0].children[0].children[0].children[0]
    assert certificate.name == f"{DS}X509Certificate"
    assert certificate.text in pair.certificate_data.replace("\n", "")


async def test_what_they_tell_of_a_ws_federation_provider(house: House) -> None:
    pair = await key(house)
    provider = await spoken_for(house, WSFED, signing_kp=pair.pk, saml_version="1.1")
    text = await told(house, WSFED, provider["pk"])
    check(text, pair)
    root = xmlstrict.parse(text.encode())
    assert root.attributes["entityID"] == provider["url_issuer"] == f"{ROOT}/application/wsfed/wiki/metadata/"
    assert [one.name for one in root.children] == [f"{DS}Signature", f"{MD}RoleDescriptor"]
    role = root.children[1]
    assert role.attributes[f"{XSI}type"] == "fed:SecurityTokenServiceType"
    assert role.attributes["protocolSupportEnumeration"] == FED.strip("{}")
    keyed, tokens, active, passive = role.children
    assert (keyed.name, keyed.attributes) == (f"{MD}KeyDescriptor", {"use": "signing"})
    assert tokens.children[0].attributes["Uri"] == "urn:oasis:names:tc:SAML:1.0:assertion"
    assert (active.name, passive.name) == (f"{FED}SecurityTokenServiceEndpoint", f"{FED}PassiveRequestorEndpoint")
    for one in (active, passive):
        assert one.children[0].every(f"{WSA}Address")[0].text == provider["url_wsfed"] == f"{ROOT}/application/wsfed/"


@BOTH
async def test_without_keys_they_are_not_signed(house: House, path: str) -> None:
    provider = await spoken_for(house, path)
    (role,) = (await root_of(house, path, provider["pk"])).children
    assert "WantAuthnRequestsSigned" not in role.attributes
    assert not role.every(f"{MD}KeyDescriptor")


@BOTH
async def test_the_json_names_the_file_and_the_file_is_the_same(house: House, path: str) -> None:
    provider = await spoken_for(house, path, signing_kp=(await key(house)).pk)
    text = await told(house, path, provider["pk"])
    answered = await house.nobody.get(f"{asked.API}/{path}/{provider['pk']}/metadata/")
    assert answered.json["download_url"] == provider["url_download_metadata"]
    got = await house.nobody.get(provider["url_download_metadata"].removeprefix(ROOT))
    assert (got.status, got.text) == (200, text), "an EC signature differs each time it is made: it was made once"
    types = {SAML: "application/samlmetadata+xml", WSFED: "application/xml"}
    names = {SAML: "wiki-saml-metadata.xml", WSFED: "wiki-federation-metadata.xml"}
    assert got.header("content-type") == types[path]
    assert got.header("content-disposition") == f'attachment; filename="{names[path]}"'
    assert (await told(house, path, provider["pk"], download="false")) == text


@pytest.mark.parametrize(("given", "kept"), [("post", "POST"), (f"{BINDING}Redirect", "Redirect")])
async def test_one_binding_can_be_asked_for(house: House, given: str, kept: str) -> None:
    provider = await spoken_for(house, SAML)
    (role,) = (await root_of(house, SAML, provider["pk"], force_binding=given)).children
    found = [one.attributes["Binding"] for one in role.children if "Binding" in one.attributes]
    assert found == [f"{BINDING}{kept}"] * 2
    assert len((await root_of(house, SAML, provider["pk"], force_binding="")).children[0].children) == 8


@BOTH
async def test_a_binding_that_is_none_is_refused_with_what_is_taken(house: House, path: str) -> None:
    provider = await spoken_for(house, path)
    url = f"{asked.API}/{path}/{provider['pk']}/metadata/"
    answered = await house.nobody.get(url, query={"force_binding": f"{BINDING}Artifact"})
    assert asked.refused(answered, "force_binding")
    for accepted in ("post", "redirect", f"{BINDING}POST", f"{BINDING}Redirect"):
        assert accepted in answered.json["force_binding"][0]
        assert (await house.nobody.get(url, query={"force_binding": accepted})).status == 200
    assert asked.refused(await house.nobody.get(url, query={"download": "maybe"}), "download")


async def test_names_with_marks_of_xml_stay_names(house: House) -> None:
    issuer = "urn:x:\"<&>'ü]]>"
    pair = await key(house)
    provider = await spoken_for(house, SAML, name="<b>&amp;", issuer_override=issuer, signing_kp=pair.pk)
    text = await told(house, SAML, provider["pk"])
    check(text, pair)
    assert xmlstrict.parse(text.encode()).attributes["entityID"] == issuer
    for wrong in ("a\x01b", "x" * 1025):
        body = {"issuer_override": wrong}
        assert asked.refused(await house.admin.patch(f"{asked.API}/{SAML}/{provider['pk']}/", body), "issuer_override")


@BOTH
async def test_their_id_lasts_until_the_name_changes(house: House, path: str) -> None:
    provider = await spoken_for(house, path, name="one")
    url = f"{asked.API}/{path}/{provider['pk']}/"
    first = (await root_of(house, path, provider["pk"])).attributes["ID"]
    await house.admin.patch(url, {"sign_assertion": False})
    assert (await root_of(house, path, provider["pk"])).attributes["ID"] == first
    await house.admin.patch(url, {"name": "two"})
    assert (await root_of(house, path, provider["pk"])).attributes["ID"] != first


async def test_they_are_signed_once_however_many_ask(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = await spoken_for(house, SAML, signing_kp=(await key(house)).pk)
    signed, real = [], xmlsign.signed

    async def counted(*given: Any) -> str:  # noqa: ANN401 - handed on
        signed.append(given)
        return await real(*given)

    monkeypatch.setattr(xmlsign, "signed", counted)
    got = await asyncio.gather(*(told(house, SAML, provider["pk"]) for _ in range(20)))
    assert (len(set(got)), len(signed)) == (1, 1)
    await told(house, SAML, provider["pk"], force_binding="post")
    assert len(signed) == 2
    await house.admin.patch(f"{asked.API}/{SAML}/{provider['pk']}/", {"issuer_override": "urn:new"})
    assert "urn:new" in await told(house, SAML, provider["pk"])
    assert len(signed) == 3


@BOTH
async def test_addresses_are_under_the_name_that_the_caller_uses(house: House, path: str) -> None:
    pair = await key(house)
    provider = await spoken_for(house, path, signing_kp=pair.pk)
    elsewhere = Client(house.app, host="idp.example.com", scheme="https")
    for client, root in ((house.nobody, ROOT), (elsewhere, "https://idp.example.com"), (house.nobody, ROOT)):
        answered = await client.get(f"{asked.API}/{path}/{provider['pk']}/metadata/")
        check(answered.json["metadata"], pair)
        addresses = set(re.findall('(https?://[^/"]*)/(?:application|api)/', answered.text))
        assert addresses == {root}


@BOTH
async def test_a_key_that_cannot_sign_is_told_of_and_can_be_changed(house: House, path: str) -> None:
    pair = await key(house, keys.NewKey.ED25519)
    provider = await spoken_for(house, path, signing_kp=pair.pk)
    url = f"{asked.API}/{path}/{provider['pk']}/metadata/"
    for _ in range(2):
        assert asked.refused(await house.nobody.get(url), "signing_kp")
    good = await key(house)
    await house.admin.patch(f"{asked.API}/{path}/{provider['pk']}/", {"signing_kp": good.pk})
    check(await told(house, path, provider["pk"]), good)
    await house.admin.patch(f"{asked.API}/crypto/certificatekeypairs/{good.pk}/", {"key_data": ""})
    assert asked.refused(await house.nobody.get(url), "signing_kp")


@BOTH
async def test_the_application_s_own_address_has_the_same(house: House, path: str) -> None:
    pair = await key(house)
    provider = await spoken_for(house, path, signing_kp=pair.pk)
    address = provider["url_issuer"].removeprefix(ROOT)
    got = await house.nobody.get(address)
    assert (got.status, got.text) == (200, await told(house, path, provider["pk"]))
    assert got.header("content-type") == ("application/samlmetadata+xml" if path == SAML else "application/xml")
    assert got.header("content-security-policy") == "default-src 'none'; sandbox"
    assert (await house.nobody.get(address.replace("wiki", "other"))).status == 404
    other = await asked.made(house, WSFED if path == SAML else SAML, **GIVEN[WSFED if path == SAML else SAML])
    application = house.state.settings.by(APPLICATION, "slug", "wiki")
    assert application
    body = {"provider": other["pk"]}
    assert (await house.admin.patch(f"{asked.API}/core/applications/wiki/", body)).status == 200
    assert (await house.nobody.get(address)).status == 404


async def test_where_people_would_sign_in_says_that_it_is_not_built(house: House) -> None:
    saml = await spoken_for(house, SAML, slug="wiki")
    wsfed = await spoken_for(house, WSFED, slug="intranet")
    addresses = [value for name, value in saml.items() if name.startswith(("url_s", "url_u"))]
    assert len(addresses) == 7
    for address in [*addresses, wsfed["url_wsfed"]]:
        local = address.removeprefix(ROOT)
        send = house.nobody.post if local.endswith("post/") else house.nobody.get
        answered = await send(local)
        assert answered.status == 501, local
        assert answered.header("content-type").startswith("text/html")
        assert "Tell the administrator" in answered.text
        protocol = "WS-Federation" if "wsfed" in local else "SAML"
        assert f"Signing in with {protocol} is not built in this version." in answered.text
        assert "Wiki" not in answered.text, "what is there is not a stranger's to know"
        assert (await send(local.replace("wiki", "other"))).status == (404 if "wiki" in local else 501)


async def test_what_we_are_as_a_service_provider_can_be_imported_and_what_we_are_here_cannot(house: House) -> None:
    pair = await key(house)
    provider = await spoken_for(house, SAML, signing_kp=pair.pk)
    flow = await asked.flow(house, "in")
    fields: dict[str, Any] = {"name": "app", "authorization_flow": flow.pk, "invalidation_flow": flow.pk}
    url = f"{asked.API}/{SAML}/import_metadata/"
    own = await told(house, SAML, provider["pk"])
    refused = await sent(house.admin, url, **fields, file=("m.xml", own.encode()))
    assert asked.refused(refused, "file")
    assert "no service provider" in refused.text
    source = {"name": "s", "slug": "s", "sso_url": "https://idp.example.org/sso", "pre_authentication_flow": flow.pk}
    assert (await house.admin.post(f"{asked.API}/sources/saml/", source | {"signing_kp": pair.pk})).status == 201
    ours = (await house.admin.get(f"{asked.API}/sources/saml/s/metadata/")).json["metadata"]
    made = await sent(house.admin, url, **fields, file=("m.xml", ours.encode()))
    assert (made.status, made.json["acs_url"]) == (201, f"{ROOT}/source/saml/s/acs/")
