"""RadiusProviderPropertyMapping: an expression that yields attributes of an answer to a network device."""

from typing import Annotated

import msgspec

from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Text, Uuid
from keystead.providers.mapping import MANAGED, UNMANAGED, compiles


class RadiusProviderPropertyMapping(msgspec.Struct, frozen=True, kw_only=True):
    """What a network device is told beside yes.

    :param managed: a lasting id, for those that came with the installation.
    :param expression: Python that sets attributes of ``packet``.
    """

    pk: Annotated[Uuid, READ_ONLY]
    managed: Text | None = None
    name: Annotated[Text, UNIQUE]
    expression: Text


RADIUS_MAPPING: Kind[RadiusProviderPropertyMapping] = Kind(
    model="authentik_providers_radius.radiusproviderpropertymapping",
    struct=RadiusProviderPropertyMapping,
    path="propertymappings/provider/radius",
    title=("Radius Provider Property Mapping", "Radius Provider Property Mappings"),
    key_name="pm_uuid",
    family="propertymappings",
    component="ak-property-mapping-provider-radius-form",
    rules=compiles,
    filters=(MANAGED, UNMANAGED, "name"),
    stored_only="Answers to network devices are not made yet.",
)
