"""Lists: filters, order, search and pages (rest.md §3), over settings in memory and over records by composed SQL.

SQL is put together from declared names and constant fragments only; every value is a parameter.
"""

import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar, cast

import msgspec

from keystead.base.clock import micros
from keystead.base.errors import invalid, not_found
from keystead.kinds import records
from keystead.kinds.call import Call
from keystead.kinds.field import Field, plain
from keystead.kinds.kind import Filter, Kind
from keystead.kinds.marks import Format
from keystead.kinds.snapshot import in_order
from keystead.kinds.state import State
from keystead.store import Statement, Value
from keystead.store.sql import dynamic

T = TypeVar("T", bound=msgspec.Struct)
Query = Mapping[str, Sequence[str]]
DEFAULT_SIZE: Final = 20
MAX_SIZE: Final = 100
_TRUE: Final = frozenset({"true", "1", "yes", "on", "t", "y"})
_FALSE: Final = frozenset({"false", "0", "no", "off", "f", "n"})
_COUNTED: Final = Statement("rows.counted", "SELECT coalesce(sum(n), 0) FROM row_counts WHERE name = $1")


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list.

    :param number: from 1.
    :param size: objects a page, at most.
    """

    number: int
    size: int


def page(query: Query, *, default: int = DEFAULT_SIZE, most: int = MAX_SIZE) -> Page:
    """The page that ``query`` asks for; a size above ``most`` is capped silently (rest.md §3).

    :raises Problem: ``NOT_FOUND`` for a page number that is none.
    """
    text = _last(query, "page") or "1"
    if not text.isascii() or not text.isdigit() or int(text[:12]) < 1:
        raise not_found("Invalid page.")
    size = _last(query, "page_size")
    wanted = int(size[:12]) if size.isascii() and size.isdigit() and int(size[:12]) > 0 else default
    return Page(int(text[:12]), min(wanted, most))


def _last(query: Query, name: str) -> str:
    values = query.get(name)
    return values[-1] if values else ""


def pagination(asked: Page, count: int) -> dict[str, int]:
    """The ``pagination`` member; all seven numbers, ``0`` for no next or previous page.

    :raises Problem: ``NOT_FOUND`` for a page past the end.
    """
    pages = max(1, -(-count // asked.size))
    if asked.number > pages:
        raise not_found("Invalid page.")
    first = (asked.number - 1) * asked.size
    return {
        "next": asked.number + 1 if asked.number < pages else 0,
        "previous": asked.number - 1,
        "count": count,
        "current": asked.number,
        "total_pages": pages,
        "start_index": first + 1 if count else 0,
        "end_index": min(first + asked.size, count),
    }


def value_of(name: str, type_: Any, text: str) -> object:  # noqa: ANN401 - type expressions
    """One query value as ``type_``.

    :raises Problem: ``INVALID`` on the parameter.
    """
    if type_ is bool:
        if text.lower() in _TRUE:
            return True
        if text.lower() in _FALSE:
            return False
        raise invalid({name: [f"“{text}” is neither true nor false."]})
    try:
        value: object = msgspec.convert(text, type_, strict=False)
        for form in typing.get_args(type_):
            value = form.check(text) if isinstance(form, Format) else value
    except msgspec.ValidationError as exc:
        raise invalid({name: [plain(exc)]}) from None
    except ValueError as exc:
        raise invalid({name: [str(exc)]}) from None
    return value


def _asked(name: str, type_: Any, query: Query, *, many: bool) -> object | None:  # noqa: ANN401 - as above
    """The parameter's value (a tuple where it may be repeated), or None when it is absent or empty."""
    values = [text for text in query.get(name, ()) if text]
    if not values:
        return None
    if many:
        return tuple(value_of(name, type_, text) for text in values)
    return value_of(name, type_, values[-1])


def asked_for(item: Filter, query: Query) -> object | None:
    """The value a filter is asked with, or None."""
    return _asked(item.name, item.type, query, many=item.many)


def _exact(field: Field, text: str) -> object:
    for form in field.formats:
        try:
            text = form.check(text)
        except ValueError as exc:
            raise invalid({field.name: [str(exc)]}) from None
    core = field.type
    if field.boolean:
        return value_of(field.name, bool, text)
    if field.many:
        return text
    return value_of(field.name, core, text)


