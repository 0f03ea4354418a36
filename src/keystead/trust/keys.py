"""Private keys, public keys and certificates as PEM: reading with limits, making, and telling them apart.

Reading a private key checks that its numbers belong together, which for RSA takes from 30 ms (2048 bits) to seconds
(8192 bits); making one takes as long. Both are work for a thread, not for the event loop.
"""

import contextlib
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeAlias

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

if TYPE_CHECKING:
    from cryptography import x509

PrivateKey: TypeAlias = (
    rsa.RSAPrivateKey
    | ec.EllipticCurvePrivateKey
    | dsa.DSAPrivateKey
    | ed25519.Ed25519PrivateKey
    | ed448.Ed448PrivateKey
)
PublicKey: TypeAlias = (
    rsa.RSAPublicKey | ec.EllipticCurvePublicKey | dsa.DSAPublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey
)

MAX_PEM: Final = 64 * 1024
"""Bytes a PEM text may have."""
MAX_CHAIN: Final = 16
"""Certificates one PEM text may hold."""
MIN_BITS: Final = 2048
"""The shortest RSA modulus or DSA prime accepted (NIST SP 800-131A)."""
MAX_BITS: Final = 8192
"""The longest; longer ones only cost time."""
MIN_CURVE_BITS: Final = 256
"""The smallest elliptic curve accepted."""
NEW_RSA_BITS: Final = 2048
"""The modulus of an RSA key we make: 4096 bits sign six times slower (measured) for no attack known."""

_MAX_EXPONENT_BITS: Final = 32  # a longer public exponent does nothing but slow verification down
_EC_ALGORITHMS: Final = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_PRIVATE: Final = (
    rsa.RSAPrivateKey,
    ec.EllipticCurvePrivateKey,
    dsa.DSAPrivateKey,
    ed25519.Ed25519PrivateKey,
    ed448.Ed448PrivateKey,
)
_PUBLIC: Final = (
    rsa.RSAPublicKey,
    ec.EllipticCurvePublicKey,
    dsa.DSAPublicKey,
    ed25519.Ed25519PublicKey,
    ed448.Ed448PublicKey,
)


class BadKeyError(ValueError):
    """A key or certificate is refused; the message is safe to show and holds no part of it."""


class KeyType(StrEnum):
    """What a key is, in the words of the contract (``CertificateKeyPairKeyTypeEnum``)."""

    RSA = "rsa"
    EC = "ec"
    DSA = "dsa"
    ED25519 = "ed25519"
    ED448 = "ed448"


class NewKey(StrEnum):
    """What kinds of key we make, in the words of the contract (``AlgEnum`` of ``generate/``)."""

    RSA = "rsa"
    ECDSA = "ecdsa"
    ED25519 = "ed25519"
    ED448 = "ed448"


def load_private_key(pem: str | bytes, *, checked: bool = True) -> PrivateKey:
    """The private key in ``pem`` (PKCS #8, or OpenSSL's older forms), without passphrase.

    :param checked: test that the numbers of an RSA key belong together. Leave it out only for a key that was tested
        when it was stored.
    :raises BadKeyError: too long, not a private key, encrypted, of a kind we do not know, or outside the limits.
    """
    raw = _pem(pem)
    if b"ENCRYPTED" in raw:
        raise BadKeyError("The private key is protected by a passphrase. Remove it, for example with 'openssl pkey'.")
    with _readable("The text is not a private key in PEM form."):
        # First without the slow test: a key of a million bits must be refused by its length, not by waiting.
        key = serialization.load_pem_private_key(raw, None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, _PRIVATE):
        raise BadKeyError("The private key is of a kind that does not sign: use RSA, EC, Ed25519 or Ed448.")
    check_limits(key.public_key())
    if checked and isinstance(key, rsa.RSAPrivateKey):
        with _readable("The numbers of the RSA private key do not belong together."):
            serialization.load_pem_private_key(raw, None)
    return key


def load_public_key(pem: str | bytes) -> PublicKey:
    """The public key in ``pem`` (SubjectPublicKeyInfo or PKCS #1).

    :raises BadKeyError: too long, not a public key, of a kind we do not know, or outside the limits.
    """
    raw = _pem(pem)
    with _readable("The text is not a public key in PEM form."):
        key = serialization.load_pem_public_key(raw)
    return _known(key)


def load_certificate(pem: str | bytes) -> "x509.Certificate":
    """The first certificate in ``pem``: the subject's own.

    :raises BadKeyError: as :func:`load_chain`.
    """
    return load_chain(pem)[0]


def load_chain(pem: str | bytes) -> "tuple[x509.Certificate, ...]":
    """The certificates in ``pem``, the subject's own first.

    :raises BadKeyError: too long, no certificate, too many, or a key in one is of a kind we do not know or outside the
        limits.
    """
    from cryptography import x509  # noqa: PLC0415 - it loads slowly, and nobody who signs in waits for a certificate

    raw = _pem(pem)
    with _readable("The text is not a certificate in PEM form.", x509.InvalidVersion):
        chain = tuple(x509.load_pem_x509_certificates(raw))
    if len(chain) > MAX_CHAIN:
        raise BadKeyError(f"The text holds more than {MAX_CHAIN} certificates.")
    for certificate in chain:
        certified_key(certificate)
    return chain


