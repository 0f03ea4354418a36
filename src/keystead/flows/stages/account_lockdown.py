"""Account lockdown stage: the panic button - an account is closed, and everything that acts for it ends, in one commit.

It asks nothing. Whose account it is, the link says by which the flow was entered (``flows/lockdown.py``); without one
it is that of whoever has proved in this very run that it is theirs: being signed in is not enough, so that nobody is
locked out by following a link. Put a stage before it that asks for a password, or for a reason.
"""

from dataclasses import replace
from typing import Annotated

import msgspec

from keystead.base import rand
from keystead.base.errors import Problem
from keystead.flows import lockdown
from keystead.flows.challenge import flow_path
from keystead.flows.flow import FLOW
from keystead.flows.password_check import PROOFS
from keystead.flows.shown import BY_UUID, StageShown, view
from keystead.flows.stage import Deny, Done, Outcome, Run, Stage
from keystead.kinds.access import system
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, OnDelete, Ref, Text, Uuid
from keystead.people import session, token
from keystead.people.actor import actor_of
from keystead.people.finding import by_pk
from keystead.people.user import USER, User


class AccountLockdownStage(msgspec.Struct, frozen=True, kw_only=True):
    """Locks an account.

    :param deactivate_user: nobody can sign in to it.
    :param set_unusable_password: its password counts no more.
    :param delete_sessions: whoever is signed in to it is signed out.
    :param revoke_tokens: its tokens count no more.
    :param self_service_completion_flow: where people go who locked their own account.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    deactivate_user: bool = True
    set_unusable_password: bool = True
    delete_sessions: bool = True
    revoke_tokens: bool = True
    self_service_completion_flow: Annotated[Uuid, Ref("authentik_flows.flow", OnDelete.SET_NULL)] | None = None


_UNPROVEN = "Nobody has proved whose account this is, so none is locked."
_STALE = "This link was made for somebody else, or its time is over. Ask for another one."


async def _whose(run: Run[AccountLockdownStage]) -> User | Deny:
    """The account to lock, if the visitor may."""
    text = run.visitor.query.get(lockdown.PARAMETER, "")
    if not text:
        return run.user if run.user is not None and "auth_method" in run.context else Deny(_UNPROVEN)
    asked, visitor = lockdown.opened(run.state, run.call, text), run.visitor
    if asked is None or visitor.user is None or visitor.session is None or asked.by != visitor.user.pk:
        return Deny(_STALE)
    if run.user is not None and run.user.pk != asked.by:
        return Deny(_UNPROVEN)
    behind, session_id = session.impersonator(visitor.session), visitor.session.uuid
    return await _permitted(run, asked, session_id) if not behind else Deny(lockdown.BE_YOURSELF)


async def _permitted(run: Run[AccountLockdownStage], asked: lockdown.Asked, session_id: str) -> User | Deny:
    """The account, if whoever asked may lock it still."""
    actor = await actor_of(run.state, asked.by, session=session_id, means="session")
    found = await by_pk(run.state, asked.user)
    if actor is None or found is None:
        return Deny("This account is not there any more.")
    try:
        await lockdown.check(msgspec.structs.replace(run.call, actor=actor), run.state, found)
    except Problem:
        return Deny("You may not lock this account.")
    return found


def locked(run: Run[AccountLockdownStage], found: User) -> Changes:
    """What it takes to lock ``found``, as the stage has it."""
    stage, changes = run.stage, Changes()
    names = ("deactivate_user", "set_unusable_password", "delete_sessions", "revoke_tokens")
    told = {name: getattr(stage, name) for name in names}
    changes.event(run.call, "user_write", USER.app, {"account_lockdown": told}, about=(USER, found))
    members: dict[str, object] = {"last_updated": run.call.at}
    if stage.deactivate_user:
        members["is_active"] = False
    if stage.set_unusable_password:
        members |= {"password": "", "password_change_date": run.call.at}
    # That the visitor may was looked at above; what is done then, the administrator who made the stage decided.
    changes.update(system(run.call, USER, "change"), found, msgspec.structs.replace(found, **members))
    if stage.delete_sessions:
        changes.write(session.end_all_but(found.pk, ""))
    if stage.revoke_tokens:
        changes.write(token.end_all(found.pk), *run.ports.revoke(found.pk))
    return changes


async def ask(run: Run[AccountLockdownStage]) -> Outcome:
    """Lock the account; whoever locked their own is signed in no more."""
    found = await _whose(run)
    if isinstance(found, Deny):
        return found
    changes, visitor, stage = locked(run, found), run.visitor, run.stage
    if found.pk not in {one.pk for one in (run.user, visitor.user) if one is not None}:
        return Done(changes=changes)
    left = visitor.user is not None and visitor.user.pk == found.pk
    if left and (stage.delete_sessions or stage.deactivate_user):
        visitor = replace(visitor, sid=rand.token(), session=None, user=None)
    onward = run.call.settings.get(FLOW, stage.self_service_completion_flow or "")
    context = {"redirect": flow_path(run.call, onward.slug, {})} if onward else {}
    gone = (*PROOFS, "pending_user", "pending_user_identifier", "matched_user")
    return Done(context=context, forget=gone, changes=changes, visitor=visitor)


ACCOUNT_LOCKDOWN_STAGE = Kind(
    model="authentik_stages_account_lockdown.accountlockdownstage",
    struct=AccountLockdownStage,
    path="stages/account_lockdown",
    title=("Account Lockdown Stage", "Account Lockdown Stages"),
    key_name="stage_uuid",
    family="stages",
    component="ak-stage-account-lockdown-form",
    shown=StageShown,
    view=view,
    filters=(
        "deactivate_user",
        "delete_sessions",
        "name",
        "revoke_tokens",
        "self_service_completion_flow",
        "set_unusable_password",
        BY_UUID,
    ),
)
STAGE = Stage(ACCOUNT_LOCKDOWN_STAGE, ask)
