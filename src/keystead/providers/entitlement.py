"""Application entitlement: something people may be allowed to do within an application; policies say whom."""

from typing import Annotated

import msgspec

from keystead.base.errors import invalid
from keystead.kinds.action import Action
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind
from keystead.kinds.marks import READ_ONLY, Json, Ref, Text, Uuid
from keystead.kinds.pending import Pending
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


class RequestableTarget(msgspec.Struct):
    """Something one may ask to be given.

    :param parent: the application it belongs to.
    """

    verbose_name: str
    verbose_name_plural: str
    meta_model_name: str
    pbm_uuid: str
    label: str
    parent: Annotated[dict[str, object] | None, msgspec.Meta(title="Application")]


class PaginatedRequestableTargetList(msgspec.Struct):
    """A page of them."""

    pagination: Annotated[dict[str, object], msgspec.Meta(title="Pagination")]
    results: list[RequestableTarget]
    autocomplete: dict[str, object]


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
ACTIONS = (
    Action(
        ENTITLEMENT,
        "GET",
        "requestable/",
        Pending("Entitlements cannot be asked for yet; they are given by bindings."),
        "requestable_list",
        permission="",
        response=PaginatedRequestableTargetList,
        query=(
            Filter("app", Uuid),
            Filter("name", str),
            Filter("pbm_uuid", Uuid),
            Filter("ordering", str),
            Filter("page", int),
            Filter("page_size", int),
            Filter("search", str),
        ),
    ),
)
