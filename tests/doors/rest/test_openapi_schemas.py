"""Types as schemas."""

import enum
from datetime import datetime
from typing import Annotated, Literal, cast

import msgspec
import pytest

from keystead.base.secret import Secret
from keystead.doors.rest.openapi.objects import add_kind
from keystead.doors.rest.openapi.schemas import Components, Schema, Type, Way
from keystead.doors.rest.openapi.words import params, told
from keystead.kinds.kind import Kind, Verb
from keystead.kinds.marks import (
    HIDDEN,
    READ_ONLY,
    SECRET_SHOWN,
    UNIQUE,
    WRITE_ONLY,
    Email,
    Int32,
    Json,
    OnDelete,
    Ref,
    Slug,
    Text,
    Uuid,
)
from keystead.kinds.pending import Pending


class Colour(enum.StrEnum):
    """What it looks like."""

    RED = "red"
    BLUE = "blue"


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


class Part(msgspec.Struct):
    """A part.

    :param note: what is to be said.
    """

    name: Text
    inner: "Part | None" = None
    note: str = ""
    count: int = 3
    many: bool = False


class Longer(Part):
    """A longer part.

    :param end: where it stops.
    """

    end: str = ""


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


SAME: Schema = {}
"""Stands for: inward as outward."""
UUID = {"type": "string", "format": "uuid"}
FlowRef = Annotated[Uuid, Ref("authentik_flows.flow", OnDelete.SET_NULL)]


@pytest.mark.parametrize(
    ("hint", "outward", "inward"),
    [
        (str, {"type": "string"}, {"type": "string"}),
        (int, {"type": "integer"}, {"type": "integer"}),
        (bool, {"type": "boolean"}, {"type": "boolean"}),
        (float, {"type": "number"}, {"type": "number"}),
        (datetime, {"type": "string", "format": "date-time"}, {"type": "string", "format": "date-time"}),
        (Uuid, UUID, UUID),
        (Uuid | None, {**UUID, "nullable": True}, {**UUID, "nullable": True}),
        (FlowRef | None, {**UUID, "nullable": True}, {**UUID, "nullable": True}),
        (tuple[FlowRef, ...], {"type": "array", "items": UUID}, {"type": "array", "items": UUID}),
        (Text, {"type": "string"}, {"type": "string", "minLength": 1}),
        (Slug, {"type": "string"}, {"type": "string", "minLength": 1, "pattern": "^[-a-zA-Z0-9_]+$"}),
        (Email, {"type": "string", "format": "email", "maxLength": 254}, SAME),
        (Int32, {"type": "integer", "minimum": -2147483648, "maximum": 2147483647}, SAME),
        (
            Annotated[list[str], msgspec.Meta(min_length=1, max_length=3)],
            {"type": "array", "items": {"type": "string"}, "maxItems": 3},
            {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 3},
        ),
        (Annotated[str, msgspec.Meta(pattern="^a$")], {"type": "string"}, {"type": "string", "pattern": "^a$"}),
        (Json, {"type": "object", "additionalProperties": True}, SAME),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}, SAME),
        (object, {}, {}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}, SAME),
        (str | msgspec.UnsetType, {"type": "string"}, SAME),
        (str | int, {"oneOf": [{"type": "string"}, {"type": "integer"}]}, SAME),
        (Secret, {"type": "string"}, SAME),
        (Annotated[Secret, msgspec.Meta(extra_json_schema={"maxLength": 9})], {"type": "string", "maxLength": 9}, SAME),
        (Colour, _ref("Colour"), SAME),
        (Colour | None, {"allOf": [_ref("Colour")], "nullable": True}, SAME),
        (Annotated[Colour, msgspec.Meta(title="ColourEnum")], _ref("ColourEnum"), SAME),
        (Part, _ref("Part"), _ref("PartRequest")),
        (list[Part], {"type": "array", "items": _ref("Part")}, {"type": "array", "items": _ref("PartRequest")}),
        (
            Annotated[Part | None, msgspec.Meta(title="Piece")],
            {"allOf": [_ref("Piece")], "nullable": True},
            {"allOf": [_ref("PieceRequest")], "nullable": True},
        ),
        (Annotated[dict[str, object], msgspec.Meta(title="User")], _ref("User"), SAME),
    ],
)
def test_a_type_s_schema(hint: Type, outward: Schema, inward: Schema) -> None:
    components = Components({})
    assert components.of(hint, "out") == outward
    assert components.of(hint, "in") == (outward if inward is SAME else inward)


@pytest.mark.parametrize("hint", [complex, type, "str"])
def test_a_type_nobody_can_send_is_refused(hint: Type) -> None:
    with pytest.raises(TypeError, match="has no schema"):
        Components({}).of(hint, "out")


def test_choices_are_components_with_their_values() -> None:
    components = Components({})
    components.of(Colour, "out")
    components.of(Size, "in")
    assert components.schemas == {
        "Colour": {"type": "string", "enum": ["red", "blue"], "description": "What it looks like."},
        "Size": {"type": "integer", "enum": [1, 2]},
    }