def certified_key(certificate: "x509.Certificate") -> PublicKey:
    """The public key that ``certificate`` speaks for.

    :raises BadKeyError: it is of a kind we do not know, or outside the limits.
    """
    with _readable("The certificate's public key cannot be read."):
        key = certificate.public_key()
    return _known(key)


def check_match(key: PrivateKey, certificate: "x509.Certificate") -> None:
    """Refuse a certificate that speaks for another key.

    :raises BadKeyError: the certificate's public key is not that of ``key``.
    """
    if certified_key(certificate) != key.public_key():
        raise BadKeyError("The private key does not belong to the certificate.")


def check_limits(key: PublicKey) -> None:
    """Refuse a key that is too weak to trust or so long that using it is an attack.

    :raises BadKeyError: with the limit.
    """
    if isinstance(key, rsa.RSAPublicKey | dsa.DSAPublicKey) and not MIN_BITS <= key.key_size <= MAX_BITS:
        raise BadKeyError(f"The key has {key.key_size} bits; {MIN_BITS} to {MAX_BITS} are accepted.")
    if isinstance(key, rsa.RSAPublicKey) and key.public_numbers().e.bit_length() > _MAX_EXPONENT_BITS:
        raise BadKeyError(f"The key's public exponent has more than {_MAX_EXPONENT_BITS} bits.")
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.key_size < MIN_CURVE_BITS:
        raise BadKeyError(f"The key's curve has {key.curve.key_size} bits; at least {MIN_CURVE_BITS} are accepted.")


def generate(kind: NewKey, *, rsa_bits: int = NEW_RSA_BITS) -> PrivateKey:
    """A new private key. ``ecdsa`` means P-256.

    :param rsa_bits: length of the modulus, for RSA only.
    :raises BadKeyError: ``rsa_bits`` is outside the limits.
    """
    match kind:
        case NewKey.RSA:
            if not MIN_BITS <= rsa_bits <= MAX_BITS:
                raise BadKeyError(f"An RSA key has {MIN_BITS} to {MAX_BITS} bits.")
            return rsa.generate_private_key(public_exponent=65537, key_size=rsa_bits)
        case NewKey.ECDSA:
            return ec.generate_private_key(ec.SECP256R1())
        case NewKey.ED25519:
            return ed25519.Ed25519PrivateKey.generate()
        case NewKey.ED448:
            return ed448.Ed448PrivateKey.generate()


def private_pem(key: PrivateKey) -> str:
    """``key`` as unencrypted PKCS #8 in PEM form. Whoever holds this text is us."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode("ascii")


def public_pem(key: PublicKey) -> str:
    """``key`` as SubjectPublicKeyInfo in PEM form."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def key_type(key: PrivateKey | PublicKey) -> KeyType:
    """What ``key`` is."""
    match key:
        case rsa.RSAPrivateKey() | rsa.RSAPublicKey():
            return KeyType.RSA
        case ec.EllipticCurvePrivateKey() | ec.EllipticCurvePublicKey():
            return KeyType.EC
        case dsa.DSAPrivateKey() | dsa.DSAPublicKey():
            return KeyType.DSA
        case ed25519.Ed25519PrivateKey() | ed25519.Ed25519PublicKey():
            return KeyType.ED25519
        case ed448.Ed448PrivateKey() | ed448.Ed448PublicKey():
            return KeyType.ED448


def algorithm(key: PrivateKey | PublicKey) -> str:
    """The JWS algorithm that ``key`` signs with unless told otherwise (RFC 7518 §3.1, RFC 8037 §3.1).

    :raises BadKeyError: none is defined for it (DSA, other curves than P-256, P-384 and P-521).
    """
    match key_type(key):
        case KeyType.RSA:
            return "RS256"
        case KeyType.ED25519 | KeyType.ED448:
            return "EdDSA"
        case _:
            name = ""
            if isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
                name = _EC_ALGORITHMS.get(key.curve.name, "")
            if not name:
                raise BadKeyError("Tokens are signed with RSA, P-256, P-384, P-521, Ed25519 or Ed448 keys.")
            return name


def _known(key: object) -> PublicKey:
    if not isinstance(key, _PUBLIC):
        raise BadKeyError("The public key is of a kind that does not sign: use RSA, EC, Ed25519 or Ed448.")
    check_limits(key)
    return key


def _pem(text: str | bytes) -> bytes:
    if len(text) > MAX_PEM:
        raise BadKeyError(f"The text is longer than {MAX_PEM} bytes.")
    try:
        return text.encode("ascii") if isinstance(text, str) else text
    except UnicodeEncodeError:
        raise BadKeyError("The text is not in PEM form: it has characters outside ASCII.") from None


@contextlib.contextmanager
def _readable(otherwise: str, *more: type[Exception]) -> Iterator[None]:
    """Whatever the parser says about broken input becomes one sentence: its own words may quote the input."""
    # InternalError is what OpenSSL's refusal of an Edwards key of the wrong length becomes.
    expected: tuple[type[Exception], ...] = (ValueError, TypeError, UnsupportedAlgorithm, InternalError, *more)
    try:
        yield
    except expected:
        raise BadKeyError(otherwise) from None
