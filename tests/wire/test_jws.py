import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.wire import b64, jws
from keystead.wire.jws import JoseError
from tests.trust.support import vectors


def token(header: object, payload: bytes = b"{}", signature: bytes = b"x") -> str:
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    return ".".join(b64.encode(part) for part in (head, payload, signature))


@pytest.mark.parametrize(
    "case", vectors("rfc7515")["cases"] + vectors("rfc8037")["cases"], ids=lambda case: case["alg"]
)
def test_the_tokens_of_the_rfcs_come_apart(case: dict[str, object]) -> None:
    text = str(case["token"])
    parsed = jws.parse(text)
    assert parsed.alg == case["alg"]
    assert parsed.kid == ""
    assert parsed.signing_input.decode() == text.rpartition(".")[0]
    assert b64.encode(parsed.signature) == text.rpartition(".")[2]
    if "claims" in case:
        assert json.loads(parsed.payload) == case["claims"]
    else:
        assert parsed.payload.decode() == case["payload"]


def test_the_unsecured_token_of_rfc_7515_is_refused() -> None:
    with pytest.raises(JoseError, match="not signed"):
        jws.parse(vectors("rfc7515")["unsecured"]["token"])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "compact form"),
        ("a.b", "compact form"),
        ("a.b.c.d", "compact form"),
        ("a.b.c.d.e", "compact form"),
        ("{}", "compact form"),
        (json.dumps({"payload": "e30", "signatures": []}), "compact form"),
        ("..", "not signed"),
        (token({"alg": "HS256"}) + "=", "not base64url"),
        (token({"alg": "HS256"}) + "\n", "not base64url"),
        (" " + token({"alg": "HS256"}), "not base64url"),
        (token({"alg": "HS256"}) + "é", "characters"),
        (token(b""), "not a JSON object"),
        (token(b"[]"), "not a JSON object"),
        (token(b'"alg"'), "not a JSON object"),
        (token(b"\xff"), "not a JSON object"),
        (token(b'{"alg":"none","alg":"HS256"}'), "not a JSON object"),
        (token(b'{"alg":"HS256","x":{"y":1,"y":2}}'), "not a JSON object"),
        (token(b'{"alg":"HS256","x":' + b"[" * 9 + b"]" * 9 + b"}"), "not a JSON object"),
        (token({}), "names no algorithm"),
        (token({"alg": None}), "names no algorithm"),
        (token({"alg": ["HS256"]}), "names no algorithm"),
        (token({"alg": "HS256", "crit": ["exp"], "exp": 1}), "extension"),
        (token({"alg": "HS256", "crit": []}), "extension"),
        (token({"alg": "HS256", "crit": None}), "extension"),
        (token({"alg": "HS256", "b64": False}), "extension"),
        (token({"alg": "HS256", "kid": 1}), "wrong type"),
        (token({"alg": "HS256", "kid": ["a"]}), "wrong type"),
        (token({"alg": "HS256", "typ": None}), "wrong type"),
    ],
)
def test_what_is_no_plain_signed_token_is_refused(text: str, reason: str) -> None:
    with pytest.raises(JoseError, match=reason):
        jws.parse(text)


@pytest.mark.parametrize(
    ("typ", "read"),
    [("JWT", "jwt"), ("at+JWT", "at+jwt"), ("application/at+jwt", "at+jwt"), ("APPLICATION/JWT", "jwt"), ("", "")],
)
def test_types_are_compared_without_case_and_prefix(typ: str, read: str) -> None:
    assert jws.parse(token({"alg": "HS256", "typ": typ})).typ == read


def test_the_length_is_capped_to_the_byte() -> None:
    text = token({"alg": "HS256"})
    assert jws.parse(text, max_bytes=len(text)).alg == "HS256"
    with pytest.raises(JoseError, match="longer than"):
        jws.parse(text, max_bytes=len(text) - 1)


class Closed(str):
    """A text whose length may be asked for, and no more."""

    __slots__ = ()

    def encode(self, *_args: object, **_more: object) -> bytes:
        raise AssertionError("it was looked into")


@pytest.mark.parametrize(
    "text",
    [
        token({"alg": "HS256", "x": "a" * 1_000_000}),
        token(b"[" * 1_000_000),
        token({"alg": "HS256"}, b"a" * 1_000_000),
        "." * 1_000_000,
    ],
    ids=["header", "nested header", "payload", "dots"],
)
def test_a_megabyte_is_not_looked_into(text: str) -> None:
    with pytest.raises(JoseError, match="longer than"):
        jws.parse(Closed(text))


@given(
    st.one_of(
        st.text(max_size=80),
        st.binary(max_size=80),
        st.text(alphabet="ABCDEFeyJhbGciOi0_-.=", max_size=80),
        st.builds(token, st.binary(max_size=40), st.binary(max_size=10), st.binary(max_size=10)),
        st.builds(token, st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "jwk"]), st.text(max_size=5))),
    )
)
def test_whatever_comes_only_the_declared_error_leaves(text: str | bytes) -> None:
    try:
        parsed = jws.parse(text)
    except JoseError:
        return
    assert isinstance(parsed.header["alg"], str)
    assert parsed.signature
    assert "crit" not in parsed.header
