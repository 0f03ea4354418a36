"""HTTP Basic credentials (RFC 7617), and as OAuth clients send them (RFC 6749 §2.3.1)."""

import binascii
import re
from typing import Final, NamedTuple

from keystead.wire import form

MAX_HEADER: Final = 8 * 1024
"""Bytes an Authorization header may have."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class BasicError(ValueError):
    """The header is not Basic credentials; the message is safe to show and holds no part of them."""


class Basic(NamedTuple):
    """Who asks, and the secret that should prove it."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Basic(user={self.user!r}, password='**********')"


def decode(header: str | bytes) -> Basic:
    """The user and password of an ``Authorization`` header, as they stand.

    :raises BasicError: another scheme, broken base64, broken UTF-8, no colon, or a control character (RFC 7617 §2).
    """
    if len(header) > MAX_HEADER:
        raise BasicError(f"The Authorization header is longer than {MAX_HEADER} bytes.")
    try:
        raw = header.encode("ascii") if isinstance(header, str) else header
    except UnicodeEncodeError:
        raise BasicError("The Authorization header is not ASCII.") from None
    scheme, _, rest = raw.partition(b" ")
    if scheme.lower() != b"basic":
        raise BasicError("The Authorization header is not of the Basic scheme.")
    return pair(rest.strip(b" "))


def pair(text: str | bytes) -> Basic:
    """User and password from ``base64(user:password)``.

    :raises BasicError: broken base64, broken UTF-8, no colon, or a control character.
    """
    try:
        raw = text.encode("ascii") if isinstance(text, str) else text
        plain = binascii.a2b_base64(raw)
        joined = plain.decode()
    except ValueError:
        raise BasicError("The credentials are not base64 of UTF-8 text.") from None
    # As in b64: the stdlib skips what it does not know, the canonical spelling shows it.
    if binascii.b2a_base64(plain, newline=False) != raw:
        raise BasicError("The credentials are not canonical base64.")
    user, colon, password = joined.partition(":")
    if not colon:
        raise BasicError("The credentials have no colon between name and secret.")
    _refuse_controls(joined)
    return Basic(user, password)


def decode_client(header: str | bytes) -> Basic:
    """An OAuth client's id and secret: each was form-encoded before it went into the Basic scheme (RFC 6749 §2.3.1).

    Many clients leave that encoding out. It makes no difference to letters, digits and ``-._~``; who must accept other
    characters from such clients compares :func:`decode` too.

    :raises BasicError: as :func:`decode`, or a part is not form-encoded UTF-8.
    """
    raw = decode(header)
    try:
        client = Basic(form.component(raw.user), form.component(raw.password))
    except form.FormError:
        raise BasicError("The client's id or secret is not form-encoded.") from None
    _refuse_controls(client.user + client.password)
    return client


def _refuse_controls(text: str) -> None:
    if _CONTROL.search(text):
        raise BasicError("The credentials have a control character.")
