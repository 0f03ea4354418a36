"""User delete stage: the person's own account goes, and everything of theirs with it.

It asks nothing: put a stage before it that does, so that nobody loses an account by following a link.
"""

from dataclasses import replace
from typing import Annotated

import msgspec

from keystead.base import rand
from keystead.flows.password_check import PROOFS
from keystead.flows.shown import BY_UUID, StageShown, view
from keystead.flows.stage import Deny, Done, Outcome, Run, Stage
from keystead.kinds.access import system
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Text, Uuid
from keystead.people.user import USER


class UserDeleteStage(msgspec.Struct, frozen=True, kw_only=True):
    """Removes the pending user."""

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]


async def ask(run: Run[UserDeleteStage]) -> Outcome:
    """Remove whoever proved that the account is theirs; the browser is signed in no more, if it was."""
    if run.user is None or not run.proven:
        return Deny("Nobody has proved whose account this is, so none is removed.")
    changes = Changes()
    # The administrator who composed the flow decided that people may remove themselves.
    changes.delete(system(run.call, USER, "delete"), run.user, run.state.kinds.values())
    visitor = run.visitor
    if visitor.user is not None and visitor.user.pk == run.user.pk:
        visitor = replace(visitor, sid=rand.token(), session=None, user=None)
    return Done(
        forget=(*PROOFS, "pending_user", "pending_user_identifier", "matched_user"), changes=changes, visitor=visitor
    )


USER_DELETE_STAGE = Kind(
    model="authentik_stages_user_delete.userdeletestage",
    struct=UserDeleteStage,
    path="stages/user_delete",
    title=("User Delete Stage", "User Delete Stages"),
    key_name="stage_uuid",
    family="stages",
    component="ak-stage-user-delete-form",
    shown=StageShown,
    view=view,
    filters=("name", BY_UUID),
)
STAGE = Stage(USER_DELETE_STAGE, ask)