@pytest.mark.parametrize("way", ["in", "out"])
def test_a_struct_is_a_component_even_where_it_holds_itself(way: Way) -> None:
    components = Components({})
    name = components.of(Part, way)["$ref"].rpartition("/")[2]
    made = components.schemas[name]
    assert made["required"] == ["name"]
    assert made["description"] == "A part."
    assert made["properties"]["inner"]["allOf"] == [{"$ref": f"#/components/schemas/{name}"}]
    assert made["properties"]["note"] == {"type": "string", "description": "What is to be said."}
    assert made["properties"]["count"] == {"type": "integer", "default": 3}
    assert made["properties"]["many"] == {"type": "boolean", "default": False}


def test_two_things_of_one_name_are_told_of() -> None:
    class Same(msgspec.Struct):
        name: str

    components = Components({})
    components.of(Annotated[Same, msgspec.Meta(title="Part")], "out")
    components.of(Part, "out")
    assert components.clashes == {"Part"}


def test_two_makers_of_the_same_thing_may_share_a_name() -> None:
    class First(msgspec.Struct):
        """One."""

        name: str
        description: str

    class Second(msgspec.Struct):
        """Two."""

        description: str
        name: Annotated[str, READ_ONLY]

    components = Components({})
    components.of(Annotated[First, msgspec.Meta(title="Pair")], "out")
    components.of(Annotated[Second, msgspec.Meta(title="Pair")], "out")
    assert components.clashes == set()


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """A box.

    :param label: what stands on it.
    """

    pk: Annotated[Uuid, READ_ONLY]
    label: Annotated[Text, UNIQUE]
    colour: Colour = Colour.RED
    lid: Annotated[Colour | None, READ_ONLY] = None
    key: Annotated[Text, WRITE_ONLY]
    secret: Secret = Secret("")
    code: Annotated[Secret, SECRET_SHOWN] = Secret("")
    inside: Annotated[str, HIDDEN] = ""


class BoxShown(msgspec.Struct):
    parts: list[Part]
    weight: float | msgspec.UnsetType = msgspec.UNSET


BOX: Kind[Box] = Kind(
    model="tests.box", struct=Box, path="tests/boxes", title=("Box", "Boxes"), shown=BoxShown, component="ak-box"
)


def test_what_a_kind_shows_and_takes() -> None:
    components = Components({Box: "Box"})
    add_kind(components, BOX)
    shown, sent, patched = (components.schemas[name] for name in ("Box", "BoxRequest", "PatchedBoxRequest"))
    assert list(shown["properties"]) == [
        "pk",
        "label",
        "colour",
        "lid",
        "code",
        "component",
        "verbose_name",
        "verbose_name_plural",
        "meta_model_name",
        "parts",
        "weight",
    ]
    assert shown["required"] == [
        "pk",
        "label",
        "lid",
        "component",
        "verbose_name",
        "verbose_name_plural",
        "meta_model_name",
        "parts",
    ]
    read_only = {name for name, member in shown["properties"].items() if member.get("readOnly")}
    assert read_only == {*shown["required"], "weight"} - {"label"}
    assert shown["properties"]["label"] == {"type": "string", "description": "What stands on it."}
    assert list(sent["properties"]) == ["label", "colour", "key", "secret", "code"]
    assert sent["required"] == ["label", "key"]
    assert {name for name, member in sent["properties"].items() if member.get("writeOnly")} == {"key", "secret"}
    # A client that sends defaults it read in the document would undo what an object holds.
    assert not any("default" in member for member in sent["properties"].values())
    assert patched == {key: value for key, value in sent.items() if key != "required"}


def test_a_kind_that_is_only_read_takes_nothing() -> None:
    components = Components({})
    add_kind(components, Kind(model="tests.box", struct=Box, path="b", title=("B", "B"), verbs=frozenset({Verb.LIST})))
    assert {name for name in components.schemas if "Request" in name} == set()


def _documented(first: int) -> None:
    """Do *it* with ``first``, as :class:`~keystead.x.Thing` does.

    More of it, over
    two lines.

    :param first: which one, of
        several.
    :raises ValueError: never.
    """


def test_docstrings_are_read_as_markdown() -> None:
    assert told(_documented) == "Do *it* with `first`, as `Thing` does.\n\nMore of it, over two lines."
    assert params(_documented) == {"first": "Which one, of several."}
    assert told(Size) == ""
    assert params(Longer) == {"note": "What is to be said.", "end": "Where it stops."}


def test_what_is_not_built_says_so() -> None:
    assert told(Pending("Nothing is sent yet.")) == "Nothing is sent yet.\n\nThis version answers 501."


class Ask(msgspec.Struct):
    """Asks."""

    text: str
    component: str = "ask"


class Tell(msgspec.Struct):
    """Tells."""

    component: str = "tell"


def test_one_of_several_structs_is_a_component_that_says_how_to_tell_them_apart() -> None:
    hint: Type = Annotated[Ask | Tell, msgspec.Meta(title="Said")]
    for way, name, ending in (("out", "Said", ""), ("in", "SaidRequest", "Request")):
        made = Components({})
        assert made.of(hint, cast("Way", way)) == _ref(name)
        assert made.schemas[name] == {
            "oneOf": [_ref(f"Ask{ending}"), _ref(f"Tell{ending}")],
            "discriminator": {
                "propertyName": "component",
                "mapping": {
                    "ask": f"#/components/schemas/Ask{ending}",
                    "tell": f"#/components/schemas/Tell{ending}",
                },
            },
        }
        assert made.schemas[f"Ask{ending}"]["required"] == ["text"]
        assert made.clashes == set()
    assert Components({}).of(hint | None, "out") == {"allOf": [_ref("Said")], "nullable": True}
