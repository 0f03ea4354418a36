"""Types as schemas: what the annotations say of a value, in the words of OpenAPI 3.0 (OAS 3.0.3, §4.7.24)."""

import enum
import types
import typing
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

import msgspec

from keystead.base.secret import Secret
from keystead.doors.rest.openapi.words import params, told
from keystead.kinds.field import fields
from keystead.kinds.marks import Format, Mark

Schema: TypeAlias = dict[str, Any]
"""A schema object; JSON, so its values are of every type."""
Type: TypeAlias = Any
"""A type expression."""
Way: TypeAlias = Literal["in", "out"]
"""Whether a value comes in a request or goes out in an answer."""

_TELLS: Final = "component"
"""The member that tells which of several structs a value is (OAS 3.0.3, §4.7.25)."""
REF: Final = "#/components/schemas/"
_PLAIN: Final[dict[Type, Schema]] = {
    str: {"type": "string"},
    Secret: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    bytes: {"type": "string", "format": "binary"},
    datetime: {"type": "string", "format": "date-time"},
    dict: {"type": "object", "additionalProperties": True},
    list: {"type": "array", "items": {}},
    type(None): {"nullable": True},
    object: {},
    Any: {},
}
_LIMITS: Final = (("ge", "minimum"), ("le", "maximum"), ("max_length", "maxLength"))
_EXPLAINS: Final = frozenset({"description", "readOnly", "writeOnly", "default", "allOf", "properties", "required"})
_ARRAYS: Final = frozenset({tuple, list, set, frozenset})
_UNIONS: Final = frozenset({typing.Union, types.UnionType})


def ref(name: str) -> Schema:
    """A reference to a component."""
    return {"$ref": REF + name}


def flagged(schema: Schema, **flags: object) -> Schema:
    """``schema`` with further members; beside a ``$ref`` they would be ignored, so that is wrapped."""
    flags = {name: value for name, value in flags.items() if value or name == "default"}
    if not flags:
        return schema
    return {"allOf": [schema], **flags} if "$ref" in schema else {**schema, **flags}


def obj(properties: dict[str, Schema], required: Iterable[str] = (), description: str = "") -> Schema:
    """The schema of an object."""
    found: Schema = {"type": "object", "properties": properties}
    if names := list(required):
        found["required"] = names
    if description:
        found["description"] = description
    return found


