"""Signing tokens, and verifying them with keys of our own choosing (RFC 7515, 7518, 8037, 8725, 9864).

A key works with exactly one algorithm (RFC 8725 §3.1). What a token's header says chooses among the keys we hold and
never brings one; an algorithm that is not that key's own, or not on the caller's list, is refused.
"""

import asyncio
import hashlib
import hmac
import os
import threading
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, NoReturn, Self

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from keystead.base.errors import Kind, Problem
from keystead.trust import keys
from keystead.wire import b64, jsonstrict, jws
from keystead.wire.jws import JoseError
from keystead.wire.jwt import check_times

__all__ = ["ALGORITHMS", "MAX_WAITING", "Signer", "Verifier", "VerifyingKey", "check_times"]

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
MAX_WAITING: Final = 512
"""RSA signatures that may be under way or waiting at once in one process."""

INLINE: Final = 0.000_5
"""Seconds that a signature may hold up the event loop; a key that takes longer signs in a thread."""

_RSA: Final[Mapping[str, tuple[padding.AsymmetricPadding, hashes.HashAlgorithm]]] = {
    "RS256": (padding.PKCS1v15(), hashes.SHA256()),
    "RS384": (padding.PKCS1v15(), hashes.SHA384()),
    "RS512": (padding.PKCS1v15(), hashes.SHA512()),
    "PS256": (padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size), hashes.SHA256()),
}
_EC: Final[Mapping[str, ec.ECDSA]] = {
    "ES256": ec.ECDSA(hashes.SHA256()),
    "ES384": ec.ECDSA(hashes.SHA384()),
    "ES512": ec.ECDSA(hashes.SHA512()),
}
_encode: Final = msgspec.json.Encoder().encode
_threads: Final = ThreadPoolExecutor(min(4, os.cpu_count() or 1), thread_name_prefix="sign")  # starts none until used
_places: Final = threading.BoundedSemaphore(MAX_WAITING)

_Sign = Callable[[bytes], bytes]
_Verify = Callable[[bytes, bytes], object]


