"""SCIMProviderUser, SCIMProviderGroup: which user or group of ours is which object in a SCIM system."""

from typing import Annotated, Final

import msgspec

from keystead.kinds.kind import Kind, Table
from keystead.kinds.marks import LINE, READ_ONLY, Column, Json, Ref, Text, Uuid
from keystead.providers.outgoing import links

_PROVIDER: Final = "authentik_providers_scim.scimprovider"


class SCIMProviderUser(msgspec.Struct, frozen=True, kw_only=True):
    """A user of ours and its counterpart.

    :param scim_id: the counterpart's id there.
    :param attributes: what is known of the counterpart.
    """

    id: Annotated[Uuid, READ_ONLY]
    scim_id: Annotated[Text, LINE, Column("remote_id")]
    user: Annotated[int, Column("user_id"), Ref("authentik_core.user")]
    provider: Annotated[int, Ref(_PROVIDER)]
    attributes: Annotated[Json, READ_ONLY] = {}


class SCIMProviderGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A group of ours and its counterpart.

    :param scim_id: the counterpart's id there.
    :param attributes: what is known of the counterpart.
    """

    id: Annotated[Uuid, READ_ONLY]
    scim_id: Annotated[Text, LINE, Column("remote_id")]
    group: Annotated[Uuid, Column("group_id"), Ref("authentik_core.group")]
    provider: Annotated[int, Ref(_PROVIDER)]
    attributes: Annotated[Json, READ_ONLY] = {}


SCIM_USER: Kind[SCIMProviderUser] = Kind(
    model="authentik_providers_scim.scimprovideruser",
    struct=SCIMProviderUser,
    path="providers/scim_users",
    title=("SCIM Provider User", "SCIM Provider Users"),
    key="id",
    key_name="id",
    table=Table("scim_users"),
    verbs=links.LINK_VERBS,
    shown=links.UserLinkShown,
    view=links.users_view,
    search=("scim_id",),
    order=("user",),
    filters=links.USER_FILTERS,
)
SCIM_GROUP: Kind[SCIMProviderGroup] = Kind(
    model="authentik_providers_scim.scimprovidergroup",
    struct=SCIMProviderGroup,
    path="providers/scim_groups",
    title=("SCIM Provider Group", "SCIM Provider Groups"),
    key="id",
    key_name="id",
    table=Table("scim_groups"),
    verbs=links.LINK_VERBS,
    shown=links.GroupLinkShown,
    view=links.groups_view,
    search=("scim_id",),
    order=("group",),
    filters=links.GROUP_FILTERS,
)
