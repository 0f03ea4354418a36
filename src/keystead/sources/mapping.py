"""Property mappings of sources: expressions that turn what a source tells into members of a user or group."""

from typing import Annotated, Final, TypeVar

import msgspec

from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Text, Uuid
from keystead.kinds.state import State
from keystead.policies.expression import check_expression

_LATER: Final = "Sources of this type hand over no people yet, so no expression of theirs runs."


class SourcePropertyMapping(msgspec.Struct, frozen=True, kw_only=True):
    """What mappings of every type of source have.

    :param managed: a lasting id, for those that came with the installation.
    :param expression: Python that returns a dict of members.
    """

    pk: Annotated[Uuid, READ_ONLY]
    managed: Text | None = None
    name: Annotated[Text, UNIQUE]
    expression: Text


T = TypeVar("T", bound=SourcePropertyMapping)


async def rules(
    _call: Call, _state: State, _old: SourcePropertyMapping | None, new: SourcePropertyMapping
) -> SourcePropertyMapping:
    """The expression compiles."""
    check_expression(new.expression, new.name)
    return new


def kind(struct: type[T], type_: str, title: str, *, stored_only: str = _LATER) -> Kind[T]:
    """The kind of one type's mappings.

    :param type_: the source's type as paths and models spell it, such as ``ldap``.
    :param stored_only: see :class:`~keystead.kinds.kind.Kind`; empty for types that hand over people.
    """
    return Kind(
        model=f"authentik_sources_{type_}.{type_}sourcepropertymapping",
        struct=struct,
        path=f"propertymappings/source/{type_}",
        title=(f"{title} Source Property Mapping", f"{title} Source Property Mappings"),
        key_name="pm_uuid",
        family="propertymappings",
        component=f"ak-property-mapping-source-{type_}-form",
        rules=rules,
        search=("name", "managed"),
        filters=(
            "name",
            Filter("managed", str, many=True, test=lambda one, values: one.managed in values),
            Filter("managed__isnull", bool, test=lambda one, value: (one.managed is None) is value),
        ),
        stored_only=stored_only,
    )
