import asyncio
import json
import threading

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec
from hypothesis import given
from hypothesis import strategies as st

from keystead.base.errors import Kind, Problem
from keystead.trust import keys, signer
from keystead.trust.algorithms import ALGORITHMS
from keystead.trust.keys import BadKeyError
from keystead.trust.signer import Signer
from keystead.trust.verifier import Verifier, VerifyingKey
from keystead.wire import b64, jws
from keystead.wire.jws import JoseError
from tests.patience import PATIENCE
from tests.trust.support import private_key, vectors

CASES = vectors("rfc7515")["cases"] + vectors("rfc8037")["cases"]
CLAIMS = {
    "iss": "https://id.example/",
    "sub": "été",
    "aud": ["a", "b"],
    "exp": 1_900_000_000,
    "nested": {"x": [1, None]},
}
SECRET = b"a made-up secret of a made-up client"
ED_KEY = keys.generate(keys.NewKey.ED25519)


def pair(alg: str) -> tuple[Signer, VerifyingKey]:
    if alg == "HS256":
        return Signer.from_secret(SECRET, kid="k"), VerifyingKey.from_secret(SECRET)
    curves = {"ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
    if alg in curves:
        key: keys.PrivateKey = ec.generate_private_key(curves[alg])
    else:
        kinds = {"ES256": keys.NewKey.ECDSA, "EdDSA": keys.NewKey.ED448, "Ed448": keys.NewKey.ED448}
        kinds["Ed25519"] = keys.NewKey.ED25519
        key = keys.generate(kinds.get(alg, keys.NewKey.RSA))
    return Signer.from_key(key, kid="k", alg=alg), VerifyingKey.from_key(key.public_key(), alg=alg)


@pytest.fixture(scope="module", params=ALGORITHMS)
def signing_pair(request: pytest.FixtureRequest) -> tuple[Signer, VerifyingKey]:
    return pair(request.param)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["alg"])
def test_the_signatures_of_the_rfcs_verify_and_repeat(case: dict[str, object]) -> None:
    jwk: dict[str, str] = case["jwk"]  # type: ignore[assignment]  # the vectors' own form
    parsed = jws.parse(str(case["token"]))
    if jwk["kty"] == "oct":
        ours, theirs = Signer.from_secret(b64.decode(jwk["k"])), VerifyingKey.from_secret(b64.decode(jwk["k"]))
    else:
        key = private_key(jwk)
        ours, theirs = Signer.from_key(key, kid=""), VerifyingKey.from_key(key.public_key())
    assert ours.alg == theirs.alg == case["alg"]
    theirs.check(parsed.signature, parsed.signing_input)
    again = jws.parse(ours.sign(parsed.payload, typ=""))
    theirs.check(again.signature, again.signing_input)
    # Elsewhere the RFC's header has line breaks, or the algorithm draws a random number.
    assert (again.signature == parsed.signature) is case["repeats"]


@pytest.mark.parametrize("case", vectors("rfc7515")["cases"][:3], ids=lambda case: case["alg"])
def test_the_claims_of_the_rfc_come_out(case: dict[str, object]) -> None:
    jwk: dict[str, str] = case["jwk"]  # type: ignore[assignment]  # the vectors' own form
    if jwk["kty"] == "oct":
        key = VerifyingKey.from_secret(b64.decode(jwk["k"]))
    else:
        key = VerifyingKey.from_key(private_key(jwk).public_key())
    assert Verifier({"": key}).verify(str(case["token"]), algs=ALGORITHMS) == case["claims"]


def test_every_algorithm_signs_what_it_verifies(signing_pair: tuple[Signer, VerifyingKey]) -> None:
    ours, theirs = signing_pair
    token = ours.sign(CLAIMS)
    assert Verifier({"k": theirs}).verify(token, algs=[ours.alg], expected_typ="JWT") == CLAIMS
    assert token.isascii()


def test_one_changed_bit_anywhere_is_refused(signing_pair: tuple[Signer, VerifyingKey]) -> None:
    ours, theirs = signing_pair
    token = ours.sign({"sub": "a"})
    verifier = Verifier({"k": theirs})
    for place in range(len(token)):
        changed = token[:place] + chr(ord(token[place]) ^ 1) + token[place + 1 :]
        with pytest.raises(JoseError):
            verifier.verify(changed, algs=[ours.alg])


def test_signatures_of_other_lengths_are_refused(signing_pair: tuple[Signer, VerifyingKey]) -> None:
    ours, theirs = signing_pair
    parsed = jws.parse(ours.sign({"sub": "a"}))
    theirs.check(parsed.signature, parsed.signing_input)
    whole, half = parsed.signature, len(parsed.signature) // 2
    stretched = whole[:half] + b"\0" + whole[half:]  # the same two numbers to whoever reads them carelessly
    others = (
        b"",
        whole[:-1],
        whole + b"\0",
        b"\0" + whole,
        stretched,
        b"\0" * len(whole),
        b"\xff" * len(whole),
        whole * 2,
    )
    for signature in others:
        with pytest.raises(JoseError, match="does not match"):
            theirs.check(signature, parsed.signing_input)


def test_the_header_says_no_more_than_it_must() -> None:
    def header(token: str) -> object:
        return json.loads(b64.decode(token.partition(".")[0]))

    ours = Signer.from_key(ED_KEY, kid="k")
    assert header(ours.sign({})) == {"alg": "EdDSA", "kid": "k", "typ": "JWT"}
    assert header(ours.sign({}, typ="at+jwt")) == {"alg": "EdDSA", "kid": "k", "typ": "at+jwt"}
    assert header(ours.sign({})) == {"alg": "EdDSA", "kid": "k", "typ": "JWT"}
    assert header(Signer.from_secret(SECRET).sign({}, typ="")) == {"alg": "HS256"}


