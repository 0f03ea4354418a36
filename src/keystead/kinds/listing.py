"""Lists: filters, order, search and pages (rest.md §3), over settings in memory and over records by composed SQL."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar, cast

import msgspec

from keystead.base.errors import not_found
from keystead.kinds import asked, grants, records
from keystead.kinds.asked import Query, asked_for, last, value_of
from keystead.kinds.call import Call
from keystead.kinds.conditions import Conditions, conditions, conditions_of, keys, order
from keystead.kinds.kind import Filter, Kind
from keystead.kinds.large import Asked
from keystead.kinds.linked import kept_in
from keystead.kinds.snapshot import in_order
from keystead.kinds.state import State
from keystead.store import Statement
from keystead.store.sql import dynamic

__all__ = [
    "DEFAULT_SIZE",
    "MAX_SIZE",
    "Page",
    "Query",
    "asked_for",
    "conditions_of",
    "narrowed",
    "page",
    "pagination",
    "prepare",
    "rows",
    "settings",
    "value_of",
]

T = TypeVar("T", bound=msgspec.Struct)
DEFAULT_SIZE: Final = 20
MAX_SIZE: Final = 100
_COUNTED: Final = Statement("rows.counted", "SELECT coalesce(sum(n), 0) FROM row_counts WHERE name = $1")


class Page(msgspec.Struct, frozen=True):
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
    text = last(query, "page") or "1"
    if not text.isascii() or not text.isdigit() or int(text[:12]) < 1:
        raise not_found("Invalid page.")
    size = last(query, "page_size")
    wanted = int(size[:12]) if size.isascii() and size.isdigit() and int(size[:12]) > 0 else default
    return Page(int(text[:12]), min(wanted, most))


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


def settings(call: Call, kind: Kind[T], query: Query, visible: Callable[[T], bool] | None = None) -> list[T]:
    """The objects of a settings kind that ``query`` asks for, in order; not yet cut into a page.

    :raises Problem: ``INVALID`` on a parameter.
    """
    tests: list[Callable[[T], bool]] = [visible] if visible else []
    for item in kind.filters:
        if isinstance(item, str):
            if values := asked.exact(kind.fields[item], query):
                tests.append(_member(item, values, many=kind.fields[item].many))
        elif item.test is not None and (value := asked_for(item, query)) is not None:
            tests.append(_bound(item.test, value))
    wanted = asked.ordering(kind, query)
    found = _ordered(call, kind, wanted)
    if (needle := asked.needle(query)) and kind.search:
        texts = _texts(call, kind)
        found = [obj for obj in found if needle in texts[id(obj)]]
    for test in tests:
        found = [obj for obj in found if test(obj)]
    return in_order(found, wanted) if len(wanted) > 1 else list(found)


def _ordered(call: Call, kind: Kind[T], wanted: Sequence[str]) -> Sequence[T]:
    """Every object, by the one member that is asked for, or in the kind's own order; sorted once for each of them."""
    if len(wanted) != 1:
        return call.settings.all(kind)
    return call.settings.memo(
        ("ordered", kind.model, wanted[0]), lambda: tuple(in_order(call.settings.all(kind), wanted))
    )


def _texts(call: Call, kind: Kind[T]) -> dict[int, str]:
    """The texts each object is searched for, in lower case, by the object's ``id``; parted by NUL, which none holds."""

    def build() -> dict[int, str]:
        return {
            id(obj): "\0".join(str(getattr(obj, name) or "") for name in kind.search).lower()
            for obj in call.settings.all(kind)
        }

    return call.settings.memo(("texts", kind.model, kind.search), build)


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


def _member(name: str, values: tuple[object, ...], *, many: bool) -> Callable[[Any], bool]:
    if many:
        return lambda obj: any(value in getattr(obj, name) for value in values)
    return lambda obj: getattr(obj, name) in values


async def rows(
    call: Call,
    state: State,
    kind: Kind[T],
    query: Query,
    asked: Page,
    *,
    everything: bool = True,
) -> tuple[list[T], int]:
    """A page of a record kind's list and the count of the whole list.

    :param everything: not only the records that the caller owns or in particular may see.
    :raises Problem: ``INVALID`` on a parameter, ``NOT_FOUND`` for a page past the end.
    """
    spec = kept_in(kind)
    found = conditions(call, kind, query)
    if not everything:
        _concerning(found, call, kind)
    first = (asked.number - 1) * asked.size
    total = await _total(state, kind)
    wanted = Asked(kind, found, keys(kind, query), total, first, asked.size)
    if total >= state.large.begins and (found.terms or first > asked.size or not wanted.followed):
        page, count = await state.large.page(wanted)
        pagination(asked, count)
        places: dict[object, int] = {key: place for place, key in enumerate(page)}
        objects = await state.large.links.load(kind, page)
        return sorted(objects, key=lambda one: places[getattr(one, kind.pk)]), count
    count = total if spec.counted and not found.terms else await _count(state, kind, found)
    pagination(asked, count)  # past the end: refused before the rows are read
    text = (
        f"SELECT {records.columns(kind)} FROM {spec.name} t{found.where} ORDER BY {order(kind, query)}"  # noqa: S608 - declared names
        f" LIMIT ${len(found.values) + 1} OFFSET ${len(found.values) + 2}"
    )
    read = await state.store.fetch(
        dynamic(text), *found.values, asked.size, first, heavy=bool(found.terms) or asked.number > 1
    )
    return await state.large.links.complete(kind, read), count


async def prepare(state: State) -> None:
    """Look at every large table once, so that nobody has to wait for that."""
    for kind in state.kinds.values():
        if kind.table is not None and await _total(state, kind) >= state.large.begins:
            await state.large.prepare(kind)


def _concerning(found: Conditions, call: Call, kind: Kind[Any]) -> None:
    """Narrow a list of records to those of the caller's own and those that roles let the caller see."""
    table = kept_in(kind)
    texts: list[str] = []
    values: list[Any] = []
    if table.owner:
        texts.append(f"t.{table.owner} = {{}}")
        values.append(call.actor.pk)
    if grants.some(call, kind, "view"):
        # Asked row by row, so that a page in the order of an index ends early however many objects there are.
        texts.append(
            "EXISTS (SELECT 1 FROM object_permissions o WHERE o.permission = {} AND o.role_id = ANY({}::text[])"  # noqa: S608 - declared names
            f" AND o.object_pk = CAST(t.{table.key} AS text))"
        )
        values += [kind.permission("view"), sorted(call.actor.roles)]
    found.add(f"({' OR '.join(texts) or 'false'})", *values)


async def _total(state: State, kind: Kind[Any]) -> int:
    """The rows of a counted table; 0 for others."""
    spec = kept_in(kind)
    row = await state.store.fetch_one(_COUNTED, spec.name) if spec.counted else None
    return int(cast("int", row[0])) if row else 0


async def _count(state: State, kind: Kind[Any], found: Conditions) -> int:
    spec = kept_in(kind)
    text = f"SELECT count(*) FROM {spec.name} t{found.where}"  # noqa: S608 - declared names
    (row,) = await state.store.fetch(dynamic(text), *found.values, heavy=True)
    return int(cast("int", row[0]))
