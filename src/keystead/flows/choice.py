"""Which flow: the brand's for a purpose, else the first that lets the visitor in; and the one that sets up a stage."""

from typing import Final

from keystead.flows.flow import FLOW, Flow, FlowDesignationEnum
from keystead.flows.gate import admit
from keystead.flows.plan import own
from keystead.flows.ports import Ports, Visitor
from keystead.kinds.call import Call
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State
from keystead.people.brand import brand_for

_CHOSEN: Final = {
    FlowDesignationEnum.AUTHENTICATION: "flow_authentication",
    FlowDesignationEnum.INVALIDATION: "flow_invalidation",
    FlowDesignationEnum.RECOVERY: "flow_recovery",
    FlowDesignationEnum.UNENROLLMENT: "flow_unenrollment",
}
"""Designation -> the brand's member; the others have none."""


async def designated(
    call: Call, state: State, ports: Ports, visitor: Visitor, designation: FlowDesignationEnum
) -> Flow | None:
    """The brand's flow for ``designation``, else the first of that designation, by slug, that lets the visitor in."""
    brand = brand_for(call.settings, call.origin.host)
    chosen = call.settings.get(FLOW, getattr(brand, _CHOSEN.get(designation, ""), None))
    if chosen is not None:
        return chosen
    for flow in call.settings.all(FLOW):
        if (
            flow.designation is designation
            and await admit(call, state, ports, flow, visitor, own(flow, visitor)) is None
        ):
            return flow
    return None


def configuring(settings: Snapshot, stage_pk: str) -> Flow | None:
    """The flow in which people set up what the stage with this key asks for (``configure_flow``)."""
    found = settings.find("stages", stage_pk)
    return settings.get(FLOW, getattr(found[1], "configure_flow", None)) if found else None
