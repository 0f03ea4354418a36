"""A settings file taken apart into single settings. Imported only by a start that has one, since YAML loads slowly.

Values stay the texts that stand in the file and take their type from the setting they belong to: a password of digits
keeps its zeros, and ``no`` is a word where a word is expected.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from keystead.base.config.catalogue import Key, is_section, setting_at

_NULL: Final = "tag:yaml.org,2002:null"
_DEPTH: Final = 8


class Line(NamedTuple):
    """One setting of a file: its key, its text, and where it stands."""

    key: Key
    text: str
    origin: str


def lines(file: Path, text: str, problems: list[str]) -> Iterator[Line]:
    """The settings that ``text``, the content of ``file``, names, known or not; what has no place goes to ``problems``.

    Lists may be written as YAML lists, numbered groups as lists of groups, and keys with dots for several levels.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as exc:
        # The message of the parser may quote the file, and the file may hold passwords: the place is enough.
        mark = exc.problem_mark or exc.context_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problems.append(f"{file}{place}: this is not YAML. Put values with special characters between quotes.")
        return
    except yaml.YAMLError:
        problems.append(f"{file}: this is not YAML (it has characters that YAML does not allow).")
        return
    if root is not None:
        yield from _lines(file, (), root, problems)


def _lines(file: Path, key: Key, node: Node, problems: list[str]) -> Iterator[Line]:
    leaf = setting_at(key) is not None
    # Below an open group every name is a setting, so depth is bounded: YAML aliases can make a group contain itself.
    below_open = 0 < len(key) < _DEPTH and setting_at((*key, "x")) is not None
    group = not key or below_open or is_section(key)
    origin = f"{file}, line {node.start_mark.line + 1}" + (f", {'.'.join(key)}" if key else "")
    match node:
        case MappingNode() if group:
            yield from _mapping(file, key, node, problems)
        case ScalarNode(tag=tag) if tag == _NULL and (leaf or group):
            return
        case ScalarNode(value=text) if key:
            yield Line(key, text, origin)
        case SequenceNode(value=items) if leaf and all(isinstance(item, ScalarNode) for item in items):
            yield Line(key, ",".join(item.value for item in items), origin)
        case SequenceNode(value=items) if key and is_section((*key, "0")):
            for number, item in enumerate(items):
                yield from _lines(file, (*key, str(number)), item, problems)
        case _ if leaf:
            problems.append(f"{origin}: a list or group stands where one value is expected.")
        case _ if group:
            problems.append(f"{origin}: a group of settings is expected here, as lines of name: value.")
        case _:
            yield Line(key, "", origin)


def _mapping(file: Path, key: Key, node: MappingNode, problems: list[str]) -> Iterator[Line]:
    seen: set[str] = set()
    for name, value in node.value:
        word = name.value.lower() if isinstance(name, ScalarNode) else "?"
        if word in seen:
            place = f"{file}, line {name.start_mark.line + 1}"
            problems.append(f"{place}: {'.'.join((*key, word))} stands there twice.")
            continue
        seen.add(word)
        yield from _lines(file, (*key, *word.split(".")), value, problems)
