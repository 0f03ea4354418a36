"""Addresses, filters and names that sources take and refuse."""

from collections.abc import Callable

import pytest

from keystead.sources import forms

Check = Callable[[str], str]


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (forms.web_url, ""),
        (forms.web_url, "https://login.example.org/authorize?a=b"),
        (forms.web_url, "http://localhost:8080/"),
        (forms.directory_uri, "ldaps://dc.example.org"),
        (forms.directory_uri, "ldap://[2001:db8::1]:389"),
        (forms.directory_filter, "(objectClass=person)"),
        (forms.directory_filter, "(&(objectClass=person)(!(uid=*bot*)))"),
        (forms.directory_filter, "(&\n (objectClass=user)\n (memberOf:1.2.840.113556.1.4.1941:=CN=x,DC=y)\n)"),
        (forms.directory_filter, "(&" * 60 + "(a=b)" + ")" * 60),
        (forms.distinguished_name, "DC=example,DC=org"),
        (forms.distinguished_name, "ou=people, dc=example, dc=org"),
        (forms.distinguished_name, "OU=Doe\\, Jane,O=Example"),
        (forms.name_part, ""),
    ],
)
def test_what_is_taken_stays_as_it_is(check: Check, text: str) -> None:
    assert check(text) == text


def test_several_servers_are_tidied() -> None:
    assert (
        forms.directory_uri("ldaps://a.example.org ,ldaps://b.example.org")
        == "ldaps://a.example.org,ldaps://b.example.org"
    )


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (forms.web_url, "javascript:alert(1)"),
        (forms.web_url, "https://"),
        (forms.web_url, "https://a b.example.org"),
        (forms.web_url, "https://example.org:99999/"),
        (forms.web_url, "https://[::1"),
        (forms.directory_uri, "https://dc.example.org"),
        (forms.directory_uri, "ldaps://a.example.org,"),
        (forms.directory_uri, ""),
        (forms.directory_filter, "objectClass=person"),
        (forms.directory_filter, "(objectClass=person"),
        (forms.directory_filter, "(a=b))"),
        (forms.directory_filter, "(a=b)(c=d)"),
        (forms.directory_filter, "(&(a=b))(c=d)"),
        (forms.directory_filter, "(a=b"),
        (forms.directory_filter, "(((a=b)"),
        (forms.directory_filter, "()"),
        (forms.directory_filter, "(" * 65 + "a=b" + ")" * 65),
        (forms.directory_filter, "(c n=b)"),
        (forms.directory_filter, "(cn=a\\)"),
        (forms.directory_filter, "(&" * 65 + "(a=b)" + ")" * 65),
        (forms.distinguished_name, ""),
        (forms.distinguished_name, "O=a<b"),
        (forms.distinguished_name, "example.org"),
        (forms.distinguished_name, "DC=example,,DC=org"),
        (forms.distinguished_name, "=x"),
        (forms.name_part, "people"),
    ],
)
def test_what_is_refused_is_told_with_an_example(check: Check, text: str) -> None:
    with pytest.raises(ValueError, match="write it like"):
        check(text)