def settings(call: Call, kind: Kind[T], query: Query, visible: Callable[[T], bool] | None = None) -> list[T]:
    """The objects of a settings kind that ``query`` asks for, in order; not yet cut into a page."""
    found: list[T] = list(call.settings.all(kind))
    if visible:
        found = [obj for obj in found if visible(obj)]
    tests: list[Callable[[T], bool]] = []
    for item in kind.filters:
        if isinstance(item, str):
            if (test := _field_test(kind.fields[item], query)) is not None:
                tests.append(test)
        elif item.test is not None and (value := _asked(item.name, item.type, query, many=item.many)) is not None:
            tests.append(_bound(item.test, value))
    for test in tests:
        found = [obj for obj in found if test(obj)]
    if needle := _last(query, "search").strip().casefold():
        found = [
            obj for obj in found if any(needle in str(getattr(obj, name) or "").casefold() for name in kind.search)
        ]
    if ordering := _ordering(kind, query):
        found = in_order(found, ordering)
    return found


async def narrowed(call: Call, state: State, kind: Kind[Any], query: Query) -> Callable[[Any], bool] | None:
    """Whether a settings object passes the filters that only the store can answer; None when ``query`` asks none."""
    sets = [
        await item.keys(call, state, value, query)
        for item in kind.filters
        if isinstance(item, Filter) and item.keys is not None and (value := asked_for(item, query)) is not None
    ]
    pk = kind.pk
    return (lambda obj: all(getattr(obj, pk) in keys for keys in sets)) if sets else None


def _bound(test: Callable[[Any, Any], bool], value: object) -> Callable[[Any], bool]:
    return lambda obj: test(obj, value)


def _field_test(field: Field, query: Query) -> Callable[[Any], bool] | None:
    texts = [text for text in query.get(field.name, ()) if text]
    if not texts:
        return None
    values = [_exact(field, text) for text in texts]
    name = field.name
    if field.many:
        return lambda obj: any(value in getattr(obj, name) for value in values)
    return lambda obj: getattr(obj, name) in values


def _ordering(kind: Kind[Any], query: Query) -> tuple[str, ...]:
    """The requested order, unknown members ignored (rest.md §3)."""
    asked = [part.strip() for part in _last(query, "ordering").split(",") if part.strip()]
    return tuple(
        part
        for part in asked
        if part.removeprefix("-") in kind.readable and not kind.fields[part.removeprefix("-")].many
    )


async def rows(
    call: Call,
    state: State,
    kind: Kind[T],
    query: Query,
    asked: Page,
    *,
    owner: int | None = None,
) -> tuple[list[T], int]:
    """A page of a record kind's list and the count of the whole list.

    :param owner: only the records of this user.
    """
    conditions, values = conditions_of(call, state, kind, query)
    spec = kind.table
    if spec is None:
        raise LookupError(kind.model)
    if owner is not None:
        values.append(owner)
        conditions.append(f"t.{spec.owner} = ${len(values)}")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    count = await _count(state, kind, where, values, bare=not conditions)
    if asked.number > 1:
        pagination(asked, count)  # past the end: refused before the rows are read
    text = (
        f"SELECT {records.columns(kind)} FROM {spec.name} t{where} ORDER BY {_order_sql(kind, query)}"  # noqa: S608
        f" LIMIT ${len(values) + 1} OFFSET ${len(values) + 2}"
    )
    page_values = (*values, asked.size, (asked.number - 1) * asked.size)
    found = await state.store.fetch(dynamic(text), *page_values, heavy=bool(conditions) or asked.number > 1)
    return await records.from_rows(state.store, kind, found), count


async def _count(state: State, kind: Kind[Any], where: str, values: list[Value], *, bare: bool) -> int:
    spec = kind.table
    if spec is None:
        raise LookupError(kind.model)
    if bare and spec.counted:
        row = await state.store.fetch_one(_COUNTED, spec.name)
    else:
        found = await state.store.fetch(
            dynamic(f"SELECT count(*) FROM {spec.name} t{where}"),  # noqa: S608 - declared names
            *values,
            heavy=True,
        )
        row = found[0]
    return int(cast("int", row[0])) if row else 0


