"""Forms of texts that sources ask for: addresses, directory filters."""

from collections.abc import Iterable
from typing import Annotated, Final, TypeAlias
from urllib.parse import urlsplit

import msgspec

from keystead.kinds.marks import Format
from keystead.wire import ldapfilter, ldapname

_WEB: Final = ("https", "http")
_DIRECTORY: Final = ("ldaps", "ldap")
_SHOWN: Final = 100


def _address(value: str, schemes: Iterable[str], like: str) -> str:
    try:
        parts = urlsplit(value)
        good = parts.scheme in schemes and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good or any(char.isspace() for char in value):
        raise ValueError(f"“{value}” is no address: write it like {like}.")
    return value


def web_url(value: str) -> str:
    """An http or https address, or blank."""
    return _address(value, _WEB, "https://login.example.org/authorize") if value else value


def directory_uri(value: str) -> str:
    """One directory server, or several parted by commas, which are tried in turn."""
    servers = [one.strip() for one in value.split(",")]
    return ",".join(_address(one, _DIRECTORY, "ldaps://dc1.example.org") for one in servers)


def directory_filter(value: str) -> str:
    """A search filter (RFC 4515)."""
    try:
        ldapfilter.parse(value)
    except ValueError as exc:
        shown = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…"
        raise ValueError(f"“{shown}” is no search filter: write it like (objectClass=person). {exc}") from None
    return value


def distinguished_name(value: str) -> str:
    """A distinguished name (RFC 4514) that has parts."""
    try:
        named = bool(ldapname.parse(value))
    except ValueError:
        named = False
    if not named:
        raise ValueError(f"“{value[:_SHOWN]}” is no distinguished name: write it like DC=example,DC=org.")
    return value


def name_part(value: str) -> str:
    """A distinguished name, or blank."""
    return distinguished_name(value) if value else value


WebUrl: TypeAlias = Annotated[str, Format("", web_url)]
"""An http or https address, or blank."""
GivenWebUrl: TypeAlias = Annotated[str, msgspec.Meta(min_length=1), Format("", web_url)]
"""An http or https address."""
DirectoryUri: TypeAlias = Annotated[str, msgspec.Meta(min_length=1), Format("", directory_uri)]
"""An ldap or ldaps address, or several parted by commas."""
DirectoryFilter: TypeAlias = Annotated[str, msgspec.Meta(min_length=1), Format("", directory_filter)]
"""A directory's search filter."""
DistinguishedName: TypeAlias = Annotated[str, msgspec.Meta(min_length=1), Format("", distinguished_name)]
"""A distinguished name."""
NamePart: TypeAlias = Annotated[str, Format("", name_part)]
"""The first parts of a distinguished name, or blank."""
