import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from keystead.trust import jwks, keys, x509
from keystead.trust.keys import BadKeyError
from keystead.wire import b64
from tests.trust.support import private_key, vectors

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CASES = [case for case in vectors("rfc7515")["cases"] + vectors("rfc8037")["cases"] if case["jwk"]["kty"] != "oct"]
PUBLIC = frozenset(("kty", "crv", "n", "e", "x", "y"))
MEMBERS = {
    keys.NewKey.RSA: {"kty", "n", "e"},
    keys.NewKey.ECDSA: {"kty", "crv", "x", "y"},
    keys.NewKey.ED25519: {"kty", "crv", "x"},
    keys.NewKey.ED448: {"kty", "crv", "x"},
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["alg"])
def test_the_public_halves_of_the_rfcs_keys(case: dict[str, Any]) -> None:
    key = private_key(case["jwk"]).public_key()
    published = jwks.public_jwk(key, kid="k")
    theirs = {name: value for name, value in case["jwk"].items() if name in PUBLIC}
    assert published == {"kid": "k", "use": "sig", "alg": case["alg"], **theirs}
    assert jwks.load_jwk(published) == key


@pytest.mark.parametrize(
    ("jwk", "sha256"),
    [
        (vectors("rfc7638")["jwk"], vectors("rfc7638")["sha256"]),
        (vectors("rfc8037")["thumbprint"]["jwk"], vectors("rfc8037")["thumbprint"]["sha256"]),
    ],
    ids=["RFC 7638", "RFC 8037"],
)
def test_the_thumbprints_of_the_rfcs(jwk: dict[str, str], sha256: str) -> None:
    assert jwks.thumbprint(jwk) == sha256
    assert jwks.thumbprint(dict(reversed(jwk.items())) | {"use": "sig", "extra": "1"}) == sha256


@pytest.mark.parametrize(
    "jwk", [{}, {"kty": "RSA"}, {"kty": "oct", "k": "x"}, {"kty": "EC", "crv": 1, "x": "", "y": ""}]
)
def test_thumbprints_need_their_members(jwk: dict[str, object]) -> None:
    with pytest.raises(BadKeyError, match="thumbprint"):
        jwks.thumbprint(jwk)


@pytest.mark.parametrize("kind", list(keys.NewKey))
def test_what_is_published_is_public_and_can_be_read_back(kind: keys.NewKey) -> None:
    key = keys.generate(kind)
    certificate = x509.self_signed(key, common_name="a", organization="b", validity_days=1, now=NOW)
    published = jwks.public_jwk(key.public_key(), kid="k", chain=[certificate])
    assert published.keys() == {"kid", "use", "alg", "x5c", "x5t", "x5t#S256"} | MEMBERS[kind]
    assert published["alg"] == keys.algorithm(key)
    der = certificate.public_bytes(Encoding.DER)
    assert published["x5c"] == [base64.b64encode(der).decode()]
    assert b64.decode(str(published["x5t#S256"])) == hashlib.sha256(der).digest()
    assert b64.decode(str(published["x5t"])) == hashlib.sha1(der, usedforsecurity=False).digest()
    document = json.loads(jwks.jwks_document([published]))
    assert document == {"keys": [published]}
    assert jwks.load_jwk(document["keys"][0]) == key.public_key()


@pytest.mark.parametrize(("curve", "scalar"), [(ec.SECP256R1(), 43), (ec.SECP384R1(), 176), (ec.SECP521R1(), 1)])
def test_coordinates_keep_their_leading_zeros(curve: ec.EllipticCurve, scalar: int) -> None:
    size = (curve.key_size + 7) // 8
    key = ec.derive_private_key(scalar, curve).public_key()
    published = jwks.public_jwk(key, kid="k")
    x, y = b64.decode(str(published["x"])), b64.decode(str(published["y"]))
    assert len(x) == len(y) == size
    assert 0 in (x[0], y[0])
    assert jwks.load_jwk(published) == key


def test_no_keys_make_an_empty_set() -> None:
    assert jwks.jwks_document([]) == b'{"keys":[]}'


@pytest.mark.parametrize("member", sorted(jwks.PRIVATE_MEMBERS))
def test_private_members_are_neither_published_nor_read(member: str, ec_key: keys.PrivateKey) -> None:
    published = jwks.public_jwk(ec_key.public_key(), kid="k")
    with pytest.raises(ValueError, match="private key is not published"):
        jwks.jwks_document([published, {**published, "kid": "l", member: "AQ"}])
    with pytest.raises(BadKeyError, match="private or symmetric"):
        jwks.load_jwk({**published, member: "AQ"})


