"""Whether a JSON value is what a schema of our document says, as far as that document says anything."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final
from uuid import UUID

Json = dict[str, Any]
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}
_FORMATS: Final[dict[str, Callable[[str], object]]] = {"uuid": UUID, "date-time": datetime.fromisoformat}


def faults(document: Json, schema: Json, value: object, where: str = "") -> Iterator[str]:
    """What of ``value`` is not as ``schema`` says."""
    if "allOf" in schema and len(schema["allOf"]) == 1:
        schema = {**schema, **schema["allOf"][0]}
    if value is None and schema.get("nullable"):
        return
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    schema = _chosen(document, schema, value)
    wanted = _TYPES.get(schema.get("type", ""))
    if wanted and (not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted)):
        yield f"{where}: {value!r} is no {schema['type']}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is none of {schema['enum']}"
    if isinstance(value, str):
        yield from _text(schema, value, where)
    if isinstance(value, (int, float)):
        yield from _number(schema, value, where)
    if isinstance(value, list):
        yield from _array(document, schema, value, where)
    if isinstance(value, dict):
        yield from _object(document, schema, value, where)


def _chosen(document: Json, schema: Json, value: object) -> Json:
    """Which of several schemas is meant, as the value's own member tells; one that nothing fits if it does not."""
    if "discriminator" not in schema or not isinstance(value, dict):
        return schema
    told = schema["discriminator"]
    target = told["mapping"].get(value.get(told["propertyName"]))
    if target is None:
        return {"type": "object", "enum": sorted(told["mapping"])}
    found: Json = document["components"]["schemas"][target.rpartition("/")[2]]
    return found


def _text(schema: Json, value: str, where: str) -> Iterator[str]:
    if read := _FORMATS.get(schema.get("format", "")):
        try:
            read(value)
        except ValueError:
            yield f"{where}: {value!r} is no {schema['format']}"
    if len(value) > schema.get("maxLength", len(value)):
        yield f"{where}: {value!r} is longer than {schema['maxLength']}"


def _array(document: Json, schema: Json, value: list[Any], where: str) -> Iterator[str]:
    if len(value) > schema.get("maxItems", len(value)):
        yield f"{where}: has more than {schema['maxItems']} items"
    for at, one in enumerate(value):
        yield from faults(document, schema.get("items", {}), one, f"{where}[{at}]")


def _number(schema: Json, value: float, where: str) -> Iterator[str]:
    if value < schema.get("minimum", value):
        yield f"{where}: {value!r} is less than {schema['minimum']}"
    if value > schema.get("maximum", value):
        yield f"{where}: {value!r} is more than {schema['maximum']}"


def _object(document: Json, schema: Json, value: Json, where: str) -> Iterator[str]:
    members = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{where}: lacks {name}"
    for name, one in value.items():
        if name in members:
            yield from faults(document, members[name], one, f"{where}.{name}")
        elif members and "additionalProperties" not in schema:
            yield f"{where}: has {name}, which is not told of"
        elif isinstance(inner := schema.get("additionalProperties"), dict):
            yield from faults(document, inner, one, f"{where}.{name}")
