"""Lists of every kind: filters, order, search and pages answer or complain about a parameter, and never break."""

import enum
from datetime import datetime

import pytest

from keystead.base import rand
from keystead.kinds.field import fields, scalar
from keystead.kinds.kind import Filter, Verb
from keystead.kinds.marks import UUID_FORMAT
from tests.family.bodies import Maker
from tests.family.every import AnyKind, every, path_of

STRANGE = (
    "",
    " ",
    "null",
    "-1",
    "0",
    "9" * 40,
    "1e999",
    "NaN",
    "%00",
    "'",
    '"',
    "\\",
    "a%",
    "_",
    "{}",
    "[]",
    "true",
    "ÄÖ",
)


def parameters(kind: AnyKind) -> dict[str, tuple[object, bool]]:
    """Parameter -> the type of one value, and whether its values are keys; but for those that filter nothing."""
    found: dict[str, tuple[object, bool]] = {}
    for item in kind.filters:
        if isinstance(item, Filter):
            if not (item.test or item.sql or item.keys):
                continue
            core, formats = scalar(item.type)
            found[item.name] = (core, UUID_FORMAT in formats)
        else:
            field = kind.fields[item]
            found[item] = (field.core, UUID_FORMAT in field.formats)
    return found


def plausible(core: object, *, uuid: bool) -> str:
    if uuid:
        return rand.uuid4()
    if isinstance(core, type) and issubclass(core, enum.Enum):
        return str(next(iter(core)).value)
    return {bool: "true", int: "1", float: "1", datetime: "2026-09-01T12:00:00Z"}.get(core, "text")  # type: ignore[call-overload, no-any-return]  # any type may be asked for


@every(Verb.LIST)
async def test_every_filter_answers(maker: Maker, kind: AnyKind) -> None:
    admin = maker.house.admin
    await maker.make(kind)
    for name, (core, uuid) in parameters(kind).items():
        value = plausible(core, uuid=uuid)
        for query in (
            [(name, value)],
            [(name, value), (name, value)],
            [(name, value), (name, plausible(core, uuid=uuid))],
        ):
            answered = await admin.get(path_of(kind), query=query)
            assert answered.status == 200, (query, answered.text)


@every(Verb.LIST)
async def test_a_value_that_is_none_is_a_complaint_about_its_parameter(maker: Maker, kind: AnyKind) -> None:
    for name, (core, uuid) in parameters(kind).items():
        bad = {bool: "perhaps", int: "many", datetime: "yesterday"}.get(core)  # type: ignore[call-overload]  # any type may be asked for
        if uuid:
            bad = "no-key"
        elif isinstance(core, type) and issubclass(core, enum.Enum):
            bad = "no such choice"
        if bad is None:
            continue
        answered = await maker.house.admin.get(path_of(kind), query={name: bad})
        assert answered.status == 400, (name, answered.text)
        assert name in answered.json


@every(Verb.LIST)
async def test_nothing_that_is_asked_breaks_a_list(maker: Maker, kind: AnyKind) -> None:
    names = [*parameters(kind), "ordering", "search", "page", "page_size", "attributes", "no_such_parameter"]
    for name in names:
        for value in STRANGE:
            answered = await maker.house.admin.get(f"{path_of(kind)}?{name}={value.replace('%', '%25')}&&")
            assert answered.status in {200, 400, 404}, (name, value, answered.text)
            if name == "no_such_parameter":
                assert answered.status == 200


@every(Verb.LIST)
async def test_every_member_can_be_ordered_by_both_ways(maker: Maker, kind: AnyKind) -> None:
    admin = maker.house.admin
    for _ in range(3):
        await maker.make(kind)
    whole = {one[kind.pk] for one in (await admin.get(path_of(kind), query={"page_size": "100"})).json["results"]}
    for name in [*kind.readable, "no_such_member", *(fields(kind.shown) if kind.shown else ())]:
        for order in (name, f"-{name}", f"{name},-{kind.pk}", f"-{name},{name}"):
            answered = await admin.get(path_of(kind), query={"ordering": order, "page_size": "100"})
            assert answered.status == 200, (order, answered.text)
            if len(whole) < 100:
                assert {one[kind.pk] for one in answered.json["results"]} == whole, order


@every(Verb.LIST)
async def test_pages_cover_a_list_without_gap_or_repetition(maker: Maker, kind: AnyKind) -> None:
    admin = maker.house.admin
    for _ in range(3):
        await maker.make(kind)
    seen: list[object] = []
    number, numbers = 1, {"count": 0, "total_pages": 0}
    while number:
        page = (await admin.get(path_of(kind), query={"page": str(number), "page_size": "7", "ordering": kind.pk})).json
        numbers = page["pagination"]
        assert numbers["current"] == number
        assert numbers["previous"] == number - 1
        assert numbers["start_index"] == len(seen) + 1
        seen += [one[kind.pk] for one in page["results"]]
        assert numbers["end_index"] == len(seen)
        number = numbers["next"]
    assert len(set(seen)) == len(seen) == numbers["count"]
    assert numbers["total_pages"] == -(-len(seen) // 7)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("page_size=0", 200),
        ("page_size=-1", 200),
        ("page_size=1000000000", 200),
        ("page_size=99999999999999999999999999", 200),
        ("page_size=ten", 200),
        ("page=0", 404),
        ("page=-1", 404),
        ("page=99999", 404),
        ("page=99999999999999999999999999", 404),
        ("page=two", 404),
    ],
)
@every(Verb.LIST)
async def test_a_page_has_at_most_a_hundred_objects(maker: Maker, kind: AnyKind, query: str, status: int) -> None:
    answered = await maker.house.admin.get(f"{path_of(kind)}?{query}")
    assert answered.status == status
    if status == 404:
        assert answered.json["detail"] == "Invalid page."
    else:
        assert len(answered.json["results"]) <= 100
