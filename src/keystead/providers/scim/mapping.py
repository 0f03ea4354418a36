"""SCIMMapping: an expression that yields what another system is told of a user or a group."""

from typing import Annotated

import msgspec

from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Text, Uuid
from keystead.providers.mapping import MANAGED, UNMANAGED, compiles


class SCIMMapping(msgspec.Struct, frozen=True, kw_only=True):
    """What another system is told of a user or a group.

    :param managed: a lasting id, for those that came with the installation.
    :param expression: Python that returns a dict, merged into the SCIM resource.
    """

    pk: Annotated[Uuid, READ_ONLY]
    managed: Text | None = None
    name: Annotated[Text, UNIQUE]
    expression: Text


SCIM_MAPPING: Kind[SCIMMapping] = Kind(
    model="authentik_providers_scim.scimmapping",
    struct=SCIMMapping,
    path="propertymappings/provider/scim",
    title=("SCIM Provider Mapping", "SCIM Provider Mappings"),
    key_name="pm_uuid",
    family="propertymappings",
    component="ak-property-mapping-provider-scim-form",
    rules=compiles,
    filters=(MANAGED, UNMANAGED, "name"),
)
