import copy
import json
import logging
import pickle  # noqa: TID251 - to see that it refuses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.base.secret import Secret, Vault, digest, fingerprint

HIDDEN = "correct horse battery staple"
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.fixture
def vault() -> Vault:
    return Vault(Secret("k" * 50))


def test_no_way_of_printing_shows_a_secret() -> None:
    secret = Secret(HIDDEN)
    shown = [str(secret), repr(secret), f"{secret}", f"{secret:>40}", f"{secret!r}", "%s" % secret, repr([secret])]  # noqa: UP031 - one of the ways
    shown.append(json.dumps({"password": secret}, default=repr))
    shown.append(logging.LogRecord("x", 20, "x", 1, "%s", (secret,), None).getMessage())
    assert not [text for text in shown if HIDDEN in text]


@pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy, pickle.dumps], ids=lambda copier: copier.__name__)
def test_a_secret_is_not_carried_away_in_another_form(copier: object) -> None:
    assert callable(copier)
    with pytest.raises(TypeError, match="reveal"):
        copier(Secret(HIDDEN))


def test_a_secret_matches_itself_only_and_an_empty_one_nothing() -> None:
    assert Secret(HIDDEN).matches(HIDDEN)
    assert not Secret(HIDDEN).matches(HIDDEN[:-1])
    assert not Secret(HIDDEN).matches("")
    assert not Secret("").matches("")
    assert (bool(Secret("")), bool(Secret(" "))) == (False, True)


@given(one=st.text(), other=st.text())
def test_equality_is_that_of_the_texts(one: str, other: str) -> None:
    assert (Secret(one) == Secret(other)) is (one == other)
    assert hash(Secret(one)) == hash(Secret(one))
    assert Secret(one) != one


def test_digests_are_sha_256() -> None:
    # FIPS 180-4, example "abc"
    assert fingerprint("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digest("abc").hex() == fingerprint("abc")


@given(plain=ANY_TEXT, context=ANY_TEXT)
def test_what_is_sealed_opens_in_its_context(plain: str, context: str) -> None:
    vault = Vault(Secret("k" * 50))
    sealed = vault.seal(plain, context)
    assert vault.open(sealed, context) == plain
    assert vault.seal(plain, context) != sealed
    with pytest.raises(ValueError, match="does not open"):
        vault.open(sealed, context + "x")


def test_another_key_does_not_open(vault: Vault) -> None:
    with pytest.raises(ValueError, match="another secret key"):
        Vault(Secret("l" * 50)).open(vault.seal(HIDDEN))


@pytest.mark.parametrize("text", ["", HIDDEN, "ks1:", "ks1:AAAA", "ks1:é", "ks1:" + "A" * 64])
def test_what_was_never_sealed_is_refused(vault: Vault, text: str) -> None:
    with pytest.raises(ValueError, match="seal"):
        vault.open(text)


def test_an_altered_seal_is_refused(vault: Vault) -> None:
    sealed = vault.seal(HIDDEN)
    middle = len(sealed) // 2
    altered = sealed[:middle] + ("A" if sealed[middle] != "A" else "B") + sealed[middle + 1 :]
    with pytest.raises(ValueError, match="altered"):
        vault.open(altered)


@pytest.mark.parametrize("junk", ["=", "\n", "junk", "!", "%3D"])
def test_a_seal_has_one_spelling(vault: Vault, junk: str) -> None:
    sealed = vault.seal("x")
    for text in (sealed + junk, sealed.rstrip("=") + "=" * 4 + junk, sealed[:9] + junk + sealed[9:]):
        with pytest.raises(ValueError, match="does not open"):
            vault.open(text)


def test_signatures_depend_on_purpose_message_and_key(vault: Vault) -> None:
    signed = vault.sign("cookie", "message")
    assert signed == Vault(Secret("k" * 50)).sign("cookie", "message")
    others = [
        vault.sign("form", "message"),
        vault.sign("cookie", "massage"),
        Vault(Secret("l" * 50)).sign("cookie", "message"),
    ]
    assert signed not in others
    assert len(vault.signing_key("cookie")) == 32
    assert vault.signing_key("cookie") != vault.signing_key("form")
