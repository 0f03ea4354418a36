"""Application entitlement: something people may be allowed to do within an application; policies say whom."""

from typing import Annotated

import msgspec

from keystead.base.errors import invalid
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, Json, Ref, Text, Uuid
from keystead.kinds.state import State


class ApplicationEntitlement(msgspec.Struct, frozen=True, kw_only=True):
    """Something people may do within an application; whoever its bindings let pass has it."""

    pbm_uuid: Annotated[Uuid, READ_ONLY]
    name: Text
    app: Annotated[Uuid, Ref("authentik_core.application")]
    attributes: Json = {}


async def rules(
    call: Call, _state: State, _old: ApplicationEntitlement | None, new: ApplicationEntitlement
) -> ApplicationEntitlement:
    """One name once within an application."""
    for other in call.settings.all(ENTITLEMENT):
        if other.pbm_uuid != new.pbm_uuid and (other.app, other.name) == (new.app, new.name):
            raise invalid({"name": ["This application has an entitlement with this name already."]})
    return new


ENTITLEMENT: Kind[ApplicationEntitlement] = Kind(
    model="authentik_core.applicationentitlement",
    struct=ApplicationEntitlement,
    path="core/application_entitlements",
    title=("Application Entitlement", "Application Entitlements"),
    key="pbm_uuid",
    key_name="pbm_uuid",
    rules=rules,
    filters=("app", "name", "pbm_uuid"),
    bindable=True,
    stored_only="No claim or header tells applications of entitlements yet.",
)
