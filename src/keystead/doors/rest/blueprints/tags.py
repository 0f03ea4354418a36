"""What the tags of a blueprint stand for. Looking things up is the surroundings' business.

A tag's error names its line. What is made is counted, so that lists of lists of lists come to an end.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import reduce
from operator import xor
from typing import Final, NamedTuple, Protocol

import msgspec

from keystead.wire.tagged_yaml import Tag

MOST: Final = 50_000
"""Values that one entry may come to."""
_WIDTH: Final = re.compile(r"%(?:\([^)]*\))?[-#0 +]*(\*|\d*)(?:\.(\*|\d*))?")
_WIDEST: Final = 3
"""Digits that a width or precision in a format may have."""
_NONE: Final = object()


class Wrong(ValueError):  # noqa: N818 - what a blueprint says, not a defect
    """A tag that cannot be resolved; the message is for whoever wrote the blueprint."""


class Around(Protocol):
    """What tags look at."""

    @property
    def context(self) -> Mapping[str, object]:
        """The blueprint's context."""
        ...

    @property
    def keys(self) -> Mapping[str, object]:
        """The ids of the entries so far, with the keys of their objects."""
        ...

    async def find(self, model: str, wanted: Mapping[str, object]) -> object:
        """The key of the first object of ``model`` with these members; None if there is none.

        :raises ValueError: there is no such model or member.
        """
        ...

    async def found(self, model: str, wanted: Mapping[str, object]) -> Mapping[str, object] | None:
        """The same object as the API shows it."""
        ...

    def env(self, name: str) -> str | None:
        """A variable of the environment.

        :raises ValueError: it is none of those that blueprints may read.
        """
        ...

    async def file(self, path: str) -> str | None:
        """The text of a file; None if there is none.

        :raises ValueError: it is none of those that blueprints may read.
        """
        ...


class _Turn(NamedTuple):
    """One round of an ``!Enumerate``."""

    place: object
    value: object


