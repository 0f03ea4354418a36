"""``enrollment_status``: how far an enrolment at Duo is that was begun in the browser that asks."""

from typing import Final

from keystead.base.errors import invalid, not_found
from keystead.doors.http.cookies import Jar
from keystead.doors.http.message import Request, Response
from keystead.doors.http.site import Site
from keystead.doors.http.visitor import visitor_of
from keystead.doors.rest.operation import Operation
from keystead.doors.rest.verbs import json
from keystead.flows import duo
from keystead.flows.plan import at_hand
from keystead.flows.stages.authenticator_duo import (
    AUTHENTICATOR_DUO_STAGE,
    DuoDeviceEnrollmentStatus,
    DuoResponseEnum,
    told,
    under_way,
)
from keystead.kinds.call import Call
from keystead.kinds.marks import Uuid


async def status(request: Request, call: Call, site: Site, params: dict[str, str]) -> Response:
    """How far the enrolment is that the caller's own run of a flow has begun in this stage.

    For whoever goes through the flow in this browser, signed in or not: the run is the proof.
    """
    stage = call.settings.get(AUTHENTICATOR_DUO_STAGE, params["stage_uuid"])
    if stage is None:
        raise not_found()
    call, visitor = await visitor_of(request, call, site, Jar.at(site), {})
    plan = await at_hand(call, site.state, visitor)
    found = under_way(call, stage, plan.context) if plan else None
    if found is None:
        raise invalid({"non_field_errors": ["No enrolment at Duo is under way in this browser."]})
    try:
        how_far = await duo.enrolment(site.state.outbound, duo.application(stage), call.at, found.made)
    except duo.DuoError as exc:
        raise told(call, exc) from exc
    known = DuoResponseEnum(how_far) if how_far in set(DuoResponseEnum) else DuoResponseEnum.INVALID
    return json(DuoDeviceEnrollmentStatus(known))


OPERATIONS: Final = (
    Operation(
        "POST",
        "stages/authenticator/duo/{stage_uuid}/enrollment_status/",
        status,
        "stages_authenticator_duo_enrollment_status_create",
        response=DuoDeviceEnrollmentStatus,
        anonymous=True,
        params=(("stage_uuid", Uuid),),
    ),
)
