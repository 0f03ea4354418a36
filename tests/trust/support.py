"""What several tests of ``wire`` and ``trust`` need: the vectors of the RFCs, and keys from private JWKs."""

import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from keystead.trust import keys
from keystead.wire import b64

VECTORS = Path(__file__).parents[1] / "vectors"


def vectors(name: str) -> Any:  # noqa: ANN401 - each file has a form of its own
    """The content of ``tests/vectors/<name>.json``."""
    return json.loads((VECTORS / f"{name}.json").read_text("utf-8"))


def private_key(jwk: dict[str, str]) -> keys.PrivateKey:
    """The private key in a JWK. Only tests read private keys in this form."""
    number = {name: int.from_bytes(b64.decode(jwk[name]), "big") for name in jwk if len(name) <= 2}
    if jwk["kty"] == "RSA":
        public = rsa.RSAPublicNumbers(number["e"], number["n"])
        return rsa.RSAPrivateNumbers(
            number["p"], number["q"], number["d"], number["dp"], number["dq"], number["qi"], public
        ).private_key()
    if jwk["kty"] == "EC":
        curve: ec.EllipticCurve = {"P-256": ec.SECP256R1(), "P-521": ec.SECP521R1()}[jwk["crv"]]
        return ec.derive_private_key(number["d"], curve)
    return ed25519.Ed25519PrivateKey.from_private_bytes(b64.decode(jwk["d"]))
