"""Password stage: the person already named proves who they are with a password."""

from typing import Annotated, Final

import msgspec

from keystead.flows.challenge import flow_path, pending
from keystead.flows.flow import FLOW
from keystead.flows.password_check import PASSWORD_STAGE as MODEL
from keystead.flows.password_check import WRONG, BackendsEnum, check, failure, tries
from keystead.flows.schema import Answered, PersonAsked, Unset
from keystead.flows.shown import StageShown, view
from keystead.flows.stage import Again, Body, Challenge, Deny, Done, Error, Outcome, Run, Stage, text
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Int32, OnDelete, Ref, Text, Uuid
from keystead.people.brand import brand_for

COMPONENT: Final = "ak-stage-password"


class PasswordStage(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for the password.

    :param backends: where it is looked up, in this order.
    :param configure_flow: the flow in which people change theirs.
    :param failed_attempts_before_cancel: how many wrong answers end the run.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    backends: tuple[BackendsEnum, ...]
    configure_flow: Annotated[Uuid, Ref("authentik_flows.flow", OnDelete.SET_NULL)] | None = None
    failed_attempts_before_cancel: Int32 = 5
    allow_show_password: bool = False


class PasswordChallenge(PersonAsked, kw_only=True):
    """Asks for the password."""

    component: str = COMPONENT
    recovery_url: str | Unset = msgspec.UNSET
    allow_show_password: bool = False


class PasswordChallengeResponse(Answered, kw_only=True):
    """The password."""

    component: Text = COMPONENT
    password: Text


def _nobody(run: Run[PasswordStage]) -> bool:
    """Whether nobody was named. A name that belongs to no account is somebody: the run goes on as if it did."""
    return run.user is None and not run.context.get("pending_user_identifier")


async def ask(run: Run[PasswordStage]) -> Challenge | Outcome:
    """Ask for the password of whoever was named."""
    if _nobody(run):
        return Deny("Nobody is named whose password could be asked for.")
    members = {**pending(run), "allow_show_password": run.stage.allow_show_password}
    recovery = run.call.settings.get(FLOW, brand_for(run.call.settings, run.call.origin.host).flow_recovery)
    if recovery is not None:
        members["recovery_url"] = flow_path(run.call, recovery.slug, run.visitor.query)
    return Challenge(COMPONENT, members)


async def answer(run: Run[PasswordStage], body: Body) -> Outcome:
    """Right password: done. Wrong: again, with a trace."""
    given = text(body, "password")
    if _nobody(run):
        return Deny("Nobody is named whose password could be asked for.")
    if not given:
        return Again({"password": [Error("Enter your password.", "required")]})
    proof = await check(run.call, run.state, run.user, given, run.stage.backends)
    if proof is None:
        username = run.context.get("pending_user_identifier") or (run.user.username if run.user else "")
        return Again({"password": [Error(WRONG)]}, failure(run, PASSWORD_STAGE, str(username), user=run.user))
    return Done(proof.context, changes=proof.changes)


PASSWORD_STAGE = Kind(
    model=MODEL,
    struct=PasswordStage,
    path="stages/password",
    title=("Password Stage", "Password Stages"),
    key_name="stage_uuid",
    family="stages",
    component="ak-stage-password-form",
    shown=StageShown,
    view=view,
    filters=("allow_show_password", "configure_flow", "failed_attempts_before_cancel", "name"),
)
STAGE = Stage(
    PASSWORD_STAGE,
    ask,
    answer,
    component=COMPONENT,
    tries=lambda run, body: tries(run.stage) if text(body, "password") else 0,
    challenge=PasswordChallenge,
    response=PasswordChallengeResponse,
)
