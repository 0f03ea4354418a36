"""Kinds and families as components: what is shown, what may be sent, pages of them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from keystead.doors.rest.families import Family
from keystead.doors.rest.openapi.schemas import Components, Schema, flagged, obj, ref
from keystead.doors.rest.openapi.words import told
from keystead.kinds.kind import Kind, Verb
from keystead.kinds.marks import Mark
from keystead.kinds.render import ABSENT, BASE, type_members

_TEXT: Final[Schema] = {"type": "string"}
_TYPE_NOTES: Final = {
    "component": "Name of the form that edits objects of this type.",
    "verbose_name": "The type, as people read it.",
    "verbose_name_plural": "The type's plural, as people read it.",
    "meta_model_name": "The type's model.",
}
_PAGE_MEMBERS: Final = {
    "next": "Number of the next page; 0: there is none.",
    "previous": "Number of the page before; 0: there is none.",
    "count": "Objects on all pages.",
    "current": "Number of this page, from 1.",
    "total_pages": "How many pages there are.",
    "start_index": "Place of the first object of this page, from 1.",
    "end_index": "Place of the last object of this page.",
}
_IGNORED: Final = "Taken from clients that send it; changes nothing."
WRITES: Final = frozenset({Verb.CREATE, Verb.UPDATE, Verb.PARTIAL_UPDATE})


def name_of(kind: Kind[Any]) -> str:
    """The name of a kind's component."""
    return kind.struct.__name__


def add_kind(components: Components, kind: Kind[Any]) -> None:
    """The components of ``kind``: as shown, and as sent where it can be written."""
    name = name_of(kind)
    components.add(name, shown(components, kind), kind.struct)
    if kind.retrieved:
        components.add(kind.retrieved, shown(components, kind), kind)
    if kind.verbs & {Verb.CREATE, Verb.UPDATE} or not kind.verbs:  # one without verbs is written by operations
        components.add(f"{name}Request", sent(components, kind, partial=False), kind)
    if Verb.PARTIAL_UPDATE in kind.verbs or not kind.verbs:
        components.add(f"Patched{name}Request", sent(components, kind, partial=True), kind)


def shown(components: Components, kind: Kind[Any]) -> Schema:
    """The schema of an object of ``kind`` as an answer has it (:func:`keystead.kinds.render.render`)."""
    stored = components.members(kind.struct, "out")
    hidden = {field.name for field in kind.fields.values() if not field.readable} - set(kind.shown_secrets)
    properties = {name: schema for name, schema in stored.items() if name not in hidden}
    required = [
        field.name
        for field in kind.fields.values()
        if field.name in properties and (field.required or Mark.READ_ONLY in field.marks)
    ]
    for name in type_members(kind):
        properties[name] = flagged(_TEXT, readOnly=True, description=_TYPE_NOTES[name])
        required.append(name)
    if kind.shown:
        for name, schema in components.members(kind.shown, "out").items():
            properties[name] = flagged(schema, readOnly=True) if not schema.get("readOnly") else schema
        required.extend(name for name in _always(kind.shown) if name not in required)
    return obj(properties, required, told(kind.struct))


def _always(struct: type[msgspec.Struct]) -> Sequence[str]:
    return [info.encode_name for info in msgspec.structs.fields(struct) if info.required]


def sent(components: Components, kind: Kind[Any], *, partial: bool) -> Schema:
    """The schema of a body that writes an object of ``kind``.

    It tells no defaults: clients made from the document would send them, and so undo what an object holds.
    """
    properties = components.members(kind.struct, "in")
    for field in kind.fields.values():
        if field.name in properties and not field.readable and field.name not in kind.shown_secrets:
            properties[field.name] = flagged(properties[field.name], writeOnly=True)
    properties |= {name: flagged(ref(schema), description=_IGNORED) for name, schema in kind.ignored}
    required = [] if partial else [field.name for field in kind.fields.values() if field.writable and field.required]
    return obj(properties, required, told(kind.struct))


def add_family(components: Components, family: Family, kinds: Sequence[Kind[Any]]) -> None:
    """The component of a family's members: what objects of all its types share."""
    of_family = [kind for kind in kinds if kind.family == family.name]
    wanted = [*BASE.get(family.name, ()), *_TYPE_NOTES]
    full = [shown(components, kind) for kind in of_family]
    properties: dict[str, Schema] = {}
    for name in wanted:
        found = next((one["properties"][name] for one in full if name in one["properties"]), None)
        if found is not None:
            lacking = name not in ABSENT and not all(name in one["properties"] for one in full)
            properties[name] = flagged(found, nullable=lacking)
    components.add(family.schema, obj(properties, properties, f"{family.schema} of any type."), family)


def page_of(components: Components, name: str) -> Schema:
    """A reference to the component of a page of ``name``."""
    pagination = {word: {"type": "number", "description": note} for word, note in _PAGE_MEMBERS.items()}
    pages = components.add("Pagination", obj(pagination, pagination, "Where in a list a page stands."))
    return components.add(
        f"Paginated{name}List",
        obj(
            {
                "pagination": pages,
                "results": {"type": "array", "items": ref(name)},
                "autocomplete": {"type": "object", "additionalProperties": True},
            },
            ("pagination", "results", "autocomplete"),
        ),
    )


def key_schema(components: Components, kind: Kind[Any]) -> Schema:
    """The schema of the member that names an object of ``kind`` in a URL."""
    members: Mapping[str, Schema] = components.members(kind.struct, "out")
    return {name: value for name, value in members[kind.key].items() if name in {"type", "format"}}
