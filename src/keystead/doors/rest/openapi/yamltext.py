"""JSON values as YAML text. A library would read back more; to write a document of megabytes it takes seconds."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

_PLAIN: Final = re.compile(r"[A-Za-z_/][A-Za-z0-9_./{}-]*(?: [A-Za-z0-9_./{}-]+)*")
_ODD: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
"""What YAML 1.1 readers take for something else than text."""


def dump(value: Mapping[str, object]) -> bytes:
    """``value`` as a YAML 1.2 block document (readers of YAML 1.1 understand it too), UTF-8."""
    return "".join(_mapping(value, "")).encode()


def _text(value: str) -> str:
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    # A JSON text is a double-quoted YAML scalar (YAML 1.2 §5.7), but for characters that YAML takes for the end of a
    # line or does not take as they are.
    return _ODD.sub(lambda found: f"\\u{ord(found[0]):04x}", msgspec.json.encode(value).decode())


def _scalar(value: object) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (Mapping, list, tuple)):
        return "{}" if isinstance(value, Mapping) else "[]"
    return msgspec.json.encode(value).decode()


def _value(value: object, indent: str) -> Iterator[str]:
    """What follows a key's colon."""
    if isinstance(value, Mapping) and value:
        yield "\n"
        yield from _mapping(value, f"{indent}  ")
    elif isinstance(value, (list, tuple)) and value:
        yield "\n"
        yield from _sequence(value, indent)
    else:
        yield f" {_scalar(value)}\n"


def _mapping(value: Mapping[str, object], indent: str) -> Iterator[str]:
    for key, inner in value.items():
        yield f"{indent}{_text(key)}:"
        yield from _value(inner, indent)


def _sequence(value: Sequence[object], indent: str) -> Iterator[str]:
    for inner in value:
        if isinstance(inner, Mapping) and inner:
            # The first member stands beside the dash, the others below it.
            lines = "".join(_mapping(inner, f"{indent}  "))
            yield f"{indent}- {lines[len(indent) + 2 :]}"
        elif isinstance(inner, (list, tuple)) and inner:
            yield f"{indent}-"
            yield from _value(inner, f"{indent}  ")
        else:
            yield f"{indent}- {_scalar(inner)}\n"