class Resolver:
    """Turns what an entry says into plain values."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self._turns: list[_Turn] = []
        self._count = 0

    async def value(self, node: object) -> object:
        """``node`` without tags.

        :raises Wrong: a tag cannot be resolved.
        """
        self._count += 1
        if self._count > MOST:
            raise Wrong(f"It comes to more than {MOST} values.")
        if isinstance(node, Tag):
            try:
                return await _TAGS[node.name](self, node)
            except Wrong:
                raise
            except (ValueError, TypeError, KeyError, RecursionError) as exc:
                raise Wrong(f"Line {node.line}: !{node.name}: {exc}") from None
        if isinstance(node, dict):
            return {name: await self.value(one) for name, one in node.items()}
        if isinstance(node, list):
            return [await self.value(one) for one in node]
        return node

    async def mapping(self, node: Mapping[str, object]) -> dict[str, object]:
        """The same for a mapping."""
        return {name: await self.value(one) for name, one in node.items()}

    async def _key_of(self, tag: Tag) -> object:
        name = await self.value(tag.value)
        if str(name) not in self._around.keys:
            raise ValueError(f"no entry before this one has the id {name!r} and an object")
        return self._around.keys[str(name)]

    async def _find(self, tag: Tag) -> object:
        return await self._around.find(*await self._sought(tag))

    async def _find_object(self, tag: Tag) -> object:
        return await self._around.found(*await self._sought(tag))

    async def _sought(self, tag: Tag) -> tuple[str, dict[str, object]]:
        given = await self.value(tag.value)
        if not isinstance(given, list) or len(given) < 2:  # noqa: PLR2004 - a model and a pair
            raise ValueError("write [model, [member, value], …]")
        model, *pairs = given
        if not isinstance(model, str) or not all(isinstance(one, list) and len(one) == 2 for one in pairs):  # noqa: PLR2004 - as above
            raise ValueError("write [model, [member, value], …]")
        return model, {str(name): value for name, value in pairs}

    async def _context(self, tag: Tag) -> object:
        name, default = _named(await self.value(tag.value))
        found = self._around.context.get(name, default)
        return None if found is _NONE else await self.value(found)

    async def _env(self, tag: Tag) -> object:
        name, default = _named(await self.value(tag.value))
        found = self._around.env(name)
        return found if found is not None else None if default is _NONE else default

    async def _file(self, tag: Tag) -> object:
        path, default = _named(await self.value(tag.value))
        found = await self._around.file(path)
        if found is None and default is _NONE:
            raise ValueError(f"there is no file {path!r} in the folder of blueprints")
        return found if found is not None else default

    async def _format(self, tag: Tag) -> object:
        given = await self.value(tag.value)
        if not isinstance(given, list) or not given or not isinstance(given[0], str):
            raise ValueError("write [format, value, …]")
        for width in _WIDTH.finditer(given[0]):
            if any(part and (part == "*" or len(part) > _WIDEST) for part in width.groups()):
                raise ValueError("widths have at most three digits")
        try:
            return given[0] % tuple(given[1:])
        except (TypeError, ValueError, KeyError) as exc:
            raise ValueError(f"{given[0]!r} cannot be filled in: {exc}") from None

    async def _condition(self, tag: Tag) -> object:
        given = await self.value(tag.value)
        if not isinstance(given, list) or len(given) < 2 or given[0] not in list(_CONDITIONS):  # noqa: PLR2004 - a word and a value
            raise ValueError(f"write [word, value, …] with one of {', '.join(_CONDITIONS)}")
        return _CONDITIONS[given[0]](given[1:])

    async def _if(self, tag: Tag) -> object:
        parts = tag.value if isinstance(tag.value, list) else [tag.value]
        if len(parts) not in {1, 3}:
            raise ValueError("write [condition, value if it holds, value if not], or [condition]")
        holds = bool(await self.value(parts[0]))
        return holds if len(parts) == 1 else await self.value(parts[1 if holds else 2])

    async def _enumerate(self, tag: Tag) -> object:
        given = tag.value
        if not isinstance(given, list) or len(given) != 3 or given[1] not in ("SEQ", "MAP"):  # noqa: PLR2004 - as the message says
            raise ValueError("write [values, SEQ or MAP, body]")
        of = await self.value(given[0])
        if not isinstance(of, (list, dict)):
            raise ValueError("what is enumerated is a list or a mapping")  # noqa: TRY004 - the blueprint is wrong
        made = []
        for turn in of.items() if isinstance(of, dict) else enumerate(of):
            self._turns.append(_Turn(*turn))
            try:
                made.append(await self.value(given[2]))
            finally:
                self._turns.pop()
        if given[1] == "SEQ":
            return made
        pairs: dict[str, object] = {}
        for one in made:
            if not isinstance(one, list) or len(one) != 2:  # noqa: PLR2004 - a pair
                raise ValueError("the body of a MAP is [key, value]")
            pairs[str(one[0])] = one[1]
        return pairs

    def _turn(self, depth: object) -> _Turn:
        if not isinstance(depth, int) or not 0 <= depth < len(self._turns):
            raise ValueError(f"{depth!r} is no !Enumerate around this one; 0 is the nearest")
        return self._turns[-1 - depth]

    async def _index(self, tag: Tag) -> object:
        return self._turn(tag.value).place

    async def _value(self, tag: Tag) -> object:
        return self._turn(tag.value).value

    async def _at_index(self, tag: Tag) -> object:
        given = await self.value(tag.value)
        if not isinstance(given, list) or len(given) not in {2, 3}:
            raise ValueError("write [list or mapping, number or key, default]")
        of, key = given[0], given[1]
        if isinstance(of, dict) and str(key) in of:
            return of[str(key)]
        if isinstance(of, list) and isinstance(key, int) and -len(of) <= key < len(of):
            return of[key]
        if len(given) == 3:  # noqa: PLR2004 - with a default
            return given[2]
        raise ValueError(f"there is nothing at {key!r}")

    async def _parse_json(self, tag: Tag) -> object:
        text = await self.value(tag.value)
        if not isinstance(text, str):
            raise ValueError("write a text of JSON")  # noqa: TRY004 - the blueprint is wrong
        try:
            return await self.value(msgspec.json.decode(text))
        except msgspec.DecodeError as exc:
            raise ValueError(f"it is no JSON: {exc}") from None


def _named(given: object) -> tuple[str, object]:
    """A name and a default (:data:`_NONE` without one)."""
    if isinstance(given, list):
        if len(given) == 2 and isinstance(given[0], str):  # noqa: PLR2004 - as the message says
            return given[0], given[1]
    elif isinstance(given, (str, int)):
        return str(given), _NONE
    raise ValueError("write a name, or [name, default]")


_CONDITIONS: Final[Mapping[str, Callable[[list[object]], bool]]] = {
    "AND": all,
    "NAND": lambda given: not all(given),
    "OR": any,
    "NOR": lambda given: not any(given),
    "XOR": lambda given: reduce(xor, map(bool, given)),
    "XNOR": lambda given: not reduce(xor, map(bool, given)),
    "EQ": lambda given: all(one == given[0] for one in given),
    "NEQ": lambda given: not all(one == given[0] for one in given),
}
_TAGS: Final[Mapping[str, Callable[[Resolver, Tag], Awaitable[object]]]] = {
    "AtIndex": Resolver._at_index,  # noqa: SLF001 - the table of its own methods
    "Condition": Resolver._condition,  # noqa: SLF001 - as above
    "Context": Resolver._context,  # noqa: SLF001 - as above
    "Enumerate": Resolver._enumerate,  # noqa: SLF001 - as above
    "Env": Resolver._env,  # noqa: SLF001 - as above
    "File": Resolver._file,  # noqa: SLF001 - as above
    "Find": Resolver._find,  # noqa: SLF001 - as above
    "FindObject": Resolver._find_object,  # noqa: SLF001 - as above
    "Format": Resolver._format,  # noqa: SLF001 - as above
    "If": Resolver._if,  # noqa: SLF001 - as above
    "Index": Resolver._index,  # noqa: SLF001 - as above
    "KeyOf": Resolver._key_of,  # noqa: SLF001 - as above
    "ParseJSON": Resolver._parse_json,  # noqa: SLF001 - as above
    "Value": Resolver._value,  # noqa: SLF001 - as above
}
