"""Compact JSON Web Signatures, taken apart and no more (RFC 7515 §3.1, §5.2; RFC 8725).

Nothing here is to be believed before ``trust.signer`` has checked the signature with a key of *our* choosing: keys or
addresses of keys in a header (``jwk``, ``jku``, ``x5u``, ``x5c``) are never used.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from keystead.wire import b64, jsonstrict

MAX_TOKEN: Final = 16 * 1024
"""Bytes a token may have unless the caller says otherwise."""

_HEADER_DEPTH: Final = 8


class JoseError(ValueError):
    """A token is refused; the message is one safe sentence without any part of the token."""


class Jws(msgspec.Struct, frozen=True, gc=False):
    """A token taken apart. Unverified.

    :param header: the protected header; names are unique, ``alg`` is a text and there is no ``crit``.
    :param payload: the signed bytes, decoded.
    :param signature: the signature's bytes, never empty.
    :param signing_input: what the signature covers: the first two segments and the dot between them.
    """

    header: Mapping[str, object]
    payload: bytes
    signature: bytes
    signing_input: bytes

    @property
    def alg(self) -> str:
        """The algorithm the token claims (RFC 7515 §4.1.1)."""
        return str(self.header["alg"])

    @property
    def kid(self) -> str:
        """Which key the token claims, or "" (RFC 7515 §4.1.4)."""
        return str(self.header.get("kid", ""))

    @property
    def typ(self) -> str:
        """The media type the token claims in lower case without ``application/``, or "" (RFC 7515 §4.1.9)."""
        return media_type(str(self.header.get("typ", "")))


def media_type(typ: str) -> str:
    """``typ`` in the form in which two of them are compared: lower case, without ``application/``."""
    return typ.lower().removeprefix("application/")


def parse(token: str | bytes, *, max_bytes: int = MAX_TOKEN) -> Jws:
    """Take a compact JWS apart.

    :param token: three base64url segments joined by dots.
    :param max_bytes: longer tokens are refused before anything is decoded.
    :raises JoseError: too long, not three segments, not canonical base64url, a header that is not a JSON object with
        unique names, a header member of the wrong type, ``crit`` or ``b64`` (we understand no extension,
        RFC 7515 §4.1.11), or no signature.
    """
    if len(token) > max_bytes:
        raise JoseError(f"The token is longer than {max_bytes} bytes.")
    try:
        raw = token.encode("ascii") if isinstance(token, str) else token
    except UnicodeEncodeError:
        raise JoseError("The token has characters that no token has.") from None
    if raw.count(b".") != 2:  # noqa: PLR2004 - the three segments of RFC 7515 §7.1
        raise JoseError("The token is not a signed token in compact form.")
    signing_input, _, signature = raw.rpartition(b".")
    header, _, payload = signing_input.partition(b".")
    if not signature:
        raise JoseError("The token is not signed.")
    try:
        head, body, mark = b64.decode(header), b64.decode(payload), b64.decode(signature)
    except ValueError:
        raise JoseError("A segment of the token is not base64url without padding.") from None
    return Jws(_header(head), body, mark, signing_input)


def _header(data: bytes) -> dict[str, object]:
    try:
        header = jsonstrict.decode_object(data, max_depth=_HEADER_DEPTH)
    except ValueError:
        raise JoseError("The token's header is not a JSON object with unique names.") from None
    if not isinstance(header.get("alg"), str):
        raise JoseError("The token's header names no algorithm.")
    if "crit" in header or "b64" in header:
        raise JoseError("The token's header demands an extension that is not understood.")
    if not isinstance(header.get("kid", ""), str) or not isinstance(header.get("typ", ""), str):
        raise JoseError("The token's header has a member of the wrong type.")
    return header
