"""Forms that members of several providers have: web addresses, networks, names in a directory."""

import re
from ipaddress import ip_interface
from typing import Annotated, Final, TypeAlias
from urllib.parse import urlsplit

import msgspec

from keystead.kinds.marks import Format
from keystead.wire import ldapname

_LONGEST: Final = 2048
_UNFIT: Final = re.compile(r"[\x00-\x20\x7f\\]")


def _web(text: str) -> str:
    if not text:
        return text
    wrong = f"“{text[:100]}” is not a web address: write it like https://app.example.org/path."
    if len(text) > _LONGEST or _UNFIT.search(text):
        raise ValueError(wrong)
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(wrong) from None
    if parts.scheme.lower() not in {"http", "https"} or not host:
        raise ValueError(wrong)
    return text


def _networks(text: str) -> str:
    for entry in text.split(","):
        try:
            if "/" not in entry:
                raise ValueError  # noqa: TRY301 - one sentence tells of every mistake
            ip_interface(entry.strip())
        except ValueError:
            raise ValueError(
                f"“{entry.strip()[:100]}” is not a network: write it like 10.0.0.0/8 or 2001:db8::/32."
            ) from None
    return text


def _name(text: str) -> str:
    try:
        good = all(part.value for together in ldapname.parse(text) for part in together)
    except ValueError:
        good = False
    if not good or not text:
        raise ValueError(f"“{text[:100]}” is not a distinguished name: write it like DC=ldap,DC=example,DC=org.")
    return text


WebAddress: TypeAlias = Annotated[str, Format("", _web)]
"""An http or https address, or empty."""
Networks: TypeAlias = Annotated[str, msgspec.Meta(min_length=1), Format("", _networks)]
"""Networks in CIDR notation, parted by commas."""
DistinguishedName: TypeAlias = Annotated[str, msgspec.Meta(min_length=1), Format("", _name)]
"""A name in a directory (RFC 4514)."""
