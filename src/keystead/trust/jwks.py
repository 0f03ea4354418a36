"""The public halves of our keys as others read them, and the public keys of others as we read them (RFC 7517)."""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from keystead.trust import keys
from keystead.wire import b64

if TYPE_CHECKING:
    from cryptography import x509

PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""Members that give a key away (RFC 7518 §6)."""

_THUMBPRINT: Final = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x")}
_CURVES: Final[Mapping[str, ec.EllipticCurve]] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
}
_CURVE_NAMES: Final = {curve.name: name for name, curve in _CURVES.items()}
_DER: Final = serialization.Encoding.DER


def public_jwk(
    key: keys.PublicKey,
    *,
    kid: str,
    chain: Sequence["x509.Certificate"] = (),
    use: str = "sig",
    alg: str | None = None,
) -> dict[str, object]:
    """``key`` as a JWK with the members of oauth2.md §2.

    :param kid: the name by which tokens refer to it.
    :param chain: certificates of the key, its own first (``x5c``, ``x5t``, ``x5t#S256``).
    :param use: ``sig`` or ``enc``.
    :param alg: what it is used with; for ``sig`` the key's own algorithm unless said otherwise.
    :raises keys.BadKeyError: JOSE has no form for it, or the first certificate speaks for another key.
    """
    jwk: dict[str, object] = {"kid": kid, "use": use, "alg": alg or keys.algorithm(key), **_numbers(key)}
    if chain:
        if keys.certified_key(chain[0]) != key:
            raise keys.BadKeyError("The certificate speaks for another key.")
        # RFC 7517 §4.7: this member alone is plain base64.
        jwk["x5c"] = [base64.b64encode(certificate.public_bytes(_DER)).decode("ascii") for certificate in chain]
        jwk["x5t"] = b64.encode(chain[0].fingerprint(hashes.SHA1()))  # noqa: S303 - RFC 7517 §4.8 wants SHA-1
        jwk["x5t#S256"] = b64.encode(chain[0].fingerprint(hashes.SHA256()))
    return jwk


def thumbprint(jwk: Mapping[str, object]) -> str:
    """The SHA-256 thumbprint of a public JWK, as base64url (RFC 7638 §3).

    :raises keys.BadKeyError: a member that the thumbprint covers is missing or not a text.
    """
    members = {name: jwk.get(name) for name in _THUMBPRINT.get(str(jwk.get("kty")), ("kty",))}
    if len(members) == 1 or not all(isinstance(value, str) for value in members.values()):
        raise keys.BadKeyError("The JWK lacks what a thumbprint covers.")
    return b64.encode(hashlib.sha256(msgspec.json.encode(members)).digest())


def jwks_document(jwks: Iterable[Mapping[str, object]]) -> bytes:
    """The key set to publish, as JSON. Make it once per change of keys, not per request.

    :raises ValueError: a key has a private member, or two have the same ``kid``.
    """
    published = list(jwks)
    if any(PRIVATE_MEMBERS & jwk.keys() for jwk in published):
        raise ValueError("a private key is not published")
    if len({jwk.get("kid") for jwk in published}) != len(published):
        raise ValueError("two published keys have the same kid")
    return msgspec.json.encode({"keys": published})


def load_jwk(jwk: Mapping[str, object]) -> keys.PublicKey:
    """The public key in a JWK that someone else published.

    :raises keys.BadKeyError: symmetric, private, of a kind or curve we do not know, malformed, or outside the limits.
    """
    if PRIVATE_MEMBERS & jwk.keys():
        raise keys.BadKeyError("The JWK is a private or symmetric key.")
    try:
        key = _load(jwk)
    except ValueError:
        raise keys.BadKeyError("The JWK is malformed or of a kind that is not known.") from None
    keys.check_limits(key)
    return key


def _load(jwk: Mapping[str, object]) -> keys.PublicKey:
    match jwk.get("kty"), jwk.get("crv"):
        case "RSA", _:
            return rsa.RSAPublicNumbers(_integer(jwk, "e"), _integer(jwk, "n")).public_key()
        case "EC", str(crv) if crv in _CURVES:
            curve = _CURVES[crv]
            size = (curve.key_size + 7) // 8
            point = b"\x04" + _octets(jwk, "x", size) + _octets(jwk, "y", size)
            return ec.EllipticCurvePublicKey.from_encoded_point(curve, point)
        case "OKP", "Ed25519":
            return ed25519.Ed25519PublicKey.from_public_bytes(_octets(jwk, "x", 32))
        case "OKP", "Ed448":
            return ed448.Ed448PublicKey.from_public_bytes(_octets(jwk, "x", 57))
        case _:
            raise ValueError("unknown kind of key")


def _integer(jwk: Mapping[str, object], name: str) -> int:
    value = jwk.get(name)
    # Far beyond the limits the number is not even built.
    if not isinstance(value, str) or len(value) > keys.MAX_BITS // 4:
        raise ValueError(name)
    return int.from_bytes(b64.decode(value), "big")


def _octets(jwk: Mapping[str, object], name: str, size: int) -> bytes:
    value = jwk.get(name)
    if not isinstance(value, str):
        raise ValueError(name)  # noqa: TRY004 - for the caller all malformed members are one
    octets = b64.decode(value)
    if len(octets) != size:
        raise ValueError(name)
    return octets


def _numbers(key: keys.PublicKey) -> dict[str, str]:
    match key:
        case rsa.RSAPublicKey():
            numbers = key.public_numbers()
            return {"kty": "RSA", "n": _b64_integer(numbers.n), "e": _b64_integer(numbers.e)}
        case ec.EllipticCurvePublicKey() if key.curve.name in _CURVE_NAMES:
            point = key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)[1:]
            half = len(point) // 2
            x, y = b64.encode(point[:half]), b64.encode(point[half:])
            return {"kty": "EC", "crv": _CURVE_NAMES[key.curve.name], "x": x, "y": y}
        case ed25519.Ed25519PublicKey():
            return {"kty": "OKP", "crv": "Ed25519", "x": b64.encode(key.public_bytes_raw())}
        case ed448.Ed448PublicKey():
            return {"kty": "OKP", "crv": "Ed448", "x": b64.encode(key.public_bytes_raw())}
        case _:
            raise keys.BadKeyError("JOSE has no form for this kind of key.")


def _b64_integer(number: int) -> str:
    # RFC 7518 §2, Base64urlUInt: as few octets as will do.
    return b64.encode(number.to_bytes((number.bit_length() + 7) // 8, "big"))
