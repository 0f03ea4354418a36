"""The SQL of a list of records, put together from declared names and constant fragments; every value is a parameter."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple, cast

import msgspec

from keystead.base.clock import micros
from keystead.base.errors import invalid
from keystead.kinds import asked, records
from keystead.kinds.asked import Query
from keystead.kinds.call import Call
from keystead.kinds.field import Field, unstorable
from keystead.kinds.kind import Filter, Kind
from keystead.kinds.linked import kept_in, sql_type
from keystead.kinds.marks import Mark
from keystead.kinds.terms import GRAMS, INDEXES, Fragment, Term, attributes, numbered, search
from keystead.store import Value
from keystead.wire import jsonstrict

_DEEPEST: Final = 32
"""How deep a filter by attributes may reach."""
_MOST: Final = 100
"""Attributes asked for at once: SQLite takes conditions of up to 1,000 parts."""


class Conditions:
    """Conditions that all must hold, over the table ``t``, and the values of their parameters."""

    def __init__(self) -> None:
        self.terms: list[Term] = []

    def add(self, fragment: str, *values: Value) -> None:
        """Add a condition; a single value stands wherever ``{}`` does, of several each stands at its own ``{}``."""
        self.terms.append(Term(Fragment(fragment, values)))

    @property
    def texts(self) -> list[str]:
        """The conditions, with numbered parameters."""
        return numbered([term.plain for term in self.terms])[0]

    @property
    def values(self) -> list[Value]:
        """The parameters of :attr:`texts`."""
        return [value for term in self.terms for value in term.plain.values]

    @property
    def where(self) -> str:
        """The WHERE clause, if there is a condition."""
        return f" WHERE {' AND '.join(self.texts)}" if self.terms else ""


def conditions_of(call: Call, _state: object, kind: Kind[Any], query: Query) -> tuple[list[str], list[Value]]:
    """The SQL conditions over a record kind's table ``t`` that ``query`` asks for, and their parameters.

    :raises Problem: ``INVALID`` on a parameter.
    """
    found = conditions(call, kind, query)
    return found.texts, found.values


def conditions(call: Call, kind: Kind[Any], query: Query) -> Conditions:
    """:func:`conditions_of` as one value."""
    found = Conditions()
    if narrow := kept_in(kind).narrow:
        found.add(narrow, *([micros(call.at)] if "{}" in narrow else []))
    for item in kind.filters:
        if isinstance(item, str):
            if values := asked.exact(kind.fields[item], query):
                _one_of(found, kind, kind.fields[item], values)
        elif item.sql and (value := asked.asked_for(item, query)) is not None:
            found.terms.append(_filter(item, item.known(call, value) if item.known else value))
    if "attributes" in kind.fields and (text := asked.last(query, "attributes")):
        found.terms.extend(attributes(kind, path) for path in _paths(text))
    if (needle := asked.needle(query)) and kind.search:
        found.terms.append(search(kind, needle))
    return found


class Key(NamedTuple):
    """A part of an order.

    :param text: the expression over ``t``.
    :param down: greatest first.
    :param nulls: where nulls stand, if there may be any.
    """

    text: str
    down: bool
    nulls: str = ""

    def __str__(self) -> str:
        return f"{self.text} {'DESC' if self.down else 'ASC'}{self.nulls}"

    @property
    def turned(self) -> "Key":
        """The same, the other way round."""
        nulls = {" NULLS FIRST": " NULLS LAST", " NULLS LAST": " NULLS FIRST"}.get(self.nulls, "")
        return Key(self.text, not self.down, nulls)


def order(kind: Kind[Any], query: Query) -> str:
    """The ORDER BY list: as asked, or the kind's own; ties by primary key. Nulls are greatest on both engines."""
    return ", ".join(map(str, keys(kind, query)))


