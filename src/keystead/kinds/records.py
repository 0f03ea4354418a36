"""Records: rows as typed structs and back, and the writes of one record; the SQL derives from the kind's fields."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, TypeVar, cast

import msgspec

from keystead.base.clock import instant, micros
from keystead.kinds.field import Field
from keystead.kinds.kind import Kind
from keystead.kinds.linked import add, decoded, drop, kept_in, linked, selecting, sql_type
from keystead.store import Row, Statement, Store, Value, Write

T = TypeVar("T", bound=msgspec.Struct)
_JSONB: Final = "attributes"
"""The only column that the database looks inside of."""


@lru_cache(maxsize=256)
def stored(kind: Kind[Any]) -> tuple[Field, ...]:
    """The fields kept in the kind's own table, in column order."""
    return tuple(field for field in kind.fields.values() if field.link is None)


@lru_cache(maxsize=256)
def columns(kind: Kind[Any]) -> str:
    """The column list of a SELECT."""
    return ", ".join(f"t.{field.column}" for field in stored(kind))


def table(kind: Kind[Any]) -> str:
    """The name of the kind's table.

    :raises LookupError: the kind is a setting.
    """
    return kept_in(kind).name


@lru_cache(maxsize=512)
def select(kind: Kind[Any], column: str) -> Statement:
    """SELECT of the records whose ``column`` is one of ``$1``."""
    key = next((sql_type(field) for field in stored(kind) if field.column == column), "text")
    return Statement(
        f"{kind.model}.by_{column}",
        f"SELECT {columns(kind)} FROM {table(kind)} t WHERE t.{column} = ANY($1::{key}[])",  # noqa: S608 - declared names
    )


@lru_cache(maxsize=512)
def whole(kind: Kind[Any], name: str, condition: str) -> Statement:
    """SELECT of the records ``t`` that meet ``condition``, each with its links as JSON: one round trip for few rows."""
    return selecting(kind, name, columns(kind), condition)


@lru_cache(maxsize=512)
def _whole_by(kind: Kind[Any], column: str) -> Statement:
    key = next((sql_type(field) for field in stored(kind) if field.column == column), "text")
    return whole(kind, f"by_{column}", f"t.{column} = ANY($1::{key}[])")


def from_whole(kind: Kind[T], rows: Sequence[Row]) -> list[T]:
    """The records in rows that :func:`whole` selected."""
    own = -len(linked(kind))
    if not own:
        return [from_row(kind, row) for row in rows]
    return [from_row(kind, row[:own], decoded(kind, row[own:])) for row in rows]


@lru_cache(maxsize=256)
def _seen(kind: Kind[Any], column: str) -> Statement:
    """:func:`select` without what the table hides from everybody (at the instant ``$2``, where that matters)."""
    found = select(kind, column)
    return Statement(f"{found.name}.seen", f"{found.text} AND {kept_in(kind).narrow.replace('{}', '$2')}")


async def visible(
    store: Store, kind: Kind[T], column: str, value: object, at: datetime, *, bare: bool = False
) -> T | None:
    """The record whose ``column`` holds ``value``, unless the kind hides it at this instant.

    :param bare: without its links.
    """
    keys = cast("Value", [value])
    narrow = kept_in(kind).narrow
    statement = _seen(kind, column) if narrow else select(kind, column)
    rows = await store.fetch(statement, keys, *([micros(at)] if "{}" in narrow else []))
    if bare:
        return from_row(kind, rows[0]) if rows else None
    return next(iter(await from_rows(store, kind, rows[:1])), None)


@lru_cache(maxsize=256)
def _keys(kind: Kind[Any]) -> Statement:
    key, type_ = kept_in(kind).key, sql_type(kind.fields[kind.pk])
    return Statement(f"{kind.model}.keys", f"SELECT t.{key} FROM {table(kind)} t WHERE t.{key} = ANY($1::{type_}[])")  # noqa: S608 - declared names


async def existing(store: Store, kind: Kind[Any], keys: Sequence[object]) -> set[object]:
    """Which of these primary keys are those of records."""
    return {row[0] for row in await store.fetch(_keys(kind), cast("Value", list(keys)))}


def from_row(kind: Kind[T], row: Row, links: Mapping[str, tuple[object, ...]] | None = None) -> T:
    """The record in ``row`` (as :func:`columns` orders it)."""
    values: dict[str, object] = dict(links or {})
    for (name, read), value in zip(_readers(kind), row, strict=True):
        values[name] = value if read is None or value is None else read(value)
    return kind.struct(**values)


@lru_cache(maxsize=256)
def _readers(kind: Kind[Any]) -> tuple[tuple[str, Callable[[Any], object] | None], ...]:
    """For each stored field its name and what turns its column's value into the field's; None where nothing has to."""
    return tuple((field.name, _reader(field)) for field in stored(kind))


def _reader(field: Field) -> Callable[[Any], object] | None:
    if field.temporal:
        return instant
    if field.boolean:
        return bool
    if field.json:
        return msgspec.json.Decoder(field.type).decode
    return field.choices


def to_column(field: Field, value: object) -> Value:
    """``value`` of ``field`` as its column holds it."""
    if value is None:
        return None
    if field.secret:
        raise TypeError(f"{field.name}: secrets are kept in settings, or sealed by the room that holds the record")
    if field.temporal:
        return micros(cast("Any", value))
    if field.json:
        return msgspec.json.encode(value).decode()
    return cast("Value", value)


