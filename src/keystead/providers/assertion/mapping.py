"""SAMLPropertyMapping: an expression that yields one attribute of an assertion."""

from typing import Annotated

import msgspec

from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Text, Uuid
from keystead.providers.mapping import MANAGED, UNMANAGED, compiles


class SAMLPropertyMapping(msgspec.Struct, frozen=True, kw_only=True):
    """What one attribute tells about a person.

    :param managed: a lasting id, for those that came with the installation.
    :param expression: Python that returns a value, or several; none: the attribute is left out.
    :param saml_name: the attribute's name.
    :param friendly_name: the attribute's name for people, if it has one.
    """

    pk: Annotated[Uuid, READ_ONLY]
    managed: Text | None = None
    name: Annotated[Text, UNIQUE]
    expression: Text
    saml_name: Text
    friendly_name: str | None = None


SAML_MAPPING: Kind[SAMLPropertyMapping] = Kind(
    model="authentik_providers_saml.samlpropertymapping",
    struct=SAMLPropertyMapping,
    path="propertymappings/provider/saml",
    title=("SAML Provider Property Mapping", "SAML Provider Property Mappings"),
    key_name="pm_uuid",
    family="propertymappings",
    component="ak-property-mapping-provider-saml-form",
    rules=compiles,
    search=("name", "saml_name", "friendly_name"),
    filters=("friendly_name", MANAGED, UNMANAGED, "name", "saml_name"),
    stored_only="No assertions are made yet; previews show what a mapping tells.",
)
