"""Objects of a directory as people read them; passwords and keys stay where they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.sources.ldap.shown import LONGEST, VALUES, entry, is_secret, text_of
from keystead.wire.ldap import Attribute, SearchEntry

SID = bytes.fromhex("010500000000000515000000a065cf7e784b9b5fe77c8770091c0100")


@pytest.mark.parametrize(
    ("attribute", "value", "shown"),
    [
        ("cn", "Anna Müller".encode(), "Anna Müller"),
        ("street", b"one\nline\tand more", "one\nline\tand more"),
        ("cn", b"", ""),
        ("jpegPhoto", b"\xff\xd8\xff", "/9j/"),
        ("logonHours", b"\x00\x01", "AAE="),
        ("userCertificate;binary", b"\x30\x82", "MII="),
        ("objectSid", SID, "S-1-5-21-2127521184-1604012920-1887927527-72713"),  # [MS-DTYP] §2.4.2.1's form
        ("objectSid", bytes.fromhex("01020000000000052000000020020000"), "S-1-5-32-544"),
        ("OBJECTSID;x-more", bytes.fromhex("01020000000000052000000020020000"), "S-1-5-32-544"),
        ("objectSid", b"S-1-5-32-544", "S-1-5-32-544"),
        ("objectSid", b"\x01\x02\x00", "AQIA"),
        ("objectSid", b"\x01\xff" + b"\x00" * 6, "Af8AAAAAAAA="),
        ("objectGUID", bytes.fromhex("33221100554477668899aabbccddeeff"), "00112233-4455-6677-8899-aabbccddeeff"),
        ("objectGUID", b"short", "short"),
        ("entryUUID", b"00112233-4455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-aabbccddeeff"),
    ],
)
def test_values_as_texts(attribute: str, value: bytes, shown: str) -> None:
    assert text_of(attribute, value) == shown


@given(st.sampled_from(["cn", "objectSid", "objectGUID"]), st.binary(max_size=80))
def test_every_value_is_a_text(attribute: str, value: bytes) -> None:
    text_of(attribute, value).encode()


@pytest.mark.parametrize(
    "name",
    [
        "userPassword",
        "USERPASSWORD",
        "userPassword;lang-en",
        "unicodePwd",
        "sambaNTPassword",
        "ms-Mcs-AdmPwd",
        "2.5.4.35",
    ],
)
def test_secrets_are_left_out(name: str) -> None:
    assert is_secret(name)
    found = SearchEntry("cn=x", (Attribute("cn", (b"x",)), Attribute(name, (b"{SSHA}hash",))))
    assert entry(found) == {"dn": "cn=x", "attributes": {"cn": ["x"]}}


@pytest.mark.parametrize("name", ["cn", "pwdLastSet", "badPwdCount", "userPrincipalName", "shadowLastChange"])
def test_nothing_else_is(name: str) -> None:
    assert not is_secret(name)


def test_what_is_very_long_is_cut() -> None:
    many = Attribute("member", tuple(f"cn={number}".encode() for number in range(VALUES + 5)))
    long = Attribute("info", (b"x" * (LONGEST + 1),))
    shown = entry(SearchEntry("cn=x", (many, long)))["attributes"]
    assert isinstance(shown, dict)
    assert (len(shown["member"]), shown["member"][-1]) == (VALUES + 1, "… and 5 more")
    assert shown["info"] == ["x" * LONGEST + f"… ({LONGEST + 1} characters)"]
