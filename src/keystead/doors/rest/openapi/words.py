"""Docstrings as descriptions: what a room says of itself is what the API's documentation says."""

import inspect
import re
from typing import Final

from keystead.kinds.pending import Pending

_ROLE: Final = re.compile(r":[a-z:]+:`~?(?:[\w.]+\.)?([\w ]+)`")
_CODE: Final = re.compile(r"``([^`]*)``")
_FIELD: Final = re.compile(r":(?:param\s+(?P<name>\w+)|raises\s+\w+|returns?):\s*(?P<text>.*)")


def _prose(lines: list[str]) -> str:
    text = " ".join(line.strip() for line in lines).strip()
    return _CODE.sub(r"`\1`", _ROLE.sub(r"`\1`", text))


def _doc(thing: object) -> str:
    """The docstring that ``thing`` itself has, not one it inherits."""
    found = vars(thing).get("__doc__") if isinstance(thing, type) else thing.__doc__
    return inspect.cleandoc(found) if isinstance(found, str) else ""


def told(thing: object) -> str:
    """The prose of ``thing``'s docstring up to its first field, as Markdown paragraphs."""
    if isinstance(thing, Pending):
        return f"{thing.reason}\n\nThis version answers 501."
    kept: list[list[str]] = [[]]
    for line in _doc(thing).splitlines():
        if _FIELD.match(line):
            break
        if line.strip():
            kept[-1].append(line)
        elif kept[-1]:
            kept.append([])
    return "\n\n".join(_prose(lines) for lines in kept if lines)


def params(thing: object) -> dict[str, str]:
    """What ``thing``'s docstring says of each of its parameters; a class has those of its bases too."""
    found: dict[str, str] = {}
    for one in reversed(thing.__mro__) if isinstance(thing, type) else (thing,):
        found.update(_params(one))
    return found


def _params(thing: object) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in _doc(thing).splitlines():
        if match := _FIELD.match(line):
            current = found.setdefault(match["name"], []) if match["name"] else None
            if current is not None:
                current.append(match["text"])
        elif current is not None and line.startswith(" "):
            current.append(line)
        else:
            current = None
    return {name: _sentence(_prose(lines)) for name, lines in found.items()}


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
