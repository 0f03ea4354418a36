"""SAML source: an identity provider that vouches for people in signed assertions; we are its service provider."""

import base64
import enum
from collections.abc import Mapping, Sequence
from typing import Annotated, Final
from xml.etree import ElementTree as ET

import msgspec

from keystead.base.errors import invalid
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind, steady
from keystead.kinds.marks import Duration, OnDelete, Ref, Uuid
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State
from keystead.people.brand import ThemedUrls
from keystead.sources import mapping
from keystead.sources.connection import group_kind, user_kind
from keystead.sources.forms import GivenWebUrl, WebUrl
from keystead.sources.source import LATER, MANAGED, PBM_UUID, GroupMatchingModeEnum, Source, check, icon
from keystead.trust.assertion_terms import DigestAlgorithmEnum, SAMLNameIDPolicyEnum, SignatureAlgorithmEnum
from keystead.trust.keypair import KEYPAIR, signer_for
from keystead.trust.xmlsign import certificate

ICON: Final = "/static/dist/assets/icons/source-saml.svg"
_LONGEST: Final = 1024
"""Characters in an entity's name (SAML core §8.3.6)."""
_MD: Final = "urn:oasis:names:tc:SAML:2.0:metadata"
_DS: Final = "http://www.w3.org/2000/09/xmldsig#"
_PROTOCOL: Final = "urn:oasis:names:tc:SAML:2.0:protocol"
_POST: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
_REDIRECT: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"

KeyPairRef = Annotated[Uuid, Ref("authentik_crypto.certificatekeypair", OnDelete.SET_NULL)]


class BindingTypeEnum(enum.StrEnum):
    """How the browser carries the request; ``POST_AUTO`` sends its form without a click."""

    REDIRECT = "REDIRECT"
    POST = "POST"
    POST_AUTO = "POST_AUTO"


class SAMLSource(Source, frozen=True, kw_only=True):
    """An identity provider that speaks SAML 2.0.

    :param pre_authentication_flow: runs before the provider is asked.
    :param issuer_override: our name there, where it is not to be the address of our metadata.
    :param sso_url: where people are sent to sign in.
    :param slo_url: where they are sent to sign out.
    :param allow_idp_initiated: take assertions nobody asked for.
    :param force_authn: people must prove themselves anew each time.
    :param verification_kp: the certificate that assertions must be signed with.
    :param signing_kp: what our requests are signed with; it needs its private key.
    :param encryption_kp: what assertions are encrypted for; it needs its private key.
    :param temporary_user_delete_after: how long users live who were named by a transient name.
    """

    group_matching_mode: GroupMatchingModeEnum = GroupMatchingModeEnum.IDENTIFIER
    pre_authentication_flow: Annotated[Uuid, Ref("authentik_flows.flow")]
    issuer_override: str = ""
    sso_url: GivenWebUrl
    slo_url: WebUrl | None = None
    allow_idp_initiated: bool = False
    force_authn: bool = False
    name_id_policy: SAMLNameIDPolicyEnum = SAMLNameIDPolicyEnum.PERSISTENT
    binding_type: BindingTypeEnum = BindingTypeEnum.REDIRECT
    verification_kp: KeyPairRef | None = None
    signing_kp: KeyPairRef | None = None
    digest_algorithm: DigestAlgorithmEnum = DigestAlgorithmEnum.SHA256
    signature_algorithm: SignatureAlgorithmEnum = SignatureAlgorithmEnum.RSA_SHA256
    temporary_user_delete_after: Duration = "days=1"
    encryption_kp: KeyPairRef | None = None
    signed_assertion: bool = False
    signed_response: bool = False


class SAMLSourceShown(msgspec.Struct):
    """The computed members of a SAML source.

    :param url_issuer: our name there.
    :param issuer: ``issuer_override``, for clients that call it so.
    """

    icon_url: str
    icon_themed_urls: ThemedUrls | None
    url_issuer: str
    issuer: str


class SAMLMetadata(msgspec.Struct):
    """Metadata as a text.

    :param download_url: where anybody may fetch it; null: nowhere yet.
    """

    metadata: str
    download_url: str | None = None


class SAMLSourcePropertyMapping(mapping.SourcePropertyMapping, frozen=True, kw_only=True):
    """What an assertion tells about a user or group."""


def _place(call: Call, source: SAMLSource, tail: str) -> str:
    return f"{call.origin.root}/source/saml/{source.slug}/{tail}/"


def issuer(call: Call, source: SAMLSource) -> str:
    """Our name at the identity provider."""
    return source.issuer_override or _place(call, source, "metadata")


async def admits(_call: Call, _state: State, body: dict[str, object]) -> dict[str, object]:
    """Accept ``issuer``, as earlier releases called ``issuer_override``."""
    return {"issuer_override": body["issuer"], **body} if "issuer" in body else body


