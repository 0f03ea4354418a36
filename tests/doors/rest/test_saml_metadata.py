"""Providers from metadata: shapes that the standard allows (saml-metadata-2.0-os), and what is said of others."""

import base64
from functools import cache

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from keystead.flows.flow import Flow, FlowDesignationEnum
from keystead.trust import keypair, keys
from tests.client import Answered, Client
from tests.doors.rest.test_files import sent
from tests.house import BEGIN, House

IMPORT, PROVIDERS = "/api/v3/providers/saml/import_metadata/", "/api/v3/providers/saml/"
PAIRS = "/api/v3/crypto/certificatekeypairs/"
POST, REDIRECT, ARTIFACT = (
    f"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-{one}" for one in ("POST", "Redirect", "Artifact")
)
PROTOCOL = 'protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"'
SPACES = 'xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"'
SOAP = "urn:oasis:names:tc:SAML:2.0:bindings:SOAP"


def endpoint(name: str, binding: str, tail: str, more: str = "") -> str:
    return f'<md:{name} Binding="{binding}" Location="https://sp.example.org/{tail}" {more}/>'


def acs(binding: str = POST, tail: str = "acs", more: str = "") -> str:
    return endpoint("AssertionConsumerService", binding, tail, f'index="0" {more}')


ACS = acs()


@cache
def der(name: str) -> bytes:
    pair = keypair.make(name, f"{name}.example.org", 30, BEGIN, keys.NewKey.ECDSA)
    return keys.load_certificate(pair.certificate_data).public_bytes(Encoding.DER)


def key(name: str, use: str = "") -> str:
    told = base64.encodebytes(der(name)).decode().replace("\n", "\r\n      ")
    use = f' use="{use}"' if use else ""
    return (
        f"<md:KeyDescriptor{use}><ds:KeyInfo><ds:KeyName>k</ds:KeyName><ds:X509Data><ds:X509Certificate>\n{told}"
        "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
    )


def role(inside: str = ACS, more: str = "") -> str:
    return f"<md:SPSSODescriptor {PROTOCOL} {more}>{inside}</md:SPSSODescriptor>"


def entity(inside: str | None = None, name: str = "https://sp.example.org/metadata", more: str = "") -> str:
    inside = role() if inside is None else inside
    return f'<md:EntityDescriptor {SPACES} entityID="{name}" {more}>{inside}</md:EntityDescriptor>'


@pytest.fixture
async def flow(house: House) -> Flow:
    made = Flow(
        pk="0b06f850-3c73-4b23-8446-4548658a436d",
        name="in",
        slug="in",
        title="in",
        designation=FlowDesignationEnum.AUTHORIZATION,
    )
    await house.put(made)
    return made


async def imported(client: Client, flow: Flow, text: str | bytes, **more: str) -> Answered:
    data = text.encode() if isinstance(text, str) else text
    fields: dict[str, str | tuple[str, bytes]] = {
        "name": "app",
        "authorization_flow": flow.pk,
        "invalidation_flow": flow.pk,
        "file": ("m.xml", data),
    }
    return await sent(client, IMPORT, **{**fields, **more})


async def test_the_least_that_metadata_say(house: House, flow: Flow) -> None:
    answered = await imported(house.admin, flow, entity())
    assert answered.status == 201, answered.text
    made = answered.json
    assert (made["acs_url"], made["sp_binding"]) == ("https://sp.example.org/acs", "post")
    assert (made["audience"], made["issuer_override"]) == ("https://sp.example.org/metadata", "")
    assert (made["sls_url"], made["verification_kp"], made["encryption_kp"]) == ("", None, None)
    assert (await house.admin.get(f"{PROVIDERS}{made['pk']}/")).json == made
    assert answered.header("etag")


