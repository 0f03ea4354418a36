"""Enveloped signatures over XML of our own (XML Signature Syntax and Processing 1.1, RFC 9231)."""

import hashlib
from binascii import b2a_base64
from collections.abc import Callable
from typing import Final

import msgspec

from keystead.wire.xmlwrite import Tag, typed, written

ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
DIGESTS: Final = {
    "sha256": "http://www.w3.org/2001/04/xmlenc#sha256",
    "sha384": "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "sha512": "http://www.w3.org/2001/04/xmlenc#sha512",
}
"""What we hash with."""


class How(msgspec.Struct, frozen=True):
    """How a document is signed.

    :param digest: one of :data:`DIGESTS`.
    :param algorithm: the address of the signature algorithm.
    :param sign: signs with it.
    :param certificate: of the key, as DER.
    """

    digest: str
    algorithm: str
    sign: Callable[[bytes], bytes]
    certificate: bytes


def key_info(certificate: bytes) -> Tag:
    """Which key it is (§4.5.4).

    :param certificate: as DER.
    """
    return Tag("ds:KeyInfo", {}, (Tag("ds:X509Data", {}, (Tag("ds:X509Certificate", {}, (_base64(certificate),)),)),))


def signed(root: Tag, how: How) -> str:
    """``root`` with a signature over it as its first child (§8.1: where SAML metadata wants it).

    :param root: its attribute ``ID`` names it.
    """
    digest = hashlib.new(how.digest, written(root).encode()).digest()
    about = _info(root, how, digest)
    value = how.sign(written(about).encode())
    signature = Tag(
        "ds:Signature", {}, (about, Tag("ds:SignatureValue", {}, (_base64(value),)), key_info(how.certificate))
    )
    return written(Tag(root.name, root.attributes, (signature, *root.children)))


def _info(root: Tag, how: How, digest: bytes) -> Tag:
    prefixes = " ".join(sorted(typed(root)))
    kept = (Tag("ec:InclusiveNamespaces", {"PrefixList": prefixes}),) if prefixes else ()
    transforms = (_by("ds:Transform", ENVELOPED), _by("ds:Transform", EXCLUSIVE, *kept))
    reference = Tag(
        "ds:Reference",
        {"URI": f"#{root.attributes['ID']}"},
        (
            Tag("ds:Transforms", {}, transforms),
            _by("ds:DigestMethod", DIGESTS[how.digest]),
            Tag("ds:DigestValue", {}, (_base64(digest),)),
        ),
    )
    methods = (_by("ds:CanonicalizationMethod", EXCLUSIVE), _by("ds:SignatureMethod", how.algorithm))
    return Tag("ds:SignedInfo", {}, (*methods, reference))


def _by(name: str, algorithm: str, *children: Tag) -> Tag:
    return Tag(name, {"Algorithm": algorithm}, children)


def _base64(data: bytes) -> str:
    return b2a_base64(data, newline=False).decode("ascii")
