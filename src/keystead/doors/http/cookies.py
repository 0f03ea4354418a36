"""The two cookies: ``authentik_session`` (a signed statement, not a secret store) and ``authentik_csrf`` (flows.md §5).

The session cookie is a JWT, HS256 under the installation's key, that carries a session key; what the key opens is kept
on the server under its digest. The cross-site token is a MAC of the session key, so it changes when the session does.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from keystead.base import rand
from keystead.base.clock import unix
from keystead.base.secret import Vault
from keystead.doors.http.message import Header
from keystead.doors.http.site import Site
from keystead.trust.signer import Signer
from keystead.trust.verifier import Verifier, VerifyingKey
from keystead.wire.jws import JoseError

SESSION: Final = "authentik_session"
CSRF: Final = "authentik_csrf"
ACCOUNTS: Final = "authentik_accounts"
"""The cookie with the keys of the other sessions of this browser, for people who use several accounts."""
MOST_ACCOUNTS: Final = 5
"""Other sessions a browser keeps."""
_KEPT_ACCOUNTS: Final = 30 * 24 * 3600
_ACR: Final = "goauthentik.io/core/default"
_PURPOSE: Final = "session-cookie"
_MAX: Final = 2048
_KEPT: Final = 1024
"""Cookies that are remembered as verified: a browser sends the same one with each request."""


class Opened(NamedTuple):
    """What a session cookie says.

    :param sid: the session key; empty for none.
    :param signed_in: whether a session may lie under it. A key that was given to somebody who was nobody opens none:
        whoever signs in gets another key.
    """

    sid: str
    signed_in: bool


_NONE: Final = Opened("", signed_in=False)


@lru_cache(maxsize=_KEPT)
def _opened(verifier: Verifier, text: str) -> Opened:
    try:
        claims = verifier.verify(text, algs=("HS256",))
    except (JoseError, ValueError):
        return _NONE
    sid = claims.get("sid")
    return Opened(sid, claims.get("authenticated") is True) if isinstance(sid, str) and sid else _NONE


class Jar(msgspec.Struct, frozen=True):
    """Reads and makes the cookies of one installation."""

    signer: Signer
    verifier: Verifier
    vault: Vault
    domain: str = ""
    path: str = "/"

    @classmethod
    def of(cls, vault: Vault, *, domain: str = "", path: str = "/") -> "Jar":
        """The jar for an installation's keys."""
        key = vault.signing_key(_PURPOSE)
        return cls(Signer.from_secret(key), Verifier({"": VerifyingKey.from_secret(key)}), vault, domain, path or "/")

    @classmethod
    def at(cls, site: Site) -> "Jar":
        """The jar for the installation at ``site``, below the path it lives at."""
        return cls.of(site.vault, domain=site.cookie_domain, path=f"{site.root_path}/")

    def open(self, cookies: Mapping[str, str]) -> Opened:
        """What the session cookie in a request says; nothing, if it was tampered with."""
        text = cookies.get(SESSION, "")
        return _opened(self.verifier, text) if text and len(text) <= _MAX else _NONE

    def read(self, cookies: Mapping[str, str]) -> str:
        """The session key in a request's cookies; empty for none, and for one that was tampered with."""
        return self.open(cookies).sid

    def csrf(self, sid: str) -> str:
        """The cross-site token that goes with a session key."""
        return self.vault.sign("csrf", sid)

    def make(
        self, sid: str, *, secure: bool, at: datetime, subject: str = "anonymous", expires: datetime | None = None
    ) -> list[Header]:
        """Set-Cookie fields for a session key; without ``expires`` they last as long as the browser."""
        claims: dict[str, object] = {
            "sid": sid,
            "iss": "authentik",
            "sub": subject,
            "iat": unix(at),
            "authenticated": subject != "anonymous",
            "acr": _ACR,
        }
        value = self.signer.sign(msgspec.json.encode(claims))
        tail = f"; Path={self.path}; " + ("Secure; SameSite=None" if secure else "SameSite=Lax")
        if self.domain:
            tail += f"; Domain={self.domain}"
        if expires is not None:
            seconds = max(0, unix(expires) - unix(at))
            tail += f"; Max-Age={seconds}; Expires={format_datetime(expires, usegmt=True)}"
        return [
            (b"set-cookie", f"{SESSION}={value}; HttpOnly{tail}".encode("latin-1")),
            (b"set-cookie", f"{CSRF}={self.csrf(sid)}{tail}".encode("latin-1")),
        ]

    def parked(self, cookies: Mapping[str, str], *, secure: bool) -> tuple[str, ...]:
        """The keys of the browser's other sessions; none, if the cookie was tampered with."""
        text = cookies.get(_accounts(secure=secure), "")
        if not text or len(text) > _MAX:
            return ()
        try:
            claims = self.verifier.verify(text, algs=("HS256",))
        except (JoseError, ValueError):
            return ()
        found = claims.get(ACCOUNTS)
        return tuple(one for one in found if isinstance(one, str) and one) if isinstance(found, list) else ()

    def park(self, keys: Sequence[str], *, secure: bool, at: datetime) -> Header:
        """The Set-Cookie field for the keys of the browser's other sessions; it goes where there are none.

        It is for this host alone, whatever the session cookie is for, so that no neighbour can plant a session here
        (RFC 6265bis §4.1.3.2).
        """
        name = _accounts(secure=secure)
        tail = f"; HttpOnly; Path=/; SameSite=Lax{'; Secure' if secure else ''}"
        if not keys:
            return (b"set-cookie", f"{name}=; Max-Age=0{tail}".encode("latin-1"))
        value = self.signer.sign(msgspec.json.encode({ACCOUNTS: list(keys), "iat": unix(at)}))
        return (b"set-cookie", f"{name}={value}; Max-Age={_KEPT_ACCOUNTS}{tail}".encode("latin-1"))


def _accounts(*, secure: bool) -> str:
    return f"__Host-{ACCOUNTS}" if secure else ACCOUNTS


def fresh() -> str:
    """A new session key."""
    return rand.token(32)
