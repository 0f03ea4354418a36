"""Distinguished names: RFC 4514's examples, values back and forth, nothing that breaks the reader."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.wire.ldapname import LONGEST, Part, below, escape, parse


def plain(text: str) -> list[dict[str, str]]:
    return [{one.attribute: one.value.decode() for one in together} for together in parse(text)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        # RFC 4514 §4
        ("UID=jsmith,DC=example,DC=net", [{"UID": "jsmith"}, {"DC": "example"}, {"DC": "net"}]),
        (
            "OU=Sales+CN=J.  Smith,DC=example,DC=net",
            [{"OU": "Sales", "CN": "J.  Smith"}, {"DC": "example"}, {"DC": "net"}],
        ),
        (
            r"CN=James \"Jim\" Smith\, III,DC=example,DC=net",
            [{"CN": 'James "Jim" Smith, III'}, {"DC": "example"}, {"DC": "net"}],
        ),
        (r"CN=Before\0dAfter,DC=example,DC=net", [{"CN": "Before\rAfter"}, {"DC": "example"}, {"DC": "net"}]),
        (r"CN=Lu\C4\8Di\C4\87", [{"CN": "Lučić"}]),
        # more
        ("", []),
        ("DC=example, DC=org", [{"DC": "example"}, {"DC": "org"}]),
        (" dc = example , dc=org ", [{"dc": "example"}, {"dc": "org"}]),
        ("cn=a=b", [{"cn": "a=b"}]),
        ("DC=", [{"DC": ""}]),
        (r"cn=a\ ", [{"cn": "a "}]),
        (r"cn=\ a\\  ", [{"cn": " a\\"}]),
        ("2.5.4.3=a#b", [{"2.5.4.3": "a#b"}]),
    ],
)
def test_what_names_say(text: str, wanted: list[dict[str, str]]) -> None:
    assert plain(text) == wanted


def test_values_as_ber() -> None:
    assert parse("1.3.6.1.4.1.1466.0=#04024869") == ((Part("1.3.6.1.4.1.1466.0", b"\x04\x02Hi", hex=True),),)


@pytest.mark.parametrize(
    "text",
    [
        *("example.org", "=x", "DC=a,", ",DC=a", "DC=a,,DC=b", "DC=a+", "DC=a;DC=b", 'O="a, b"', "O=a<b", "O=a\0"),
        *("O=#", "O=#1", "O=#zz", "O=\\", "O=\\z", "O=a\\1", "1.=a", "-a=b", "a b=c", " ", "é=a", "O=\udc80"),
    ],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(text)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_what_is_escaped_means_itself(value: str) -> None:
    """SECURITY LD-05."""
    assert parse(f"cn={escape(value)},dc=x") == ((Part("cn", value.encode()),), (Part("dc", b"x"),))


@given(st.one_of(st.text(max_size=60), st.text('\\,+"<>;=# a0.', max_size=60)))
def test_nothing_breaks_it(text: str) -> None:
    try:
        parse(text)
    except ValueError:
        return


def test_hard_texts_take_little_time() -> None:
    begun = time.perf_counter()
    for text in ("a=" + " " * 8000 + "\\", "a" * 8100, " " * 8100, "a=" + "\\" * 8001, "x" * LONGEST * 9):
        with pytest.raises(ValueError, match=r"."):
            parse(text)
    assert time.perf_counter() - begun < 5


def test_a_name_below_another() -> None:
    assert below("OU=people", "DC=x") == "OU=people,DC=x"
    assert (below("", "DC=x"), below("OU=y", ""), below("", "")) == ("DC=x", "OU=y", "")
