"""Deny stage: the run ends with a no. Policies on its binding say for whom."""

from typing import Annotated

import msgspec

from keystead.flows.shown import BY_UUID, StageShown, view
from keystead.flows.stage import Deny, Run, Stage
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Text, Uuid


class DenyStage(msgspec.Struct, frozen=True, kw_only=True):
    """Ends the run with a no.

    :param deny_message: what the person is told; ``deny_message`` in the run's context goes before it.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    deny_message: str = ""


async def ask(run: Run[DenyStage]) -> Deny:
    """No."""
    return Deny(str(run.context.get("deny_message") or run.stage.deny_message))


DENY_STAGE = Kind(
    model="authentik_stages_deny.denystage",
    struct=DenyStage,
    path="stages/deny",
    title=("Deny Stage", "Deny Stages"),
    key_name="stage_uuid",
    family="stages",
    component="ak-stage-deny-form",
    shown=StageShown,
    view=view,
    filters=("deny_message", "name", BY_UUID),
)
STAGE = Stage(DENY_STAGE, ask)
