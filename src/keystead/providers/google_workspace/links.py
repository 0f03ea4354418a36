"""GoogleWorkspaceProviderUser, …Group: which user or group of ours is which object in Google Workspace."""

from typing import Annotated, Final

import msgspec

from keystead.kinds.kind import Kind, Table
from keystead.kinds.marks import LINE, READ_ONLY, Column, Json, Ref, Text, Uuid
from keystead.providers.outgoing import links

_PROVIDER: Final = "authentik_providers_google_workspace.googleworkspaceprovider"


class GoogleWorkspaceProviderUser(msgspec.Struct, frozen=True, kw_only=True):
    """A user of ours and its counterpart.

    :param google_id: the counterpart's id there.
    :param attributes: what is known of the counterpart.
    """

    id: Annotated[Uuid, READ_ONLY]
    google_id: Annotated[Text, LINE, Column("remote_id")]
    user: Annotated[int, Column("user_id"), Ref("authentik_core.user")]
    provider: Annotated[int, Ref(_PROVIDER)]
    attributes: Annotated[Json, READ_ONLY] = {}


class GoogleWorkspaceProviderGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A group of ours and its counterpart.

    :param google_id: the counterpart's id there.
    :param attributes: what is known of the counterpart.
    """

    id: Annotated[Uuid, READ_ONLY]
    google_id: Annotated[Text, LINE, Column("remote_id")]
    group: Annotated[Uuid, Column("group_id"), Ref("authentik_core.group")]
    provider: Annotated[int, Ref(_PROVIDER)]
    attributes: Annotated[Json, READ_ONLY] = {}


GOOGLE_WORKSPACE_USER: Kind[GoogleWorkspaceProviderUser] = Kind(
    model="authentik_providers_google_workspace.googleworkspaceprovideruser",
    struct=GoogleWorkspaceProviderUser,
    path="providers/google_workspace_users",
    title=("Google Workspace Provider User", "Google Workspace Provider Users"),
    key="id",
    key_name="id",
    table=Table("google_workspace_users"),
    verbs=links.LINK_VERBS,
    shown=links.UserLinkShown,
    view=links.users_view,
    search=("google_id",),
    order=("user",),
    filters=links.USER_FILTERS,
)
GOOGLE_WORKSPACE_GROUP: Kind[GoogleWorkspaceProviderGroup] = Kind(
    model="authentik_providers_google_workspace.googleworkspaceprovidergroup",
    struct=GoogleWorkspaceProviderGroup,
    path="providers/google_workspace_groups",
    title=("Google Workspace Provider Group", "Google Workspace Provider Groups"),
    key="id",
    key_name="id",
    table=Table("google_workspace_groups"),
    verbs=links.LINK_VERBS,
    shown=links.GroupLinkShown,
    view=links.groups_view,
    search=("google_id",),
    order=("group",),
    filters=links.GROUP_FILTERS,
)
