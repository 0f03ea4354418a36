import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.wire import pkce
from keystead.wire.pkce import PkceError
from tests.trust.support import vectors

UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
verifiers = st.text(alphabet=UNRESERVED, min_size=43, max_size=128)
VECTOR = vectors("rfc7636")


def test_the_example_of_rfc_7636_appendix_b() -> None:
    assert pkce.s256(VECTOR["verifier"]) == VECTOR["challenge"]
    pkce.check_challenge(VECTOR["challenge"], method="S256")
    pkce.check_verifier(VECTOR["verifier"], expected_challenge=VECTOR["challenge"], method="S256")


@given(verifiers)
def test_a_verifier_meets_its_own_challenge(verifier: str) -> None:
    pkce.check_challenge(pkce.s256(verifier), method="S256")
    pkce.check_verifier(verifier, expected_challenge=pkce.s256(verifier), method="S256")
    pkce.check_challenge(verifier, method="plain")
    pkce.check_verifier(verifier, expected_challenge=verifier, method="plain")


@given(verifiers, verifiers)
def test_no_other_verifier_does(verifier: str, other: str) -> None:
    if verifier == other:
        return
    for method, challenge in (("S256", pkce.s256(other)), ("plain", other), ("S256", verifier)):
        with pytest.raises(PkceError, match="does not match"):
            pkce.check_verifier(verifier, expected_challenge=challenge, method=method)


@pytest.mark.parametrize(
    "verifier",
    ["", "a" * 42, "a" * 129, "a" * 42 + "é", "a" * 43 + "\n", "a" * 42 + "+", "a" * 42 + " ", "a" * 42 + "="],
)
def test_verifiers_have_a_form(verifier: str) -> None:
    with pytest.raises(PkceError, match="43 to 128"):
        pkce.check_verifier(verifier, expected_challenge=verifier, method="plain")
    with pytest.raises(PkceError, match="43 to 128"):
        pkce.check_challenge(verifier, method="plain")


@pytest.mark.parametrize("challenge", ["", "a" * 43, VECTOR["challenge"] + "=", VECTOR["challenge"][:-1], "a" * 128])
def test_s256_challenges_have_a_form(challenge: str) -> None:
    if challenge == "a" * 43:
        challenge = "a" * 42 + "b"  # trailing bits that no encoder leaves
    with pytest.raises(PkceError, match="SHA-256"):
        pkce.check_challenge(challenge, method="S256")


@pytest.mark.parametrize("method", ["", "s256", "S512", "PLAIN", "none"])
def test_unknown_methods_are_refused(method: str) -> None:
    verifier = "a" * 43
    with pytest.raises(PkceError, match="method"):
        pkce.check_challenge(verifier, method=method)
    with pytest.raises(PkceError, match="method"):
        pkce.check_verifier(verifier, expected_challenge=verifier, method=method)


@pytest.mark.parametrize("method", pkce.METHODS)
def test_a_code_made_without_challenge_is_met_by_no_verifier(method: str) -> None:
    with pytest.raises(PkceError, match="does not match"):
        pkce.check_verifier("a" * 43, expected_challenge="", method=method)


@given(st.text(max_size=140), st.text(max_size=60), st.sampled_from(["S256", "plain", "x"]))
def test_whatever_comes_only_the_declared_error_leaves(verifier: str, challenge: str, method: str) -> None:
    with contextlib.suppress(PkceError):
        pkce.check_verifier(verifier, expected_challenge=challenge, method=method)
    with contextlib.suppress(PkceError):
        pkce.check_challenge(challenge, method=method)
