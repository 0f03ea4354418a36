"""Every kind that ``app.py`` lists, through the API on both engines: its verbs, who may use them, and what they refuse.

Nothing here names a kind: bodies come from the declarations (``bodies.py``), so a new kind is covered by being listed.
"""

from typing import Any

import msgspec
import pytest

from keystead import app
from keystead.kinds.kind import Verb
from keystead.store import Unit
from tests.family.bodies import Maker, wrong
from tests.family.every import WRITES, AnyKind, asked, complains, every, path_of


async def existing(maker: Maker, kind: AnyKind) -> Any:  # noqa: ANN401 - objects of every kind
    """A new object as it is kept, past what the API shows of it."""
    return await maker.kept(kind, await maker.make(kind))


async def events(maker: Maker, kind: AnyKind, pk: object, action: str) -> list[dict[str, Any]]:
    answered = await maker.house.admin.get(
        "/api/v3/events/events/",
        query={
            "action": action,
            "context_model_pk": str(pk),
            "context_model_app": kind.app,
            "context_model_name": kind.name,
        },
    )
    assert answered.status == 200, answered.text
    found: list[dict[str, Any]] = answered.json["results"]
    return found


@every()
async def test_the_verbs_do_what_they_say_and_each_change_has_its_event(maker: Maker, kind: AnyKind) -> None:
    admin = maker.house.admin
    if Verb.CREATE in kind.verbs:
        body = await maker.body(kind)
        made = await admin.post(path_of(kind), body)
        assert made.status == 201, made.text
        shown = made.json
        pk = shown[kind.pk]
        (told,) = await events(maker, kind, pk, "model_created")
        assert list(told["context"])[:1] == ["model"]
        assert list(told["context"]["model"]) == ["pk", "app", "name", "model_name"]
        assert told["context"]["http_request"]["method"] == "POST"
        assert told["user"]["username"] == "akadmin"
        for name in kind.readable:
            assert name in shown, f"{name} is not shown"
    else:
        pk = await maker.make(kind)
        shown = msgspec.to_builtins({name: getattr(await maker.kept(kind, pk), name) for name in (kind.key, kind.pk)})

    one = await admin.get(path_of(kind, shown))
    assert one.status == 200, one.text
    assert one.json[kind.pk] == pk
    if Verb.CREATE in kind.verbs:
        assert one.json == shown

    listed = await admin.get(path_of(kind), query={"page_size": "100", "ordering": f"-{kind.pk}"})
    assert listed.status == 200, listed.text
    assert set(listed.json) == {"pagination", "results", "autocomplete"}
    assert listed.json["pagination"]["count"] >= 1
    assert one.json in listed.json["results"] or listed.json["pagination"]["total_pages"] > 1

    if Verb.USED_BY in kind.verbs:
        used = await admin.get(path_of(kind, shown, "used_by/"))
        assert used.status == 200
        assert all(set(item) == {"app", "model_name", "pk", "name", "action"} for item in used.json)

    if Verb.PARTIAL_UPDATE in kind.verbs:
        again = await maker.body(kind)
        changed = await admin.patch(path_of(kind, shown), again)
        assert changed.status == 200, changed.text
        shown = changed.json
        (told,) = await events(maker, kind, pk, "model_updated")
        assert told["context"]["diff"], "the event does not tell what changed"
    if Verb.UPDATE in kind.verbs:
        body = await maker.body(kind, full=False)
        put = await admin.put(path_of(kind, shown), body)
        assert put.status == 200, put.text
        shown = put.json
        assert len(await events(maker, kind, pk, "model_updated")) == 2

    if Verb.DESTROY in kind.verbs:
        gone = await admin.delete(path_of(kind, shown))
        assert (gone.status, gone.body) == (204, b"")
        assert (await admin.get(path_of(kind, shown))).status == 404
        assert (await admin.delete(path_of(kind, shown))).status == 404
        assert len(await events(maker, kind, pk, "model_deleted")) == 1
        assert await maker.kept(kind, pk) is None


@every()
async def test_who_is_nobody_gets_403_for_every_verb(maker: Maker, kind: AnyKind) -> None:
    obj = await existing(maker, kind)
    for verb in kind.verbs:
        answered = await asked(maker.house.nobody, kind, verb, obj, {})
        assert answered.status == 403, verb
        assert answered.json["detail"]
    assert await maker.kept(kind, getattr(obj, kind.pk)) == obj


