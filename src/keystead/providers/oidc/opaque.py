"""Codes and refresh tokens: 256 random bits behind a prefix that tells what it is, and a checksum that tells typos.

Kept as SHA-256 only. What fails the checksum costs no look-up and cannot be a shortened or lengthened token.
"""

import hashlib
from typing import Final

from keystead.base import rand
from keystead.wire import b64

CODE: Final = "ksc_"
REFRESH: Final = "ksr_"
_CHECK: Final = 6
_LENGTH: Final = 4 + 43 + _CHECK


def new(prefix: str) -> str:
    """A fresh value of the kind that ``prefix`` names."""
    body = prefix + rand.token(32)
    return body + _checksum(body)


def whole(value: str, prefix: str) -> bool:
    """Whether ``value`` has the form of something :func:`new` made. Says nothing about whether we made it."""
    if len(value) != _LENGTH or not value.startswith(prefix) or not value.isascii():
        return False
    return _checksum(value[:-_CHECK]) == value[-_CHECK:]


def _checksum(body: str) -> str:
    return b64.encode(hashlib.sha256(body.encode()).digest())[:_CHECK]
