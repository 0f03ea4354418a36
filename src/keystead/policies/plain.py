"""What an expression gave, in JSON's own types, and several such values as one."""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Final

_MAX_DEPTH: Final = 32
_MAX_BITS: Final = 63


def plain(value: object) -> object:
    """``value``, as an expression gave it, in JSON's own types; a view of something becomes its name."""
    if value is None or isinstance(value, (str, bool, float)):
        return value
    if isinstance(value, int):
        return value if value.bit_length() <= _MAX_BITS else str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset, range)):
        return [plain(item) for item in value]
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    return str(value)


def merged(one: object, other: object, depth: int = 0) -> object:
    """Two values of one member as one: dicts are merged, lists joined, and the last of other values counts."""
    if isinstance(one, dict) and isinstance(other, dict) and depth < _MAX_DEPTH:
        both = dict(one)
        for key, value in other.items():
            both[key] = merged(both[key], value, depth + 1) if key in both else value
        return both
    if isinstance(one, list) and isinstance(other, list):
        return [*one, *other]
    return other