def test_names_are_given_once(ec_key: keys.PrivateKey) -> None:
    published = jwks.public_jwk(ec_key.public_key(), kid="k")
    with pytest.raises(ValueError, match="same kid"):
        jwks.jwks_document([published, published])


def test_an_encryption_key_says_so(rsa_key: keys.PrivateKey) -> None:
    published = jwks.public_jwk(rsa_key.public_key(), kid="k", use="enc", alg="RSA-OAEP-256")
    assert (published["use"], published["alg"]) == ("enc", "RSA-OAEP-256")


def test_a_certificate_of_another_key_is_refused(ec_key: keys.PrivateKey, rsa_key: keys.PrivateKey) -> None:
    certificate = x509.self_signed(rsa_key, common_name="a", organization="b", validity_days=1, now=NOW)
    with pytest.raises(BadKeyError, match="another key"):
        jwks.public_jwk(ec_key.public_key(), kid="k", chain=[certificate])


def test_keys_without_form_in_jose_are_refused() -> None:
    for key in (dsa.generate_private_key(2048).public_key(), ec.generate_private_key(ec.SECP256K1()).public_key()):
        for alg in (None, "X"):
            with pytest.raises(BadKeyError):
                jwks.public_jwk(key, kid="k", alg=alg)


RSA_JWK = {name: value for name, value in CASES[0]["jwk"].items() if name in PUBLIC}
EC_JWK = {name: value for name, value in CASES[1]["jwk"].items() if name in PUBLIC}
POINT = b64.decode(EC_JWK["x"]) + b64.decode(EC_JWK["y"])
ED_JWK = {name: value for name, value in CASES[-1]["jwk"].items() if name in PUBLIC}


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        {"kty": "RSA"},
        {**RSA_JWK, "kty": "rsa"},
        {**RSA_JWK, "n": 5},
        {**RSA_JWK, "n": RSA_JWK["n"] + "="},
        {**RSA_JWK, "n": "AQAB"},
        {**RSA_JWK, "n": "A" * 1_000_000},
        {**RSA_JWK, "e": "Ag"},  # 2
        {**RSA_JWK, "e": "AA"},  # 0
        {**RSA_JWK, "e": "AQ"},  # 1
        {**RSA_JWK, "e": RSA_JWK["n"]},
        {**EC_JWK, "crv": "P-999"},
        {**EC_JWK, "crv": ["P-256"]},
        {**EC_JWK, "crv": "P-384"},
        {**EC_JWK, "crv": "secp256k1"},
        {**EC_JWK, "x": EC_JWK["y"]},  # not on the curve
        {**EC_JWK, "x": "AA"},
        {**EC_JWK, "y": None},
        # The same point, parted in another place.
        {**EC_JWK, "x": b64.encode(POINT[:31]), "y": b64.encode(POINT[31:])},
        {**ED_JWK, "crv": "X25519"},
        {**ED_JWK, "crv": "Ed448"},
        {**ED_JWK, "x": ED_JWK["x"][:-2]},
    ],
)
def test_malformed_keys_are_refused(jwk: dict[str, object]) -> None:
    with pytest.raises(BadKeyError):
        jwks.load_jwk(jwk)


def test_short_rsa_keys_are_refused() -> None:
    short = rsa.generate_private_key(65537, 1024)  # noqa: S505 - to see it refused
    modulus = short.public_key().public_numbers().n
    with pytest.raises(BadKeyError, match="1024 bits"):
        jwks.load_jwk({"kty": "RSA", "e": "AQAB", "n": b64.encode(modulus.to_bytes(128, "big"))})


@given(
    st.dictionaries(
        st.sampled_from(["kty", "crv", "n", "e", "x", "y", "alg"]),
        st.sampled_from(["RSA", "EC", "OKP", "P-256", "Ed25519", "Ed448", EC_JWK["x"], EC_JWK["y"], "AQAB", ""])
        | st.text(max_size=5)
        | st.binary(max_size=64).map(b64.encode)
        | st.none()
        | st.integers()
        | st.lists(st.integers(), max_size=1),
    )
)
def test_whatever_comes_only_the_declared_error_leaves(jwk: dict[str, object]) -> None:
    try:
        key = jwks.load_jwk(jwk)
    except BadKeyError:
        return
    assert jwks.load_jwk(jwks.public_jwk(key, kid="k")) == key
