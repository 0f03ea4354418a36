"""YAML whose values may be tags of a format's own (``!Find [a, b]``), read into plain values without building anything.

Imported only where there is such a text, since YAML loads slowly. What a few lines could blow up to more than memory
holds - aliases of aliases, deep nesting, merges of merges - is counted as if it stood there in full.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

import msgspec
import yaml

MOST_BYTES: Final = 512 * 1024
MOST_NODES: Final = 20_000
DEEPEST: Final = 50
_STANDARD: Final = "tag:yaml.org,2002:"
_PLAIN: Final = frozenset({"str", "int", "float", "bool", "null", "timestamp", "value"})
_OF: Final[Mapping[type[yaml.Node], frozenset[str]]] = {
    yaml.SequenceNode: frozenset({"seq"}),
    yaml.MappingNode: frozenset({"map"}),
}

Value: TypeAlias = object
"""Text, number, boolean, None, a list or a mapping of values, or a :class:`Tag`."""


class Tag(msgspec.Struct, frozen=True):
    """A tag and what stands behind it.

    :param name: without the exclamation mark.
    :param line: where it stands, from 1.
    """

    name: str
    value: Value
    line: int = 0


class _Loader(yaml.SafeLoader):
    """Composes nodes within the limits; nothing is constructed by tags of the text's choice."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0
        self.count = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """One node, unless there are too many."""
        self.count += 1
        self.depth += 1
        _limit(self.count, self.depth)
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


def read(text: str) -> Value:
    """What ``text`` says.

    :raises ValueError: it is no YAML, or more than the limits; the message names the line.
    """
    if len(text.encode()) > MOST_BYTES:
        raise ValueError(f"It may have at most {MOST_BYTES // 1024} KiB.")
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            return _Reader(loader).value(node) if node is not None else None
        finally:
            loader.dispose()
    except (yaml.YAMLError, RecursionError, UnicodeError) as exc:
        raise ValueError(f"It is no YAML: {' '.join(str(exc).split())[:300]}") from None


def _limit(count: int, depth: int) -> None:
    if count > MOST_NODES:
        raise ValueError(f"It may have at most {MOST_NODES} values; aliases count as what they stand for.")
    if depth > DEEPEST:
        raise ValueError(f"It may be nested {DEEPEST} levels deep at most.")


class _Reader:
    def __init__(self, loader: _Loader) -> None:
        self._loader = loader
        self._count = 0

    def value(self, node: yaml.Node, depth: int = 1) -> Value:
        self._count += 1
        _limit(self._count, depth)
        tag = str(node.tag)
        if tag.startswith("!") and tag != "!":
            return Tag(tag[1:], self._content(node, depth, tag), _line(node))
        kind = tag.removeprefix(_STANDARD)
        if kind not in _OF.get(type(node), _PLAIN) and tag != "!":
            raise ValueError(f"Line {_line(node)}: values of the type {kind[:100]} are not accepted.")
        return self._content(node, depth, tag)

    def _content(self, node: yaml.Node, depth: int, tag: str) -> Value:
        if isinstance(node, yaml.SequenceNode):
            return [self.value(one, depth + 1) for one in node.value]
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, depth)
        if not isinstance(node, yaml.ScalarNode):
            raise TypeError(type(node).__name__)
        return self._scalar(node, tag)

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Value]:
        found: dict[str, Value] = {}
        merged: dict[str, Value] = {}
        for key, value in node.value:
            if key.tag == f"{_STANDARD}merge":
                for name, one in self._merged(self.value(value, depth + 1), _line(key)):
                    merged.setdefault(name, one)
                continue
            if not isinstance(key, yaml.ScalarNode) or (key.tag.startswith("!") and key.tag != "!"):
                raise ValueError(f"Line {_line(key)}: the keys of a mapping are plain texts.")
            if key.value in found:
                raise ValueError(f"Line {_line(key)}: the key “{key.value[:100]}” stands here twice.")
            found[key.value] = self.value(value, depth + 1)
        return {**merged, **found}

    def _merged(self, value: Value, line: int) -> Iterator[tuple[str, Value]]:
        for one in value if isinstance(value, list) else [value]:
            if not isinstance(one, dict):
                raise ValueError(f"Line {line}: only mappings can be merged.")  # noqa: TRY004 - the text is wrong
            yield from one.items()

    def _scalar(self, node: yaml.ScalarNode, tag: str) -> Value:
        if tag.startswith("!"):
            # Behind a tag of the format's own, a plain scalar is what it would be without one: !Index 0.
            tag = str(self._loader.resolve(yaml.ScalarNode, node.value, (node.style is None, False)))  # type: ignore[no-untyped-call]  # as above
        kind = tag.removeprefix(_STANDARD)
        if kind in {"str", "timestamp", "value"}:
            return str(node.value)
        plain = yaml.ScalarNode(tag, node.value, node.start_mark, node.end_mark)
        try:
            made: Value = self._loader.construct_object(plain)
        except (ValueError, KeyError):
            raise ValueError(f"Line {_line(node)}: “{node.value[:50]}” is no {kind}.") from None
        if isinstance(made, float) and not math.isfinite(made):
            raise ValueError(f"Line {_line(node)}: “{node.value}” is no number that can be kept.")
        return made


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


class _Dumper(yaml.SafeDumper):
    """Writes tags; repeated values are written out, without anchors."""

    def ignore_aliases(self, _data: object) -> bool:
        """Always."""
        return True


def _represent(dumper: _Dumper, tag: Tag) -> yaml.Node:
    node = dumper.represent_data(tag.value)
    node.tag = f"!{tag.name}"
    if isinstance(node, yaml.SequenceNode):
        node.flow_style = True
    return node


def _represent_text(dumper: _Dumper, text: str) -> yaml.Node:
    return dumper.represent_scalar(f"{_STANDARD}str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(Tag, _represent)
_Dumper.add_representer(str, _represent_text)


def write(value: Mapping[str, Value]) -> str:
    """``value`` as YAML that :func:`read` reads."""
    return yaml.dump(dict(value), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
