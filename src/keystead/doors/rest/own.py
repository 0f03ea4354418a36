"""What people see and set of their own sign-in: their devices, and the stages they can set up."""

from typing import Any, Final

from keystead.base.errors import denied
from keystead.doors.http.message import Request, Response
from keystead.doors.http.site import Site
from keystead.doors.rest.operation import Operation
from keystead.doors.rest.verbs import json, query_of
from keystead.flows.flow import FLOW
from keystead.kinds import asked
from keystead.kinds.access import may, signed_in
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind
from keystead.people.devices import every
from keystead.people.devices.device import Device
from keystead.people.user_setting import UserSetting

_WHOSE: Final = Filter("user", int, note="Whose devices; the caller's own where nobody is named.")


async def devices(_request: Request, call: Call, site: Site, _params: dict[str, str]) -> Response:
    """The caller's devices, of all sorts."""
    signed_in(call)
    return json(await every.of_user(call, site.state, call.actor.pk))


async def devices_of(request: Request, call: Call, site: Site, _params: dict[str, str]) -> Response:
    """Somebody's devices, of the sorts the caller may view."""
    signed_in(call)
    kinds = [kind for kind in every.KINDS if may(call, kind, "view")]
    if not kinds:
        raise denied()
    user = asked.asked_for(_WHOSE, query_of(request))
    return json(await every.of_user(call, site.state, user if isinstance(user, int) else call.actor.pk, kinds))


async def setups(_request: Request, call: Call, site: Site, _params: dict[str, str]) -> Response:
    """What people can set up by themselves: the stages that name a flow for it and are carried out."""
    signed_in(call)
    found: list[UserSetting] = []
    for kind in call.settings.kinds("stages"):
        if not kind.stored_only and "configure_flow" in kind.fields:
            stages = [one for one in call.settings.all(kind) if call.settings.get(FLOW, one.configure_flow) is not None]
            found += [_setting(site, kind, one) for one in stages]
    return json(sorted(found, key=lambda one: (one.title, one.object_uid)))


def _setting(site: Site, kind: Kind[Any], stage: Any) -> UserSetting:  # noqa: ANN401 - stages of every kind
    part = kind.component.removeprefix("ak-stage-").removesuffix("-form")
    return UserSetting(
        object_uid=stage.pk,
        component=f"ak-user-settings-{part}",
        title=getattr(stage, "friendly_name", "") or kind.title[0].removesuffix(" Stage"),
        configure_url=f"{site.root_path}/flows/-/configure/{stage.pk}/",
    )


OPERATIONS: Final = (
    Operation("GET", "authenticators/all/", devices, "authenticators_all_list", response=list[Device]),
    Operation(
        "GET",
        "authenticators/admin/all/",
        devices_of,
        "authenticators_admin_all_list",
        response=list[Device],
        query=(_WHOSE,),
    ),
    Operation("GET", "stages/all/user_settings/", setups, "stages_all_user_settings_list", response=list[UserSetting]),
)