class Signer:
    """One key, ready to sign: made by :meth:`from_key` or :meth:`from_secret`, once per key, and kept."""

    __slots__ = ("_digest", "_headers", "_in_thread", "_sign", "alg", "kid")

    def __init__(self, alg: str, kid: str, sign: _Sign, digest: _Sign, *, in_thread: bool) -> None:
        self.alg: Final = alg
        self.kid: Final = kid
        self._sign: Final = sign
        self._digest: Final = digest
        self._in_thread: Final = in_thread
        self._headers: Final[dict[str, bytes]] = {}

    @classmethod
    def from_key(cls, key: keys.PrivateKey, *, kid: str, alg: str | None = None) -> Self:
        """A signer for a key pair.

        :param kid: the name under which the key is published.
        :param alg: one of :data:`ALGORITHMS` that the key is fit for; its own unless said otherwise.
        :raises keys.BadKeyError: it is fit for none, or not for ``alg``.
        """
        alg = alg or keys.algorithm(key)
        sign = _signing(key, alg)
        in_thread = isinstance(key, rsa.RSAPrivateKey) and _seconds(sign) > INLINE
        return cls(alg, kid, sign, _digest_of(alg, key), in_thread=in_thread)

    @classmethod
    def from_secret(cls, secret: bytes, *, kid: str = "") -> Self:
        """A signer with HS256 for a secret that the recipient knows too.

        :raises keys.BadKeyError: the secret is blank.
        """
        return cls("HS256", kid, _mac(secret), _digest_of("HS256"), in_thread=False)

    def sign(self, claims: Mapping[str, object] | bytes, *, typ: str = "JWT") -> str:
        """``claims`` as a signed token in compact form. RSA takes a millisecond or more: see :meth:`sign_async`.

        :param claims: the claims, or bytes that are their JSON already.
        :param typ: the header's ``typ``; "" for none. Few values, all ours: each one's header is kept.
        """
        signing_input = self._signing_input(claims, typ)
        return _compact(signing_input, self._sign(signing_input))

    async def sign_async(self, claims: Mapping[str, object] | bytes, *, typ: str = "JWT") -> str:
        """:meth:`sign`, with slow RSA in one of few threads so that the event loop goes on.

        A signature that this machine makes faster than :data:`INLINE` is made at once: handing it to a thread and back
        costs a fifth of a millisecond, which is more than the loop loses.

        :raises Problem: ``BUSY``, if :data:`MAX_WAITING` signatures wait already.
        """
        signing_input = self._signing_input(claims, typ)
        if self._in_thread:
            signature = await asyncio.wrap_future(_submit(self._sign, signing_input))
        else:
            signature = self._sign(signing_input)
        return _compact(signing_input, signature)

    def half_hash(self, value: str) -> str:
        """The left half of the hash of ``value``, base64url: ``at_hash`` and ``c_hash`` (OIDC Core §3.1.3.6)."""
        digest = self._digest(value.encode())
        return b64.encode(digest[: len(digest) // 2])

    def _signing_input(self, claims: Mapping[str, object] | bytes, typ: str) -> bytes:
        header = self._headers.get(typ) or self._header(typ)
        return header + b64.encode_bytes(claims if isinstance(claims, bytes) else _encode(claims))

    def _header(self, typ: str) -> bytes:
        members = {"alg": self.alg, "kid": self.kid, "typ": typ}
        header = b64.encode_bytes(_encode({name: value for name, value in members.items() if value})) + b"."
        self._headers[typ] = header
        return header


class VerifyingKey:
    """One key, ready to verify: made by :meth:`from_key` or :meth:`from_secret`, once per key, and kept."""

    __slots__ = ("_verify", "alg")

    def __init__(self, alg: str, verify: _Verify) -> None:
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
        mac = _mac(secret)

        def verify(signature: bytes, data: bytes) -> None:
            if not hmac.compare_digest(mac(data), signature):
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


def _compact(signing_input: bytes, signature: bytes) -> str:
    return (signing_input + b"." + b64.encode_bytes(signature)).decode("ascii")


def _seconds(sign: _Sign) -> float:
    """How long one signature takes here: the best of three, which others on the machine disturb least."""
    best = 1.0
    for _ in range(3):
        began = time.perf_counter()
        sign(b"how fast is this machine?")
        best = min(best, time.perf_counter() - began)
    return best


def _submit(sign: _Sign, data: bytes) -> Future[bytes]:
    if not _places.acquire(blocking=False):
        raise Problem(Kind.BUSY, "Too many signatures are waiting. Try again in a moment.", retry_after=1)
    future = _threads.submit(sign, data)
    future.add_done_callback(lambda _: _places.release())
    return future


def _unfit(alg: str) -> NoReturn:
    raise keys.BadKeyError(f"The key is not fit for {alg[:16]!r}.")


def plain_ecdsa(key: ec.EllipticCurvePrivateKey, data: bytes, scheme: ec.ECDSA) -> bytes:
    """A signature as its two numbers, each as long as the curve's order (RFC 7518 §3.4; RFC 9231 §2.3.6 for XML)."""
    size = (key.key_size + 7) // 8
    r, s = decode_dss_signature(key.sign(data, scheme))
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def _signing(key: keys.PrivateKey, alg: str) -> _Sign:
    match key:
        case rsa.RSAPrivateKey() if alg in _RSA:
            scheme, digest = _RSA[alg]
            return lambda data: key.sign(data, scheme, digest)
        case ec.EllipticCurvePrivateKey() if alg == keys.algorithm(key):
            ecdsa = _EC[alg]
            return lambda data: plain_ecdsa(key, data, ecdsa)
        case ed25519.Ed25519PrivateKey() if alg in ("EdDSA", "Ed25519"):
            return key.sign
        case ed448.Ed448PrivateKey() if alg in ("EdDSA", "Ed448"):
            return key.sign
        case _:
            _unfit(alg)


def _verifying(key: keys.PublicKey, alg: str) -> _Verify:
    match key:
        case rsa.RSAPublicKey() if alg in _RSA:
            scheme, digest = _RSA[alg]
            return lambda signature, data: key.verify(signature, data, scheme, digest)
        case ec.EllipticCurvePublicKey() if alg == keys.algorithm(key):
            ecdsa, size = _EC[alg], (key.key_size + 7) // 8

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
            _unfit(alg)


def _mac(secret: bytes) -> _Sign:
    if not secret.strip():
        raise keys.BadKeyError("An empty secret signs nothing.")
    return lambda data: hmac.digest(secret, data, "sha256")


def _digest_of(alg: str, key: keys.PrivateKey | None = None) -> _Sign:
    if isinstance(key, ed448.Ed448PrivateKey):
        return lambda data: hashlib.shake_256(data).digest(114)  # RFC 8032 §5.2.6: the hash inside Ed448
    name = "sha512" if isinstance(key, ed25519.Ed25519PrivateKey) else f"sha{alg[2:]}"
    return lambda data: hashlib.new(name, data).digest()
