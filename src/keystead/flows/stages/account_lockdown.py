"""Account lockdown stage: the panic button - an account is closed, and everything that acts for it ends."""

from typing import Annotated

import msgspec

from keystead.flows.shown import BY_UUID, StageShown, view
from keystead.flows.stage import not_built
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, OnDelete, Ref, Text, Uuid


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
    stored_only="No account is locked yet: a run that reaches the stage is denied.",
)
STAGE = not_built(ACCOUNT_LOCKDOWN_STAGE)