@every()
async def test_who_may_not_see_an_object_cannot_tell_it_from_one_that_is_not_there(maker: Maker, kind: AnyKind) -> None:
    obj = await existing(maker, kind)
    missing = await existing(maker, kind)
    await maker.house.admin.delete(path_of(kind, missing))
    plain = maker.house.user
    body = await maker.body(kind) if Verb.CREATE in kind.verbs else {}
    for verb in kind.verbs - {Verb.LIST, Verb.CREATE}:
        answered = await asked(plain, kind, verb, obj, body)
        assert answered.status == 404, verb
        if Verb.DESTROY in kind.verbs:
            assert (await asked(plain, kind, verb, missing, body)).body == answered.body
    listed = await asked(plain, kind, Verb.LIST, obj)
    if kind.table and kind.table.owner:
        assert listed.status == 200
        assert getattr(obj, kind.pk) not in [one[kind.pk] for one in listed.json["results"]]
    else:
        assert listed.status == (200 if kind.model in app.NARROWED else 403)
    if Verb.CREATE in kind.verbs and not (kind.table and kind.table.self_made):
        assert (await asked(plain, kind, Verb.CREATE, obj, body)).status == 403
    assert await maker.kept(kind, getattr(obj, kind.pk)) == obj


@every()
async def test_who_may_only_see_may_change_nothing(maker: Maker, kind: AnyKind) -> None:
    viewer = await maker.house.client_with(kind.permission("view"))
    obj = await existing(maker, kind)
    body = await maker.body(kind) if Verb.CREATE in kind.verbs else {}
    for verb in kind.verbs - WRITES:
        assert (await asked(viewer, kind, verb, obj)).status == 200, verb
    forbidden = kind.verbs & WRITES - ({Verb.CREATE} if kind.table and kind.table.self_made else set())
    for verb in forbidden:
        assert (await asked(viewer, kind, verb, obj, body)).status == 403, verb
    assert await maker.kept(kind, getattr(obj, kind.pk)) == obj