def _order_sql(kind: Kind[Any], query: Query) -> str:
    spec = kind.table
    asked = [part for part in _ordering(kind, query) if kind.fields[part.removeprefix("-")].link is None]
    parts = []
    for part in asked or kind.order:
        column = (
            kind.fields[part.removeprefix("-")].column
            if part.removeprefix("-") in kind.fields
            else part.removeprefix("-")
        )
        parts.append(f"t.{column} {'DESC' if part.startswith('-') else 'ASC'}")
    key = f"t.{spec.key if spec else 'id'}"
    last = parts[-1] if parts else "ASC"
    if not any(part.startswith(f"{key} ") for part in parts):
        parts.append(f"{key} {'DESC' if last.endswith('DESC') else 'ASC'}")
    return ", ".join(parts)


def conditions_of(call: Call, state: State, kind: Kind[Any], query: Query) -> tuple[list[str], list[Value]]:
    """The SQL conditions over a record kind's table ``t`` that ``query`` asks for, and their parameters."""
    conditions: list[str] = []
    values: list[Value] = []

    def add(fragment: str, value: Value) -> None:
        values.append(value)
        conditions.append(fragment.replace("{}", f"${len(values)}"))

    if kind.table and kind.table.narrow:
        add(kind.table.narrow, micros(call.at))
    for item in kind.filters:
        if isinstance(item, str):
            field = kind.fields[item]
            texts = [text for text in query.get(item, ()) if text]
            if texts:
                _add_exact(add, field, [_exact(field, text) for text in texts])
        elif item.sql and (value := _asked(item.name, item.type, query, many=item.many)) is not None:
            _add_filter(add, item, value, conditions)
    if "attributes" in kind.fields and (text := _last(query, "attributes")):
        _add_attributes(add, text)
    if needle := _last(query, "search").strip():
        _add_search(add, state, kind, needle)
    return conditions, values


def _add_exact(add: Callable[[str, Value], None], field: Field, found: list[object]) -> None:
    if field.link:
        kind = "bigint" if field.link.other == "user_id" else "text"
        fragment = (
            f"t.id IN (SELECT {field.link.own} FROM {field.link.table} WHERE {field.link.other} = ANY({{}}::{kind}[]))"  # noqa: S608
        )
        add(fragment, cast("Value", [int(str(v)) if kind == "bigint" else v for v in found]))
    elif len(found) == 1:
        add(f"t.{field.column} = {{}}", records.to_column(field, found[0]))
    else:
        add(f"t.{field.column} = ANY({{}}::text[])", cast("Value", [str(value) for value in found]))


def _add_filter(add: Callable[[str, Value], None], item: Filter, value: object, conditions: list[str]) -> None:
    """``sql`` may be two fragments parted by ``|`` for a boolean: the one for true, the one for false."""
    if item.type is bool and "{}" not in item.sql:
        yes, _, no = item.sql.partition("|")
        conditions.append(yes if value else no or f"NOT ({yes})")
        return
    if isinstance(value, datetime):
        value = micros(value)
    add(item.sql, cast("Value", list(value) if isinstance(value, tuple) else value))


def _add_attributes(add: Callable[[str, Value], None], text: str) -> None:
    """``attributes=<JSON object>``: every member must be there with that value; ``a__b`` reaches inside."""
    try:
        wanted = msgspec.json.decode(text, type=dict[str, object])
    except msgspec.MsgspecError:
        raise invalid({"attributes": ['Write a JSON object, such as {"department": "it"}.']}) from None
    for name, value in wanted.items():
        path: object = value
        for part in reversed(name.split("__")):
            path = {part: path}
        add("keystead_contains(t.attributes, {}::jsonb)", msgspec.json.encode(path).decode())


def _add_search(add: Callable[[str, Value], None], state: State, kind: Kind[Any], needle: str) -> None:
    del state
    escaped = needle.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    parts = " OR ".join(
        f"lower(t.{kind.fields[name].column if name in kind.fields else name}) LIKE {{}} ESCAPE '\\'"
        for name in kind.search
    )
    add(f"({parts})", f"%{escaped.lower()}%")