def keys(kind: Kind[Any], query: Query) -> list[Key]:
    """The parts of :func:`order`."""
    wanted = [name for name in asked.ordering(kind, query) if kind.fields[name.removeprefix("-")].link is None]
    key = kept_in(kind).key
    parts: dict[str, Key] = {}
    for part in wanted or kind.order:
        field = kind.fields.get(part.removeprefix("-"))
        column = field.column if field else part.removeprefix("-")
        if column not in parts:
            parts[column] = _key(column, field, down=part.startswith("-"))
        if field and (Mark.UNIQUE in field.marks or column == key) and not field.nullable:
            return list(parts.values())
    # The key goes the way of what it follows, so that an index over both serves either direction.
    if key not in parts:
        parts[key] = Key(f"t.{key}", parts[next(reversed(parts))].down if parts else False)
    return list(parts.values())


_LAST: Final = 2**63 - 1
"""Stands for null in an order of instants: an expression that an index can hold, unlike NULLS LAST on SQLite."""


def _key(column: str, field: Field | None, *, down: bool) -> Key:
    if field is None or not field.nullable:
        return Key(f"t.{column}", down)
    if field.temporal:
        return Key(f"coalesce(t.{column}, {_LAST})", down)
    return Key(f"t.{column}", down, f" NULLS {'FIRST' if down else 'LAST'}")


def _one_of(found: Conditions, kind: Kind[Any], field: Field, values: tuple[object, ...]) -> None:
    if field.link:
        link, key = field.link, kept_in(kind).key
        pairs = f"SELECT {link.own} FROM {link.table} WHERE {link.other} = ANY({{}}::{sql_type(field)}[])"  # noqa: S608 - declared names
        found.add(f"t.{key} IN ({pairs})", cast("Value", list(values)))
        return
    alike = " OR ".join([f"t.{field.column} = {{}}"] * len(values))
    plain = Fragment(f"({alike})", tuple(records.to_column(field, value) for value in values))
    found.terms.append(Term(plain, column=field.column))


def _filter(item: Filter, value: object) -> Term:
    """``sql`` may be two fragments parted by ``|`` for a boolean: the one for true, the one for false."""
    if item.type is bool and "{}" not in item.sql:
        yes, _, no = item.sql.partition("|")
        each = Fragment(item.each if value else f"NOT ({item.each})") if item.each else None
        met = Term(Fragment(yes), each, _few(item), column=item.column)
        return met if value else Term(Fragment(no or f"NOT ({yes})"), each, column=item.column, others=met)
    if isinstance(value, datetime):
        value = micros(value)
    asked_with = (cast("Value", list(value) if isinstance(value, tuple) else value),)
    counted = Fragment(item.alone, asked_with) if item.alone else None
    return Term(
        Fragment(item.sql, asked_with),
        Fragment(item.each, asked_with) if item.each else None,
        _few(item, *asked_with),
        alone=dict.fromkeys(INDEXES, counted) if counted else {},
        column=item.column,
    )


def _few(item: Filter, *asked_with: Value) -> dict[str, Fragment]:
    return {GRAMS: Fragment(item.few, asked_with)} if item.few else {}


def _paths(text: str) -> Iterator[str]:
    """``attributes=<JSON object>``: every member must be there with that value; ``a__b`` reaches inside."""
    try:
        wanted = jsonstrict.decode_object(text.encode(), max_depth=_DEEPEST)
    except ValueError:
        raise invalid({"attributes": ['Write a JSON object, such as {"department": "it"}.']}) from None
    if why := unstorable(wanted):
        raise invalid({"attributes": [why]})
    if len(wanted) > _MOST:
        raise invalid({"attributes": [f"Ask for at most {_MOST} attributes at once."]})
    for name, value in wanted.items():
        steps = name.split("__")
        if len(steps) > _DEEPEST:
            raise invalid({"attributes": [f"Reach at most {_DEEPEST} levels inside."]})
        path: object = value
        for step in reversed(steps):
            path = {step: path}
        yield msgspec.json.encode(path).decode()
