"""Attacks on tokens, each tried against keys of every kind (RFC 8725; OA-24 to OA-31 of the security list)."""

import hmac
import json
from typing import Final

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from keystead.trust import jwks, keys
from keystead.trust.algorithms import ALGORITHMS
from keystead.trust.signer import Signer
from keystead.trust.verifier import Verifier, VerifyingKey
from keystead.wire import b64
from keystead.wire.jws import JoseError

SECRET = b"a made-up secret of a made-up client"
RSA_KEY = keys.load_private_key(keys.private_pem(keys.generate(keys.NewKey.RSA)))
EC_KEY = keys.generate(keys.NewKey.ECDSA)
ED_KEY = keys.generate(keys.NewKey.ED25519)
RSA_PUBLIC = RSA_KEY.public_key()
VERIFIER = Verifier(
    {
        "rsa": VerifyingKey.from_key(RSA_PUBLIC),
        "ec": VerifyingKey.from_key(EC_KEY.public_key()),
        "ed": VerifyingKey.from_key(ED_KEY.public_key()),
        "": VerifyingKey.from_secret(SECRET),
    }
)
KIDS: Final = {"rsa": "RS256", "ec": "ES256", "ed": "EdDSA", "": "HS256"}


def signing_input(header: object, claims: object = None) -> bytes:
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    return b64.encode_bytes(head) + b"." + b64.encode_bytes(json.dumps(claims or {"sub": "admin"}).encode())


def token(header: object, signature: bytes, claims: object = None) -> str:
    return (signing_input(header, claims) + b"." + b64.encode_bytes(signature)).decode()


def hs256(key: bytes, header: object, claims: object = None) -> str:
    return token(header, hmac.digest(key, signing_input(header, claims), "sha256"), claims)


def refuse(text: str | bytes, match: str | None = None) -> None:
    with pytest.raises(JoseError, match=match):
        VERIFIER.verify(text, algs=[*ALGORITHMS, "none", "None"])


@pytest.mark.parametrize("kid", KIDS)
@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", " none", "none\0", "RS256\n", "rs256", "hs256"])
def test_no_algorithm_in_any_case(alg: str, kid: str) -> None:
    refuse(token({"alg": alg, "kid": kid}, b"")[:-1] + ".", "not signed")
    refuse(token({"alg": alg, "kid": kid}, b"x"), "algorithm")
    refuse(hs256(b"", {"alg": alg, "kid": kid}), "algorithm")


@pytest.mark.parametrize("kid", KIDS)
def test_an_empty_signature(kid: str) -> None:
    refuse(token({"alg": KIDS[kid], "kid": kid}, b""), "not signed")


def test_the_json_serialisation_is_no_token() -> None:
    head, _, body = signing_input({"alg": "none"}).decode().partition(".")
    refuse(json.dumps({"payload": body, "signatures": []}))
    refuse(json.dumps({"payload": body, "protected": head, "signature": ""}))
    refuse(json.dumps({"payload": body, "header": {"alg": "HS256"}, "signature": "eA"}))


def spellings(key: rsa.RSAPublicKey) -> dict[str, bytes]:
    """Every text an attacker may take for the secret when a verifier confuses the algorithms."""
    pem, der, ssh = serialization.Encoding.PEM, serialization.Encoding.DER, serialization.Encoding.OpenSSH
    spki, pkcs1 = serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PublicFormat.PKCS1
    jwk = jwks.public_jwk(key, kid="rsa")
    return {
        "pem": key.public_bytes(pem, spki),
        "pem without line end": key.public_bytes(pem, spki).strip(),
        "pem with CRLF": key.public_bytes(pem, spki).replace(b"\n", b"\r\n"),
        "der": key.public_bytes(der, spki),
        "pkcs1 pem": key.public_bytes(pem, pkcs1),
        "pkcs1 der": key.public_bytes(der, pkcs1),
        "ssh": key.public_bytes(ssh, serialization.PublicFormat.OpenSSH),
        "jwk": json.dumps(jwk).encode(),
        "minimal jwk": json.dumps(jwk, separators=(",", ":")).encode(),
        "modulus": b64.decode(str(jwk["n"])),
        "modulus as text": str(jwk["n"]).encode(),
        "empty": b"",
    }


