"""``core/users/switch/``: several accounts in one browser, of which one is in force at a time.

The browser keeps the keys of its other sessions in a cookie of its own (``doors/http/cookies.py``). *add* asks
somebody else to sign in beside whoever is; *switch* puts another one of the sessions that this very browser holds in
force, under a key that nobody has seen before. What has ended falls out; signing out ends them all.
"""

import enum
from typing import Final, cast
from urllib.parse import urlencode

import msgspec

from keystead.base.errors import denied, invalid
from keystead.doors.http.cookies import MOST_ACCOUNTS, Jar, fresh
from keystead.doors.http.json_body import json_object
from keystead.doors.http.message import Request, Response
from keystead.doors.http.site import Site
from keystead.doors.rest.body import decoded
from keystead.doors.rest.operation import Operation
from keystead.doors.rest.verbs import json
from keystead.flows.challenge import stays_here
from keystead.flows.entry import ADDING, REAUTHENTICATE
from keystead.flows.executor import Executor
from keystead.flows.flow import FLOW, Flow
from keystead.flows.ports import Visitor
from keystead.kinds import records
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Filter
from keystead.people import session as sessions
from keystead.people.brand import brand_for
from keystead.people.finding import by_pk
from keystead.people.session import SESSION, Session
from keystead.people.user import USER, uid

_HOME: Final = "/if/user/"


class UserSwitchActionEnum(enum.StrEnum):
    """What to do with the other account."""

    ADD = "add"
    SWITCH = "switch"


class UserSwitchRequest(msgspec.Struct):
    """To whom to switch, in a browser in which several people are signed in.

    :param user_pk: whose session is to be in force; only for `switch`.
    """

    action: UserSwitchActionEnum = UserSwitchActionEnum.SWITCH
    user_pk: int | msgspec.UnsetType = msgspec.UNSET


class UserSwitchResponse(msgspec.Struct):
    """Where to go on."""

    redirect: str


async def _current(call: Call, site: Site) -> Session:
    """The session that the request came with.

    :raises Problem: ``DENIED``: it came with a token, or somebody acts as somebody else.
    """
    if not call.actor.session:
        raise denied("Only a browser holds several accounts; sign in with one.")
    found = await records.load(site.state.store, SESSION, "id", [call.actor.session])
    if not found:
        raise denied()
    if call.actor.original is not None or sessions.impersonator(found[0]):
        raise denied("Be yourself first: you act as somebody else.")
    return found[0]


def operations(executor: Executor) -> tuple[Operation, ...]:
    """The operation; ``executor`` runs the flow in which somebody signs in."""

    async def switch(request: Request, call: Call, site: Site, _params: dict[str, str]) -> Response:
        """Sign in somebody else beside whoever is signed in, or put another account of this browser in force.

        Only for browsers: the caller must have a session.
        """
        body = cast("UserSwitchRequest", decoded(json_object(request), UserSwitchRequest))
        current = await _current(call, site)
        onward = request.query.get("next", "")
        if onward and not stays_here(onward):
            raise invalid({"next": ["Write a path on this server, such as /if/user/."]})
        jar = Jar.at(site)
        held = await sessions.parked(site.state, call.parked, call.at)
        if body.action is UserSwitchActionEnum.ADD:
            return await _add(executor, request, call, site, jar, held, onward)
        return await _switch(request, call, site, jar, current, held, body.user_pk, onward)

    return (
        Operation(
            "POST",
            "core/users/switch/",
            switch,
            "core_users_switch_create",
            request=UserSwitchRequest,
            response=UserSwitchResponse,
            query=(Filter("next", str, note="Where to go on."),),
        ),
    )


def _flow(call: Call) -> Flow:
    brand = brand_for(call.settings, call.origin.host)
    for chosen in (brand.flow_user_switch, brand.flow_authentication):
        if chosen and (found := call.settings.get(FLOW, chosen)):
            return found
    every = (flow for flow in call.settings.all(FLOW) if flow.designation == "authentication")
    if (first := next(every, None)) is None:
        raise invalid({"non_field_errors": ["There is no flow to sign in by; the brand names one."]})
    return first


async def _add(
    executor: Executor, request: Request, call: Call, site: Site, jar: Jar, held: dict[str, Session], onward: str
) -> Response:
    if len(held) >= MOST_ACCOUNTS:
        raise invalid({"action": [f"A browser holds {MOST_ACCOUNTS} other accounts at most; sign out first."]})
    flow, user = _flow(call), await by_pk(site.state, call.actor.pk)
    query = {"next": onward} if onward else {}
    visitor = Visitor(
        jar.read(request.cookies), await sessions.find(site.state, jar.read(request.cookies), call.at), user, query
    )
    await executor.begin(call, site.state, flow, visitor, {REAUTHENTICATE: True, ADDING: True})
    tail = f"?{urlencode(query)}" if query else ""
    response = json(UserSwitchResponse(f"{site.root_path}/if/flow/{flow.slug}/{tail}"))
    response.headers.append(jar.park(tuple(held), secure=request.secure, at=request.at))
    return response


async def _switch(
    request: Request,
    call: Call,
    site: Site,
    jar: Jar,
    current: Session,
    held: dict[str, Session],
    wanted: int | msgspec.UnsetType,
    onward: str,
) -> Response:
    if wanted is msgspec.UNSET:
        raise invalid({"user_pk": ["Say to whom to switch."]})
    response = json(UserSwitchResponse(onward or f"{site.root_path}{_HOME}"))
    if wanted == current.user:
        return response
    key, target = next(((key, one) for key, one in held.items() if one.user == wanted), ("", None))
    user = await by_pk(site.state, target.user) if target else None
    if target is None or user is None or not user.is_active:
        raise invalid({"user_pk": ["This account is not signed in in this browser."]})
    new = fresh()
    changes = Changes()
    changes.write(sessions.taken_up(call, target, new))
    for other in held.values():
        if other.user == current.user:
            changes.write(sessions.end(other))  # one session of each person is enough
    changes.event(call, "custom_user_switched", USER.app, {}, about=(USER, user))
    await site.state.commit(changes, call.at)
    expires = None if target.auth.get("browser") else target.expires
    subject = uid(site.state, user.pk)
    response.headers.extend(jar.make(new, secure=request.secure, at=request.at, subject=subject, expires=expires))
    left = (one for one, other in held.items() if one != key and other.user != current.user)
    parked = (*left, jar.read(request.cookies))
    response.headers.append(jar.park(parked, secure=request.secure, at=request.at))
    return response
