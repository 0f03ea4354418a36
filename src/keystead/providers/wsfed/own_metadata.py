"""Our metadata for relying parties (WS-Federation 1.2 §3.1)."""

from collections.abc import Mapping, Sequence
from typing import Final

from keystead.kinds.action import Answer
from keystead.kinds.call import Call
from keystead.providers.assertion import metadata
from keystead.providers.wsfed.provider import SamlVersionEnum, WSFederationProvider, shown
from keystead.wire.xmlwrite import SPACES, TYPE, Tag

CONTENT_TYPE: Final = "application/xml"
_TOKENS: Final = {
    SamlVersionEnum.V1_1: "urn:oasis:names:tc:SAML:1.0:assertion",
    SamlVersionEnum.V2_0: "urn:oasis:names:tc:SAML:2.0:assertion",
}
"""Types of tokens (the SAML token profiles of WS-Security name them by namespace)."""


async def text(call: Call, provider: WSFederationProvider) -> str:
    """The document, signed where the provider has a key for it.

    :raises Problem: ``NOT_FOUND`` without an application; as :func:`metadata.document`.
    """
    metadata.application_of(call, provider)
    return await metadata.document(call, provider, "wsfed", lambda: _made(call, provider))


async def answer(call: Call, provider: WSFederationProvider, query: Mapping[str, Sequence[str]]) -> Answer:
    """The document as the API hands it out."""
    slug = metadata.application_of(call, provider).slug
    metadata.forced(query)
    download = shown(call, provider).url_download_metadata
    name = f"{slug}-federation-metadata.xml"
    return metadata.answer(query, await text(call, provider), download, filename=name, content_type=CONTENT_TYPE)


def _made(call: Call, provider: WSFederationProvider) -> Tag:
    told = shown(call, provider)
    token = Tag("fed:TokenType", {"Uri": _TOKENS[provider.saml_version]})
    role = Tag(
        "md:RoleDescriptor",
        {TYPE: "fed:SecurityTokenServiceType", "protocolSupportEnumeration": SPACES["fed"]},
        (
            *metadata.key_descriptors(metadata.signing_pair(call, provider)),
            Tag("fed:TokenTypesOffered", {}, (token,)),
            _endpoint("fed:SecurityTokenServiceEndpoint", told.url_wsfed),  # the schema wants one (§3.1.2.2)
            _endpoint("fed:PassiveRequestorEndpoint", told.url_wsfed),
        ),
    )
    return metadata.entity(provider, told.url_issuer, role)


def _endpoint(name: str, address: str) -> Tag:
    return Tag(name, {}, (Tag("wsa:EndpointReference", {}, (Tag("wsa:Address", {}, (address,)),)),))
