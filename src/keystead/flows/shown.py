"""How flows and stages appear inside other objects (``FlowSet``, ``Stage``)."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from keystead.flows.flow import (
    FLOW,
    DeniedActionEnum,
    Flow,
    FlowDesignationEnum,
    FlowLayoutEnum,
    PolicyEngineMode,
    background_url,
    export_url,
)
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, steady
from keystead.kinds.marks import Uuid
from keystead.kinds.state import State


class FlowSet(msgspec.Struct, frozen=True):
    """A flow in short."""

    pk: Uuid
    policybindingmodel_ptr_id: Uuid
    name: str
    slug: str
    title: str
    designation: FlowDesignationEnum
    background_url: str
    policy_engine_mode: PolicyEngineMode
    compatibility_mode: bool
    export_url: str
    layout: FlowLayoutEnum
    denied_action: DeniedActionEnum


class Stage(msgspec.Struct, frozen=True):
    """A stage of whatever type, in short."""

    pk: Uuid
    name: str
    component: str
    verbose_name: str
    verbose_name_plural: str
    meta_model_name: str
    flow_set: list[FlowSet]


class StageShown(msgspec.Struct):
    """The computed member of every stage: the flows it is bound to."""

    flow_set: list[FlowSet]


BY_UUID = Filter("stage_uuid", Uuid, test=lambda stage, pk: stage.pk == pk)
"""The filter that most stages share."""


def flow_set(call: Call, flow: Flow) -> FlowSet:
    """``flow`` in short."""
    return FlowSet(
        pk=flow.pk,
        policybindingmodel_ptr_id=flow.pk,
        name=flow.name,
        slug=flow.slug,
        title=flow.title,
        designation=flow.designation,
        background_url=background_url(call, flow).replace("%(theme)s", "light"),
        policy_engine_mode=flow.policy_engine_mode,
        compatibility_mode=flow.compatibility_mode,
        export_url=export_url(call, flow),
        layout=flow.layout,
        denied_action=flow.denied_action,
    )


def flows_of(call: Call, stage_pk: str) -> list[FlowSet]:
    """The flows that a stage is bound to, each once, by slug."""
    settings = call.settings
    found: dict[str, Flow] = {}
    for kind in settings.kinds("stages"):
        if settings.get(kind, stage_pk) is None:
            continue
        for one in settings.referrers(kind, stage_pk):
            if one.field == "stage" and (binding := settings.get(one.kind, one.pk)) is not None:
                flow = settings.get(FLOW, getattr(binding, "target", ""))
                if flow is not None:
                    found[flow.slug] = flow
    return [flow_set(call, found[slug]) for slug in sorted(found)]


@steady
async def view(
    call: Call, _state: State, stages: Sequence[Any], _query: Mapping[str, Sequence[str]]
) -> list[StageShown]:
    """The flows each stage is bound to; every stage's kind has this view."""
    return [StageShown(flows_of(call, stage.pk)) for stage in stages]
