"""MicrosoftEntraProviderMapping: an expression that yields what Entra ID is told of a user or a group."""

from typing import Annotated

import msgspec

from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Text, Uuid
from keystead.providers.mapping import KEY, MANAGED, compiles


class MicrosoftEntraProviderMapping(msgspec.Struct, frozen=True, kw_only=True):
    """What Entra ID is told of a user or a group.

    :param managed: a lasting id, for those that came with the installation.
    :param expression: Python that returns a dict, merged into the request's body.
    """

    pk: Annotated[Uuid, READ_ONLY]
    managed: Text | None = None
    name: Annotated[Text, UNIQUE]
    expression: Text


MICROSOFT_ENTRA_MAPPING: Kind[MicrosoftEntraProviderMapping] = Kind(
    model="authentik_providers_microsoft_entra.microsoftentraprovidermapping",
    struct=MicrosoftEntraProviderMapping,
    path="propertymappings/provider/microsoft_entra",
    title=("Microsoft Entra Provider Mapping", "Microsoft Entra Provider Mappings"),
    key_name="pm_uuid",
    family="propertymappings",
    component="ak-property-mapping-provider-microsoft-entra-form",
    rules=compiles,
    filters=("expression", MANAGED, "name", KEY),
)
