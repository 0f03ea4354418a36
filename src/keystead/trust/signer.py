"""Signing tokens (RFC 7515): a key works with exactly one algorithm (RFC 8725 §3.1)."""

import asyncio
import hashlib
import os
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, Self

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from keystead.base.errors import Kind, Problem
from keystead.trust import keys
from keystead.trust.algorithms import EC, RSA, Sign, mac, plain_ecdsa, unfit
from keystead.wire import b64

MAX_WAITING: Final = 512
"""RSA signatures that may be under way or waiting at once in one process."""

INLINE: Final = 0.000_5
"""Seconds that a signature may hold up the event loop; a key that takes longer signs in a thread."""

_encode: Final = msgspec.json.Encoder().encode
_threads: Final = ThreadPoolExecutor(min(4, os.cpu_count() or 1), thread_name_prefix="sign")  # starts none until used
_places: Final = threading.BoundedSemaphore(MAX_WAITING)


class Signer:
    """One key, ready to sign: made by :meth:`from_key` or :meth:`from_secret`, once per key, and kept."""

    __slots__ = ("_digest", "_headers", "_in_thread", "_sign", "alg", "kid")

    def __init__(self, alg: str, kid: str, sign: Sign, digest: Sign, *, in_thread: bool) -> None:
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
        return cls("HS256", kid, mac(secret), _digest_of("HS256"), in_thread=False)

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


def _compact(signing_input: bytes, signature: bytes) -> str:
    return (signing_input + b"." + b64.encode_bytes(signature)).decode("ascii")


def _seconds(sign: Sign) -> float:
    """How long one signature takes here: the best of three, which others on the machine disturb least."""
    best = 1.0
    for _ in range(3):
        began = time.perf_counter()
        sign(b"how fast is this machine?")
        best = min(best, time.perf_counter() - began)
    return best


def _submit(sign: Sign, data: bytes) -> Future[bytes]:
    if not _places.acquire(blocking=False):
        raise Problem(Kind.BUSY, "Too many signatures are waiting. Try again in a moment.", retry_after=1)
    future = _threads.submit(sign, data)
    future.add_done_callback(lambda _: _places.release())
    return future


def _signing(key: keys.PrivateKey, alg: str) -> Sign:
    match key:
        case rsa.RSAPrivateKey() if alg in RSA:
            scheme, digest = RSA[alg]
            return lambda data: key.sign(data, scheme, digest)
        case ec.EllipticCurvePrivateKey() if alg == keys.algorithm(key):
            ecdsa = EC[alg]
            return lambda data: plain_ecdsa(key, data, ecdsa)
        case ed25519.Ed25519PrivateKey() if alg in ("EdDSA", "Ed25519"):
            return key.sign
        case ed448.Ed448PrivateKey() if alg in ("EdDSA", "Ed448"):
            return key.sign
        case _:
            raise unfit(alg)


def _digest_of(alg: str, key: keys.PrivateKey | None = None) -> Sign:
    if isinstance(key, ed448.Ed448PrivateKey):
        return lambda data: hashlib.shake_256(data).digest(114)  # RFC 8032 §5.2.6: the hash inside Ed448
    name = "sha512" if isinstance(key, ed25519.Ed25519PrivateKey) else f"sha{alg[2:]}"
    return lambda data: hashlib.new(name, data).digest()
