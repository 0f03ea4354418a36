import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.wire import b64
from tests.trust.support import vectors


def test_the_example_of_rfc_7515_appendix_c() -> None:
    case = vectors("rfc7515")["base64url"]
    assert b64.encode(bytes(case["octets"])) == case["text"]
    assert b64.decode(case["text"]) == bytes(case["octets"])


@given(st.binary(max_size=200))
def test_what_is_encoded_decodes_to_itself(data: bytes) -> None:
    text = b64.encode(data)
    assert b64.decode(text) == data
    assert b64.decode(b64.encode_bytes(data)) == data
    assert base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) == data


@pytest.mark.parametrize(
    "text",
    [
        "A",  # six bits are no byte
        "AAAAA",
        "AA==",  # padding
        "AAA=",
        "=",
        "AB",  # trailing bits that are not zero
        "AAB",
        "A+z/4ME",  # the alphabet of plain base64
        "AA AA",
        "AAAA\n",
        "\nAAAA",
        "AA.A",
        "AAAé",
        "AAA\udc80",
        "AAA\0",
    ],
)
def test_other_spellings_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="base64url"):
        b64.decode(text)


@given(st.one_of(st.text(max_size=40), st.binary(max_size=40)))
def test_two_texts_never_mean_the_same_bytes(text: str | bytes) -> None:
    try:
        data = b64.decode(text)
    except ValueError:
        return
    assert b64.encode(data) == (text if isinstance(text, str) else text.decode("ascii"))


@given(st.binary(min_size=1, max_size=64), st.data())
def test_any_other_last_character_changes_the_bytes_or_is_refused(data: bytes, choose: st.DataObject) -> None:
    text = b64.encode(data)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = text[:-1] + choose.draw(st.sampled_from(alphabet.replace(text[-1], "")))
    with contextlib.suppress(ValueError):
        assert b64.decode(other) != data
