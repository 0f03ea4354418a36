"""User logout stage: the sessions of this browser end, and it gets a key under which nobody is signed in.

Those of its other accounts too: whoever leaves a machine leaves nobody behind.
"""

from dataclasses import replace
from typing import Annotated

import msgspec

from keystead.base import rand
from keystead.flows.password_check import PROOFS
from keystead.flows.shown import BY_UUID, StageShown, view
from keystead.flows.stage import Done, Run, Stage
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Text, Uuid
from keystead.people import session
from keystead.people.finding import by_pk


class UserLogoutStage(msgspec.Struct, frozen=True, kw_only=True):
    """Signs the visitor out."""

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]


async def ask(run: Run[UserLogoutStage]) -> Done:
    """Sign out; whoever is not signed in leaves no trace."""
    changes = Changes()
    if run.visitor.session is not None:
        changes.write(session.end(run.visitor.session))
        changes.event(run.call, "logout", USER_LOGOUT_STAGE.app, {})
    for key in run.visitor.parked:
        other = await session.find(run.state, key, run.call.at)
        user = await by_pk(run.state, other.user) if other else None
        if other is not None and user is not None:
            who = {"pk": user.pk, "email": user.email, "username": user.username}
            changes.write(session.end(other))
            changes.event(run.call, "logout", USER_LOGOUT_STAGE.app, {}, user=who)
    gone = replace(run.visitor, sid=rand.token(), session=None, user=None, parked=())
    return Done(forget=(*PROOFS, "pending_user", "pending_user_identifier"), changes=changes, visitor=gone)


USER_LOGOUT_STAGE = Kind(
    model="authentik_stages_user_logout.userlogoutstage",
    struct=UserLogoutStage,
    path="stages/user_logout",
    title=("User Logout Stage", "User Logout Stages"),
    key_name="stage_uuid",
    family="stages",
    component="ak-stage-user-logout-form",
    shown=StageShown,
    view=view,
    filters=("name", BY_UUID),
)
STAGE = Stage(USER_LOGOUT_STAGE, ask)