async def load(store: Store, kind: Kind[T], column: str, values: Sequence[object]) -> list[T]:
    """The records whose ``column`` holds one of ``values``, with their links."""
    return from_whole(kind, await store.fetch(_whole_by(kind, column), cast("Value", list(values))))


async def from_rows(store: Store, kind: Kind[T], rows: Sequence[Row]) -> list[T]:
    """The records in ``rows``, with their links; one query however many rows and links."""
    if not linked(kind) or not rows:
        return [from_row(kind, row) for row in rows]
    # The primary key is the first stored field, by the order of declaration.
    texts = await store.fetch(_links(kind), cast("Value", [row[0] for row in rows]))
    found = {key: others for key, *others in texts}
    nothing = [None] * len(linked(kind))
    return from_whole(kind, [(*row, *found.get(row[0], nothing)) for row in rows])


@lru_cache(maxsize=64)
def _links(kind: Kind[Any]) -> Statement:
    """SELECT of the keys ``$1`` with the links of each as JSON."""
    key = f"t.{kept_in(kind).key}"
    return selecting(kind, "links", key, f"{key} = ANY($1::{sql_type(kind.fields[kind.pk])}[])")


@lru_cache(maxsize=256)
def _insert(kind: Kind[Any]) -> Statement:
    names = ", ".join(field.column for field in stored(kind))
    marks = ", ".join(_mark(field.column, n) for n, field in enumerate(stored(kind), 1))
    return Statement(f"{kind.model}.insert", f"INSERT INTO {table(kind)} ({names}) VALUES ({marks})")  # noqa: S608 - declared names


def _mark(column: str, number: int) -> str:
    return f"${number}::jsonb" if column == _JSONB else f"${number}"


def insert(kind: Kind[Any], obj: msgspec.Struct) -> list[Write]:
    """The writes that keep a new record."""
    values = tuple(to_column(field, getattr(obj, field.name)) for field in stored(kind))
    key = getattr(obj, kind.pk)
    links = ((field, getattr(obj, field.name)) for field in kind.fields.values() if field.link)
    return [Write(_insert(kind), values), *(add(kind, field, key, others) for field, others in links if others)]


@lru_cache(maxsize=512)
def _update(kind: Kind[Any], names: tuple[str, ...], same: tuple[str, ...] = ()) -> Statement:
    sets = ", ".join(f"{name} = {_mark(name, n)}" for n, name in enumerate(names, 2))
    alike = [(name, _mark(name, n)) for n, name in enumerate(same, 2 + len(names))]
    text = f"UPDATE {table(kind)} SET {sets} WHERE {kept_in(kind).key} = $1"  # noqa: S608 - declared names
    return Statement(
        f"{kind.model}.update",
        text + "".join(f" AND {name} IS NOT DISTINCT FROM {mark}" for name, mark in alike),
        sqlite=text + "".join(f" AND json({n}) IS json({m})" if n == _JSONB else f" AND {n} IS {m}" for n, m in alike),
    )


def update(kind: Kind[Any], old: msgspec.Struct, new: msgspec.Struct, *, strictly: bool = False) -> list[Write]:
    """The writes that turn ``old`` into ``new``: changed columns only, so that editors of other members both win.

    :param strictly: only while every member that can be edited is what it is in ``old``.
    """
    writes: list[Write] = []
    key = getattr(old, kind.pk)
    changed = [field for field in stored(kind) if getattr(old, field.name) != getattr(new, field.name)]
    if changed:
        values = tuple(to_column(field, getattr(new, field.name)) for field in changed)
        held = [field for field in stored(kind) if field.writable] if strictly else []
        statement = _update(kind, tuple(field.column for field in changed), tuple(field.column for field in held))
        as_was = tuple(to_column(field, getattr(old, field.name)) for field in held)
        writes.append(Write(statement, (key, *values, *as_was), expect=1, guard="row"))
    for field in kind.fields.values():
        if field.link:
            before, after = set(getattr(old, field.name)), set(getattr(new, field.name))
            if gone := before - after:
                writes.append(drop(field, key, gone))
            if come := after - before:
                writes.append(add(kind, field, key, come))
    return writes


@lru_cache(maxsize=256)
def _delete(kind: Kind[Any]) -> Statement:
    return Statement(f"{kind.model}.delete", f"DELETE FROM {table(kind)} WHERE {kept_in(kind).key} = $1")  # noqa: S608 - declared names


def delete(kind: Kind[Any], obj: msgspec.Struct) -> Write:
    """The write that removes a record; rows that hang on it go with it (foreign keys)."""
    return Write(_delete(kind), (getattr(obj, kind.pk),), expect=1, guard="row")


@lru_cache(maxsize=256)
def holders(kind: Kind[Any], field: Field, most: int) -> Statement:
    """SELECT of the records whose reference ``field`` leads to ``$1``; at most ``most`` of them."""
    key, narrow = kept_in(kind).key, kept_in(kind).narrow
    if field.link:
        condition = f"t.{key} IN (SELECT {field.link.own} FROM {field.link.table} WHERE {field.link.other} = $1)"  # noqa: S608 - declared names
    else:
        condition = f"t.{field.column} = $1"
    if narrow and "{}" not in narrow:  # kinds that share a table: each tells of its own rows
        condition += f" AND {narrow}"
    return Statement(
        f"{kind.model}.holding_{field.name}",
        f"SELECT {columns(kind)} FROM {table(kind)} t WHERE {condition} ORDER BY t.{key} LIMIT {most}",  # noqa: S608 - declared names
    )
