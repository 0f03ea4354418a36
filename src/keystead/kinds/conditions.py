"""The SQL of a list of records, put together from declared names and constant fragments; every value is a parameter."""

import itertools
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, cast

import msgspec

from keystead.base.clock import micros
from keystead.base.errors import invalid
from keystead.kinds import asked, records
from keystead.kinds.asked import Query
from keystead.kinds.call import Call
from keystead.kinds.field import Field, unstorable
from keystead.kinds.kind import Filter, Kind
from keystead.kinds.state import State
from keystead.store import Value
from keystead.wire import jsonstrict

_DEEPEST: Final = 32
"""How deep a filter by attributes may reach."""
_FOLDED: Final = 3
"""How many letters beyond ASCII a search looks for in both cases."""


class Conditions:
    """Conditions that all must hold, over the table ``t``, and the values of their parameters."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.values: list[Value] = []

    def add(self, fragment: str, *values: Value) -> None:
        """Add a condition; a single value stands wherever ``{}`` does, of several each stands at its own ``{}``."""
        marks = []
        for value in values:
            self.values.append(value)
            marks.append(f"${len(self.values)}")
        if len(marks) == 1:
            fragment = fragment.replace("{}", marks[0])
        else:
            for mark in marks:
                fragment = fragment.replace("{}", mark, 1)
        self.texts.append(fragment)

    @property
    def where(self) -> str:
        """The WHERE clause, if there is a condition."""
        return f" WHERE {' AND '.join(self.texts)}" if self.texts else ""


def conditions_of(call: Call, _state: State, kind: Kind[Any], query: Query) -> tuple[list[str], list[Value]]:
    """The SQL conditions over a record kind's table ``t`` that ``query`` asks for, and their parameters.

    :raises Problem: ``INVALID`` on a parameter.
    """
    found = conditions(call, kind, query)
    return found.texts, found.values


def conditions(call: Call, kind: Kind[Any], query: Query) -> Conditions:
    """:func:`conditions_of` as one value."""
    found = Conditions()
    if narrow := records.spec(kind).narrow:
        found.add(narrow, *([micros(call.at)] if "{}" in narrow else []))
    for item in kind.filters:
        if isinstance(item, str):
            if values := asked.exact(kind.fields[item], query):
                _one_of(found, kind, kind.fields[item], values)
        elif item.sql and (value := asked.asked_for(item, query)) is not None:
            _filter(found, item, item.known(call, value) if item.known else value)
    if "attributes" in kind.fields and (text := asked.last(query, "attributes")):
        for path in _paths(text):
            found.add("keystead_contains(t.attributes, {}::jsonb)", path)
    if (needle := asked.needle(query)) and kind.search:
        _search(found, kind, needle)
    return found


def order(kind: Kind[Any], query: Query) -> str:
    """The ORDER BY list: as asked, or the kind's own; ties by primary key. Nulls are greatest on both engines."""
    wanted = [name for name in asked.ordering(kind, query) if kind.fields[name.removeprefix("-")].link is None]
    key = records.spec(kind).key
    parts: dict[str, str] = {}
    for part in wanted or kind.order:
        field = kind.fields.get(part.removeprefix("-"))
        column = field.column if field else part.removeprefix("-")
        down = part.startswith("-")
        nulls = "" if field is None or not field.nullable else f" NULLS {'FIRST' if down else 'LAST'}"
        parts.setdefault(column, f"t.{column} {'DESC' if down else 'ASC'}{nulls}")
    # The key goes the way of what it follows, so that an index over both serves either direction.
    last = next(reversed(parts.values()), "")
    parts.setdefault(key, f"t.{key} {'DESC' if ' DESC' in last else 'ASC'}")
    return ", ".join(parts.values())


def _one_of(found: Conditions, kind: Kind[Any], field: Field, values: tuple[object, ...]) -> None:
    if field.link:
        link, key = field.link, records.spec(kind).key
        pairs = f"SELECT {link.own} FROM {link.table} WHERE {link.other} = ANY({{}}::{records.sql_type(field)}[])"  # noqa: S608 - declared names
        found.add(f"t.{key} IN ({pairs})", cast("Value", list(values)))
        return
    alike = " OR ".join([f"t.{field.column} = {{}}"] * len(values))
    found.add(f"({alike})", *(records.to_column(field, value) for value in values))


def _filter(found: Conditions, item: Filter, value: object) -> None:
    """``sql`` may be two fragments parted by ``|`` for a boolean: the one for true, the one for false."""
    if item.type is bool and "{}" not in item.sql:
        yes, _, no = item.sql.partition("|")
        found.add(yes if value else no or f"NOT ({yes})")
        return
    if isinstance(value, datetime):
        value = micros(value)
    found.add(item.sql, cast("Value", list(value) if isinstance(value, tuple) else value))


def _paths(text: str) -> Iterator[str]:
    """``attributes=<JSON object>``: every member must be there with that value; ``a__b`` reaches inside."""
    try:
        wanted = jsonstrict.decode_object(text.encode(), max_depth=_DEEPEST)
    except ValueError:
        raise invalid({"attributes": ['Write a JSON object, such as {"department": "it"}.']}) from None
    if why := unstorable(wanted):
        raise invalid({"attributes": [why]})
    for name, value in wanted.items():
        steps = name.split("__")
        if len(steps) > _DEEPEST:
            raise invalid({"attributes": [f"Reach at most {_DEEPEST} levels inside."]})
        path: object = value
        for step in reversed(steps):
            path = {step: path}
        yield msgspec.json.encode(path).decode()


def _search(found: Conditions, kind: Kind[Any], needle: str) -> None:
    patterns = [f"%{escaped(one)}%" for one in _spellings(needle)]
    columns = [kind.fields[name].column if name in kind.fields else name for name in kind.search]
    alike = " OR ".join(f"lower(t.{column}) LIKE {{}} ESCAPE '\\'" for column in columns for _ in patterns)
    found.add(f"({alike})", *(pattern for _ in columns for pattern in patterns))


def escaped(text: str) -> str:
    """``text`` as LIKE takes it literally, with a backslash as the escape."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _spellings(needle: str) -> Iterator[str]:
    """``needle`` with its letters beyond ASCII in either case: a database's ``lower()`` may know ASCII only."""
    cased = [index for index, char in enumerate(needle) if not char.isascii() and char.upper() != char][:_FOLDED]
    for raised in itertools.product((False, True), repeat=len(cased)):
        chars = list(needle)
        for index, up in zip(cased, raised, strict=True):
            chars[index] = chars[index].upper() if up else chars[index]
        yield "".join(chars)
