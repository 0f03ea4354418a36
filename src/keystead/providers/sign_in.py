"""Where people sign in who came for an application."""

from keystead.flows.flow import FLOW, Flow, FlowDesignationEnum
from keystead.kinds.call import Call
from keystead.people.brand import brand_for


def authentication_flow(call: Call, own: str | None = None) -> Flow | None:
    """The flow ``own`` (a provider's), else the brand's, else the first there is.

    :param own: a flow's uuid.
    """
    for pk in (own, brand_for(call.settings, call.origin.host).flow_authentication):
        if pk is not None and (flow := call.settings.get(FLOW, pk)) is not None:
            return flow
    every = call.settings.all(FLOW)
    return next((one for one in every if one.designation is FlowDesignationEnum.AUTHENTICATION), None)
