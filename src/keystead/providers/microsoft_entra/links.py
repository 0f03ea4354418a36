"""MicrosoftEntraProviderUser, MicrosoftEntraProviderGroup: which user or group of ours is which object in Entra ID."""

from typing import Annotated, Final

import msgspec

from keystead.kinds.kind import Kind, Table
from keystead.kinds.marks import LINE, READ_ONLY, Column, Json, Ref, Text, Uuid
from keystead.providers.outgoing import links

_PROVIDER: Final = "authentik_providers_microsoft_entra.microsoftentraprovider"


class MicrosoftEntraProviderUser(msgspec.Struct, frozen=True, kw_only=True):
    """A user of ours and its counterpart.

    :param microsoft_id: the counterpart's id there.
    :param attributes: what is known of the counterpart.
    """

    id: Annotated[Uuid, READ_ONLY]
    microsoft_id: Annotated[Text, LINE, Column("remote_id")]
    user: Annotated[int, Column("user_id"), Ref("authentik_core.user")]
    provider: Annotated[int, Ref(_PROVIDER)]
    attributes: Annotated[Json, READ_ONLY] = {}


class MicrosoftEntraProviderGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A group of ours and its counterpart.

    :param microsoft_id: the counterpart's id there.
    :param attributes: what is known of the counterpart.
    """

    id: Annotated[Uuid, READ_ONLY]
    microsoft_id: Annotated[Text, LINE, Column("remote_id")]
    group: Annotated[Uuid, Column("group_id"), Ref("authentik_core.group")]
    provider: Annotated[int, Ref(_PROVIDER)]
    attributes: Annotated[Json, READ_ONLY] = {}


MICROSOFT_ENTRA_USER: Kind[MicrosoftEntraProviderUser] = Kind(
    model="authentik_providers_microsoft_entra.microsoftentraprovideruser",
    struct=MicrosoftEntraProviderUser,
    path="providers/microsoft_entra_users",
    title=("Microsoft Entra Provider User", "Microsoft Entra Provider Users"),
    key="id",
    key_name="id",
    table=Table("microsoft_entra_users"),
    verbs=links.LINK_VERBS,
    shown=links.UserLinkShown,
    view=links.users_view,
    search=("microsoft_id",),
    order=("user",),
    filters=links.USER_FILTERS,
)
MICROSOFT_ENTRA_GROUP: Kind[MicrosoftEntraProviderGroup] = Kind(
    model="authentik_providers_microsoft_entra.microsoftentraprovidergroup",
    struct=MicrosoftEntraProviderGroup,
    path="providers/microsoft_entra_groups",
    title=("Microsoft Entra Provider Group", "Microsoft Entra Provider Groups"),
    key="id",
    key_name="id",
    table=Table("microsoft_entra_groups"),
    verbs=links.LINK_VERBS,
    shown=links.GroupLinkShown,
    view=links.groups_view,
    search=("microsoft_id",),
    order=("group",),
    filters=links.GROUP_FILTERS,
)
