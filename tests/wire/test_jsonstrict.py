import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.wire import jsonstrict
from keystead.wire.jsonstrict import JsonError

texts = st.text(st.characters(codec="utf-8"), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(values, st.sampled_from([None, 1]), st.booleans())
def test_reads_what_other_writers_write(value: object, indent: int | None, ascii_only: bool) -> None:  # noqa: FBT001 - drawn
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert jsonstrict.decode(text.encode()) == value


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "ends too early"),
        (b"  ", "ends too early"),
        (b'{"a":', "ends too early"),
        (b"{} x", "trailing characters near byte 4"),
        (b"[1,]", "trailing comma in array near byte 3"),
        (b"{'a':1}", "near byte 1"),
        (b"01", "invalid number near byte 1"),
        (b"NaN", "invalid character near byte 0"),
        (b"[Infinity]", "invalid character near byte 1"),
        (b"[-Infinity]", "near byte 2"),
        (b"1e400", "out of range"),
        (b"[-1e400]", "out of range"),
        (b"9" * 5000, "out of range"),
        (b"\xef\xbb\xbf{}", "invalid character near byte 0"),
        (b'{"a":"\xff"}', "not valid UTF-8 at byte 6"),
        (b'["\xed\xa0\x80"]', "not valid UTF-8 at byte 2"),
        (b'"\\ud800"', "not valid JSON"),
        (b'"\\udc00 "', "surrogate"),
        (b'"\n"', "invalid character near byte 1"),
        (b"/* */ {}", "near byte 0"),
    ],
)
def test_the_reason_is_said_in_plain_words(data: bytes, reason: str) -> None:
    with pytest.raises(JsonError, match=reason):
        jsonstrict.decode(data)


@pytest.mark.parametrize("wrap", [(b"[", b"]"), (b'{"a":', b"}")])
@pytest.mark.parametrize("inside", [b"", b"1", b'"[[["'])
def test_nesting_is_allowed_up_to_the_limit(wrap: tuple[bytes, bytes], inside: bytes) -> None:
    opening, closing = wrap
    core = inside or (b"[]" if opening == b"[" else b"{}")
    depth = 64 if inside else 63
    jsonstrict.decode(opening * depth + core + closing * depth)
    with pytest.raises(JsonError, match="nests deeper than 64 levels"):
        jsonstrict.decode(opening * (depth + 1) + core + closing * (depth + 1))


@pytest.mark.parametrize("bomb", [b"[" * 500_000, b'{"a":' * 100_000, b"[" * 5000 + b"]" * 5000])
def test_a_bomb_of_brackets_is_refused(bomb: bytes) -> None:
    with pytest.raises(JsonError, match="nests deeper"):
        jsonstrict.decode(bomb)


def test_many_shallow_objects_are_no_depth() -> None:
    assert jsonstrict.decode(b"[" + b",".join([b'{"a":[1]}'] * 1000) + b"]", max_depth=3) == [{"a": [1]}] * 1000


@pytest.mark.parametrize("data", [b'{"a":1,"a":1}', b'{"a": 1, "b": [{"c": 1, "c": 2}]}', b'{"a":1,"\\u0061":2}'])
def test_a_member_named_twice_is_refused(data: bytes) -> None:
    with pytest.raises(JsonError, match="twice in one object"):
        jsonstrict.decode(data)
    assert isinstance(jsonstrict.decode(data, unique=False), dict)


def test_the_same_name_in_different_objects_is_fine() -> None:
    assert jsonstrict.decode(b'[{"a": 1}, {"a": {"a": 2}}]') == [{"a": 1}, {"a": {"a": 2}}]


@pytest.mark.parametrize("data", [b"[]", b'"a"', b"1", b"null", b"true"])
def test_an_object_is_asked_for(data: bytes) -> None:
    with pytest.raises(JsonError, match="must be an object"):
        jsonstrict.decode_object(data)


@given(st.one_of(st.binary(max_size=60), st.text(alphabet='{}[]",:0123456789eE+-.\\u \ntrfalsn', max_size=60)))
def test_whatever_comes_only_the_declared_error_leaves(data: bytes | str) -> None:
    raw = data.encode() if isinstance(data, str) else data
    try:
        value = jsonstrict.decode(raw)
    except JsonError:
        return
    assert json.loads(raw) == value
