"""Verifying tokens with keys of our own choosing (RFC 7515, 8725).

A key works with exactly one algorithm (RFC 8725 §3.1). What a token's header says chooses among the keys we hold and
never brings one; an algorithm that is not that key's own, or not on the caller's list, is refused.
"""

import hmac
from collections.abc import Collection, Mapping
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from keystead.trust import keys
from keystead.trust.algorithms import EC, RSA, Verify, mac, unfit
from keystead.wire import jsonstrict, jws
from keystead.wire.jws import JoseError
from keystead.wire.jwt import check_times

__all__ = ["Verifier", "VerifyingKey", "check_times"]


class VerifyingKey:
    """One key, ready to verify: made by :meth:`from_key` or :meth:`from_secret`, once per key, and kept."""

    __slots__ = ("_verify", "alg")

    def __init__(self, alg: str, verify: Verify) -> None:
        self.alg: Final = alg
        self._verify: Final = verify

    @classmethod
    def from_key(cls, key: keys.PublicKey, *, alg: str | None = None) -> Self:
        """The key of a pair, for its own algorithm unless said otherwise.

        :raises keys.BadKeyError: it is fit for no algorithm, or not for ``alg``.
        """
        alg = alg or keys.algorithm(key)
        return cls(alg, _verifying(key, alg))

    @classmethod
    def from_secret(cls, secret: bytes) -> Self:
        """A shared secret, for HS256.

        :raises keys.BadKeyError: the secret is blank.
        """
        digest = mac(secret)

        def verify(signature: bytes, data: bytes) -> None:
            if not hmac.compare_digest(digest(data), signature):
                raise InvalidSignature

        return cls("HS256", verify)

    def check(self, signature: bytes, data: bytes) -> None:
        """Refuse a signature that this key did not make over ``data``.

        :raises JoseError: it does not match.
        """
        try:
            self._verify(signature, data)
        except (InvalidSignature, ValueError):
            raise JoseError("The token's signature does not match.") from None


class Verifier:
    """Verifies tokens with the keys it was given and no others.

    :param by_kid: key by name. A token without ``kid`` is verified by the key under "", if there is one.
    """

    __slots__ = ("_by_kid",)

    def __init__(self, by_kid: Mapping[str, VerifyingKey]) -> None:
        self._by_kid = by_kid

    def verify(
        self,
        token: str | bytes,
        *,
        algs: Collection[str],
        expected_typ: str | None = None,
        max_bytes: int = jws.MAX_TOKEN,
    ) -> dict[str, object]:
        """The claims of ``token``. Times and audience are the caller's to check (:func:`check_times`).

        :param algs: the algorithms accepted here.
        :param expected_typ: the header's ``typ`` must be this (RFC 8725 §3.11); None accepts any.
        :param max_bytes: longer tokens are refused unread.
        :raises JoseError: malformed, not accepted, by an unknown key, with a wrong signature, or its payload is not a
            JSON object.
        """
        unverified = jws.parse(token, max_bytes=max_bytes)
        key = self._by_kid.get(unverified.kid)
        if key is None:
            raise JoseError("The token names no key that is known here.")
        if unverified.alg != key.alg or key.alg not in algs:
            raise JoseError("The token's algorithm is not accepted here.")
        if expected_typ is not None and unverified.typ != jws.media_type(expected_typ):
            raise JoseError("The token is of another type than is expected here.")
        key.check(unverified.signature, unverified.signing_input)
        try:
            return jsonstrict.decode_object(unverified.payload)
        except ValueError:
            raise JoseError("The token's payload is not a JSON object with unique names.") from None


def _verifying(key: keys.PublicKey, alg: str) -> Verify:
    match key:
        case rsa.RSAPublicKey() if alg in RSA:
            scheme, digest = RSA[alg]
            return lambda signature, data: key.verify(signature, data, scheme, digest)
        case ec.EllipticCurvePublicKey() if alg == keys.algorithm(key):
            ecdsa, size = EC[alg], (key.key_size + 7) // 8

            def verify(signature: bytes, data: bytes) -> None:
                # RFC 7518 §3.4: two numbers of fixed length; any other length is no signature.
                if len(signature) != 2 * size:
                    raise InvalidSignature
                r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
                key.verify(encode_dss_signature(r, s), data, ecdsa)

            return verify
        case ed25519.Ed25519PublicKey() if alg in ("EdDSA", "Ed25519"):
            return key.verify
        case ed448.Ed448PublicKey() if alg in ("EdDSA", "Ed448"):
            return key.verify
        case _:
            raise unfit(alg)
