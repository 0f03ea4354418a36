"""Proof Key for Code Exchange (RFC 7636): a code is worth something only to whoever began the request."""

import hashlib
import hmac
import re
from typing import Final

from keystead.wire import b64

METHODS: Final = ("plain", "S256")
"""The challenge methods, in the order discovery lists them (oauth2.md §2)."""

_SYNTAX: Final = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
_S256_LENGTH: Final = 43


class PkceError(ValueError):
    """Verifier or challenge is refused; the message is safe to show."""


def check_challenge(challenge: str, *, method: str) -> None:
    """Refuse a challenge that no verifier could meet, when it is presented (RFC 7636 §4.2, §4.3).

    :raises PkceError: the method is unknown, or the challenge is not of its form.
    """
    if method not in METHODS:
        raise PkceError(f"code_challenge_method must be one of {', '.join(METHODS)}.")
    if method == "S256":
        try:
            if len(challenge) == _S256_LENGTH and b64.decode(challenge):
                return
        except ValueError:
            pass
        raise PkceError("code_challenge must be the base64url of a SHA-256, 43 characters without padding.")
    if not _SYNTAX.fullmatch(challenge):
        raise PkceError("code_challenge must be 43 to 128 letters, digits or -._~ characters.")


def s256(verifier: str) -> str:
    """The S256 challenge for ``verifier`` (RFC 7636 §4.2)."""
    return b64.encode(hashlib.sha256(verifier.encode()).digest())


def check_verifier(verifier: str, *, expected_challenge: str, method: str) -> None:
    """Refuse a verifier that does not belong to the challenge (RFC 7636 §4.6), in constant time.

    :param verifier: what the token request brought.
    :param expected_challenge: what the authorization request brought; an empty one is met by nothing.
    :param method: ``S256`` or ``plain``, as the authorization request said.
    :raises PkceError: the verifier's form is wrong (RFC 7636 §4.1), the method is unknown, or they do not match.
    """
    if not _SYNTAX.fullmatch(verifier):
        raise PkceError("code_verifier must be 43 to 128 letters, digits or -._~ characters.")
    if method not in METHODS:
        raise PkceError("The code was made with an unknown code_challenge_method.")
    computed = s256(verifier) if method == "S256" else verifier
    if not hmac.compare_digest(computed.encode(), expected_challenge.encode("utf-8", "surrogatepass")):
        raise PkceError("code_verifier does not match the code_challenge.")
