from urllib.parse import parse_qsl, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.wire import form
from keystead.wire.form import Form, FormError, RepeatedFieldError

words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@given(st.lists(st.tuples(words, words), max_size=8))
def test_reads_what_other_writers_write(pairs: list[tuple[str, str]]) -> None:
    text = urlencode(pairs)
    assert list(form.parse(text)) == pairs
    assert list(form.parse(text.encode())) == pairs


@given(st.text(alphabet="ab=&;+%41C3A9é ", max_size=40))
def test_agrees_with_the_standard_library_wherever_it_accepts(text: str) -> None:
    try:
        fields = form.parse(text)
    except FormError:
        return
    assert list(fields) == parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=None)


def test_only_the_ampersand_separates() -> None:
    assert list(form.parse(b"a=1;b=2&c=3")) == [("a", "1;b=2"), ("c", "3")]


def test_empty_fields_are_passed_over_and_bare_names_have_empty_values() -> None:
    assert list(form.parse(b"&&a&b=&=c&d=e=f&")) == [("a", ""), ("b", ""), ("", "c"), ("d", "e=f")]
    assert list(form.parse(b"")) == []


def test_plus_and_escapes() -> None:
    assert list(form.parse(b"a+b=c+%2B%20d&%c3%A9=%E2%82%AC")) == [("a b", "c + d"), ("é", "€")]
    assert list(form.parse("é=ü".encode())) == [("é", "ü")]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"a=%", "hexadecimal"),
        (b"a=%4", "hexadecimal"),
        (b"a=%4&1", "hexadecimal"),
        (b"a=%zz", "hexadecimal"),
        (b"%=a", "hexadecimal"),
        (b"a=%u0041", "hexadecimal"),
        (b"a=\xff", "UTF-8"),
        (b"a=%ff", "UTF-8"),
        (b"%c3=a", "UTF-8"),
        (b"a=%ed%a0%80", "UTF-8"),
        (b"a=%c0%af", "UTF-8"),
        ("a=\udc80", "UTF-8"),
        (b"a=%00", "NUL"),
        (b"a=\0", "NUL"),
    ],
)
def test_broken_forms_are_refused(data: bytes | str, reason: str) -> None:
    with pytest.raises(FormError, match=reason):
        form.parse(data)


def test_the_number_of_fields_is_capped() -> None:
    assert len(form.parse("&".join(["a=1"] * 256))) == 256
    with pytest.raises(FormError, match="more than 256"):
        form.parse("&".join(["a=1"] * 257))
    with pytest.raises(FormError, match="more than 2"):
        form.parse(b"&&&&", max_fields=2)


def test_get_one_and_all() -> None:
    fields = form.parse(b"a=1&b=2&a=3&c=")
    assert fields.get("a") == "1"
    assert fields.get("x") is None
    assert fields.get("x", "y") == "y"
    assert fields.get("c") == ""
    assert fields.all("a") == ("1", "3")
    assert fields.all("x") == ()
    assert fields.one("b") == "2"
    assert fields.one("x") is None
    assert len(fields) == 4
    assert "a" in fields
    assert "x" not in fields


@pytest.mark.parametrize("data", [b"a=1&a=2", b"a=1&a=1", b"a=&a=1", b"a&b=1&a", b"a=1&%61=1"])
def test_a_repeated_parameter_is_refused_and_named(data: bytes) -> None:
    with pytest.raises(RepeatedFieldError, match="'a' is given more than once") as refusal:
        form.parse(data).one("a")
    assert refusal.value.name == "a"


def test_a_parameter_without_value_counts_as_not_given() -> None:
    assert form.parse(b"scope=&state=x").one("scope") is None


def test_values_are_not_shown() -> None:
    fields = form.parse(b"password=hunter2&password=hunter3")
    assert "hunter" not in repr(fields)
    assert "password" in repr(fields)


def test_equal_fields_make_equal_forms() -> None:
    assert form.parse(b"a=%31") == Form((("a", "1"),))
    assert hash(form.parse(b"a=1")) == hash(Form((("a", "1"),)))
    assert form.parse(b"a=1") != form.parse(b"a=2")


@given(words)
def test_a_component_alone(word: str) -> None:
    assert form.component(quote_plus(word)) == word


@given(st.one_of(st.binary(max_size=60), st.text(max_size=60), st.text(alphabet="%&=+;0aF\0\udc80", max_size=60)))
def test_whatever_comes_only_the_declared_error_leaves(data: bytes | str) -> None:
    try:
        fields = form.parse(data, max_fields=20)
    except FormError:
        return
    for name, value in fields:
        assert "\0" not in name + value
        (name + value).encode()  # raises if a lone surrogate came through
    assert len(fields) <= 20
