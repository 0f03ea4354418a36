"""Metadata of a service provider, read (OASIS Metadata for SAML V2.0; section numbers are those of its errata 05).

Its signature is not looked at: who hands it in vouches for it.
"""

import binascii
import textwrap
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from keystead.trust.assertion_terms import SAMLBindingsEnum, SAMLNameIDPolicyEnum
from keystead.wire import xmlstrict
from keystead.wire.xmlstrict import Element

_MD: Final = "{urn:oasis:names:tc:SAML:2.0:metadata}"
_DS: Final = "{http://www.w3.org/2000/09/xmldsig#}"
_PROTOCOL: Final = "urn:oasis:names:tc:SAML:2.0:protocol"
_BINDINGS: Final = {
    "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST": SAMLBindingsEnum.POST,
    "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect": SAMLBindingsEnum.REDIRECT,
}
_TRUE: Final = frozenset({"true", "1"})
_LONGEST_ID: Final = 1024


class ServiceProvider(msgspec.Struct, frozen=True, kw_only=True):
    """What metadata tell of a service provider.

    :param acs: where answers go, and how.
    :param sls: where logouts go, and how; None where it takes none.
    :param signing: the certificate that its messages are signed with, in PEM form; empty where it names none.
    :param encryption: the certificate to encrypt for, if it names one for that alone.
    :param signs_requests: whether all its requests are signed.
    :param wants_signed: whether it asks for signed assertions.
    :param name_id: the first form of a name it lists that we know.
    """

    entity_id: str
    acs: tuple[str, SAMLBindingsEnum]
    sls: tuple[str, SAMLBindingsEnum] | None = None
    signing: str = ""
    encryption: str = ""
    signs_requests: bool = False
    wants_signed: bool = False
    name_id: SAMLNameIDPolicyEnum | None = None


def read(data: bytes, at: datetime) -> ServiceProvider:
    """The service provider that ``data`` tells of.

    :param at: metadata that count no longer by then are refused.
    :raises ValueError: it is no metadata of one service provider; the message is for who sent it.
    """
    root = xmlstrict.parse(data)
    if root.name not in {f"{_MD}EntityDescriptor", f"{_MD}EntitiesDescriptor"}:
        raise ValueError("It is no SAML 2.0 metadata: its root is neither EntityDescriptor nor EntitiesDescriptor.")
    found = [(entity, role) for entity in _entities(root, at) for role in _roles(entity, at)]
    if len(found) != 1:
        names = ", ".join(f"“{entity.attributes.get('entityID', '')[:100]}”" for entity, _ in found[:5])
        raise ValueError(
            f"It tells of {len(found)} service providers ({names}); send the metadata of one."
            if found
            else "It tells of no service provider: there is no SPSSODescriptor for SAML 2.0."
        )
    entity, role = found[0]
    entity_id = entity.attributes.get("entityID", "").strip()
    if not entity_id or len(entity_id) > _LONGEST_ID:  # §2.2.1
        raise ValueError(f"Its EntityDescriptor needs an entityID of 1 to {_LONGEST_ID} characters.")
    return ServiceProvider(
        entity_id=entity_id,
        acs=_default(role.every(f"{_MD}AssertionConsumerService")),
        sls=next(_endpoints(role.every(f"{_MD}SingleLogoutService")), None),
        signing=_certificate(role, ("signing", "")),
        encryption=_certificate(role, ("encryption",)),
        signs_requests=_flag(role, "AuthnRequestsSigned"),
        wants_signed=_flag(role, "WantAssertionsSigned"),
        name_id=_name_id(role),
    )


def _entities(element: Element, at: datetime) -> Iterator[Element]:
    """Every entity in a group of groups (§2.3.1), while all of them count."""
    _check_time(element, at)
    if element.name == f"{_MD}EntityDescriptor":
        yield element
    for child in element.children:
        if child.name in {f"{_MD}EntityDescriptor", f"{_MD}EntitiesDescriptor"}:
            yield from _entities(child, at)


def _roles(entity: Element, at: datetime) -> Iterator[Element]:
    for role in entity.every(f"{_MD}SPSSODescriptor"):
        if _PROTOCOL in role.attributes.get("protocolSupportEnumeration", "").split():
            _check_time(role, at)
            yield role


def _check_time(element: Element, at: datetime) -> None:
    text = element.attributes.get("validUntil", "").strip()
    if not text:
        return
    try:
        until = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"Its validUntil “{text[:50]}” is no instant.") from None
    if (until if until.tzinfo else until.replace(tzinfo=UTC)) <= at:
        raise ValueError(f"It was valid until {text}; get newer metadata.")


def _flag(element: Element, name: str) -> bool:
    return element.attributes.get(name, "").strip() in _TRUE


def _endpoints(elements: Sequence[Element]) -> Iterator[tuple[str, SAMLBindingsEnum]]:
    """Those endpoints whose binding we speak."""
    for one in elements:
        binding = _BINDINGS.get(one.attributes.get("Binding", "").strip())
        if binding and (location := one.attributes.get("Location", "").strip()):
            yield location, binding


def _default(elements: Sequence[Element]) -> tuple[str, SAMLBindingsEnum]:
    """The default of indexed endpoints (§2.4.4.1): one that says so, else one that does not say no, else the first."""
    ranked = sorted(elements, key=lambda one: {"true": 0, "1": 0, "": 1}.get(one.attributes.get("isDefault", ""), 2))
    found = next(_endpoints(ranked), None)
    if found is None:
        raise ValueError("It names no AssertionConsumerService with the binding HTTP-POST or HTTP-Redirect.")
    return found


def _certificate(role: Element, uses: Sequence[str]) -> str:
    """The first certificate for one of ``uses``, in PEM form; a key descriptor without a use is for all (§2.4.1.1)."""
    for descriptor in role.every(f"{_MD}KeyDescriptor"):
        if descriptor.attributes.get("use", "") in uses:
            for info in descriptor.every(f"{_DS}KeyInfo"):
                for data in info.every(f"{_DS}X509Data"):
                    for certificate in data.every(f"{_DS}X509Certificate"):
                        return _pem(certificate.text)
    return ""


def _pem(text: str) -> str:
    try:
        der = binascii.a2b_base64("".join(text.split()), strict_mode=True)
    except (ValueError, binascii.Error):
        raise ValueError("A certificate in it is not written in Base64.") from None
    body = "\n".join(textwrap.wrap(binascii.b2a_base64(der, newline=False).decode("ascii"), 64))
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----"


def _name_id(role: Element) -> SAMLNameIDPolicyEnum | None:
    known = {one.value: one for one in SAMLNameIDPolicyEnum}
    told = (one.text.strip() for one in role.every(f"{_MD}NameIDFormat"))
    return next((known[one] for one in told if one in known), None)
