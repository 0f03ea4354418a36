"""Signatures over XML of ours, as a foreign library checks them."""

import asyncio
from datetime import UTC, datetime
from functools import cache

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidDigest, InvalidSignature
from signxml.verifier import SignatureConfiguration, XMLVerifier

from keystead.base.errors import Kind, Problem
from keystead.base.secret import Secret
from keystead.trust import keys, x509, xmlsign
from keystead.trust.assertion_terms import DigestAlgorithmEnum as Digest
from keystead.trust.assertion_terms import SignatureAlgorithmEnum as Algorithm
from keystead.trust.keypair import CertificateKeyPair
from keystead.wire.xmlwrite import TYPE, Tag

AT = datetime(2026, 9, 1, tzinfo=UTC)
ROOT = Tag(
    "md:EntityDescriptor",
    {"ID": "_1", "entityID": 'urn:"<&>\tü'},
    (
        Tag("md:RoleDescriptor", {TYPE: "fed:SecurityTokenServiceType"}, (Tag("fed:TokenTypesOffered"),)),
        Tag("md:NameIDFormat", {}, ("a & b > c\r\n",)),
    ),
)


@cache
def pair(name: str) -> CertificateKeyPair:
    curves = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1()}
    made: keys.PrivateKey
    if name in curves:
        made = ec.generate_private_key(curves[name])
    else:
        made = keys.generate(keys.NewKey.ED25519 if name == "ed25519" else keys.NewKey.RSA)
    certificate = x509.self_signed(made, common_name="c", organization="o", validity_days=9, now=AT)
    return CertificateKeyPair(
        pk="4f7f4df2-6a23-4b65-8d1b-0b2a0b0a0c0d",
        name=name,
        certificate_data=certificate.public_bytes(serialization.Encoding.PEM).decode(),
        key_data=Secret(keys.private_pem(made)),
    )


def check(text: str, key: str, method: SignatureMethod, digest: DigestAlgorithm) -> bytes:
    """What the foreign library says was signed."""
    expected = SignatureConfiguration(
        signature_methods=frozenset({method}),
        digest_algorithms=frozenset({digest}),
        location="./",
        verification_time=AT,
    )
    found = XMLVerifier().verify(
        text.encode(), x509_cert=pair(key).certificate_data, id_attribute="ID", expect_config=expected
    )
    assert not isinstance(found, list)
    return bytes(found.signed_data)


@pytest.mark.parametrize(
    ("key", "digest", "algorithm", "method", "hashed"),
    [
        ("rsa", Digest.SHA256, Algorithm.RSA_SHA256, SignatureMethod.RSA_SHA256, DigestAlgorithm.SHA256),
        ("rsa", Digest.SHA384, Algorithm.RSA_SHA512, SignatureMethod.RSA_SHA512, DigestAlgorithm.SHA384),
        ("rsa", Digest.SHA512, Algorithm.RSA_SHA384, SignatureMethod.RSA_SHA384, DigestAlgorithm.SHA512),
        ("rsa", Digest.SHA1, Algorithm.RSA_SHA1, SignatureMethod.RSA_SHA256, DigestAlgorithm.SHA256),
        ("rsa", Digest.SHA256, Algorithm.ECDSA_SHA512, SignatureMethod.RSA_SHA512, DigestAlgorithm.SHA256),
        ("p256", Digest.SHA256, Algorithm.RSA_SHA256, SignatureMethod.ECDSA_SHA256, DigestAlgorithm.SHA256),
        ("p384", Digest.SHA256, Algorithm.ECDSA_SHA256, SignatureMethod.ECDSA_SHA256, DigestAlgorithm.SHA256),
        ("p521", Digest.SHA512, Algorithm.ECDSA_SHA512, SignatureMethod.ECDSA_SHA512, DigestAlgorithm.SHA512),
        ("p256", Digest.SHA1, Algorithm.DSA_SHA1, SignatureMethod.ECDSA_SHA256, DigestAlgorithm.SHA256),
    ],
)
async def test_who_has_the_certificate_can_check_it(
    key: str, digest: Digest, algorithm: Algorithm, method: SignatureMethod, hashed: DigestAlgorithm
) -> None:
    for _ in range(4):  # numbers of an EC signature are sometimes short
        text = await xmlsign.signed(ROOT, pair(key), digest, algorithm)
        said = check(text, key, method, hashed)
        assert b'entityID="urn:&quot;&lt;&amp;>&#x9;' in said
        assert b"<ds:Signature" not in said


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ü", "u"),
        ("a &amp; b", "a &amp; c"),
        ("fed:TokenTypesOffered", "fed:TokenTypesOffer"),
        ('fed="http://docs.oasis-open.org/wsfed/federation/200706" xmlns:xsi', 'fed="urn:other" xmlns:xsi'),
        ("<md:NameIDFormat>", "<md:NameIDFormat><md:Extensions/>"),
        ("#sha256", "#sha512"),
        ("<ds:SignatureValue>", "<ds:SignatureValue>AAAA"),
    ],
)
async def test_whatever_is_altered_breaks_it(old: str, new: str) -> None:
    text = await xmlsign.signed(ROOT, pair("rsa"), Digest.SHA256, Algorithm.RSA_SHA256)
    assert old in text
    check(text, "rsa", SignatureMethod.RSA_SHA256, DigestAlgorithm.SHA256)
    with pytest.raises((InvalidDigest, InvalidSignature)):
        check(text.replace(old, new), "rsa", SignatureMethod.RSA_SHA256, DigestAlgorithm.SHA256)
    with pytest.raises((InvalidDigest, InvalidSignature)):
        check(text, "another", SignatureMethod.RSA_SHA256, DigestAlgorithm.SHA256)


async def test_keys_that_nobody_checks_with_do_not_sign() -> None:
    with pytest.raises(keys.BadKeyError, match="RSA and EC"):
        await xmlsign.signed(ROOT, pair("ed25519"), Digest.SHA256, Algorithm.RSA_SHA256)


async def test_who_comes_when_too_many_wait_is_told_so() -> None:
    def ask() -> list[asyncio.Task[str]]:
        given = (ROOT, pair("rsa"), Digest.SHA256, Algorithm.RSA_SHA256)
        return [asyncio.create_task(xmlsign.signed(*given)) for _ in range(10 * xmlsign.MAX_WAITING)]

    got = await asyncio.gather(*ask(), return_exceptions=True)
    turned_away = [one for one in got if isinstance(one, Problem)]
    assert {(one.kind, one.retry_after) for one in turned_away} == {(Kind.BUSY, 1)}
    assert len([one for one in got if isinstance(one, str)]) == len(got) - len(turned_away) >= xmlsign.MAX_WAITING
    check(
        await xmlsign.signed(ROOT, pair("rsa"), Digest.SHA256, Algorithm.RSA_SHA256),
        "rsa",
        SignatureMethod.RSA_SHA256,
        DigestAlgorithm.SHA256,
    )
