"""What an assertion says of a person: attributes by the provider's mappings, and a name (saml.md §3)."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from keystead.base.errors import invalid
from keystead.kinds.action import Answer
from keystead.kinds.call import Call
from keystead.kinds.state import State
from keystead.people.person import Person
from keystead.policies.judge import Request
from keystead.policies.sandbox import ExpressionError, make_view
from keystead.policies.values import evaluate_mapping, names_for_mapping
from keystead.providers.assertion.mapping import SAML_MAPPING, SAMLPropertyMapping
from keystead.providers.mapping import PropertyMappingPreview, previewed
from keystead.trust.assertion_terms import SAMLNameIDPolicyEnum

_PROVIDER = make_view(
    "provider",
    {name: name for name in ("pk", "name")},
    text=lambda provider: provider.name,
    key=lambda provider: ("provider", provider.pk),
)


class Asserting(Protocol):
    """A provider whose word is an assertion."""

    @property
    def pk(self) -> int:
        """Its key."""

    @property
    def property_mappings(self) -> tuple[str, ...]:
        """What tells of a person."""

    @property
    def name_id_mapping(self) -> str | None:
        """What names a person."""

    @property
    def default_name_id_policy(self) -> SAMLNameIDPolicyEnum:
        """How a person is named where neither a mapping nor the request says."""


def attributes(call: Call, provider: Asserting, person: Person) -> list[dict[str, object]]:
    """The attributes, by their names; a list's items are values of their own, and what yields nothing is left out.

    :raises Problem: ``INVALID``: a mapping fails.
    """
    found = []
    for mapping in _mappings(call, provider.property_mappings):
        values = _texts(_yielded(call, provider, person, mapping))
        if values is not None:
            named: dict[str, object] = {"Name": mapping.saml_name}
            if mapping.friendly_name:
                named["FriendlyName"] = mapping.friendly_name
            found.append(named | {"Value": values})
    return sorted(found, key=lambda one: str(one["Name"]))


def name_id(call: Call, provider: Asserting, person: Person) -> str:
    """The name by which the application knows the person; empty for one that each session draws anew.

    :raises Problem: ``INVALID``: the mapping fails.
    """
    for mapping in _mappings(call, (provider.name_id_mapping,) if provider.name_id_mapping else ()):
        if (values := _texts(_yielded(call, provider, person, mapping))) is not None:
            return " ".join(values)
    user = person.user
    match provider.default_name_id_policy:
        case SAMLNameIDPolicyEnum.EMAIL:
            return user.email
        case SAMLNameIDPolicyEnum.X509:
            return _attribute(person, "distinguishedName")
        case SAMLNameIDPolicyEnum.WINDOWS:
            return _attribute(person, "upn")
        case SAMLNameIDPolicyEnum.TRANSIENT:
            return ""
        case _:
            return person.uid


async def preview(call: Call, state: State, provider: Asserting, query: Mapping[str, Sequence[str]]) -> Answer:
    """What an assertion would say of the caller, or of ``for_user``."""
    person = await previewed(call, state, query)
    told: dict[str, object] = {
        "attributes": attributes(call, provider, person),
        "nameID": name_id(call, provider, person),
    }
    return Answer(PropertyMappingPreview(told))


def _attribute(person: Person, name: str) -> str:
    value = person.user.attributes.get(name)
    return value if isinstance(value, str) and value else person.uid


def _mappings(call: Call, keys: Sequence[str]) -> list[SAMLPropertyMapping]:
    return [mapping for pk in keys if (mapping := call.settings.get(SAML_MAPPING, pk))]


def _yielded(call: Call, provider: Asserting, person: Person, mapping: SAMLPropertyMapping) -> object:
    names = names_for_mapping(Request(call, person), provider=_PROVIDER(provider))
    try:
        return evaluate_mapping(mapping.expression, mapping.name, names)
    except ExpressionError as exc:
        raise invalid(detail=f"The mapping “{mapping.name}” fails: {exc}") from None


def _texts(value: object) -> list[str] | None:
    """The values of an attribute as texts; None if there is none."""
    if value is None:
        return None
    if isinstance(value, (list, tuple, set, frozenset, range)):
        return [_text(one) for one in value if one is not None]
    return [_text(value)]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
