"""MicrosoftEntraProvider: a tenant of Entra ID that is told of our users and groups."""

from typing import Annotated, Final

import msgspec

from keystead.base.errors import invalid
from keystead.base.secret import Secret
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Duration, OnDelete, Ref, Text, Uuid
from keystead.kinds.state import State
from keystead.providers.application import Assigned
from keystead.providers.outgoing.links import SCHEDULED, OutgoingSyncDeleteAction, view

_MAPPINGS: Final = Ref("propertymappings", OnDelete.CASCADE_MANY)


class MicrosoftEntraProvider(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant that is told of users and groups.

    :param property_mappings: what it is told of a user.
    :param property_mappings_group: what it is told of a group.
    :param client_id: the id of our registration there.
    :param client_secret: the secret of our registration there.
    :param tenant_id: which tenant it is.
    :param exclude_users_service_account: leave service accounts out.
    :param filter_group: only members of this group; none: all.
    :param sync_page_size: objects a step of a run.
    :param discovery_enabled: look for objects that are there already, before making new ones.
    :param sync_page_timeout: how long a step may take.
    :param dry_run: tell what would be written, and write nothing.
    """

    pk: Annotated[int, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    property_mappings: tuple[Annotated[Uuid, _MAPPINGS], ...] = ()
    property_mappings_group: tuple[Annotated[Uuid, _MAPPINGS], ...] = ()
    client_id: Text
    client_secret: Annotated[Secret, msgspec.Meta(extra_json_schema={"minLength": 1})]
    tenant_id: Text
    exclude_users_service_account: bool = False
    filter_group: Annotated[Uuid, Ref("authentik_core.group", OnDelete.SET_NULL, gives=False)] | None = None
    user_delete_action: OutgoingSyncDeleteAction = OutgoingSyncDeleteAction.DELETE
    group_delete_action: OutgoingSyncDeleteAction = OutgoingSyncDeleteAction.DELETE
    sync_page_size: Annotated[int, msgspec.Meta(ge=1, le=2147483647)] = 100
    discovery_enabled: bool = True
    sync_page_timeout: Duration = "minutes=30"
    dry_run: bool = False


async def rules(
    _call: Call, _state: State, _old: MicrosoftEntraProvider | None, new: MicrosoftEntraProvider
) -> MicrosoftEntraProvider:
    """There is a secret."""
    if not new.client_secret.reveal().strip():
        raise invalid({"client_secret": ["May not be blank."]})
    return new


MICROSOFT_ENTRA_PROVIDER: Kind[MicrosoftEntraProvider] = Kind(
    model="authentik_providers_microsoft_entra.microsoftentraprovider",
    struct=MicrosoftEntraProvider,
    path="providers/microsoft_entra",
    title=("Microsoft Entra Provider", "Microsoft Entra Providers"),
    key_name="id",
    family="providers",
    component="ak-provider-microsoft-entra-form",
    shown=Assigned,
    view=view,
    rules=rules,
    filters=("exclude_users_service_account", "filter_group", "name"),
    stored_only=SCHEDULED,
)
