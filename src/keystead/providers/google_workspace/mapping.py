"""GoogleWorkspaceProviderMapping: an expression that yields what Google Workspace is told of a user or a group."""

from typing import Annotated

import msgspec

from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Text, Uuid
from keystead.providers.mapping import KEY, MANAGED, compiles


class GoogleWorkspaceProviderMapping(msgspec.Struct, frozen=True, kw_only=True):
    """What Google Workspace is told of a user or a group.

    :param managed: a lasting id, for those that came with the installation.
    :param expression: Python that returns a dict, merged into the request's body.
    """

    pk: Annotated[Uuid, READ_ONLY]
    managed: Text | None = None
    name: Annotated[Text, UNIQUE]
    expression: Text


GOOGLE_WORKSPACE_MAPPING: Kind[GoogleWorkspaceProviderMapping] = Kind(
    model="authentik_providers_google_workspace.googleworkspaceprovidermapping",
    struct=GoogleWorkspaceProviderMapping,
    path="propertymappings/provider/google_workspace",
    title=("Google Workspace Provider Mapping", "Google Workspace Provider Mappings"),
    key_name="pm_uuid",
    family="propertymappings",
    component="ak-property-mapping-provider-google-workspace-form",
    rules=compiles,
    filters=("expression", MANAGED, "name", KEY),
)
