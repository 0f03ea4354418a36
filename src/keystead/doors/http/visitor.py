"""The browser on its way through flows, as a request shows it, and the cookie it is remembered by."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from keystead.doors.http.cookies import Jar, fresh
from keystead.doors.http.identity import session_of
from keystead.doors.http.message import Request, Response, address_of
from keystead.doors.http.site import Site
from keystead.flows.ports import Visitor
from keystead.kinds.call import Call
from keystead.people import token
from keystead.people.finding import by_pk
from keystead.people.user import uid

_ANONYMOUS: Final = timedelta(days=1)
"""How long a browser that has not signed in keeps its session key."""


async def visitor_of(
    request: Request, call: Call, site: Site, jar: Jar, query: Mapping[str, str]
) -> tuple[Call, Visitor]:
    """Who goes through the flow, and the call as that visitor makes it.

    :param query: the flow's own.
    """
    sid = jar.read(request.cookies)
    session = await session_of(request, site, jar)
    user = await by_pk(site.state, session.user) if session else None
    if user is not None and not user.is_active:
        session = user = None
    outpost = await _outpost(request, site)
    if outpost:
        named = address_of(request.header(b"x-authentik-remote-ip").strip())
        call = replace(call, peer=str(named) if named else call.peer)
    parked = jar.parked(request.cookies, secure=request.secure)
    return call, Visitor(sid or fresh(), session, user, query, outpost, parked)


async def _outpost(request: Request, site: Site) -> bool:
    """Whether the caller is an outpost that speaks for somebody else's address (rest.md §2)."""
    key = request.header(b"x-authentik-outpost-token")
    found = await token.by_key(site.state, key, request.at) if key else None
    if found is None or found.intent is not token.IntentEnum.API:
        return False
    user = await by_pk(site.state, found.user)
    return user is not None and user.is_active and user.type.value == "internal_service_account"


def remembered(request: Request, site: Site, jar: Jar, visitor: Visitor, response: Response) -> Response:
    """``response`` with the session cookie of ``visitor``, where it is not the one the browser has."""
    if visitor.sid != jar.read(request.cookies):
        session = visitor.session
        browser = session is not None and bool(session.auth.get("browser"))
        expires = None if browser else session.expires if session else request.at + _ANONYMOUS
        subject = uid(site.state, session.user) if session else "anonymous"
        response.headers.extend(
            jar.make(visitor.sid, secure=request.secure, at=request.at, subject=subject, expires=expires)
        )
    if visitor.parked != jar.parked(request.cookies, secure=request.secure):
        response.headers.append(jar.park(visitor.parked, secure=request.secure, at=request.at))
    return response
