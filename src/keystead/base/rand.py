"""Randomness from the operating system, in one place so that a test can replace it."""

import secrets
import string
import uuid

_ALPHANUMERIC = string.ascii_letters + string.digits


def token(nbytes: int = 32) -> str:
    """A URL-safe text carrying ``nbytes`` random bytes (default 256 bits)."""
    return secrets.token_urlsafe(nbytes)


def alphanumeric(length: int) -> str:
    """``length`` random letters and digits (5.95 bits each); the form of client ids, client secrets and token keys."""
    return "".join(secrets.choice(_ALPHANUMERIC) for _ in range(length))


def uuid4() -> str:
    """A random UUID in canonical text form (RFC 9562 §5.4)."""
    return str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))


def hex128() -> str:
    """128 random bits as 32 hexadecimal digits; the form of a request id."""
    return secrets.token_hex(16)


def below(limit: int) -> int:
    """A random integer with 0 <= n < limit."""
    return secrets.randbelow(limit)
