"""base64url without padding: how JOSE and PKCE write bytes (RFC 7515 §2, RFC 4648 §5)."""

import base64
import binascii
from typing import Final

_FROM_URL: Final = bytes.maketrans(b"-_", b"+/")


def encode_bytes(data: bytes) -> bytes:
    """``data`` as base64url without padding, as ASCII bytes (to be joined into a token)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def encode(data: bytes) -> str:
    """``data`` as base64url without padding."""
    return encode_bytes(data).decode("ascii")


def decode(text: str | bytes) -> bytes:
    """The bytes that ``text`` stands for, if it is the one spelling :func:`encode` would give them.

    Padding, characters outside the alphabet, white space and trailing bits that are not zero are all refused, so two
    different texts never mean the same bytes (RFC 4648 §3.2, §3.3, §3.5).

    :raises ValueError: ``text`` is any other spelling.
    """
    try:
        raw = text.encode("ascii") if isinstance(text, str) else text
        data = binascii.a2b_base64(raw.translate(_FROM_URL) + b"=" * (-len(raw) % 4))
    except ValueError:
        raise ValueError("not base64url") from None
    # The stdlib decoder skips what it does not know; one look at the canonical spelling catches all of it at once.
    if encode_bytes(data) != raw:
        raise ValueError("not canonical base64url without padding")
    return data
