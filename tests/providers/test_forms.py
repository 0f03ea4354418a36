"""Forms of members that several providers have."""

import pytest

from keystead.kinds.field import scalar
from keystead.providers.forms import DistinguishedName, Networks, WebAddress
from keystead.providers.oidc.redirects import MAX_LENGTH, fault
from keystead.providers.redirect_uri import MatchingModeEnum, RedirectURI


def taken(hint: object, text: str) -> bool:
    """Whether ``text`` has the form."""
    _, (form,) = scalar(hint)
    try:
        return form.check(text) == text
    except ValueError:
        return False


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("https://app.example.org", True),
        ("http://10.0.0.1:8080/path?x=1", True),
        ("https://[2001:db8::1]/", True),
        ("", True),
        ("app.example.org", False),
        ("javascript:alert(1)", False),
        ("https://", False),
        ("https://host:port/", False),
        ("https://a b/", False),
        ("ftp://files.example.org", False),
        ("https://x/" + "a" * 2048, False),
    ],
)
def test_a_web_address(text: str, good: bool) -> None:  # noqa: FBT001 - from a table
    assert taken(WebAddress, text) is good


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("DC=ldap,DC=goauthentik,DC=io", True),
        ("ou=people, dc=example, dc=org", True),
        ("o=Sue\\, Grabbit and Runn,C=GB", True),
        ("2.5.4.10=Example", True),
        ("", False),
        ("example.org", False),
        ("DC=", False),
        ("DC=a,,DC=b", False),
        ("DC=a,", False),
        (",DC=a", False),
        ("=x", False),
    ],
)
def test_a_distinguished_name(text: str, good: bool) -> None:  # noqa: FBT001 - as above
    assert taken(DistinguishedName, text) is good


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("0.0.0.0/0, ::/0", True),
        ("10.0.0.0/8", True),
        ("10.1.2.3/8", True),
        ("10.0.0.1", False),
        ("10.0.0.0/33", False),
        ("10.0.0.0/8,", False),
        ("office", False),
    ],
)
def test_networks(text: str, good: bool) -> None:  # noqa: FBT001 - as above
    assert taken(Networks, text) is good


def test_a_pattern_of_redirect_uris_has_an_end() -> None:
    for length, wrong in ((MAX_LENGTH, False), (MAX_LENGTH + 1, True), (900_000, True)):
        registered = RedirectURI(matching_mode=MatchingModeEnum.REGEX, url="a" * length)
        assert (fault(registered) is not None) is wrong
