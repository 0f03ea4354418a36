"""Dummy stage: a page that asks nothing, to try flows with."""

from typing import Annotated, Final

import msgspec

from keystead.flows.schema import Answered, Asked
from keystead.flows.shown import BY_UUID, StageShown, view
from keystead.flows.stage import Body, Challenge, Done, Run, Stage
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Text, Uuid

COMPONENT: Final = "ak-stage-dummy"


class DummyStage(msgspec.Struct, frozen=True, kw_only=True):
    """Shows its name and waits to be passed.

    :param throw_error: it breaks instead, so that one sees what a broken flow looks like.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    throw_error: bool = False


class DummyChallenge(Asked, kw_only=True):
    """Asks nothing."""

    component: str = COMPONENT
    name: str


class DummyChallengeResponse(Answered, kw_only=True):
    """Go on."""

    component: Text = COMPONENT


async def ask(run: Run[DummyStage]) -> Challenge:
    """The stage's name.

    :raises RuntimeError: the stage is to break.
    """
    if run.stage.throw_error:
        raise RuntimeError(f"the dummy stage “{run.stage.name}” is set to break")
    return Challenge(COMPONENT, {"name": run.stage.name})


async def answer(_run: Run[DummyStage], _body: Body) -> Done:
    """Whatever was answered will do."""
    return Done()


DUMMY_STAGE = Kind(
    model="authentik_stages_dummy.dummystage",
    struct=DummyStage,
    path="stages/dummy",
    title=("Dummy Stage", "Dummy Stages"),
    key_name="stage_uuid",
    family="stages",
    component="ak-stage-dummy-form",
    shown=StageShown,
    view=view,
    filters=("name", "throw_error", BY_UUID),
)
STAGE = Stage(DUMMY_STAGE, ask, answer, component=COMPONENT, challenge=DummyChallenge, response=DummyChallengeResponse)
