"""Impersonation: somebody who may sees what another user sees, as that user, until they stop; events name both.

The browser's session becomes one of the other user's, with a mark of who sits in it. So everything that looks at the
session sees the other user, and nothing can be done that the other user could not do.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec

from keystead.base.errors import denied, invalid
from keystead.kinds import records
from keystead.kinds.access import permitted, require
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.ledger import actor
from keystead.kinds.state import State
from keystead.people.finding import by_pk
from keystead.people.installation.settings import current
from keystead.people.power import check_reach
from keystead.people.session import SESSION, Session, handed, impersonator
from keystead.people.user import USER, User

IMPERSONATE: Final = "authentik_core.impersonate"
"""The permission to act as other users."""


class ImpersonationRequest(msgspec.Struct):
    """Why; the installation's settings say whether it may be left blank."""

    reason: Annotated[str, msgspec.Meta(extra_json_schema={"minLength": 1})]


async def _session(call: Call, state: State) -> Session:
    found = await records.load(state.store, SESSION, "id", [call.actor.session]) if call.actor.session else []
    if not found:
        raise denied("Only who is signed in with a browser can act as somebody else.")
    return found[0]


async def impersonate(call: Call, state: State, user: User, body: ImpersonationRequest) -> Answer:
    """Act as the user from now on, in this browser."""
    settings = current(call.settings)
    if not settings.impersonation:
        raise denied("Acting as other users is switched off in the settings.")
    if not permitted(call, USER, IMPERSONATE, user):
        require(call, USER, "view", user)
        raise denied()
    await check_reach(call, state, user.pk, "act as this user")
    session = await _session(call, state)
    reason = body.reason.strip()
    if settings.impersonation_require_reason and not reason:
        raise invalid({"reason": ["Say why."]})
    if call.actor.original is not None or impersonator(session):
        raise invalid({"non_field_errors": ["You act as somebody else already; stop that first."]})
    if user.pk == call.actor.pk:
        raise invalid({"non_field_errors": ["You are this user."]})
    if not user.is_active:
        raise invalid({"non_field_errors": ["This account is deactivated; nobody can act as it."]})
    changes = Changes()
    changes.write(handed(session, user.pk, impersonator=call.actor.pk))
    changes.event(call, "impersonation_started", USER.app, {"reason": reason}, about=(USER, user))
    return Answer(status=204, changes=changes)


async def impersonate_end(call: Call, state: State, _obj: None, _query: Mapping[str, Sequence[str]]) -> Answer:
    """Be oneself again; whoever is already hears that nothing had to be done."""
    if call.actor.original is None:
        return Answer(status=204)
    session = await _session(call, state)
    user = await by_pk(state, session.user)
    changes = Changes()
    changes.write(handed(session, impersonator(session), impersonator=0))
    about = (USER, user) if user else None
    changes.event(call, "impersonation_ended", USER.app, {}, about=about, user=actor(call))
    return Answer(status=204, changes=changes)


ACTIONS = (
    Action(
        USER,
        "POST",
        "{key}/impersonate/",
        impersonate,
        "impersonate_create",
        permission="",
        request=ImpersonationRequest,
        status=204,
    ),
    Action(USER, "GET", "impersonate_end/", impersonate_end, "impersonate_end_retrieve", permission="", status=204),
)
