"""Certificates: making a self-signed one, and what an administrator reads about any."""

import ipaddress
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ed448, ed25519, rsa
from cryptography.x509.oid import NameOID

from keystead.base import rand
from keystead.trust import keys

MAX_DAYS: Final = 36_500
"""Days for which a certificate we make may be valid, at most."""
MAX_ALT_NAMES: Final = 100
"""Alternative names of a certificate we make, at most."""

_UNIT: Final = "Self-signed"
_MAX_NAME: Final = 64  # RFC 5280 appendix A.1: ub-common-name, ub-organization-name
_MAX_ALT_NAME: Final = 1024
_DNS: Final = re.compile(r"(?=.{1,253}\Z)(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})?(\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*")
_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+")
_SERIAL_BITS: Final = 159  # RFC 5280 §4.1.2.2: positive, at most 20 octets


class Description(NamedTuple):
    """What the contract shows of a certificate (rest.md, certificates).

    :param fingerprint_sha1: of the DER form: lower-case hexadecimal pairs joined by colons.
    :param fingerprint_sha256: the same with SHA-256.
    :param expiry: the last instant of its validity, with time zone UTC.
    :param subject: as RFC 4514 text.
    :param key_type: of its public key.
    """

    fingerprint_sha1: str
    fingerprint_sha256: str
    expiry: datetime
    subject: str
    key_type: keys.KeyType


def describe(certificate: x509.Certificate) -> Description:
    """The visible facts of ``certificate``.

    :raises keys.BadKeyError: its name or dates cannot be read, or its public key is of a kind we do not know.
    """
    kind = keys.key_type(keys.certified_key(certificate))
    try:
        expiry, subject = certificate.not_valid_after_utc, certificate.subject.rfc4514_string()
    except (ValueError, TypeError):  # the latter for a part of the name in a type its meaning does not allow
        raise keys.BadKeyError("The certificate's name or dates cannot be read.") from None
    # The contract shows SHA-1 too. It names the certificate and proves nothing.
    sha1 = certificate.fingerprint(hashes.SHA1())  # noqa: S303 - see the line above
    return Description(sha1.hex(":"), certificate.fingerprint(hashes.SHA256()).hex(":"), expiry, subject, kind)


def self_signed(
    key: keys.PrivateKey,
    *,
    common_name: str,
    organization: str,
    subject_alt_names: Sequence[str] = (),
    validity_days: int,
    now: datetime,
) -> x509.Certificate:
    """A certificate in which ``key`` speaks for itself; its subject reads ``OU=Self-signed,O=…,CN=…``.

    Fit for signing tokens and SAML documents and for a TLS server; it may not sign other certificates.

    :param common_name: 1 to 64 characters.
    :param organization: 1 to 64 characters.
    :param subject_alt_names: host names (``*.`` may lead), IP addresses, URIs (with ``://``), e-mail addresses.
    :param validity_days: from ``now``; 1 to :data:`MAX_DAYS`.
    :param now: when it begins to be valid, with time zone.
    :raises ValueError: a name is empty, too long or malformed, there are too many, or the days are out of range.
    """
    if not 1 <= validity_days <= MAX_DAYS:
        raise ValueError(f"A certificate is valid for 1 to {MAX_DAYS} days.")
    if len(subject_alt_names) > MAX_ALT_NAMES:
        raise ValueError(f"A certificate has at most {MAX_ALT_NAMES} alternative names.")
    alternatives = [_general_name(name) for name in subject_alt_names]
    # RFC 4514 §2.1 writes the parts in reverse, so the common name stands first here to be read last.
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, _name_part(common_name, "common name")),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _name_part(organization, "organization")),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, _UNIT),
        ]
    )
    public = key.public_key()
    try:
        expiry = now + timedelta(days=validity_days)
    except OverflowError:
        raise ValueError("The certificate would be valid beyond the year 9999.") from None
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(1 + rand.below((1 << _SERIAL_BITS) - 1))
        .not_valid_before(now)
        .not_valid_after(expiry)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(key), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    edwards = isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    return builder.sign(key, None if edwards else hashes.SHA256())


def _usage(key: keys.PrivateKey) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=isinstance(key, rsa.RSAPrivateKey),
        data_encipherment=False,
        key_agreement=not isinstance(key, rsa.RSAPrivateKey | dsa.DSAPrivateKey),
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name_part(text: str, what: str) -> str:
    if not 1 <= len(text) <= _MAX_NAME or not text.isprintable():
        raise ValueError(f"The {what} of a certificate has 1 to {_MAX_NAME} printable characters.")
    return text


def _general_name(text: str) -> x509.GeneralName:
    if len(text) > _MAX_ALT_NAME or not _PRINTABLE.fullmatch(text):
        raise ValueError(f"{text[:64]!r} is not an alternative name: write host names of other scripts in punycode.")
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        pass
    if "://" in text:
        return x509.UniformResourceIdentifier(text)
    if "@" in text:
        return x509.RFC822Name(text)
    if not _DNS.fullmatch(text):
        raise ValueError(f"{text[:64]!r} is not a host name, IP address, URI or e-mail address.")
    return x509.DNSName(text)
