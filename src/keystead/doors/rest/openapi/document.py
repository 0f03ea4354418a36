"""The OpenAPI document, from the declarations that also make the routes."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from keystead import __version__
from keystead.doors.rest.families import Family
from keystead.doors.rest.openapi import objects
from keystead.doors.rest.openapi.operations import SCHEME, Paths
from keystead.doors.rest.openapi.schemas import REF, Components, Schema
from keystead.doors.rest.operation import Operation
from keystead.kinds.action import Action
from keystead.kinds.kind import Kind

_ABOUT: Final = (
    "Everything Keystead keeps can be read and changed here. Send an API token as `Authorization: Bearer <token>`."
    " Names, types and shapes are those of REST API v3 (2026.8)."
    " An answer about one object carries its version in `ETag`; send it back in `If-Match`, and an edit or removal of"
    " what somebody else has changed meanwhile is refused with 409. A POST with an `Idempotency-Key` is carried out"
    " once in a day, however often it is sent."
)


def document(
    kinds: Sequence[Kind[Any]], families: Sequence[Family], actions: Sequence[Action], extra: Sequence[Operation] = ()
) -> Schema:
    """The OpenAPI 3.0.3 document of an API with these parts."""
    return drawn(kinds, families, actions, extra)[0]


def drawn(
    kinds: Sequence[Kind[Any]], families: Sequence[Family], actions: Sequence[Action], extra: Sequence[Operation] = ()
) -> tuple[Schema, list[str]]:
    """The document, and what is wrong with the declarations: names that two different things share, or nothing has."""
    components = Components({kind.struct: objects.name_of(kind) for kind in kinds})
    for family in families:
        objects.add_family(components, family, kinds)
    for kind in kinds:
        objects.add_kind(components, kind)
    paths = Paths(components)
    for kind in kinds:
        paths.kind(kind)
    for family in families:
        paths.family(family, kinds)
    for action in actions:
        paths.action(action)
    for operation in extra:
        paths.operation(operation)
    found: Schema = {
        "openapi": "3.0.3",
        "info": {"title": "Keystead", "version": __version__, "description": _ABOUT},
        "servers": [{"url": "/api/v3"}],
        "tags": [{"name": tag} for tag in sorted({path.split("/")[1] for path in paths.items})],
        "paths": dict(sorted(paths.items.items())),
        "components": {
            "schemas": dict(sorted(components.schemas.items())),
            "securitySchemes": {SCHEME: {"type": "http", "scheme": "bearer"}},
        },
    }
    faults = [f"{name} is the name of two different things" for name in sorted(components.clashes)]
    missing = sorted({name for name in refs(found) if name not in components.schemas})
    return found, [*faults, *(f"nothing is called {name}" for name in missing)]


def refs(schema: object) -> Iterator[str]:
    """The names of the components that ``schema`` refers to."""
    if isinstance(schema, dict):
        target = schema.get("$ref")
        if isinstance(target, str):
            yield target.removeprefix(REF)
        for value in schema.values():
            yield from refs(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from refs(value)
