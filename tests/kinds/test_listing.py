"""Lists: what the SQL composer finds on either engine is what a Python filter over the same objects finds."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem
from keystead.kinds import listing
from keystead.kinds.call import SYSTEM, Call
from keystead.kinds.listing import Page, page, pagination
from keystead.kinds.snapshot import Snapshot, in_order
from keystead.kinds.state import State
from tests.engines import ENGINES
from tests.house import BEGIN
from tests.kinds.samples import KEYS, WORD, samples
from tests.kinds.toys import SAMPLE, SETTINGS, SHELF, Colour, Sample, Shelf, keep, toy_state

Query = dict[str, list[str]]
NAMES = st.sampled_from(["a", "b", "a__b"])
ATTRIBUTES: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    NAMES,
    st.integers(0, 2) | st.sampled_from(["x", "1"]) | st.booleans() | st.dictionaries(NAMES, st.integers(0, 2)),
    max_size=2,
)
RECORDS = samples(WORD, ATTRIBUTES)
INSTANTS = [BEGIN + timedelta(days=n) for n in range(3)]


class Made(list[Sample]):
    """Records that an example shows in short."""

    def __repr__(self) -> str:
        return f"<{len(self)} records>"


@pytest.fixture(scope="module")
def made() -> Made:
    """The same two hundred records for every example and engine."""
    found: list[Sample] = []

    @given(st.lists(RECORDS, min_size=40, max_size=60))
    @settings(max_examples=6, suppress_health_check=list(HealthCheck))
    def gather(some: list[Sample]) -> None:
        found.extend(some)

    gather()
    return Made(
        msgspec.structs.replace(
            one,
            pk=number,
            code=f"code-{number % 7}-{number}",
            count=one.count if number % 3 else number % 4,
            at=INSTANTS[number % 3] if number % 4 else one.at,
        )
        for number, one in enumerate(found[:200], 1)
    )


@pytest.fixture(scope="module", params=ENGINES)
async def state(request: pytest.FixtureRequest, made: Made) -> AsyncIterator[State]:
    async with toy_state(request.param) as opened:
        await keep(opened, *made)
        yield opened


def asked(values: st.SearchStrategy[str], most: int = 3) -> st.SearchStrategy[list[str]]:
    return st.lists(values, min_size=1, max_size=most)


FILTERS: dict[str, st.SearchStrategy[list[str]]] = {
    "text": asked(WORD),
    "code": asked(st.sampled_from(["code-1-1", "code-2-2", "no such"])),
    "uuid": asked(st.sampled_from([*KEYS, KEYS[1].upper()])),
    "note": asked(WORD),
    "count": asked(st.integers(0, 3).map(str)),
    "big": asked(st.integers(0, 3).map(str)),
    "yes": asked(st.sampled_from(["true", "FALSE", "1", "off"])),
    "maybe": asked(st.sampled_from(["true", "false"])),
    "colour": asked(st.sampled_from(list(Colour)).map(str)),
    "hue": asked(st.sampled_from(list(Colour)).map(str)),
    "box": asked(st.sampled_from(KEYS)),
    "boxes": asked(st.sampled_from(KEYS)),
    "at__gt": asked(st.sampled_from([one.isoformat() for one in INSTANTS]), 2),
    "counts": asked(st.integers(0, 3).map(str)),
    "dated": asked(st.sampled_from(["true", "false"]), 1),
    "search": asked(st.sampled_from(["a", "A", "%", "_", "\\", "ä", "Ä", "Straß", "É", " x ", "ab", "é"]), 1),
    "attributes": asked(
        st.sampled_from(['{"a": 1}', '{"a__b": 1}', '{"a": {"b": 1}}', '{"b": "x"}', '{"a": true}', "{}"]), 1
    ),
    "no_such": asked(WORD),
}
QUERIES = st.dictionaries(st.sampled_from(sorted(FILTERS)), st.none(), max_size=3).flatmap(
    lambda names: st.fixed_dictionaries({name: FILTERS[name] for name in names})
)


def contained(whole: object, part: object) -> bool:
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and contained(whole[key], part[key]) for key in part)
    return type(whole) is type(part) and whole == part


def matches(one: Sample, name: str, values: Sequence[str]) -> bool:
    """What a Python filter says, written from the contract and not from the composer."""
    given_values = [value for value in values if value]
    if not given_values:
        return True
    last = given_values[-1]
    true = {"true", "1"}
    special: dict[str, Callable[[], bool]] = {
        "yes": lambda: one.yes in {value.lower() in true for value in given_values},
        "maybe": lambda: one.maybe in {value.lower() in true for value in given_values},
        "uuid": lambda: one.uuid in {value.lower() for value in given_values},
        "boxes": lambda: bool(set(one.boxes) & set(given_values)),
        "at__gt": lambda: one.at is not None and one.at > datetime.fromisoformat(last),
        "counts": lambda: str(one.count) in given_values,
        "dated": lambda: (one.at is not None) == (last in true),
        "search": lambda: any(last.strip().lower() in (text or "").lower() for text in (one.text, one.title, one.note)),
        "attributes": lambda: all(
            contained(one.attributes, nested(key.split("__"), value))
            for key, value in msgspec.json.decode(last).items()
        ),
        "no_such": lambda: True,
    }
    if name in special:
        return special[name]()
    value = getattr(one, name)
    return value is not None and str(value) in given_values


def nested(path: Sequence[str], value: object) -> object:
    return value if not path else {path[0]: nested(path[1:], value)}


async def everything(state: State, query: Query) -> tuple[list[Sample], int]:
    call = Call(SYSTEM, BEGIN, state.settings)
    return await listing.rows(call, state, SAMPLE, query, Page(1, 1000))


@given(query=QUERIES)
@settings(max_examples=150)
async def test_filters_find_what_python_finds(state: State, made: Made, query: Query) -> None:
    found, count = await everything(state, query)
    wanted = [one for one in made if all(matches(one, name, values) for name, values in query.items())]
    assert {one.pk for one in found} == {one.pk for one in wanted}
    assert count == len(found) == len(wanted)
    assert {one.pk: one for one in found} == {one.pk: one for one in wanted}


# Texts are left out: the order of letters is the database's own business.
ORDERED = ["pk", "count", "big", "yes", "maybe", "at", "ratio"]


@given(
    order=st.lists(
        st.sampled_from([*ORDERED, *(f"-{name}" for name in ORDERED), "hidden", "no_such", "words", ""]), max_size=4
    ),
    size=st.integers(1, 60),
)
@settings(max_examples=60)
async def test_pages_in_any_order_are_those_of_python(state: State, made: Made, order: list[str], size: int) -> None:
    query = {"ordering": [",".join(order)]}
    call = Call(SYSTEM, BEGIN, state.settings)
    seen: list[Sample] = []
    number = 1
    while number:
        rows, count = await listing.rows(call, state, SAMPLE, query, Page(number, size))
        seen += rows
        number = pagination(Page(number, size), count)["next"]
    first: dict[str, str] = {}
    for part in order:
        first.setdefault(part.removeprefix("-"), part)
    known = [part for name, part in first.items() if name in ORDERED]
    last = "-pk" if known and known[-1].startswith("-") else "pk"
    assert sorted(one.pk for one in seen) == [one.pk for one in made]
    if known:
        assert [one.pk for one in seen] == [one.pk for one in in_order(made, (*known, last))]


BAD = [
    ("uuid", "no-key"),
    ("count", "many"),
    ("count", "1.5"),
    ("count", "9" * 30),
    ("big", "9" * 5000),
    ("yes", "perhaps"),
    ("colour", "pink"),
    ("box", "no-key"),
    ("boxes", "x"),
    ("at__gt", "yesterday"),
    ("at__gt", "9999-12-31T23:59:59-12:00"),
    ("at__gt", "253402300799.9999999"),
    ("counts", "x"),
    ("attributes", "{"),
    ("attributes", "[]"),
    ("attributes", '{"a": "\\u0000"}'),
    ("attributes", '{"a": "\\ud800"}'),
    ("attributes", '{"a": 1, "a": 2}'),
    ("attributes", '{"' + "a__" * 2000 + '": 1}'),
    ("attributes", '{"a":' * 5000 + "1" + "}" * 5000),
]


@pytest.mark.parametrize(("name", "text"), BAD, ids=[f"{name}-{text[:20]}" for name, text in BAD])
async def test_a_bad_value_is_a_complaint_about_its_parameter(state: State, name: str, text: str) -> None:
    with pytest.raises(Problem) as found:
        await everything(state, {name: [text]})
    assert found.value.kind is Fault.INVALID
    assert list(found.value.fields or {}) == [name]


@pytest.mark.parametrize("name", sorted(FILTERS))
async def test_an_empty_parameter_is_none(state: State, name: str) -> None:
    assert (await everything(state, {name: ["", ""]}))[1] == 200


@given(
    query=st.dictionaries(st.sampled_from([*FILTERS, "ordering", "search"]), st.lists(st.text(max_size=30), max_size=3))
)
@settings(max_examples=150)
async def test_no_text_breaks_a_list(state: State, query: Query) -> None:
    assume("\x00" not in repr(query).replace("\\x00", "\x00"))  # the door refuses it before (wire/form.py)
    try:
        found, count = await everything(state, query)
    except Problem as exc:
        assert exc.kind is Fault.INVALID  # noqa: PT017 - whether it raises is up to the text
    else:
        assert len(found) == count


SHELVES = [
    Shelf(
        pk=f"00000000-0000-4000-8000-0000000000{number:02}",
        name=f"{'ÄaBb'[number % 4]}{number}",
        colour=[None, *Colour][number % 4],
        order=[None, 1, 2][number % 3],
        main=KEYS[number % 4] if number % 2 else None,
        row=KEYS[: number % 4],
    )
    for number in range(40)
]


@pytest.mark.parametrize(
    ("query", "test"),
    [
        ({}, lambda _: True),
        ({"name": ["a1"]}, lambda one: one.name == "a1"),
        ({"name": ["a1", "a5"]}, lambda one: one.name in {"a1", "a5"}),
        ({"colour": ["red", "blue"]}, lambda one: one.colour in {Colour.RED, Colour.BLUE}),
        ({"order": ["2"]}, lambda one: one.order == 2),
        ({"row": [KEYS[1]]}, lambda one: KEYS[1] in one.row),
        ({"row": [KEYS[2].upper(), KEYS[1]]}, lambda one: {KEYS[1], KEYS[2]} & set(one.row)),
        ({"main": [KEYS[3]], "colour": ["green"]}, lambda one: one.main == KEYS[3] and one.colour is Colour.GREEN),
        ({"search": ["ä"]}, lambda one: "Ä" in one.name),
        ({"search": ["B"]}, lambda one: "b" in one.name.lower()),
        ({"search": ["  "]}, lambda _: True),
        ({"no_such": ["x"], "": ["y"]}, lambda _: True),
    ],
)
def test_settings_are_filtered_in_memory_the_same_way(query: Query, test: Callable[[Shelf], object]) -> None:
    snapshot = Snapshot({kind.model: kind for kind in SETTINGS})
    call = Call(SYSTEM, BEGIN, snapshot.changed(1, [(SHELF, one.pk, one) for one in SHELVES]))
    found = listing.settings(call, SHELF, query)
    assert {one.pk for one in found} == {one.pk for one in SHELVES if test(one)}
    assert found == sorted(found, key=lambda one: one.name)
    for order in ("-name", "order,-name", "-colour", "secret,no_such"):
        turned = listing.settings(call, SHELF, {**query, "ordering": [order]})
        assert {one.pk for one in turned} == {one.pk for one in found}


def test_a_kind_without_search_fields_ignores_the_search() -> None:
    snapshot = Snapshot({kind.model: kind for kind in SETTINGS})
    call = Call(SYSTEM, BEGIN, snapshot.changed(1, [(SHELF, one.pk, one) for one in SHELVES]))
    mute = replace(SHELF, search=())
    mute_call = msgspec.structs.replace(
        call, settings=Snapshot({mute.model: mute}).changed(1, [(mute, one.pk, one) for one in SHELVES])
    )
    assert len(listing.settings(mute_call, mute, {"search": ["nothing"]})) == len(SHELVES)
    assert listing.conditions_of(call, _no_state(), replace(SAMPLE, search=()), {"search": ["x"]}) == ([], [])


def _no_state() -> Any:  # noqa: ANN401 - the parameter is not looked at
    return None


@given(number=st.integers(1, 40), size=st.integers(1, 12), count=st.integers(0, 200))
def test_the_numbers_of_a_page_fit_together(number: int, size: int, count: int) -> None:
    pages = max(1, -(-count // size))
    if number > pages:
        with pytest.raises(Problem) as found:
            pagination(Page(number, size), count)
        assert found.value.kind is Fault.NOT_FOUND
        return
    shown = pagination(Page(number, size), count)
    assert set(shown) == {"next", "previous", "count", "current", "total_pages", "start_index", "end_index"}
    assert all(type(value) is int for value in shown.values())
    assert shown["next"] == (number + 1 if number < pages else 0)
    assert shown["previous"] == number - 1
    if count:
        assert 1 <= shown["start_index"] <= shown["end_index"] <= count
        assert shown["end_index"] - shown["start_index"] < size
    else:
        assert (shown["start_index"], shown["end_index"], shown["total_pages"]) == (0, 0, 1)


@pytest.mark.parametrize(
    ("query", "asked_for"),
    [
        ({}, Page(1, 20)),
        ({"page": ["2"], "page_size": ["50"]}, Page(2, 50)),
        ({"page_size": ["0"]}, Page(1, 20)),
        ({"page_size": ["-1"]}, Page(1, 20)),
        ({"page_size": ["1000000000"]}, Page(1, 100)),
        ({"page_size": ["9" * 5000]}, Page(1, 100)),
        ({"page_size": ["٣"]}, Page(1, 20)),
        ({"page_size": ["5", "7"]}, Page(1, 7)),
        ({"page": [""]}, Page(1, 20)),
    ],
)
def test_what_page_is_asked_for(query: Query, asked_for: Page) -> None:
    assert page(query) == asked_for


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.0", "٣", " 1"])
def test_a_page_that_is_none_is_not_found(text: str) -> None:
    with pytest.raises(Problem) as found:
        page({"page": [text]})
    assert found.value.kind is Fault.NOT_FOUND
