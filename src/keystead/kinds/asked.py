"""What a list is asked for: a query's parameters as typed values (rest.md §3).

Parameters nobody declared are ignored; an empty one counts as not given; of a repeated one that takes a single value
the last counts. A value of the wrong form is a complaint about its parameter.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

import msgspec

from keystead.base.errors import Problem, invalid
from keystead.kinds.field import Field, Type, plain, scalar, universal, whole
from keystead.kinds.kind import Filter, Kind
from keystead.kinds.marks import UUID_FORMAT, Format

Query: TypeAlias = Mapping[str, Sequence[str]]
"""Parameter -> its values, in the order they came."""
_LONGEST: Final = 1000
"""Characters of a search: SQLite takes patterns of up to 50,000 bytes."""
_TRUE: Final = frozenset({"true", "1", "yes", "on", "t", "y"})
_FALSE: Final = frozenset({"false", "0", "no", "off", "f", "n"})


def last(query: Query, name: str) -> str:
    """The value of a parameter that takes one; empty when it is absent."""
    values = query.get(name)
    return values[-1] if values else ""


def value_of(name: str, type_: Type, text: str) -> object:
    """One value of the parameter ``name`` as ``type_``.

    :raises Problem: ``INVALID`` on the parameter.
    """
    core, formats = scalar(type_)
    return _converted(name, core, formats, text)


def asked_for(item: Filter, query: Query) -> object | None:
    """The value a filter is asked with (a tuple where it may be repeated), or None.

    :raises Problem: ``INVALID`` on the parameter.
    """
    values = [text for text in query.get(item.name, ()) if text]
    if not values:
        return None
    if item.many:
        return tuple(value_of(item.name, item.type, text) for text in values)
    return value_of(item.name, item.type, values[-1])


def exact(field: Field, query: Query) -> tuple[object, ...]:
    """The values, one of which ``field`` must have (or, where it holds several, hold); empty when none is asked.

    :raises Problem: ``INVALID`` on the parameter.
    """
    texts = dict.fromkeys(text for text in query.get(field.name, ()) if text)
    return tuple(_converted(field.name, field.core, field.formats, text) for text in texts)


def ordering(kind: Kind[Any], query: Query) -> tuple[str, ...]:
    """The order asked for, each member once; what is no member that everybody sees is ignored."""
    asked: dict[str, str] = {}
    for part in last(query, "ordering").split(","):
        name = part.strip().removeprefix("-")
        if name in kind.readable and not kind.fields[name].many and not (kind.table and kind.fields[name].json):
            asked.setdefault(name, part.strip())
    return tuple(asked.values())


def needle(query: Query) -> str:
    """What is searched for, in lower case.

    :raises Problem: ``INVALID`` for a text so long that not every database would look for it.
    """
    text = last(query, "search").strip().lower()
    if len(text) > _LONGEST:
        raise _wrong("search", f"Search for at most {_LONGEST} characters.")
    return text


def _converted(name: str, core: Type, formats: Sequence[Format], text: str) -> object:
    if core is bool:
        if text.lower() in _TRUE:
            return True
        if text.lower() in _FALSE:
            return False
        raise _wrong(name, f"“{text}” is neither true nor false.")
    try:
        if core is str:
            # A text of another form than the member's matches nothing; only a key that is none is a mistake.
            return UUID_FORMAT.check(text) if UUID_FORMAT in formats else text
        value: object = msgspec.convert(text, core, strict=False)
        if isinstance(value, datetime):
            return universal(value)
        return whole(value) if isinstance(value, int) else value
    except msgspec.ValidationError as exc:
        raise _wrong(name, plain(exc)) from None
    except ValueError as exc:
        raise _wrong(name, str(exc)) from None


def _wrong(name: str, why: str) -> Problem:
    return invalid({name: [why]})
