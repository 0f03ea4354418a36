import base64
from datetime import datetime

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519
from hypothesis import given, settings
from hypothesis import strategies as st

from keystead.trust import keys, x509
from keystead.trust.keys import BadKeyError, KeyType, NewKey

PEM = serialization.Encoding.PEM
PKCS8 = serialization.PrivateFormat.PKCS8
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
CLEAR = serialization.NoEncryption()

EC_PEM = keys.private_pem(keys.generate(NewKey.ECDSA)).encode()
EC_PUBLIC_PEM = keys.public_pem(keys.load_private_key(EC_PEM).public_key()).encode()


@pytest.mark.parametrize(
    ("kind", "key_type", "algorithm"),
    [
        (NewKey.RSA, KeyType.RSA, "RS256"),
        (NewKey.ECDSA, KeyType.EC, "ES256"),
        (NewKey.ED25519, KeyType.ED25519, "EdDSA"),
        (NewKey.ED448, KeyType.ED448, "EdDSA"),
    ],
)
def test_what_is_made_can_be_written_and_read(kind: NewKey, key_type: KeyType, algorithm: str) -> None:
    key = keys.generate(kind)
    read = keys.load_private_key(keys.private_pem(key))
    public = keys.load_public_key(keys.public_pem(key.public_key()))
    assert read.public_key() == public == key.public_key()
    assert keys.key_type(read) is keys.key_type(public) is key_type
    assert keys.algorithm(read) == keys.algorithm(public) == algorithm


def test_two_keys_made_are_different() -> None:
    assert keys.generate(NewKey.ED25519).public_key() != keys.generate(NewKey.ED25519).public_key()


@pytest.mark.parametrize(("curve", "algorithm"), [(ec.SECP384R1(), "ES384"), (ec.SECP521R1(), "ES512")])
def test_larger_curves_have_their_own_algorithm(curve: ec.EllipticCurve, algorithm: str) -> None:
    assert keys.algorithm(ec.generate_private_key(curve)) == algorithm


def test_older_forms_are_read(ec_key: keys.PrivateKey, rsa_key: rsa.RSAPrivateKey) -> None:
    for key in (ec_key, rsa_key):
        pem = key.private_bytes(PEM, serialization.PrivateFormat.TraditionalOpenSSL, CLEAR)
        assert keys.load_private_key(pem).public_key() == key.public_key()
    pkcs1 = rsa_key.public_key().public_bytes(PEM, serialization.PublicFormat.PKCS1)
    assert keys.load_public_key(pkcs1) == rsa_key.public_key()


def test_dsa_is_known_but_signs_no_tokens() -> None:
    key = dsa.generate_private_key(2048)
    read = keys.load_private_key(key.private_bytes(PEM, PKCS8, CLEAR))
    assert keys.key_type(read) is KeyType.DSA
    with pytest.raises(BadKeyError, match="Tokens are signed with"):
        keys.algorithm(read)


def test_a_curve_without_algorithm_signs_no_tokens() -> None:
    with pytest.raises(BadKeyError, match="Tokens are signed with"):
        keys.algorithm(ec.generate_private_key(ec.BrainpoolP256R1()))


def test_short_rsa_keys_are_refused_in_every_form(now: datetime) -> None:
    short = rsa.generate_private_key(65537, 1024)  # noqa: S505 - to see it refused
    certificate = x509.self_signed(short, common_name="a", organization="b", validity_days=1, now=now)
    for load, pem in (
        (keys.load_private_key, short.private_bytes(PEM, PKCS8, CLEAR)),
        (keys.load_public_key, short.public_key().public_bytes(PEM, SPKI)),
        (keys.load_certificate, certificate.public_bytes(PEM)),
    ):
        with pytest.raises(BadKeyError, match="1024 bits; 2048 to 8192"):
            load(pem)
    with pytest.raises(BadKeyError, match="2048 to 8192"):
        keys.generate(NewKey.RSA, rsa_bits=1024)


def test_overlong_rsa_keys_are_refused() -> None:
    modulus = (1 << 8199) | 1
    pem = rsa.RSAPublicNumbers(65537, modulus).public_key().public_bytes(PEM, SPKI)
    with pytest.raises(BadKeyError, match="8200 bits"):
        keys.load_public_key(pem)


def test_an_overlong_exponent_is_refused(rsa_key: rsa.RSAPrivateKey) -> None:
    modulus = rsa_key.public_key().public_numbers().n
    pem = rsa.RSAPublicNumbers((1 << 32) | 1, modulus).public_key().public_bytes(PEM, SPKI)
    with pytest.raises(BadKeyError, match="exponent"):
        keys.load_public_key(pem)


def test_small_curves_are_refused() -> None:
    key = ec.generate_private_key(ec.SECP224R1())
    with pytest.raises(BadKeyError, match="224 bits"):
        keys.load_private_key(key.private_bytes(PEM, PKCS8, CLEAR))


