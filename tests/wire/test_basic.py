import base64
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.wire import basic
from keystead.wire.basic import BasicError

words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=20)


def header(plain: str | bytes, scheme: str = "Basic ") -> str:
    raw = plain.encode() if isinstance(plain, str) else plain
    return scheme + base64.b64encode(raw).decode()


def test_the_examples_of_rfc_7617() -> None:
    assert basic.decode("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==") == ("Aladdin", "open sesame")
    assert basic.decode("Basic dGVzdDoxMjPCow==") == ("test", "123£")


@given(words.filter(lambda word: ":" not in word), words)
def test_what_is_sent_is_read(user: str, password: str) -> None:
    assert basic.decode(header(f"{user}:{password}")) == (user, password)


@given(words, words)
def test_clients_encode_both_parts(client: str, secret: str) -> None:
    joined = f"{quote_plus(client)}:{quote_plus(secret)}"
    assert basic.decode_client(header(joined)) == (client, secret)
    assert basic.decode_client(header(joined).encode()) == (client, secret)


def test_a_colon_in_the_id_survives_only_in_the_form_of_oauth() -> None:
    assert basic.decode(header("a:b:c")) == ("a", "b:c")
    assert basic.decode_client(header("a%3Ab:c")) == ("a:b", "c")


@pytest.mark.parametrize("scheme", ["basic ", "BASIC ", "Basic   "])
def test_the_scheme_has_no_case(scheme: str) -> None:
    assert basic.decode(header("a:b", scheme)) == ("a", "b")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Basic scheme"),
        ("Basic", "no colon"),
        ("Bearer abc", "Basic scheme"),
        ("Basicx YTpi", "Basic scheme"),
        ("Basic\tYTpi", "Basic scheme"),
        ("Basic YTpi=", "base64"),
        ("Basic YTp", "base64"),
        ("Basic YT pi", "base64"),
        ("Basic YTpi\n", "base64"),
        ("Basic YTpiYg", "base64"),  # padding left out
        ("Basic YTpiYh==", "base64"),  # trailing bits
        ("Basic -_-_", "base64"),
        ("Basic é", "ASCII"),
        (header("ab"), "no colon"),
        (header(b"a:\xff"), "UTF-8"),
        (header("a:b\n"), "control"),
        (header("a\0:b"), "control"),
        (header("a:b\x7f"), "control"),
        ("Basic " + "A" * 9000, "longer"),
    ],
)
def test_broken_credentials_are_refused(text: str, reason: str) -> None:
    with pytest.raises(BasicError, match=reason):
        basic.decode(text)


@pytest.mark.parametrize("plain", ["a%:b", "a:%ff", "a:b%0a", "a:%00"])
def test_clients_with_broken_encoding_are_refused(plain: str) -> None:
    assert basic.decode(header(plain)).user.startswith("a")
    with pytest.raises(BasicError):
        basic.decode_client(header(plain))


def test_the_secret_is_not_shown() -> None:
    assert "hunter" not in repr(basic.decode(header("a:hunter2")))
    with pytest.raises(BasicError) as refusal:
        basic.decode_client(header("a:hunter%"))
    assert "hunter" not in str(refusal.value)


@given(
    st.one_of(
        st.text(max_size=40),
        st.binary(max_size=40),
        st.binary(max_size=40).map(lambda raw: b"Basic " + raw),
        st.binary(max_size=40).map(header),
    )
)
def test_whatever_comes_only_the_declared_error_leaves(text: str | bytes) -> None:
    for decode in (basic.decode, basic.decode_client):
        try:
            user, password = decode(text)
        except BasicError:
            continue
        assert not any(char < " " or char == "\x7f" for char in user + password)
