"""RACPropertyMapping: parameters of a remote connection, fixed or from an expression."""

from typing import Annotated

import msgspec

from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Json, Text, Uuid
from keystead.providers.mapping import MANAGED, compiles


class RACPropertyMapping(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of a remote connection.

    :param managed: a lasting id, for those that came with the installation.
    :param expression: Python that returns a dict of parameters, or empty.
    :param static_settings: parameters that are always the same; they win over the expression's.
    """

    pk: Annotated[Uuid, READ_ONLY]
    managed: Text | None = None
    name: Annotated[Text, UNIQUE]
    expression: str = ""
    static_settings: Json


RAC_MAPPING: Kind[RACPropertyMapping] = Kind(
    model="authentik_providers_rac.racpropertymapping",
    struct=RACPropertyMapping,
    path="propertymappings/provider/rac",
    title=("RAC Provider Property Mapping", "RAC Provider Property Mappings"),
    key_name="pm_uuid",
    family="propertymappings",
    component="ak-property-mapping-provider-rac-form",
    rules=compiles,
    filters=(MANAGED, "name"),
    stored_only="No remote connections are made yet.",
)
