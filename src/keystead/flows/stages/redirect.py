"""Redirect stage: the run ends here, and the browser goes elsewhere - to an address, or into another flow."""

import enum
from typing import Annotated, Final

import msgspec

from keystead.base.errors import invalid
from keystead.flows.challenge import stays_here
from keystead.flows.flow import FLOW, FlowRef
from keystead.flows.shown import StageShown, view
from keystead.flows.stage import Deny, Leave, Run, Stage
from keystead.flows.weburl import is_web_url
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Text, Uuid
from keystead.kinds.state import State

TARGET: Final = "redirect_stage_target"
"""In a run's context: goes before the stage's own target; ``ak-flow://<slug>`` stands for a flow."""
_TO_FLOW: Final = "ak-flow://"
_NOWHERE: Final = "The page that should follow does not exist. Tell whoever looks after this service."


class RedirectStageModeEnum(enum.StrEnum):
    """What the target is."""

    STATIC = "static"
    FLOW = "flow"


class RedirectStage(msgspec.Struct, frozen=True, kw_only=True):
    """Sends the browser elsewhere. Stages behind it are never reached.

    :param keep_context: another flow begins with what this run found out.
    :param target_static: an address, or a path on this server.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    keep_context: bool = True
    mode: RedirectStageModeEnum
    target_static: str = ""
    target_flow: FlowRef | None = None


async def ask(run: Run[RedirectStage]) -> Leave | Deny:
    """Where to; a target that leads nowhere ends the run with a no."""
    stage, settings = run.stage, run.call.settings
    named = run.context.get(TARGET)
    if isinstance(named, str) and named.startswith(_TO_FLOW):
        flow = settings.by(FLOW, "slug", named.removeprefix(_TO_FLOW).strip("/"))
    elif isinstance(named, str) and named:
        return Leave(to=named) if _leads(named) else Deny(_NOWHERE)
    elif stage.mode is RedirectStageModeEnum.STATIC:
        return Leave(to=stage.target_static) if _leads(stage.target_static) else Deny(_NOWHERE)
    else:
        flow = settings.get(FLOW, stage.target_flow)
    return Deny(_NOWHERE) if flow is None else Leave(flow=flow, keep_context=stage.keep_context)


def _leads(target: str) -> bool:
    return stays_here(target) or is_web_url(target)


async def rules(_call: Call, _state: State, _old: RedirectStage | None, new: RedirectStage) -> RedirectStage:
    """There is a target of the sort that the mode wants."""
    if new.target_static and not _leads(new.target_static):
        raise invalid(
            {
                "target_static": [
                    "Write an address like https://example.org/page, or a path on this server like /if/user/."
                ]
            }
        )
    if new.mode is RedirectStageModeEnum.STATIC and not new.target_static:
        raise invalid({"target_static": ["The mode “static” needs an address to go to."]})
    if new.mode is RedirectStageModeEnum.FLOW and new.target_flow is None:
        raise invalid({"target_flow": ["The mode “flow” needs a flow to go to."]})
    return new


REDIRECT_STAGE = Kind(
    model="authentik_stages_redirect.redirectstage",
    struct=RedirectStage,
    path="stages/redirect",
    title=("Redirect Stage", "Redirect Stages"),
    key_name="stage_uuid",
    family="stages",
    component="ak-stage-redirect-form",
    shown=StageShown,
    view=view,
    rules=rules,
    filters=("name",),
)
STAGE = Stage(REDIRECT_STAGE, ask)
