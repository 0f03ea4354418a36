"""Who calls: the session cookie, or a bearer token (rest.md §2)."""

import hmac
from typing import Final

from msgspec.structs import replace

from keystead.base.errors import Kind, Problem
from keystead.doors.http.cookies import Jar
from keystead.doors.http.message import Request
from keystead.doors.http.site import Site
from keystead.kinds.call import NOBODY, Actor, Call
from keystead.people import token
from keystead.people.actor import actor_of
from keystead.people.session import AuthenticatedSession, find, impersonator
from keystead.providers.oidc import bearer

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_REFUSED: Final = "Token invalid/expired"


async def session_of(request: Request, site: Site, jar: Jar) -> AuthenticatedSession | None:
    """The session that the request's cookie opens; looked up once a request."""
    if request.session is None:
        opened = jar.open(request.cookies)
        request.session = (await find(site.state, opened.sid, request.at) if opened.signed_in else None,)
    return request.session[0]


async def by_session(request: Request, site: Site, jar: Jar) -> Actor:
    """The person whose session the cookie opens, or nobody."""
    session = await session_of(request, site, jar)
    if session is None:
        return NOBODY
    actor = await actor_of(site.state, session.user, session=session.uuid, means="session")
    if actor is None:
        return NOBODY
    behind = impersonator(session)
    return replace(actor, original=await actor_of(site.state, behind, means="session")) if behind else actor


async def by_bearer(request: Request, site: Site, text: str) -> Actor:
    """The user whose API token, or OAuth access token with the API's scope, ``text`` is.

    :raises Problem: ``UNAUTHENTICATED``; always with the same words, whatever is wrong.
    """
    known, actor = await token.api_actor(site.state, text, request.at)
    if actor is not None:
        return actor
    if not known and text.count(".") == 2:  # noqa: PLR2004 - a JWT has three parts
        call = Call(NOBODY, request.at, site.state.settings, request.peer, request.id, request.origin)
        actor = await bearer.api_actor(call, site.state, text)
        if actor is not None:
            return actor
    raise Problem(Kind.UNAUTHENTICATED, _REFUSED)


async def identify(request: Request, site: Site, jar: Jar, *, csrf: bool) -> Actor:
    """Who calls.

    :param csrf: whether an unsafe method with a session needs the cross-site token.
    :raises Problem: ``UNAUTHENTICATED`` for bad credentials, ``DENIED`` for a missing cross-site token.
    """
    if len(request.every(b"authorization")) > 1:
        raise Problem(Kind.UNAUTHENTICATED, _REFUSED)  # which of them counts must not depend on who reads them
    authorization = request.header(b"authorization")
    scheme, blank, credentials = authorization.partition(" ")
    if blank:
        if scheme.lower() != "bearer":
            raise Problem(Kind.UNAUTHENTICATED, "Unsupported authentication type; send a bearer token.")
        return await by_bearer(request, site, credentials.strip())
    actor = await by_session(request, site, jar)
    if csrf and actor is not NOBODY and request.method not in _SAFE:
        check_same_site(request)
        check_csrf(jar, jar.read(request.cookies), request.header(b"x-authentik-csrf"))
    return actor


def check_same_site(request: Request) -> None:
    """Let through only what the browser does not say to come from elsewhere; clients that say nothing pass.

    :raises Problem: ``DENIED``.
    """
    site = request.header(b"sec-fetch-site")
    origin = request.header(b"origin")
    # The port is left out: a proxy may listen on another one than the Host header tells.
    ours = {_name(f"//{request.host}"), _name(request.root)}
    if site == "cross-site" or (origin and _name(origin) not in ours):
        raise Problem(Kind.DENIED, "CSRF Failed: the request comes from another site.")


def _name(url: str) -> str:
    """The host of an address, without its port."""
    host = url.partition("//")[2].partition("/")[0].lower()
    return host if host.endswith("]") or ":" not in host else host.rpartition(":")[0]


def check_csrf(jar: Jar, sid: str, given: str) -> None:
    """Let through only what carries the token that goes with the session.

    :raises Problem: ``DENIED``.
    """
    if not sid or not hmac.compare_digest(jar.csrf(sid).encode(), given.encode("utf-8", "replace")):
        raise Problem(
            Kind.DENIED, "CSRF Failed: the X-authentik-CSRF header must hold the value of the authentik_csrf cookie."
        )
