"""Our metadata for service providers (OASIS Metadata for SAML V2.0 §2.4.3)."""

from collections.abc import Mapping, Sequence
from typing import Final

from keystead.kinds.action import Answer
from keystead.kinds.call import Call
from keystead.providers.assertion import metadata
from keystead.providers.saml.provider import SAMLProvider, shown
from keystead.trust.assertion_terms import SAMLBindingsEnum, SAMLNameIDPolicyEnum
from keystead.wire.xmlwrite import Tag

CONTENT_TYPE: Final = "application/samlmetadata+xml"
"""OASIS Metadata for SAML V2.0, appendix A."""
_PROTOCOL: Final = "urn:oasis:names:tc:SAML:2.0:protocol"
_NAMES: Final = (
    SAMLNameIDPolicyEnum.EMAIL,
    SAMLNameIDPolicyEnum.PERSISTENT,
    SAMLNameIDPolicyEnum.X509,
    SAMLNameIDPolicyEnum.TRANSIENT,
)


async def text(call: Call, provider: SAMLProvider, forced: SAMLBindingsEnum | None = None) -> str:
    """The document, signed where the provider has a key for it.

    :param forced: the only binding that it is to name.
    :raises Problem: ``NOT_FOUND`` without an application; as :func:`metadata.document`.
    """
    metadata.application_of(call, provider)
    return await metadata.document(call, provider, f"saml {forced}", lambda: _made(call, provider, forced))


async def answer(call: Call, provider: SAMLProvider, query: Mapping[str, Sequence[str]]) -> Answer:
    """The document as the API hands it out."""
    slug = metadata.application_of(call, provider).slug
    made = await text(call, provider, metadata.forced(query))
    download = shown(call, provider).url_download_metadata
    return metadata.answer(query, made, download, filename=f"{slug}-saml-metadata.xml", content_type=CONTENT_TYPE)


def _made(call: Call, provider: SAMLProvider, forced: SAMLBindingsEnum | None) -> Tag:
    told = shown(call, provider)
    ways = [one for one in metadata.BINDINGS if forced in {one, None}]
    out = {SAMLBindingsEnum.REDIRECT: told.url_slo_redirect, SAMLBindingsEnum.POST: told.url_slo_post}
    into = {SAMLBindingsEnum.REDIRECT: told.url_sso_redirect, SAMLBindingsEnum.POST: told.url_sso_post}
    signed = {"WantAuthnRequestsSigned": "true"} if provider.verification_kp else {}
    role = Tag(
        "md:IDPSSODescriptor",
        {"protocolSupportEnumeration": _PROTOCOL} | signed,
        (
            *metadata.key_descriptors(metadata.signing_pair(call, provider)),
            *(_endpoint("md:SingleLogoutService", one, out[one]) for one in ways),
            *(Tag("md:NameIDFormat", {}, (one.value,)) for one in _NAMES),
            *(_endpoint("md:SingleSignOnService", one, into[one]) for one in ways),
        ),
    )
    return metadata.entity(provider, told.issuer, role)


def _endpoint(name: str, binding: SAMLBindingsEnum, address: str) -> Tag:
    return Tag(name, {"Binding": metadata.BINDINGS[binding], "Location": address})