async def test_all_that_metadata_say(house: House, flow: Flow) -> None:
    inside = "".join(
        [
            "<md:Extensions><x xmlns='urn:other'/></md:Extensions>",
            key("signs", "signing"),
            key("signs later", "signing"),
            key("hides", "encryption"),
            endpoint("SingleLogoutService", SOAP, "soap"),
            endpoint("SingleLogoutService", REDIRECT, "sls?a=1&amp;b=2"),
            "<md:NameIDFormat>urn:unknown</md:NameIDFormat>",
            "<md:NameIDFormat> urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\n</md:NameIDFormat>",
            acs(ARTIFACT, "0", 'isDefault="true"'),
            acs(POST, "1", 'isDefault="false"'),
            acs(POST, "2"),
            acs(REDIRECT, "3", 'isDefault="1"'),
        ]
    )
    text = entity(
        role(inside, 'AuthnRequestsSigned="true" WantAssertionsSigned="1"'), more='validUntil="2027-01-01T00:00:00Z"'
    )
    answered = await imported(house.admin, flow, f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- ä -->{text}')
    assert answered.status == 201, answered.text
    made = answered.json
    assert (made["acs_url"], made["sp_binding"]) == ("https://sp.example.org/3", "redirect")
    assert (made["sls_url"], made["sls_binding"]) == ("https://sp.example.org/sls?a=1&b=2", "redirect")
    assert made["default_name_id_policy"] == "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
    assert made["sign_assertion"] is True
    for member, name, title in (
        ("verification_kp", "signs", "app: requests"),
        ("encryption_kp", "hides", "app: encryption"),
    ):
        pair = (await house.admin.get(f"{PAIRS}{made[member]}/")).json
        assert (pair["name"], pair["private_key_available"]) == (title, False)
        pem = (await house.admin.get(f"{PAIRS}{made[member]}/view_certificate/")).json["data"]
        assert keys.load_certificate(pem).public_bytes(Encoding.DER) == der(name)
    again = await imported(house.admin, flow, text, name="another")
    assert again.json["verification_kp"] == made["verification_kp"], "a certificate is kept once"
    assert (await house.admin.get(PAIRS)).json["pagination"]["count"] == 2


async def test_requests_that_need_no_signature_are_not_held_to_one(house: House, flow: Flow) -> None:
    made = (await imported(house.admin, flow, entity(role(key("signs") + ACS)))).json
    assert (made["verification_kp"], made["encryption_kp"]) == (None, None)
    named = entity(role(key("signs") + ACS, 'AuthnRequestsSigned="true"'))
    made = (await imported(house.admin, flow, named, name="other")).json
    assert made["verification_kp"], "a key without a use is for everything"
    assert made["encryption_kp"] is None


async def test_one_service_provider_in_a_group(house: House, flow: Flow) -> None:
    other = entity(f"<md:IDPSSODescriptor {PROTOCOL}/>", "https://idp.example.org")
    old = entity(
        '<md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:1.1:protocol"/>', "https://old"
    )
    group = (
        "<md:EntitiesDescriptor {0}><md:EntitiesDescriptor>{1}{2}</md:EntitiesDescriptor>{3}</md:EntitiesDescriptor>"
    )
    made = await imported(house.admin, flow, group.format(SPACES, other, old, entity()))
    assert made.json["audience"] == "https://sp.example.org/metadata", made.text
    two = group.format(SPACES, entity(), other, entity(name="https://two.example.org"))
    answered = await imported(house.admin, flow, two, name="two")
    assert "tells of 2 service providers (“https://sp.example.org/metadata”, “https://two" in answered.json["file"][0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no element found"),
        ("<a/>", "no SAML 2.0 metadata"),
        (f"<!DOCTYPE a>{entity()}", "document type declaration"),
        (entity(f"<md:IDPSSODescriptor {PROTOCOL}/>"), "no service provider"),
        (entity(name=""), "needs an entityID"),
        (entity(name="a" * 1025), "needs an entityID"),
        (entity(role("")), "no AssertionConsumerService"),
        (entity(role(ACS.replace(POST, ARTIFACT))), "no AssertionConsumerService"),
        (entity(role(ACS.replace("https://sp.example.org/acs", "javascript:a"))), "acs_url: “javascript:a”"),
        (entity(more='validUntil="2026-09-01T12:00:00Z"'), "was valid until 2026-09-01T12:00:00Z"),
        (entity(more='validUntil="2026-09-01T11:59:59"'), "was valid until"),
        (entity(more='validUntil="soon"'), "is no instant"),
        (entity(role(key("a", "encryption").replace("M", "*", 1) + ACS)), "not written in Base64"),
        (entity(role("<md:KeyDescriptor use='encryption'><ds:KeyInfo><ds:X509Data><ds:X509Certificate>AAAA"
            "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>" + ACS)), "certificate_data: "),
    ],
)  # fmt: skip  # one case a line
async def test_what_is_wrong_with_the_file_is_said_of_it(house: House, flow: Flow, text: str, said: str) -> None:
    answered = await imported(house.admin, flow, text)
    assert answered.status == 400, answered.text
    assert set(answered.json) == {"file", "code"}
    assert said in answered.json["file"][0]
    assert (await house.admin.get(PROVIDERS)).json["pagination"]["count"] == 0
    assert (await house.admin.get(PAIRS)).json["pagination"]["count"] == 0


async def test_every_member_of_the_form_is_asked_for(house: House, flow: Flow) -> None:
    answered = await sent(house.admin, IMPORT, other="a")
    assert set(answered.json) == {"name", "authorization_flow", "invalidation_flow", "file", "code"}
    answered = await imported(
        house.admin, flow, entity(), authorization_flow="a", invalidation_flow=house.brand.brand_uuid
    )
    assert set(answered.json) == {"authorization_flow", "invalidation_flow", "code"}
    assert (await imported(house.admin, flow, entity())).status == 201
    assert set((await imported(house.admin, flow, entity())).json) == {"name", "code"}
    assert (await house.admin.post(IMPORT, {"name": "a"})).status == 415


async def test_certificates_are_added_by_who_may(house: House, flow: Flow) -> None:
    add = "authentik_providers_saml.add_samlprovider"
    client = await house.client_with(add)
    assert (await imported(house.user, flow, entity())).status == 403
    assert (await imported(client, flow, entity())).status == 201
    signed = entity(role(key("signs", "signing") + ACS, 'AuthnRequestsSigned="true"'))
    assert (await imported(client, flow, signed, name="two")).status == 403
    both = await house.client_with(add, "authentik_crypto.add_certificatekeypair")
    assert (await imported(both, flow, signed, name="two")).status == 201
    assert (await imported(client, flow, signed, name="three")).status == 201, "it is kept already"
