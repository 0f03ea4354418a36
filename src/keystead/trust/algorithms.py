"""The algorithms we sign with and verify, and what both sides of each share (RFC 7518, 8037, 9864)."""

import hmac
from collections.abc import Callable, Mapping
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from keystead.trust import keys

Sign = Callable[[bytes], bytes]
"""Data -> its signature."""
Verify = Callable[[bytes, bytes], object]
"""A signature and its data; raises ``InvalidSignature`` or ``ValueError`` where they do not belong together."""
ALGORITHMS: Final = (
    "HS256",
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
    "Ed448",
)
"""What we sign with and verify. ``none`` is no member and never will be."""
RSA: Final[Mapping[str, tuple[padding.AsymmetricPadding, hashes.HashAlgorithm]]] = {
    "RS256": (padding.PKCS1v15(), hashes.SHA256()),
    "RS384": (padding.PKCS1v15(), hashes.SHA384()),
    "RS512": (padding.PKCS1v15(), hashes.SHA512()),
    "PS256": (padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size), hashes.SHA256()),
}
EC: Final[Mapping[str, ec.ECDSA]] = {
    "ES256": ec.ECDSA(hashes.SHA256()),
    "ES384": ec.ECDSA(hashes.SHA384()),
    "ES512": ec.ECDSA(hashes.SHA512()),
}


def unfit(alg: str) -> keys.BadKeyError:
    """What to raise for a key that does not work with ``alg``."""
    return keys.BadKeyError(f"The key is not fit for {alg[:16]!r}.")


def plain_ecdsa(key: ec.EllipticCurvePrivateKey, data: bytes, scheme: ec.ECDSA) -> bytes:
    """A signature as its two numbers, each as long as the curve's order (RFC 7518 §3.4; RFC 9231 §2.3.6 for XML)."""
    size = (key.key_size + 7) // 8
    r, s = decode_dss_signature(key.sign(data, scheme))
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def mac(secret: bytes) -> Sign:
    """What signs with HS256.

    :raises keys.BadKeyError: the secret is blank.
    """
    if not secret.strip():
        raise keys.BadKeyError("An empty secret signs nothing.")
    return lambda data: hmac.digest(secret, data, "sha256")
