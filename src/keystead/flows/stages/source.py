"""Source stage: somebody else vouches for the person in the middle of a run."""

import enum
from typing import Annotated

import msgspec

from keystead.flows.shown import BY_UUID, StageShown, view
from keystead.flows.stage import not_built
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Duration, Ref, Text, Uuid


class ResumeOnMatchFailuresEnum(enum.StrEnum):
    """Why a source finds nobody here and the run goes on all the same."""

    MISSING_PROPERTY = "missing_property"


class SourceStage(msgspec.Struct, frozen=True, kw_only=True):
    """Sends the person to a source.

    :param resume_timeout: how long the run waits for them to come back.
    :param resume_on_match_failures: with which failures of the source the run goes on.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    source: Annotated[Uuid, Ref("sources")]
    resume_timeout: Duration = "minutes=10"
    resume_on_match_failures: tuple[ResumeOnMatchFailuresEnum, ...] = ()


SOURCE_STAGE = Kind(
    model="authentik_stages_source.sourcestage",
    struct=SourceStage,
    path="stages/source",
    title=("Source Stage", "Source Stages"),
    key_name="stage_uuid",
    family="stages",
    component="ak-stage-source-form",
    shown=StageShown,
    view=view,
    filters=("name", "resume_timeout", "source", BY_UUID),
    stored_only="Nobody is sent to a source in the middle of a run yet: a run that reaches the stage is denied.",
)
STAGE = not_built(SOURCE_STAGE)
