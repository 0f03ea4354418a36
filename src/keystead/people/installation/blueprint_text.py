"""A blueprint as text. Imported only where there is one, since YAML loads slowly."""

import enum
from typing import Final

import msgspec

from keystead.wire.tagged_yaml import Tag, read

MOST: Final = 2_000
"""Entries of one blueprint."""
TAGS: Final = frozenset(
    {
        "AtIndex",
        "Condition",
        "Context",
        "Enumerate",
        "Env",
        "File",
        "Find",
        "FindObject",
        "Format",
        "If",
        "Index",
        "KeyOf",
        "ParseJSON",
        "Value",
    }
)


META_APPLY: Final = "authentik_blueprints.metaapplyblueprint"
META_PASSWORD: Final = "authentik_blueprints.metausersetpassword"  # noqa: S105 - a model's name
META: Final = frozenset({META_APPLY, META_PASSWORD})
"""The models of entries that stand for something to do, not for an object."""


class EntryState(enum.StrEnum):
    """What shall become of an entry's object."""

    PRESENT = "present"
    CREATED = "created"
    MUST_CREATED = "must_created"
    ABSENT = "absent"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One object; everything but the names of members may hold tags.

    :param place: as people count: ``2``, or ``people 2`` for entries in sections.
    """

    place: str
    model: object
    state: object
    id: object
    identifiers: dict[str, object]
    attrs: dict[str, object]
    conditions: list[object]
    permissions: list[dict[str, object]]


class Blueprint(msgspec.Struct, frozen=True, kw_only=True):
    """A blueprint that was read.

    :param context: what ``!Context`` finds unless told otherwise.
    """

    name: str
    labels: dict[str, object]
    context: dict[str, object]
    entries: tuple[Entry, ...]


def parse(text: str) -> Blueprint:
    """The blueprint in ``text``.

    :raises ValueError: it is none; the message is for whoever wrote it.
    """
    found = read(text)
    if not isinstance(found, dict) or found.get("version") != 1:
        raise ValueError("A blueprint is a mapping with version: 1.")
    metadata = _plain(found.get("metadata"), "The metadata of a blueprint are a mapping with a name and labels.")
    labels = _plain(metadata.get("labels"), "The labels of a blueprint are a mapping.")
    context = _plain(found.get("context"), "The context of a blueprint is a mapping.")
    given = found.get("entries") or []
    if isinstance(given, dict):
        listed = [(f"{section} {n}", one) for section, of in given.items() for n, one in enumerate(_list(of), 1)]
    else:
        listed = [(str(n), one) for n, one in enumerate(_list(given), 1)]
    if len(listed) > MOST:
        raise ValueError(f"A blueprint may have at most {MOST} entries.")
    _known_tags(found)
    return Blueprint(
        name=str(metadata.get("name") or ""),
        labels=labels,
        context=context,
        entries=tuple(_entry(place, one) for place, one in listed),
    )


def described(text: str) -> dict[str, object]:
    """What a blueprint says of itself.

    :raises ValueError: it is no blueprint.
    """
    found = parse(text)
    return {"name": found.name, "labels": found.labels}


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise ValueError("The entries of a blueprint are a list, or a mapping of sections to lists.")  # noqa: TRY004 - the text is wrong
    return value


def _plain(value: object, wrong: str) -> dict[str, object]:
    if not isinstance(value or {}, dict):
        raise ValueError(wrong)  # noqa: TRY004 - as above
    return value if isinstance(value, dict) else {}


def _entry(place: str, given: object) -> Entry:
    where = f"Entry {place}"
    entry = _plain(given, f"{where} is no mapping.")
    if not isinstance(entry.get("model"), (str, Tag)):
        raise ValueError(f"{where} names no model.")  # noqa: TRY004 - as above
    state = entry.get("state", "present")
    if not isinstance(state, Tag) and state not in list(EntryState):
        raise ValueError(f"{where}: the state is one of {', '.join(EntryState)}.")
    conditions, permissions = entry.get("conditions") or [], entry.get("permissions") or []
    if not isinstance(conditions, list):
        raise ValueError(f"{where}: the conditions are a list.")  # noqa: TRY004 - as above
    if not isinstance(permissions, list) or not all(isinstance(one, dict) for one in permissions):
        raise ValueError(f"{where}: the permissions are a list of mappings.")
    identifiers = _plain(entry.get("identifiers"), f"{where}: the identifiers are a mapping.")
    attrs = _plain(entry.get("attrs"), f"{where}: the attrs are a mapping.")
    if not identifiers and not attrs:
        raise ValueError(f"{where} has neither identifiers nor attrs.")
    return Entry(
        place=place,
        model=entry["model"],
        state=state,
        id=entry.get("id"),
        identifiers=identifiers,
        attrs=attrs,
        conditions=conditions,
        permissions=permissions,
    )


def _known_tags(value: object) -> None:
    """Refuse tags that nobody knows, wherever they stand."""
    inside: list[object] = []
    if isinstance(value, Tag):
        if value.name not in TAGS:
            raise ValueError(f"Line {value.line}: the tag !{value.name[:50]} is not known.")
        inside = [value.value]
    elif isinstance(value, dict):
        inside = list(value.values())
    elif isinstance(value, list):
        inside = value
    for one in inside:
        _known_tags(one)