def test_claims_may_come_as_their_json() -> None:
    ours = Signer.from_secret(SECRET)
    assert ours.sign(b'{"a":1}') == ours.sign({"a": 1})


@given(
    st.dictionaries(st.text(max_size=8), st.none() | st.booleans() | st.integers() | st.text(max_size=8), max_size=6)
)
def test_any_claims_come_back(claims: dict[str, object]) -> None:
    token = Signer.from_key(ED_KEY, kid="k").sign(claims)
    verifier = Verifier({"k": VerifyingKey.from_key(ED_KEY.public_key())})
    assert verifier.verify(token, algs=["EdDSA"]) == claims


async def test_signing_beside_the_loop_gives_the_same(signing_pair: tuple[Signer, VerifyingKey]) -> None:
    ours, theirs = signing_pair
    tokens = await asyncio.gather(*(ours.sign_async({"n": n}) for n in range(20)))
    verifier = Verifier({"k": theirs})
    assert [verifier.verify(token, algs=[ours.alg])["n"] for token in tokens] == list(range(20))


def held(gate: threading.Event) -> Signer:
    """A signer whose key is as slow as the test likes."""

    def sign(data: bytes) -> bytes:
        if not gate.wait(PATIENCE):
            raise TimeoutError
        return data[:1]

    return Signer("RS256", "k", sign, sign, in_thread=True)


async def test_slow_keys_do_not_hold_up_the_loop() -> None:
    gate = threading.Event()
    pending = asyncio.create_task(held(gate).sign_async({}))
    for _ in range(100):
        await asyncio.sleep(0)  # would never return if the signature were made here
    assert not pending.done()
    gate.set()
    assert (await pending).count(".") == 2


async def test_a_full_queue_says_so_and_empties_again() -> None:
    gate = threading.Event()
    slow = held(gate)
    pending = [asyncio.create_task(slow.sign_async({})) for _ in range(signer.MAX_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Problem) as refusal:
        await slow.sign_async({})
    assert refusal.value.kind is Kind.BUSY
    assert refusal.value.retry_after > 0
    gate.set()
    assert len(set(await asyncio.gather(*pending))) == 1
    assert await slow.sign_async({})


async def test_who_hangs_up_gives_the_place_back() -> None:
    gate = threading.Event()
    slow = held(gate)
    pending = [asyncio.create_task(slow.sign_async({})) for _ in range(signer.MAX_WAITING)]
    await asyncio.sleep(0)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    gate.set()
    fresh = await asyncio.gather(*(slow.sign_async({}) for _ in range(signer.MAX_WAITING // 2)))
    assert len(fresh) == signer.MAX_WAITING // 2


@pytest.mark.parametrize("secret", [b"", b" ", b"\t\n"])
def test_a_blank_secret_is_refused(secret: bytes) -> None:
    with pytest.raises(BadKeyError, match="empty secret"):
        Signer.from_secret(secret)
    with pytest.raises(BadKeyError, match="empty secret"):
        VerifyingKey.from_secret(secret)


@pytest.mark.parametrize(
    "alg", ["none", "HS256", "ES384", "ES512", "RS256", "PS256", "EdDSA", "es256", "ES256K", "x" * 99]
)
def test_a_key_works_with_its_own_algorithm_only(alg: str, ec_key: keys.PrivateKey) -> None:
    with pytest.raises(BadKeyError, match="not fit"):
        Signer.from_key(ec_key, kid="k", alg=alg)
    with pytest.raises(BadKeyError, match="not fit"):
        VerifyingKey.from_key(ec_key.public_key(), alg=alg)


@pytest.mark.parametrize("alg", ["none", "HS256", "ES256", "EdDSA", "PS384", "RSA-OAEP-256"])
def test_an_rsa_key_works_with_rsa_only(alg: str, rsa_key: keys.PrivateKey) -> None:
    with pytest.raises(BadKeyError, match="not fit"):
        Signer.from_key(rsa_key, kid="k", alg=alg)
    with pytest.raises(BadKeyError, match="not fit"):
        VerifyingKey.from_key(rsa_key.public_key(), alg=alg)


def test_a_dsa_key_signs_no_tokens() -> None:
    with pytest.raises(BadKeyError, match="Tokens are signed with"):
        Signer.from_key(dsa.generate_private_key(2048), kid="k")


@pytest.mark.parametrize("case", vectors("oidc_core")["half_hashes"], ids=lambda case: case["half_hash"])
def test_the_half_hashes_of_openid_connect_core(case: dict[str, str], rsa_key: keys.PrivateKey) -> None:
    assert Signer.from_key(rsa_key, kid="k", alg=case["alg"]).half_hash(case["value"]) == case["half_hash"]
    assert Signer.from_secret(SECRET).half_hash(case["value"]) == case["half_hash"]


@pytest.mark.parametrize(("alg", "size"), [("RS384", 24), ("RS512", 32), ("PS256", 16), ("ES384", 24), ("ES512", 32)])
def test_half_hashes_follow_the_algorithm(alg: str, size: int) -> None:
    ours, _ = pair(alg)
    assert len(b64.decode(ours.half_hash("a"))) == size


def test_half_hashes_of_edwards_curves() -> None:
    assert len(b64.decode(Signer.from_key(ED_KEY, kid="k").half_hash("a"))) == 32
    assert len(b64.decode(pair("EdDSA")[0].half_hash("a"))) == 57
