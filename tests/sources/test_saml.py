"""SAML sources: our name at the provider, and what we tell it of ourselves."""

from xml.etree import ElementTree as ET

from tests.house import House

API = "/api/v3"
SAML = f"{API}/sources/saml/"
MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"


async def made(house: House, **members: object) -> dict[str, object]:
    flow = {"name": "f", "title": "f", "slug": "f", "designation": "stage_configuration"}
    before = (await house.admin.post(f"{API}/flows/instances/", flow)).json["pk"]
    body = {"name": "s", "slug": "s", "sso_url": "https://idp.example.org/sso", "pre_authentication_flow": before}
    answered = await house.admin.post(SAML, body | members)
    assert answered.status == 201, answered.text
    found: dict[str, object] = answered.json
    return found


async def described(house: House) -> ET.Element:
    told = await house.admin.get(f"{SAML}s/metadata/")
    assert told.status == 200, told.text
    assert told.json["download_url"] is None
    return ET.fromstring(told.json["metadata"])  # noqa: S314 - our own text


async def test_our_name_is_the_address_of_our_metadata_unless_said_otherwise(house: House) -> None:
    plain = await made(house)
    assert plain["url_issuer"] == "http://localhost:9000/source/saml/s/metadata/"
    assert (await described(house)).attrib["entityID"] == plain["url_issuer"]
    named = (await house.admin.patch(f"{SAML}s/", {"issuer_override": 'urn:x:"<&>'})).json
    assert named["url_issuer"] == 'urn:x:"<&>'
    assert (await described(house)).attrib["entityID"] == 'urn:x:"<&>'


async def test_the_name_of_earlier_releases_is_taken(house: House) -> None:
    source = await made(house, issuer="urn:old")
    assert (source["issuer_override"], source["issuer"]) == ("urn:old", "urn:old")
    for query, count in (({"issuer": "urn:old"}, 1), ({"issuer": "urn:other"}, 0)):
        assert (await house.admin.get(SAML, query=query)).json["pagination"]["count"] == count
    both = {"issuer": "urn:old", "issuer_override": "urn:new"}
    assert (await house.admin.patch(f"{SAML}s/", both)).json["issuer_override"] == "urn:new"


async def test_a_name_that_no_xml_can_hold_is_refused(house: House) -> None:
    await made(house)
    for name in ("a\x01b", "x" * 1025):
        assert "issuer_override" in (await house.admin.patch(f"{SAML}s/", {"issuer_override": name})).json


async def test_metadata_tell_what_is_wanted_and_with_which_keys(house: House) -> None:
    pair = {"common_name": "c", "validity_days": 3, "alg": "rsa"}
    key = (await house.admin.post(f"{API}/crypto/certificatekeypairs/generate/", pair)).json["pk"]
    await made(
        house,
        signing_kp=key,
        encryption_kp=key,
        signed_assertion=True,
        slo_url="https://idp.example.org/slo",
        name_id_policy="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
    )
    (service,) = await described(house)
    assert service.attrib["AuthnRequestsSigned"] == service.attrib["WantAssertionsSigned"] == "true"
    assert [one.attrib["use"] for one in service.iter(f"{MD}KeyDescriptor")] == ["signing", "encryption"]
    text = (await house.admin.get(f"{API}/crypto/certificatekeypairs/{key}/view_certificate/")).json["data"]
    for one in service.iter(f"{DS}X509Certificate"):
        assert one.text
        assert one.text in text.replace("\n", "")
    # Of a chain only one's own certificate is told.
    other = (await house.admin.post(f"{API}/crypto/certificatekeypairs/generate/", pair | {"common_name": "d"})).json[
        "pk"
    ]
    above = (await house.admin.get(f"{API}/crypto/certificatekeypairs/{other}/view_certificate/")).json["data"]
    chain = {"certificate_data": f"{text.strip()}\n{above.strip()}\n"}
    assert (await house.admin.patch(f"{API}/crypto/certificatekeypairs/{key}/", chain)).status == 200
    (chained,) = await described(house)
    told = [[one.text for one in each.iter(f"{DS}X509Certificate")] for each in (service, chained)]
    assert told[0] == told[1]
    (acs,) = service.iter(f"{MD}AssertionConsumerService")
    assert acs.attrib["Location"] == "http://localhost:9000/source/saml/s/acs/"
    assert len(list(service.iter(f"{MD}SingleLogoutService"))) == 2
    assert service.findtext(f"{MD}NameIDFormat", "").endswith("emailAddress")


async def test_metadata_without_keys_and_sign_out_tell_of_none(house: House) -> None:
    await made(house)
    (service,) = await described(house)
    assert service.attrib["AuthnRequestsSigned"] == "false"
    assert [one.tag for one in service] == [f"{MD}NameIDFormat", f"{MD}AssertionConsumerService"]
    assert (await house.user.get(f"{SAML}s/metadata/")).status == 404


async def test_what_signs_needs_its_private_key(house: House) -> None:
    pair = {"common_name": "c", "validity_days": 3, "alg": "ecdsa"}
    whole = (await house.admin.post(f"{API}/crypto/certificatekeypairs/generate/", pair)).json
    text = (await house.admin.get(f"{API}/crypto/certificatekeypairs/{whole['pk']}/view_certificate/")).json["data"]
    bare = (await house.admin.post(f"{API}/crypto/certificatekeypairs/", {"name": "b", "certificate_data": text})).json
    await made(house, verification_kp=bare["pk"])
    for member in ("signing_kp", "encryption_kp"):
        assert member in (await house.admin.patch(f"{SAML}s/", {member: bare["pk"]})).json
        assert (await house.admin.patch(f"{SAML}s/", {member: whole["pk"]})).status == 200