@pytest.mark.parametrize(("name", "secret"), spellings(RSA_PUBLIC).items())  # type: ignore[arg-type]  # made as RSA
@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_a_public_key_as_shared_secret(name: str, secret: bytes, alg: str) -> None:
    digest = f"sha{alg[2:]}"
    for header in ({"alg": alg, "kid": "rsa"}, {"alg": alg}, {"alg": alg, "kid": "ec"}):
        refuse(token(header, hmac.digest(secret, signing_input(header), digest)), "algorithm|signature")
    assert name


def test_every_key_refuses_every_other_algorithm() -> None:
    signers = {
        "rsa": Signer.from_key(RSA_KEY, kid="rsa"),
        "ec": Signer.from_key(EC_KEY, kid="ec"),
        "ed": Signer.from_key(ED_KEY, kid="ed"),
        "": Signer.from_secret(SECRET),
    }
    for kid in KIDS:
        assert VERIFIER.verify(signers[kid].sign({"sub": "a"}), algs=ALGORITHMS) == {"sub": "a"}
        for other, theirs in signers.items():
            if other != kid:
                # The other key's signature under this key's name, with its own algorithm and with this key's.
                for alg in (KIDS[other], KIDS[kid]):
                    header = {"alg": alg, "kid": kid}
                    refuse(token(header, theirs._sign(signing_input(header))), "algorithm|signature")  # noqa: SLF001 - the attacker's hand


def test_the_same_key_with_another_padding_or_hash() -> None:
    for alg in ("PS256", "RS384", "RS512"):
        refuse(Signer.from_key(RSA_KEY, kid="rsa", alg=alg).sign({"sub": "a"}), "algorithm")


def test_the_caller_decides_what_is_accepted() -> None:
    text = Signer.from_secret(SECRET).sign({"sub": "a"})
    for algs in (["RS256"], [], ("ES256", "EdDSA"), {"none"}):
        with pytest.raises(JoseError, match="not accepted here"):
            VERIFIER.verify(text, algs=algs)
    assert VERIFIER.verify(text, algs=["HS256"]) == {"sub": "a"}


@pytest.mark.parametrize("member", ["jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256"])
def test_keys_in_the_header_are_never_used(member: str) -> None:
    attacker = keys.generate(keys.NewKey.ECDSA)
    published = jwks.public_jwk(attacker.public_key(), kid="ec")
    value = {"jwk": published, "x5c": ["MIIB"]}.get(member, "https://attacker.example/keys")
    for kid in ("ec", "attacker", None):
        header = {"alg": "ES256", member: value} | ({"kid": kid} if kid else {})
        signature = Signer.from_key(attacker, kid="ec")._sign(signing_input(header))  # noqa: SLF001 - the attacker's hand
        refuse(token(header, signature))


@pytest.mark.parametrize(
    "kid", ["unknown", "../../dev/null", "/dev/null", "' OR 1=1 --", "ec\0", "EC", " ec", "x" * 5000, "{{kid}}"]
)
def test_a_kid_is_only_ever_looked_up(kid: str) -> None:
    refuse(hs256(b"", {"alg": "HS256", "kid": kid}), "names no key")


def test_a_token_without_kid_needs_a_key_without_name() -> None:
    named = Verifier({"rsa": VerifyingKey.from_key(RSA_PUBLIC)})
    with pytest.raises(JoseError, match="names no key"):
        named.verify(Signer.from_key(RSA_KEY, kid="").sign({}), algs=["RS256"])


@pytest.mark.parametrize("header", [{"crit": ["exp"]}, {"crit": ["x"], "x": 1}, {"crit": []}, {"b64": False}])
def test_demands_that_are_not_understood(header: dict[str, object]) -> None:
    full = {"alg": "HS256", **header}
    refuse(hs256(SECRET, full), "extension")


def test_an_algorithm_named_twice() -> None:
    refuse(hs256(SECRET, b'{"alg":"none","alg":"HS256"}'), "header")
    refuse(hs256(SECRET, b'{"alg":"HS256","alg":"none"}'), "header")


