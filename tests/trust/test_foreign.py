"""Tokens, keys and forms exchanged with another implementation, both ways."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jws as foreign_jws
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey

from keystead.trust import jwks, keys
from keystead.trust.algorithms import ALGORITHMS
from keystead.trust.signer import Signer
from keystead.trust.verifier import Verifier, VerifyingKey

SECRET = b"a made-up secret of a made-up client"
CLAIMS = {"iss": "https://id.example/", "sub": "été", "exp": 1_900_000_000}
CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}


def made(alg: str, kind: str = "") -> keys.PrivateKey:
    if alg in CURVES:
        return ec.generate_private_key(CURVES[alg])
    return keys.generate(keys.NewKey(kind) if kind else keys.NewKey.RSA)


EDWARDS = [("EdDSA", "ed25519"), ("EdDSA", "ed448"), ("Ed25519", "ed25519"), ("Ed448", "ed448")]
OTHERS = [(alg, "") for alg in ALGORITHMS if alg[0] in "RPE" and not alg.startswith("Ed")]


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated via RFC 9864")  # we speak both the old name and the new ones
@pytest.mark.parametrize(("alg", "kind"), OTHERS + EDWARDS)
def test_key_pairs(alg: str, kind: str) -> None:
    key = made(alg, kind)
    published = jwks.public_jwk(key.public_key(), kid="k", alg=alg)
    foreign_set = KeySet.import_key_set(json.loads(jwks.jwks_document([published])))
    read = foreign_jws.deserialize_compact(Signer.from_key(key, kid="k", alg=alg).sign(CLAIMS), foreign_set, [alg])
    assert json.loads(read.payload) == CLAIMS
    importer: Any = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}[str(published["kty"])]
    theirs = importer.import_key(keys.private_pem(key))
    token = foreign_jws.serialize_compact({"alg": alg, "kid": "k"}, json.dumps(CLAIMS), theirs, [alg])
    ours = VerifyingKey.from_key(jwks.load_jwk(theirs.as_dict(private=False)), alg=alg)
    assert Verifier({"k": ours}).verify(token, algs=[alg]) == CLAIMS
    assert jwks.thumbprint(published) == theirs.thumbprint()


def test_shared_secrets() -> None:
    theirs = OctKey.import_key(SECRET)
    read = foreign_jws.deserialize_compact(Signer.from_secret(SECRET).sign(CLAIMS), theirs, ["HS256"])
    assert json.loads(read.payload) == CLAIMS
    token = foreign_jws.serialize_compact({"alg": "HS256"}, json.dumps(CLAIMS), theirs, ["HS256"])
    assert Verifier({"": VerifyingKey.from_secret(SECRET)}).verify(token, algs=["HS256"]) == CLAIMS
