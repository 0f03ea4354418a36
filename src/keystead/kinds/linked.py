"""Links: the fields of records that are sets of other rows, kept in tables of pairs; their SQL, JSON and writes."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, cast

import msgspec

from keystead.kinds.field import Field
from keystead.kinds.kind import Kind, Table
from keystead.kinds.marks import Link
from keystead.store import Statement, Value, Write


def kept_in(kind: Kind[Any]) -> Table:
    """Where the kind's records are kept.

    :raises LookupError: the kind is a setting.
    """
    if kind.table is None:
        raise LookupError(f"{kind.model} is no record")
    return kind.table


def sql_type(field: Field) -> str:
    """The database's type of a key that ``field`` holds (one of them, where it holds several)."""
    return "bigint" if field.core is int else "text"


@lru_cache(maxsize=256)
def linked(kind: Kind[Any]) -> tuple[Field, ...]:
    """The fields that are kept in tables of pairs."""
    return tuple(field for field in kind.fields.values() if field.link)


@lru_cache(maxsize=256)
def _decoders(kind: Kind[Any]) -> tuple[tuple[str, Callable[[str], tuple[object, ...]]], ...]:
    return tuple((field.name, msgspec.json.Decoder(field.type).decode) for field in linked(kind))


def decoded(kind: Kind[Any], texts: Sequence[object]) -> dict[str, tuple[object, ...]]:
    """The links of one record by field, from ``texts``."""
    pairs = zip(_decoders(kind), texts, strict=True)
    return {name: decode(str(text)) if text else () for (name, decode), text in pairs}


def selecting(kind: Kind[Any], name: str, first: str, condition: str, *, without: Field | None = None) -> Statement:
    """SELECT of the columns ``first`` and of the links, as JSON, of the records ``t`` that meet ``condition``.

    :param without: a field whose links are None instead.
    """
    postgres, sqlite = [first], [first]
    for field in linked(kind):
        link = _link_of(field)
        pairs = f"FROM {link.table} WHERE {link.own} = t.{kept_in(kind).key} ORDER BY {link.other}"
        inner = f"(SELECT {link.other} {pairs}) l"
        json = f"(SELECT json_agg(l.{link.other})::text FROM {inner})"  # noqa: S608 - declared names
        postgres.append("NULL" if field is without else json)
        array = f"(SELECT json_group_array(l.{link.other}) FROM {inner})"  # noqa: S608 - as above
        sqlite.append("NULL" if field is without else array)
    rest = f"FROM {kept_in(kind).name} t WHERE {condition}"
    return Statement(
        f"{kind.model}.{name}",
        f"SELECT {', '.join(postgres)} {rest}",
        sqlite=f"SELECT {', '.join(sqlite)} {rest}",
    )


def add(kind: Kind[Any], field: Field, key: object, others: Iterable[object]) -> Write:
    """The write that links the record ``key`` with ``others``; what is linked already stays so."""
    return Write(_adding(kind, field), (cast("Value", key), cast("Value", sorted(others, key=str))))


def drop(field: Field, key: object, others: Iterable[object]) -> Write:
    """The write that parts the record ``key`` from ``others``."""
    return Write(_dropping(field), (cast("Value", key), cast("Value", sorted(others, key=str))))


@lru_cache(maxsize=64)
def _adding(kind: Kind[Any], field: Field) -> Statement:
    link, own, other = _link_of(field), sql_type(kind.fields[kind.pk]), sql_type(field)
    into = f"INSERT INTO {link.table} ({link.own}, {link.other})"
    return Statement(
        f"{link.table}.add",
        f"{into} SELECT $1::{own}, o FROM unnest($2::{other}[]) AS o ON CONFLICT DO NOTHING",  # noqa: S608 - declared names
        sqlite=f"{into} SELECT $1, value FROM json_each($2) WHERE true ON CONFLICT DO NOTHING",  # noqa: S608 - as above
    )


@lru_cache(maxsize=64)
def _dropping(field: Field) -> Statement:
    link = _link_of(field)
    return Statement(
        f"{link.table}.drop",
        f"DELETE FROM {link.table} WHERE {link.own} = $1 AND {link.other} = ANY($2::{sql_type(field)}[])",  # noqa: S608 - declared names
    )


def _link_of(field: Field) -> Link:
    if field.link is None:
        raise LookupError(f"{field.name} is in no table of pairs")
    return field.link