@pytest.mark.parametrize("typ", ["JWT", "logout+jwt", "dpop+jwt", "secevent+jwt", "at", "", "at+jwt ", "text/at+jwt"])
def test_one_type_of_token_is_not_another(typ: str) -> None:
    text = Signer.from_secret(SECRET).sign({"sub": "a"}, typ=typ)
    with pytest.raises(JoseError, match="another type"):
        VERIFIER.verify(text, algs=["HS256"], expected_typ="at+jwt")
    assert VERIFIER.verify(text, algs=["HS256"]) == {"sub": "a"}


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_a_type_has_several_spellings(typ: str) -> None:
    text = Signer.from_secret(SECRET).sign({"sub": "a"}, typ=typ)
    assert VERIFIER.verify(text, algs=["HS256"], expected_typ="at+jwt") == {"sub": "a"}


@pytest.mark.parametrize("payload", [b"", b"[]", b'"a"', b"1", b"null", b'{"a":1', b'{"sub":"a","sub":"b"}', b"\xff"])
def test_a_payload_that_is_no_object(payload: bytes) -> None:
    refuse(Signer.from_secret(SECRET).sign(payload), "payload")


def test_a_payload_that_nests_without_end() -> None:
    refuse(Signer.from_secret(SECRET).sign(b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}"), "payload")


@pytest.mark.parametrize("r", [0, 1])
@pytest.mark.parametrize("s", [0, 1])
def test_signatures_of_zeros_and_ones(r: int, s: int) -> None:
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    refuse(token({"alg": "ES256", "kid": "ec"}, raw), "signature")


def test_an_ecdsa_signature_in_der_is_refused() -> None:
    header = {"alg": "ES256", "kid": "ec"}
    if not isinstance(EC_KEY, ec.EllipticCurvePrivateKey):
        pytest.fail("the key is made as ECDSA")
    refuse(token(header, EC_KEY.sign(signing_input(header), ec.ECDSA(hashes.SHA256()))), "signature")


def test_numbers_beyond_the_order_of_the_curve_are_refused() -> None:
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    header = {"alg": "ES256", "kid": "ec"}
    raw = Signer.from_key(EC_KEY, kid="ec")._sign(signing_input(header))  # noqa: SLF001 - the attacker's hand
    s = int.from_bytes(raw[32:], "big") + order
    if s < 1 << 256:
        refuse(token(header, raw[:32] + s.to_bytes(32, "big")), "signature")
    refuse(token(header, order.to_bytes(32, "big") + raw[32:]), "signature")


def test_an_rsa_signature_by_another_hash_is_refused() -> None:
    header = {"alg": "RS256", "kid": "rsa"}
    if not isinstance(RSA_KEY, rsa.RSAPrivateKey):
        pytest.fail("the key is made as RSA")
    for digest in (hashes.SHA1(), hashes.SHA512()):  # noqa: S303 - to see it refused
        refuse(token(header, RSA_KEY.sign(signing_input(header), padding.PKCS1v15(), digest)), "signature")


def test_the_refusal_says_nothing_of_the_token() -> None:
    text = hs256(b"wrong", {"alg": "HS256"}, {"sub": "very-private"})
    with pytest.raises(JoseError) as refusal:
        VERIFIER.verify(text, algs=["HS256"])
    assert refusal.value.__cause__ is None
    assert "very-private" not in str(refusal.value)
    assert text[:20] not in str(refusal.value)


@given(st.one_of(st.text(max_size=100), st.binary(max_size=100)))
def test_random_texts_raise_only_the_declared_error(text: str | bytes) -> None:
    refuse(text)


@given(st.sampled_from(sorted(KIDS)), st.binary(min_size=1, max_size=300), st.binary(max_size=50))
def test_random_signatures_raise_only_the_declared_error(kid: str, signature: bytes, payload: bytes) -> None:
    head = b64.encode(json.dumps({"alg": KIDS[kid], "kid": kid}).encode())
    if kid == "" and signature == hmac.digest(SECRET, f"{head}.{b64.encode(payload)}".encode(), "sha256"):
        return
    refuse(f"{head}.{b64.encode(payload)}.{b64.encode(signature)}", "signature")