def test_keys_that_do_not_sign_are_refused() -> None:
    key = x25519.X25519PrivateKey.generate()
    with pytest.raises(BadKeyError, match="does not sign"):
        keys.load_private_key(key.private_bytes(PEM, PKCS8, CLEAR))
    with pytest.raises(BadKeyError, match="does not sign"):
        keys.load_public_key(key.public_key().public_bytes(PEM, SPKI))


@pytest.mark.parametrize("form", [PKCS8, serialization.PrivateFormat.TraditionalOpenSSL])
def test_a_key_with_passphrase_is_refused_and_says_why(
    form: serialization.PrivateFormat, ec_key: keys.PrivateKey
) -> None:
    pem = ec_key.private_bytes(PEM, form, serialization.BestAvailableEncryption(b"x"))
    with pytest.raises(BadKeyError, match="passphrase"):
        keys.load_private_key(pem)


def test_an_rsa_key_whose_numbers_do_not_belong_together_is_refused(rsa_key: rsa.RSAPrivateKey) -> None:
    numbers = rsa_key.private_numbers()
    broken = rsa.RSAPrivateNumbers(
        numbers.p, numbers.q, numbers.d + 2, numbers.dmp1, numbers.dmq1, numbers.iqmp, numbers.public_numbers
    ).private_key(unsafe_skip_rsa_key_validation=True)
    with pytest.raises(BadKeyError, match="belong together"):
        keys.load_private_key(broken.private_bytes(PEM, PKCS8, CLEAR))


def test_a_key_belongs_to_its_certificate_only(any_key: keys.PrivateKey, now: datetime) -> None:
    certificate = x509.self_signed(any_key, common_name="a", organization="b", validity_days=1, now=now)
    keys.check_match(any_key, certificate)
    for other in (keys.generate(NewKey.ECDSA), keys.generate(NewKey.ED25519)):
        with pytest.raises(BadKeyError, match="does not belong"):
            keys.check_match(other, certificate)


def test_a_chain_is_read_in_order(ec_key: keys.PrivateKey, now: datetime) -> None:
    chain = [
        x509.self_signed(ec_key, common_name=name, organization="b", validity_days=1, now=now) for name in ("a", "b")
    ]
    pem = b"notes before\n" + b"".join(certificate.public_bytes(PEM) for certificate in chain)
    assert keys.load_chain(pem.decode()) == tuple(chain)
    assert keys.load_certificate(pem) == chain[0]
    with pytest.raises(BadKeyError, match="more than 16"):
        keys.load_chain(chain[0].public_bytes(PEM) * 17)


@pytest.mark.parametrize("load", [keys.load_private_key, keys.load_public_key, keys.load_certificate])
@pytest.mark.parametrize(
    ("pem", "reason"),
    [
        ("", "in PEM form"),
        ("hello", "in PEM form"),
        ("é", "outside ASCII"),
        ("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", "in PEM form"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "in PEM form"),
        (" " * 65_537, "longer than 65536"),
    ],
)
def test_other_texts_are_refused(load: object, pem: str, reason: str) -> None:
    with pytest.raises(BadKeyError, match=reason):
        load(pem)  # type: ignore[operator]  # the three have different results, and none is reached


def test_a_key_under_the_name_of_another_curve_is_refused() -> None:
    der = keys.generate(NewKey.ED25519).private_bytes(serialization.Encoding.DER, PKCS8, CLEAR)
    renamed = der.replace(b"\x2b\x65\x70", b"\x2b\x65\x71")  # the object identifier of Ed448, on 32 bytes
    pem = b"-----BEGIN PRIVATE KEY-----\n" + base64.encodebytes(renamed) + b"-----END PRIVATE KEY-----\n"
    with pytest.raises(BadKeyError, match="in PEM form"):
        keys.load_private_key(pem)


def flipped(pem: bytes, changes: list[tuple[int, int]]) -> bytes:
    """``pem`` with some bytes of its body replaced, still well-formed as PEM."""
    body = bytearray(pem)
    for place, value in changes:
        body[place % len(body)] = value
    return bytes(body)


changes = st.lists(st.tuples(st.integers(0, 5000), st.sampled_from(list(b"AZaz09+/=\n-"))), min_size=1, max_size=4)


@settings(max_examples=300)
@given(changes)
def test_a_damaged_key_raises_only_the_declared_error(places: list[tuple[int, int]]) -> None:
    for load, pem in ((keys.load_private_key, EC_PEM), (keys.load_public_key, EC_PUBLIC_PEM)):
        try:
            key = load(flipped(pem, places))
        except BadKeyError:
            continue
        assert isinstance(
            key,
            ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey,
        )


@given(st.binary(max_size=200))
def test_random_bytes_raise_only_the_declared_error(data: bytes) -> None:
    for load in (keys.load_private_key, keys.load_public_key, keys.load_certificate):
        with pytest.raises(BadKeyError):
            load(data)