@every()
async def test_every_write_and_its_event_land_in_one_unit(
    maker: Maker, kind: AnyKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    units: list[list[str]] = []
    store = maker.house.state.store
    commit = store.commit

    async def recorded(unit: Unit) -> None:
        await commit(unit)
        units.append([write.statement.name for write in unit.writes])

    body = await maker.body(kind) if Verb.CREATE in kind.verbs else {}
    again = await maker.body(kind) if kind.verbs & {Verb.CREATE, Verb.PARTIAL_UPDATE} else {}
    obj = await existing(maker, kind)
    shown: object = obj
    for verb in (Verb.CREATE, Verb.PARTIAL_UPDATE, Verb.DESTROY):
        if verb not in kind.verbs:
            continue
        monkeypatch.setattr(store, "commit", recorded)
        units.clear()
        answered = await asked(maker.house.admin, kind, verb, shown, body if verb is Verb.CREATE else again)
        monkeypatch.undo()
        assert answered.status in {200, 201, 204}, answered.text
        changing = [names for names in units if not {"ids.open", "ids.take"} & set(names)]
        assert len(changing) == 1, f"{verb} took several commits: {units}"
        assert "event.insert" in changing[0]
        shown = answered.json if verb is not Verb.DESTROY else shown


@every(Verb.CREATE)
async def test_unknown_and_read_only_members_are_ignored(maker: Maker, kind: AnyKind) -> None:
    admin = maker.house.admin
    other = await existing(maker, kind)
    closed = {
        name: msgspec.to_builtins(getattr(other, name), enc_hook=str)
        for name, field in kind.fields.items()
        if not field.writable or name == kind.pk
    }
    extra = closed | {"no_such_member": {"a": [1]}, "is_staff": True, "component": "x", "verbose_name": "x"}
    made = await admin.post(path_of(kind), await maker.body(kind) | extra)
    assert made.status == 201, made.text
    obj = await maker.kept(kind, made.json[kind.pk])
    assert getattr(obj, kind.pk) != getattr(other, kind.pk)
    if Verb.PARTIAL_UPDATE in kind.verbs:
        for send in (admin.patch, admin.put):
            body = extra if send == admin.patch else await maker.body(kind, full=False) | extra
            answered = await send(path_of(kind, made.json), body)
            assert answered.status == 200, answered.text
            after = await maker.kept(kind, made.json[kind.pk])
            moving = {"last_updated", "credentials_text"}  # the time, and where ``credentials`` are kept
            for name in closed.keys() - moving:
                assert getattr(after, name) == getattr(obj, name), name
            made = answered
    assert await maker.kept(kind, getattr(other, kind.pk)) == other


@every(Verb.CREATE)
async def test_a_required_member_that_is_missing_is_named(maker: Maker, kind: AnyKind) -> None:
    admin = maker.house.admin
    required = [field.name for field in kind.fields.values() if field.required and field.writable]
    nothing = await admin.post(path_of(kind), {})
    assert nothing.status == (400 if required else 201), nothing.text
    assert all(name in nothing.json for name in required)
    made = (await admin.post(path_of(kind), await maker.body(kind))).json
    whole = await maker.body(kind, full=False)
    for name in required:
        rest = {other: value for other, value in whole.items() if other != name}
        assert complains(await admin.post(path_of(kind), rest), name), name
        if Verb.UPDATE in kind.verbs:
            assert complains(await admin.put(path_of(kind, made), rest), name), name
    if Verb.PARTIAL_UPDATE in kind.verbs:
        assert (await admin.patch(path_of(kind, made), {})).status == 200


@every(Verb.CREATE)
async def test_a_value_of_the_wrong_type_is_a_complaint_about_its_member(maker: Maker, kind: AnyKind) -> None:
    admin = maker.house.admin
    body = await maker.body(kind)
    pk = await maker.make(kind)
    before = await maker.kept(kind, pk)
    for field in kind.fields.values():
        for value in wrong(field) if field.writable else ():
            answered = await admin.post(path_of(kind), body | {field.name: value})
            assert complains(answered, field.name), (field.name, value, answered.status, answered.text)
            if Verb.PARTIAL_UPDATE in kind.verbs:
                answered = await admin.patch(path_of(kind, before), {field.name: value})
                assert complains(answered, field.name), (field.name, value, answered.status, answered.text)
    assert await maker.kept(kind, pk) == before


@every(Verb.CREATE)
async def test_what_must_be_unique_is_refused_a_second_time(maker: Maker, kind: AnyKind) -> None:
    admin = maker.house.admin
    first = await maker.body(kind)
    assert (await admin.post(path_of(kind), first)).status == 201
    second = (await admin.post(path_of(kind), await maker.body(kind))).json
    for name in kind.unique:
        if not kind.fields[name].writable:
            continue
        answered = await admin.post(path_of(kind), await maker.body(kind) | {name: first[name]})
        assert complains(answered, name), answered.text
        assert "already exists" in answered.json[name][0]
        if Verb.PARTIAL_UPDATE in kind.verbs:
            assert complains(await admin.patch(path_of(kind, second), {name: first[name]}), name)
            assert (await admin.patch(path_of(kind, second), {name: second[name]})).status == 200


@every(Verb.UPDATE)
async def test_a_put_keeps_optional_members_and_a_patch_every_other(maker: Maker, kind: AnyKind) -> None:
    if Verb.CREATE not in kind.verbs:
        return
    admin = maker.house.admin
    body = await maker.body(kind)
    if Verb.CREATE in kind.verbs:
        made = await admin.post(path_of(kind), body)
        assert made.status == 201, made.text
    else:
        made = await admin.put(path_of(kind, await existing(maker, kind)), body)
        assert made.status == 200, made.text
    before = await maker.kept(kind, made.json[kind.pk])
    required = {name: value for name, value in body.items() if kind.fields[name].required}
    answered = await admin.put(path_of(kind, made.json), required)
    assert answered.status == 200, answered.text
    after = await maker.kept(kind, made.json[kind.pk])
    for name, field in kind.fields.items():
        if field.writable:
            assert getattr(after, name) == getattr(before, name), name
    # What was read can be sent back as it is (clients edit what they have read).
    back = await admin.put(path_of(kind, made.json), answered.json | required)
    assert back.status == 200, back.text
    assert await maker.kept(kind, made.json[kind.pk]) == after
    shown = answered.json
    for name in required:
        changed = await maker.body(kind)
        answered = await admin.patch(path_of(kind, shown), {name: changed[name]})
        if answered.status == 400:
            continue  # a rule over several members; the kind's own suite tells
        shown = answered.json
        newer = await maker.kept(kind, made.json[kind.pk])
        for other, field in kind.fields.items():
            if field.writable and other != name:
                assert getattr(newer, other) == getattr(after, other), (name, other)
        after = newer


@every()
async def test_a_key_that_is_none_is_not_found(maker: Maker, kind: AnyKind) -> None:
    for key in ("no-such-thing", "0", "-1", "99999999999999999999", "1" * 5000, "%00", "%ff", "..", "a b", "'", "null"):
        for verb in kind.verbs - {Verb.LIST, Verb.CREATE}:
            answered = await asked(maker.house.admin, kind, verb, {kind.key: key}, {})
            assert answered.status == 404, (key, verb, answered.text)
