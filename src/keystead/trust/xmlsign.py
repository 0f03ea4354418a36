"""Signing XML of our own with a key pair (XML Signature 1.1 §6.4, RFC 9231).

How is signed depends on the key: the length of the hash is the administrator's choice. SHA-1 is never used.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from keystead.base.errors import Kind, Problem
from keystead.trust import keys
from keystead.trust.algorithms import plain_ecdsa
from keystead.trust.assertion_terms import DigestAlgorithmEnum, SignatureAlgorithmEnum
from keystead.trust.keypair import CertificateKeyPair
from keystead.wire import xmldsig
from keystead.wire.xmlwrite import Tag

MAX_WAITING: Final = 32
"""Documents that may be signed or wait for it at once in one process."""

_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
# One thread, that strangers who ask for documents under ever new names of ours get one core at most.
_thread: Final = ThreadPoolExecutor(1, thread_name_prefix="sign-xml")
_places: Final = threading.BoundedSemaphore(MAX_WAITING)


def certificate(pair: CertificateKeyPair) -> bytes:
    """The certificate of a pair as DER; of a chain the first, which is its own."""
    return keys.load_certificate(pair.certificate_data).public_bytes(Encoding.DER)


async def signed(
    root: Tag, pair: CertificateKeyPair, digest: DigestAlgorithmEnum, signature: SignatureAlgorithmEnum
) -> str:
    """``root`` with an enveloped signature.

    :param pair: with its private key.
    :param digest: the document is hashed so; with SHA-256 in place of SHA-1.
    :param signature: what it says of the hash counts (SHA-256 in place of SHA-1); the rest is as the key is.
    :raises keys.BadKeyError: the key is neither RSA nor EC; those who check such signatures know no others.
    :raises Problem: ``BUSY``, if :data:`MAX_WAITING` documents wait already.
    """
    if not _places.acquire(blocking=False):
        raise Problem(Kind.BUSY, "Too many documents wait to be signed. Try again in a moment.", retry_after=1)
    future = _thread.submit(_signed, root, pair, _hash(digest), _hash(signature))
    future.add_done_callback(lambda _: _places.release())
    return await asyncio.wrap_future(future)


def _hash(algorithm: str) -> str:
    """The hash that the end of an algorithm's address names."""
    return next((name for name in _HASHES if algorithm.endswith(name)), "sha256")


def _signed(root: Tag, pair: CertificateKeyPair, digest: str, name: str) -> str:
    key = keys.load_private_key(pair.key_data.reveal(), checked=False)  # it was checked when it was saved
    algorithm, sign = _signing(key, name)
    return xmldsig.signed(root, xmldsig.How(digest, algorithm, sign, certificate(pair)))


def _signing(key: keys.PrivateKey, name: str) -> tuple[str, Callable[[bytes], bytes]]:
    """The address of the algorithm, and what signs with it."""
    chosen = _HASHES[name]
    match key:
        case rsa.RSAPrivateKey():
            return f"{_MORE}rsa-{name}", lambda data: key.sign(data, padding.PKCS1v15(), chosen)
        case ec.EllipticCurvePrivateKey():
            return f"{_MORE}ecdsa-{name}", lambda data: plain_ecdsa(key, data, ec.ECDSA(chosen))
        case _:
            raise keys.BadKeyError("XML is signed with RSA and EC keys only; choose one of these.")
