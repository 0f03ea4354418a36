"""References of every kind: they lead to what exists, ``used_by`` tells them, and their end is what they declare."""

from typing import Any

import pytest

from keystead import app
from keystead.base import rand
from keystead.kinds.field import Field
from keystead.kinds.kind import Kind, Verb
from keystead.kinds.marks import OnDelete
from tests.family.bodies import Maker
from tests.family.every import AnyKind, complains, every, makeable, path_of


def provided(target: str) -> list[Kind[Any]]:
    fitting = [
        kind for kind in app.KINDS if target in {kind.model, kind.family} or (target == "bindable" and kind.bindable)
    ]
    return [kind for kind in fitting if makeable(kind)]


REFERENCES = [
    (kind, field, target)
    for kind in app.KINDS
    if makeable(kind)
    for field in kind.references
    if kind.model not in app.OPENED and (field.writable or Verb.CREATE not in kind.verbs)
    for target in (provided(field.ref.target) if field.ref else ())
]
references = pytest.mark.parametrize(
    ("kind", "field", "target"),
    REFERENCES,
    ids=[f"{kind.name}.{field.name}-{target.name}" for kind, field, target in REFERENCES],
)


def unknown(field: Field) -> object:
    return 987654321 if field.core is int else rand.uuid4()


async def holder_of(maker: Maker, kind: AnyKind, field: Field, pk: object) -> Any:  # noqa: ANN401 - objects of every kind
    """A new object whose ``field`` leads to ``pk``; None where a rule does not have it (that is another suite's)."""
    value = [pk] if field.many else pk
    if Verb.CREATE not in kind.verbs or not field.writable:
        obj = await maker.unwritten(kind, **{field.name: value})
        await maker.house.put(obj)
        return await maker.kept(kind, getattr(obj, kind.pk))
    body = await maker.body(kind, full=False)
    if field.name in {"policy", "group", "user"} <= kind.fields.keys():
        body |= {"policy": None, "group": None, "user": None}  # it holds exactly one of the three
    answered = await maker.house.admin.post(path_of(kind), body | {field.name: value})
    if answered.status == 400:
        return None
    assert answered.status == 201, answered.text
    return await maker.kept(kind, answered.json[kind.pk])


@pytest.mark.parametrize("kind", app.KINDS, ids=[kind.model for kind in app.KINDS])
def test_a_reference_can_do_what_it_declares(kind: AnyKind) -> None:
    for field in kind.references:
        assert field.ref is not None
        if field.ref.on_delete is OnDelete.SET_NULL:
            assert field.nullable, f"{field.name} is to become null and cannot"
        if field.ref.on_delete is OnDelete.SET_DEFAULT:
            assert not field.required, f"{field.name} has no default to go back to"
        if field.many:
            assert field.ref.on_delete in {OnDelete.CASCADE_MANY, OnDelete.LEFT_DANGLING}, field.name
            assert kind.table is None or field.link, f"{field.name}: a record's list of references is a table of pairs"
        else:
            assert field.ref.on_delete is not OnDelete.CASCADE_MANY, field.name


@every(Verb.CREATE)
async def test_a_reference_to_nothing_is_a_complaint_about_its_member(maker: Maker, kind: AnyKind) -> None:
    body = await maker.body(kind)
    pk = await maker.make(kind)
    before = await maker.kept(kind, pk)
    for field in (one for one in kind.references if one.writable):
        for value in (unknown(field), *(() if field.core is int else ("no-key", ""))):
            given = [value] if field.many else value
            answered = await maker.house.admin.post(path_of(kind), body | {field.name: given})
            assert complains(answered, field.name), (field.name, answered.text)
            if Verb.PARTIAL_UPDATE in kind.verbs:
                answered = await maker.house.admin.patch(path_of(kind, before), {field.name: given})
                assert complains(answered, field.name), (field.name, answered.text)
    assert await maker.kept(kind, pk) == before


@references
async def test_the_end_of_a_target_does_what_the_reference_says(
    maker: Maker, kind: AnyKind, field: Field, target: AnyKind
) -> None:
    assert field.ref is not None
    if Verb.DESTROY not in target.verbs:
        return
    pk = await maker.make(target)
    kept = await maker.kept(target, pk)
    holder = await holder_of(maker, kind, field, pk)
    if holder is None or Verb.DESTROY not in target.verbs:
        return
    key = getattr(holder, kind.pk)

    if Verb.USED_BY in target.verbs:
        used = await maker.house.admin.get(path_of(target, kept, "used_by/"))
        action = OnDelete.CASCADE_MANY if field.many else field.ref.on_delete
        found = [one for one in used.json if one["model_name"] == kind.name and one["pk"] == str(key)]
        assert {one["action"] for one in found} == {action.value}
        assert all(one["app"] == kind.app and one["name"] for one in found)

    if Verb.DESTROY not in target.verbs:
        return
    gone = await maker.house.admin.delete(path_of(target, kept))
    assert gone.status == 204, gone.text
    left = await maker.kept(kind, key)
    on_delete = field.ref.on_delete
    if field.many:
        assert pk not in getattr(left, field.name)
    elif on_delete is OnDelete.SET_NULL:
        assert getattr(left, field.name) is None
    elif on_delete is OnDelete.SET_DEFAULT:
        assert getattr(left, field.name) == field.fresh()
    elif on_delete is OnDelete.LEFT_DANGLING:
        assert left == holder
    else:
        assert left is None
    # The other process, which knows of it by the log of changes only, sees the same.
    assert (await maker.elsewhere()) == maker.house.state.settings.seq


@references
async def test_used_by_tells_only_what_the_caller_may_see(
    maker: Maker, kind: AnyKind, field: Field, target: AnyKind
) -> None:
    if Verb.USED_BY not in target.verbs:
        return
    pk = await maker.make(target)
    kept = await maker.kept(target, pk)
    holder = await holder_of(maker, kind, field, pk)
    if holder is None or kind is target:
        return
    viewer = await maker.house.client_with(target.permission("view"))
    used = await viewer.get(path_of(target, kept, "used_by/"))
    assert used.status == 200
    assert [one for one in used.json if one["model_name"] == kind.name] == []
