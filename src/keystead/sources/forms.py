"""Forms of texts that sources ask for: addresses, directory filters."""

from collections.abc import Iterable
from typing import Annotated, Final, TypeAlias
from urllib.parse import urlsplit

import msgspec

from keystead.kinds.marks import Format

_WEB: Final = ("https", "http")
_DIRECTORY: Final = ("ldaps", "ldap")
_DEEPEST: Final = 64
"""How deep parts of a directory filter may stand inside each other."""


def _address(value: str, schemes: Iterable[str], like: str) -> str:
    try:
        parts = urlsplit(value)
        good = parts.scheme in schemes and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good or any(char.isspace() for char in value):
        raise ValueError(f"“{value}” is no address: write it like {like}.")
    return value


def _web(value: str) -> str:
    return _address(value, _WEB, "https://login.example.org/authorize") if value else value


def _server(value: str) -> str:
    """One directory server, or several parted by commas, which are tried in turn."""
    servers = [one.strip() for one in value.split(",")]
    return ",".join(_address(one, _DIRECTORY, "ldaps://dc1.example.org") for one in servers)


def _filter(value: str) -> str:
    """A search filter as RFC 4515 writes it, as far as its parentheses tell."""
    depth, closed = 0, 0
    for place, char in enumerate(value):
        depth += (char == "(") - (char == ")")
        if depth < 0 or depth > _DEEPEST or (depth == 0 and place != len(value) - 1):
            break
        closed += char == ")"
    if depth or not closed or "()" in value:
        raise ValueError(f"“{value}” is no search filter: write it like (objectClass=person).")
    return value


def _dn(value: str) -> str:
    """A distinguished name (RFC 4514), as far as its parts name attributes."""
    parts = value.replace("\\,", "").replace("\\+", "").split(",")
    if any("=" not in part or not part.partition("=")[0].strip() for part in parts):
        raise ValueError(f"“{value}” is no distinguished name: write it like DC=example,DC=org.")
    return value


def _above(value: str) -> str:
    return _dn(value) if value else value


WebUrl: TypeAlias = Annotated[str, Format("", _web)]
"""An http or https address, or blank."""
GivenWebUrl: TypeAlias = Annotated[str, msgspec.Meta(min_length=1), Format("", _web)]
"""An http or https address."""
DirectoryUri: TypeAlias = Annotated[str, msgspec.Meta(min_length=1), Format("", _server)]
"""An ldap or ldaps address, or several parted by commas."""
DirectoryFilter: TypeAlias = Annotated[str, msgspec.Meta(min_length=1), Format("", _filter)]
"""A directory's search filter."""
DistinguishedName: TypeAlias = Annotated[str, msgspec.Meta(min_length=1), Format("", _dn)]
"""A distinguished name."""
NamePart: TypeAlias = Annotated[str, Format("", _above)]
"""The first parts of a distinguished name, or blank."""
