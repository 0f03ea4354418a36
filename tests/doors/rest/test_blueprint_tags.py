"""Each tag of blueprints: what it comes to, and what is said where it comes to nothing."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import pytest

from keystead.doors.rest.blueprints.tags import Resolver, Wrong
from keystead.wire.tagged_yaml import read


@dataclass
class Shelf:
    """What tags look at, without an installation."""

    context: Mapping[str, object] = field(
        default_factory=lambda: {"a": 1, "none": None, "list": ["x", "y"], "map": {"k": "v"}, "own": read("!Context a")}
    )
    keys: Mapping[str, object] = field(default_factory=lambda: {"one": "pk-1", "2": 2})

    async def find(self, model: str, wanted: Mapping[str, object]) -> object:
        found = await self.found(model, wanted)
        return found["pk"] if found else None

    async def found(self, model: str, wanted: Mapping[str, object]) -> Mapping[str, object] | None:
        if model != "app.model":
            raise ValueError(f"there is no model {model!r}")
        return {"pk": 7, "name": "n"} if wanted == {"name": "n"} else None

    def env(self, name: str) -> str | None:
        if not name.startswith("BLUEPRINT_"):
            raise ValueError("not to be read")
        return {"BLUEPRINT_X": "x"}.get(name)

    async def file(self, path: str) -> str | None:
        if ".." in path:
            raise ValueError("leads elsewhere")
        return "text" if path == "a.txt" else None


def resolved(text: str) -> object:
    return asyncio.run(Resolver(Shelf()).value(read(text)))


COMES_TO: Final[tuple[tuple[str, object], ...]] = (
    ("!KeyOf one", "pk-1"),
    ("!KeyOf 2", 2),
    ("!Find [app.model, [name, n]]", 7),
    ("!Find [!Format ['app.%s', model], [name, !If [true, n, m]]]", 7),
    ("!Find [app.model, [name, m]]", None),
    ("!FindObject [app.model, [name, n]]", {"pk": 7, "name": "n"}),
    ("!AtIndex [!FindObject [app.model, [name, n]], name]", "n"),
    ("!Context a", 1),
    ("!Context none", None),
    ("!Context missing", None),
    ("!Context [missing, 3]", 3),
    ("!Context [a, 3]", 1),
    ("!Context own", 1),
    ("!Format ['%s-%s %% %02d', a, !Context a, 5]", "a-1 % 05"),
    ("!Condition [AND, true, 1]", True),
    ("!Condition [AND, true, 0]", False),
    ("!Condition [NAND, true, true]", False),
    ("!Condition [OR, false, a]", True),
    ("!Condition [NOR, false, '']", True),
    ("!Condition [XOR, true, false]", True),
    ("!Condition [XOR, true, true]", False),
    ("!Condition [XNOR, true, true]", True),
    ("!Condition [EQ, a, a, a]", True),
    ("!Condition [NEQ, a, b]", True),
    ("!If [!Context a]", True),
    ("!If [!Context none]", False),
    ("!If [!Context a, yes it is, !KeyOf nobody]", "yes it is"),
    ("!If [false, !KeyOf nobody, [1, !Context a]]", [1, 1]),
    ("!Env BLUEPRINT_X", "x"),
    ("!Env BLUEPRINT_Y", None),
    ("!Env [BLUEPRINT_Y, y]", "y"),
    ("!File a.txt", "text"),
    ("!File [b.txt, other]", "other"),
    ("!Enumerate [!Context list, SEQ, !Format ['%s%s', !Index 0, !Value 0]]", ["0x", "1y"]),
    ("!Enumerate [!Context list, MAP, [!Value 0, !Index 0]]", {"x": 0, "y": 1}),
    ("!Enumerate [!Context map, SEQ, [!Index 0, !Value 0]]", [["k", "v"]]),
    ("!Enumerate [[a, b], SEQ, !Enumerate [[c], SEQ, !Format ['%s%s', !Value 1, !Value 0]]]", [["ac"], ["bc"]]),
    ("!AtIndex [!Context list, 1]", "y"),
    ("!AtIndex [!Context list, -1]", "y"),
    ("!AtIndex [!Context list, 5, none]", "none"),
    ("!AtIndex [!Context map, k]", "v"),
    ("!ParseJSON '{\"a\": [1, null]}'", {"a": [1, None]}),
    ("{a: [!Context a, {b: !Index 0}]}", ...),
    ("!ParseJSON !Format ['[%s]', 1]", ...),
)


@pytest.mark.parametrize(("text", "value"), COMES_TO, ids=[text for text, _ in COMES_TO])
def test_what_a_tag_comes_to(text: str, value: object) -> None:
    if value is ...:
        with pytest.raises(ValueError, match=r"!Index|no YAML"):
            resolved(text)
    else:
        assert resolved(text) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("!KeyOf nobody", "Line 1: !KeyOf: no entry before"),
        ("\n\n!KeyOf nobody", "Line 3"),
        ("!Find app.model", "write"),
        ("!Find [app.model]", "write"),
        ("!Find [app.model, name]", "write"),
        ("!Find [app.other, [a, b]]", "no model"),
        ("!Context [a, b, c]", "write a name"),
        ("!Format x", "write"),
        ("!Format ['%s']", "cannot be filled in"),
        ("!Format ['%d', a]", "cannot be filled in"),
        ("!Format ['%9999999d', 1]", "three digits"),
        ("!Format ['%.9999999f', 1]", "three digits"),
        ("!Format ['%*d', 99999999, 1]", "three digits"),
        ("!Format ['%(a)9999999s', 1]", "three digits"),
        ("!Condition [MAYBE, 1]", "AND"),
        ("!Condition [AND]", "AND"),
        ("!If [a, b]", "write"),
        ("!Env PATH", "not to be read"),
        ("!Env [SECRET_KEY, fallback]", "not to be read"),
        ("!File ../a", "leads elsewhere"),
        ("!File b.txt", "no file"),
        ("!Enumerate [a, SEQ, b]", "list or a mapping"),
        ("!Enumerate [[a], SET, b]", "SEQ or MAP"),
        ("!Enumerate [[a], MAP, b]", "key, value"),
        ("!Index 0", "no !Enumerate"),
        ("!Value 1", "no !Enumerate"),
        ("!AtIndex [[a], 3]", "nothing at"),
        ("!AtIndex [a, 0]", "nothing at"),
        ("!ParseJSON '{'", "no JSON"),
        ("!ParseJSON [1]", "write a text"),
    ],
)
def test_what_a_tag_does_not_come_to(text: str, why: str) -> None:
    with pytest.raises(Wrong, match=why):
        resolved(text)


def test_lists_of_lists_come_to_an_end() -> None:
    text = "!Enumerate [!Context many, SEQ, !Enumerate [!Context many, SEQ, !Enumerate [!Context many, SEQ, 1]]]"
    shelf = Shelf({"many": list(range(1000)), "round": read("!Context round")})
    with pytest.raises(Wrong, match="more than"):
        asyncio.run(Resolver(shelf).value(read(text)))
    with pytest.raises(Wrong):
        asyncio.run(Resolver(shelf).value(read("!Context round")))
