"""The snapshot's indexes, whatever is changed in whatever order, against a naive model of dictionaries."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.kinds.kind import Kind
from keystead.kinds.snapshot import Referrer, Snapshot, in_order
from tests.kinds.toys import BOX, CRATE, SAMPLE, SETTINGS, SHELF, Box, Colour, Crate, Shelf

KEYS = tuple(f"00000000-0000-4000-8000-00000000000{n}" for n in range(6))
KEY = st.sampled_from(KEYS)
NAME = st.sampled_from("abcdef")
MAYBE = st.none() | KEY
NUMBER = st.none() | st.integers(1, 3)
BOXES = st.builds(Box, pk=KEY, name=NAME, size=st.integers(0, 3))
CRATES = st.builds(Crate, pk=KEY, name=NAME, inside=MAYBE)
SHELVES = st.builds(
    Shelf,
    pk=KEY,
    name=NAME,
    main=MAYBE,
    spare=MAYBE,
    usual=MAYBE,
    past=MAYBE,
    row=st.lists(KEY, max_size=3).map(tuple),
    below=MAYBE,
    keeper=NUMBER,
    colour=st.none() | st.sampled_from(Colour),
    order=NUMBER,
)
CHANGE = (
    st.tuples(st.just(BOX), BOXES)
    | st.tuples(st.just(CRATE), CRATES)
    | st.tuples(st.just(SHELF), SHELVES)
    | st.tuples(st.sampled_from(SETTINGS), KEY)
)
Model = dict[str, dict[object, Any]]


def applied(model: Model, changes: list[tuple[Kind[Any], Any]]) -> tuple[Model, list[tuple[Kind[Any], object, Any]]]:
    """The naive model after the changes, and the changes as the snapshot takes them."""
    model = {name: dict(objects) for name, objects in model.items()}
    taken: list[tuple[Kind[Any], object, Any]] = []
    for kind, what in changes:
        if isinstance(what, str):
            model[kind.model].pop(what, None)
            taken.append((kind, what, None))
        else:
            model[kind.model][what.pk] = what
            taken.append((kind, what.pk, what))
    return model, taken


def compare(snapshot: Snapshot, model: Model) -> None:
    families = {"boxes": (BOX, CRATE), "bindable": (SHELF,), **{kind.model: (kind,) for kind in SETTINGS}}
    for kind in SETTINGS:
        objects = model[kind.model]
        assert sorted(one.pk for one in snapshot.all(kind)) == sorted(map(str, objects))
        assert list(snapshot.all(kind)) == sorted(objects.values(), key=lambda one: (one.name, one.pk))
        for key in KEYS:
            assert snapshot.get(kind, key) is objects.get(key)
        names = {one.name for one in objects.values()}
        for name in "abcdef":
            found = snapshot.by(kind, "name", name)
            assert (found is not None) == (name in names)
            assert found is None or (found.name == name and found is objects[found.pk])
    for family, kinds in families.items():
        assert set(snapshot.kinds(family)) == set(kinds)
        everything = [(kind, one) for kind in kinds for one in model[kind.model].values()]
        assert sorted(map(repr, snapshot.members(family))) == sorted(map(repr, everything))
        for key in KEYS:
            found_pair = snapshot.find(family, key)
            there = [(kind, model[kind.model][key]) for kind in kinds if key in model[kind.model]]
            assert (found_pair in there) if there else found_pair is None
    for target in (*SETTINGS, SAMPLE):
        for any_key in (*KEYS, 1, 2, 3):
            assert snapshot.referrers(target, any_key) == referrers(model, target, any_key)


def referrers(model: Model, target: Kind[Any], key: object) -> frozenset[Referrer]:
    names = {target.model, target.family, "bindable" if target.bindable else ""} - {""}
    return frozenset(
        Referrer(kind, one.pk, field.name)
        for kind in SETTINGS
        for one in model[kind.model].values()
        for field in kind.references
        if field.ref and field.ref.target in names
        for value in (getattr(one, field.name) if field.many else (getattr(one, field.name),))
        if value == key
    )


@given(st.lists(st.tuples(st.lists(CHANGE, max_size=5), st.booleans()), max_size=8))
def test_every_index_agrees_with_a_naive_model_after_any_changes(
    steps: list[tuple[list[tuple[Kind[Any], Any]], bool]],
) -> None:
    snapshot = Snapshot({kind.model: kind for kind in SETTINGS})
    model: Model = {kind.model: {} for kind in SETTINGS}
    past: list[tuple[Snapshot, Model]] = []
    for number, (changes, look) in enumerate(steps, 1):
        past.append((snapshot, model))
        model, taken = applied(model, changes)
        snapshot = snapshot.changed(number, taken)
        assert snapshot.seq == number
        if look:  # sometimes indexes are built in between, sometimes the next change comes first
            compare(snapshot, model)
    compare(snapshot, model)
    for old, then in past:
        compare(old, then)  # what somebody still holds has not moved


def test_what_is_remembered_is_built_once_and_forgotten_with_the_snapshot() -> None:
    snapshot = Snapshot({kind.model: kind for kind in SETTINGS})
    built: list[int] = []

    def build() -> int:
        built.append(1)
        return 7

    assert [snapshot.memo("seven", build) for _ in range(3)] == [7, 7, 7]
    assert snapshot.changed(1, []).memo("seven", build) == 7
    assert len(built) == 2


@pytest.mark.parametrize(
    ("order", "names"),
    [
        (("name",), "abcd"),
        (("-name",), "dcba"),
        (("order", "name"), "cabd"),
        (("-order", "name"), "bdac"),
        (("-order", "-name"), "dbac"),
        (("no_such_member", "name"), "abcd"),
        ((), "dcba"),
    ],
)
def test_orders_turn_round_put_nulls_last_and_break_ties_by_key(order: tuple[str, ...], names: str) -> None:
    shelves = [
        Shelf(pk=KEYS[3], name="a", order=10),
        Shelf(pk=KEYS[2], name="b", order=None),
        Shelf(pk=KEYS[1], name="c", order=9),
        Shelf(pk=KEYS[0], name="d", order=None),
    ]
    assert "".join(one.name for one in in_order(shelves, order)) == names