class Components:
    """The named schemas of one document, gathered as they are referred to.

    :param own: structs that have a component of their own making, such as those of kinds, and its name.
    """

    def __init__(self, own: dict[type, str]) -> None:
        self.schemas: dict[str, Schema] = {}
        self.clashes: set[str] = set()
        self._own = own
        self._makers: dict[str, object] = {}

    def add(self, name: str, schema: Schema, maker: object = None) -> Schema:
        """Name ``schema``, and give a reference to it.

        Two makers may share a name if they mean the same thing; where they do not, ``clashes`` says so.
        """
        present = self.schemas.setdefault(name, schema)
        self._makers.setdefault(name, maker)
        if present is not schema and _shape(present) != _shape(schema):
            self.clashes.add(name)
        return ref(name)

    def of(self, hint: Type, way: Way) -> Schema:
        """The schema of values of type ``hint``.

        A ``msgspec.Meta(title=...)`` names the component: the one made of a struct or an enumeration, or the one whose
        shape a value of any other type has.

        :raises TypeError: nothing is known of the type.
        """
        bare, extras = _peeled(hint)
        title = next((one.title for one in extras if isinstance(one, msgspec.Meta) and one.title), "")
        schema = self._core(bare, way, title)
        for extra in extras:
            schema = _limited(schema, extra, way)
        return schema

    def _core(self, bare: Type, way: Way, title: str) -> Schema:
        args = typing.get_args(bare)
        if (made := self._built(typing.get_origin(bare), args, way, title)) is not None:
            return made
        if isinstance(bare, type) and issubclass(bare, enum.Enum):
            return self._enum(bare, title)
        if isinstance(bare, type) and issubclass(bare, msgspec.Struct):
            return self._struct(bare, way, title)
        if title:
            return ref(title)
        if bare not in _PLAIN:
            raise TypeError(f"{bare!r} has no schema")
        return dict(_PLAIN[bare])

    def _built(self, origin: object, args: tuple[Type, ...], way: Way, title: str) -> Schema | None:
        """The schema of a type that is built from others, ``origin[*args]``; None for any other type."""
        if origin in _UNIONS:
            return self._union(args, way, title)
        if origin is Literal:
            choices: Schema = {"type": "string", "enum": list(args)}
            return self.add(title, choices, args) if title else choices
        if origin in _ARRAYS:
            return {"type": "array", "items": self.of(args[0], way)}
        if origin is dict and not title:
            return {"type": "object", "additionalProperties": self.of(args[1], way) or True}
        return None

    def _union(self, args: tuple[Type, ...], way: Way, title: str) -> Schema:
        rest = [arg for arg in args if arg not in {type(None), msgspec.UnsetType}]
        if title and len(rest) > 1:
            return flagged(self._choice(rest, way, title), nullable=type(None) in args)
        titled = [typing.Annotated[arg, msgspec.Meta(title=title)] if title else arg for arg in rest]
        found = [self.of(arg, way) for arg in titled]
        schema = found[0] if len(found) == 1 else {"oneOf": found}
        return flagged(schema, nullable=type(None) in args)

    def _choice(self, structs: Iterable[type[msgspec.Struct]], way: Way, title: str) -> Schema:
        """One of several structs, as a component of its own; their ``component`` members tell which it is."""
        name = title if way == "out" or title.endswith("Request") else f"{title}Request"
        found = {self._tells(struct): self.of(struct, way) for struct in structs}
        mapping = {word: schema["$ref"] for word, schema in found.items()}
        choice = {"propertyName": _TELLS, "mapping": mapping}
        return self.add(name, {"oneOf": list(found.values()), "discriminator": choice}, tuple(found))

    @staticmethod
    def _tells(struct: type[msgspec.Struct]) -> str:
        return str(fields(struct)[_TELLS].default)

    def _enum(self, kind: type[enum.Enum], title: str) -> Schema:
        name = title or kind.__name__
        if self._makers.get(name) is kind:
            return ref(name)
        values = [one.value for one in kind]
        schema: Schema = {"type": "integer" if isinstance(values[0], int) else "string", "enum": values}
        if note := told(kind):
            schema["description"] = note
        return self.add(name, schema, kind)

    def _struct(self, struct: type[msgspec.Struct], way: Way, title: str) -> Schema:
        if way == "out" and struct in self._own:
            return ref(self._own[struct])
        name = title or struct.__name__
        if way == "in" and not name.endswith("Request") and not title.startswith("Patched"):
            name += "Request"
        if self._makers.get(name) is struct:
            return ref(name)
        self._makers[name] = struct  # before its members, one of which may be of the same type
        return self.add(name, self.plain(struct, way), struct)

    def plain(self, struct: type[msgspec.Struct], way: Way) -> Schema:
        """The schema of a struct that is no kind: what has a default may be absent."""
        required: list[str] = []
        properties = self.members(struct, way)
        for info in msgspec.structs.fields(struct):
            if info.default is msgspec.NODEFAULT and info.default_factory is msgspec.NODEFAULT:
                required.append(info.encode_name)
            elif info.default is not None and isinstance(info.default, (bool, int, str)) and info.default != "":
                properties[info.encode_name] = flagged(properties[info.encode_name], default=_value(info.default))
        return obj(properties, required, told(struct))

    def members(self, struct: type[msgspec.Struct], way: Way) -> dict[str, Schema]:
        """The schemas of a struct's members by name, without those that never travel this way."""
        hints = typing.get_type_hints(struct, include_extras=True)
        notes = params(struct)
        found: dict[str, Schema] = {}
        for info in msgspec.structs.fields(struct):
            marks = fields(struct)[info.name].marks
            if Mark.HIDDEN in marks or (way == "in" and Mark.READ_ONLY in marks):
                continue
            schema = self.of(hints[info.name], way)
            note = "" if "$ref" in schema else notes.get(info.name, "")
            found[info.encode_name] = flagged(schema, readOnly=Mark.READ_ONLY in marks, description=note)
        return found


def _value(value: object) -> object:
    return value.value if isinstance(value, enum.Enum) else value


def _peeled(hint: Type) -> tuple[Type, tuple[object, ...]]:
    origin: object = typing.get_origin(hint)
    if origin is typing.Annotated:
        bare, *extras = typing.get_args(hint)
        return bare, tuple(extras)
    return hint, ()


def _limited(schema: Schema, extra: object, way: Way) -> Schema:
    """``schema`` with what an annotation adds. What is stricter for requests than for stored values stays with them."""
    if "$ref" in schema or "allOf" in schema:
        return schema
    array = schema.get("type") == "array"
    if isinstance(extra, Format) and not array:
        added: Schema = {"format": extra.name} if extra.name else {}
        return {**schema, **added, **({"pattern": extra.pattern} if extra.pattern and way == "in" else {})}
    if not isinstance(extra, msgspec.Meta):
        return schema
    found = {word: value for name, word in _LIMITS if (value := getattr(extra, name)) is not None}
    if way == "in" and extra.min_length is not None:
        found["minLength"] = extra.min_length
    if way == "in" and extra.pattern is not None:
        found["pattern"] = extra.pattern
    if array:
        found = {word.replace("Length", "Items"): value for word, value in found.items()}
    return {**schema, **found, **(extra.extra_json_schema or {})}


def _shape(schema: object) -> object:
    """``schema`` without what only explains it."""
    if isinstance(schema, list):
        return [_shape(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    whole = {**schema, **schema["allOf"][0]} if "allOf" in schema else schema
    kept = {key: _shape(value) for key, value in whole.items() if key not in _EXPLAINS}
    if "properties" in whole:
        kept["properties"] = {name: _shape(one) for name, one in whole["properties"].items()}
    if "required" in whole:
        kept["required"] = sorted(whole["required"])
    return kept