@steady
async def view(
    call: Call, _state: State, sources: Sequence[SAMLSource], _query: Mapping[str, Sequence[str]]
) -> list[SAMLSourceShown]:
    """Where the pictures are, and our name there."""
    shown = []
    for one in sources:
        url, themes = icon(one, ICON)
        shown.append(SAMLSourceShown(url or ICON, themes, issuer(call, one), one.issuer_override))
    return shown


async def rules(call: Call, _state: State, _old: SAMLSource | None, new: SAMLSource) -> SAMLSource:
    """What signs or decrypts has its private key here."""
    check(new)
    if len(new.issuer_override) > _LONGEST or not new.issuer_override.isprintable():
        raise invalid({"issuer_override": [f"At most {_LONGEST} characters, and no control characters."]})
    for member in ("signing_kp", "encryption_kp"):
        pk = getattr(new, member)
        if pk and signer_for(call.settings, pk) is None:
            raise invalid({member: ["Choose a certificate whose private key is stored here."]})
    return new


async def metadata(call: Call, _state: State, source: SAMLSource, _query: Mapping[str, Sequence[str]]) -> Answer:
    """What the identity provider has to know of us (SAML metadata §2.4.4).

    The addresses it names are where we will be; nothing answers there before sign-in through sources is built.
    """
    return Answer(SAMLMetadata(described(call, source)))


def described(call: Call, source: SAMLSource) -> str:
    """Our metadata for the identity provider behind ``source``, as XML."""
    ET.register_namespace("md", _MD)
    ET.register_namespace("ds", _DS)
    root = ET.Element(f"{{{_MD}}}EntityDescriptor", entityID=issuer(call, source))
    service = ET.SubElement(
        root,
        f"{{{_MD}}}SPSSODescriptor",
        AuthnRequestsSigned=str(source.signing_kp is not None).lower(),
        WantAssertionsSigned=str(source.signed_assertion).lower(),
        protocolSupportEnumeration=_PROTOCOL,
    )
    for use, pk in (("signing", source.signing_kp), ("encryption", source.encryption_kp)):
        if text := _certificate(call.settings, pk):
            key = ET.SubElement(service, f"{{{_MD}}}KeyDescriptor", use=use)
            data = ET.SubElement(ET.SubElement(key, f"{{{_DS}}}KeyInfo"), f"{{{_DS}}}X509Data")
            ET.SubElement(data, f"{{{_DS}}}X509Certificate").text = text
    if source.slo_url:
        for binding in (_REDIRECT, _POST):
            location = _place(call, source, "slo")
            ET.SubElement(service, f"{{{_MD}}}SingleLogoutService", Binding=binding, Location=location)
    ET.SubElement(service, f"{{{_MD}}}NameIDFormat").text = source.name_id_policy.value
    place = _place(call, source, "acs")
    ET.SubElement(
        service,
        f"{{{_MD}}}AssertionConsumerService",
        Binding=_POST,
        Location=place,
        index="0",
        isDefault="true",
    )
    return ET.tostring(root, encoding="unicode")


def _certificate(settings: Snapshot, pk: str | None) -> str:
    pair = settings.get(KEYPAIR, pk) if pk else None
    return base64.b64encode(certificate(pair)).decode() if pair else ""


SAML_SOURCE: Kind[SAMLSource] = Kind(
    model="authentik_sources_saml.samlsource",
    struct=SAMLSource,
    path="sources/saml",
    title=("SAML Source", "SAML Sources"),
    key="slug",
    key_name="slug",
    family="sources",
    component="ak-source-saml-form",
    shown=SAMLSourceShown,
    view=view,
    rules=rules,
    admits=admits,
    search=("name", "slug", "sso_url"),
    filters=(
        "allow_idp_initiated",
        "authentication_flow",
        "binding_type",
        "digest_algorithm",
        "enabled",
        "enrollment_flow",
        "force_authn",
        Filter("issuer", str, test=lambda one, value: one.issuer_override == value, note="As `issuer_override`."),
        "issuer_override",
        MANAGED,
        "name",
        "name_id_policy",
        PBM_UUID,
        "policy_engine_mode",
        "pre_authentication_flow",
        "signature_algorithm",
        "signed_assertion",
        "signed_response",
        "signing_kp",
        "slo_url",
        "slug",
        "sso_url",
        "temporary_user_delete_after",
        "user_matching_mode",
        "verification_kp",
    ),
    bindable=True,
    stored_only=LATER,
)
KINDS: Final = (
    SAML_SOURCE,
    mapping.kind(SAMLSourcePropertyMapping, "saml", "SAML"),
    user_kind(SAML_SOURCE, "saml", "SAML"),
    group_kind(SAML_SOURCE, "saml", "SAML"),
)
ACTIONS: Final = (
    Action(
        SAML_SOURCE,
        "GET",
        "{key}/metadata/",
        metadata,
        "metadata_retrieve",
        permission="view",
        response=SAMLMetadata,
    ),
)
