"""Request bodies into objects: every member's complaint at once, nothing changed unless all are right."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from keystead.base.errors import FieldErrors, invalid
from keystead.kinds import records
from keystead.kinds.call import Call
from keystead.kinds.field import Field, fields, unstorable
from keystead.kinds.kind import Kind as Shape
from keystead.kinds.state import State

REQUIRED = "This member is required."


def decoded(body: Mapping[str, object], struct: type[msgspec.Struct]) -> msgspec.Struct:
    """``body`` as an action's request.

    :raises Problem: ``INVALID`` naming the member.
    """
    values, wrong = _read(fields(struct), body, partial=False)
    if wrong:
        raise invalid(wrong)
    return struct(**values)


async def taken(
    call: Call,
    state: State,
    kind: Shape[Any],
    body: dict[str, object],
    old: Any | None,  # noqa: ANN401 - objects of every kind
    *,
    partial: bool,
    pk: object,
) -> Any:  # noqa: ANN401 - as above
    """The object that ``body`` describes: a new one, or ``old`` with the members that came.

    A PUT keeps optional members that are left out; required ones must be there (rest.md §4). A key is never taken from
    the body: some kinds of the contract let clients send one.

    :raises Problem: ``INVALID`` with every member's complaint.
    """
    if kind.admits:
        if wrong := {name: [why] for name, value in body.items() if (why := unstorable(value))}:
            raise invalid(wrong)
        body = await kind.admits(call, state, body)
    values, complaints = _read(kind.fields, body, partial=partial)
    complaints.update(await _dangling(call, state, kind, values))
    complaints.update(_not_unique(call, kind, values, pk))
    if complaints:
        raise invalid(complaints)
    if old is not None:
        return msgspec.structs.replace(old, **{**values, kind.pk: pk})
    for name, field in kind.fields.items():
        if field.required and name not in values:
            values[name] = _first(field, call)
    values[kind.pk] = pk
    return kind.struct(**values)


def _read(
    members: Mapping[str, Field], body: Mapping[str, object], *, partial: bool
) -> tuple[dict[str, object], dict[str, Sequence[str] | FieldErrors]]:
    """The members that came and are right, and what is wrong with others; unknown and read-only ones are ignored."""
    values: dict[str, object] = {}
    wrong: dict[str, Sequence[str] | FieldErrors] = {}
    for field in members.values():
        if not field.writable:
            continue
        if field.name not in body:
            if field.required and not partial:
                wrong[field.name] = [REQUIRED]
            continue
        try:
            values[field.name] = _taken(field, body[field.name])
        except ValueError as exc:
            wrong[field.name] = [str(exc)]
    return values, wrong


def _taken(field: Field, value: object) -> object:
    if value is None and not field.nullable:
        raise ValueError("May not be null.")
    return field.take(value)


def _first(field: Field, call: Call) -> object:
    """The first value of a member that requests cannot set; the kind's rules complete it."""
    if field.nullable:
        return None
    if field.temporal:
        return call.at
    return () if field.many else field.core()


async def _dangling(
    call: Call, state: State, kind: Shape[Any], values: Mapping[str, object]
) -> dict[str, Sequence[str]]:
    """Members that refer to what does not exist."""
    wrong: dict[str, Sequence[str]] = {}
    for field in kind.references:
        value = values.get(field.name)
        if field.ref is None or value in (None, "", ()):  # 0 is a key like others, and nobody has it
            continue
        wanted = list(value) if isinstance(value, tuple) else [value]
        target = state.kinds.get(field.ref.target)
        if target is not None and target.table is not None:
            found = await records.existing(state.store, target, wanted)
            missing = [one for one in wanted if one not in found]
        else:
            missing = [one for one in wanted if call.settings.find(field.ref.target, one) is None]
        if missing:
            wrong[field.name] = [f'Invalid pk "{missing[0]}" - object does not exist.']
    return wrong


def _not_unique(call: Call, kind: Shape[Any], values: Mapping[str, object], pk: object) -> dict[str, Sequence[str]]:
    """Members whose value another setting of the family holds; for records the database says so at commit."""
    if kind.table is not None:
        return {}
    wrong: dict[str, Sequence[str]] = {}
    for name in kind.unique:
        if values.get(name) is None:
            continue
        for other in call.settings.kinds(kind.family or kind.model):
            if name not in other.unique:
                continue  # of the same name, and of another meaning
            found = call.settings.by(other, name, values[name])
            if found is not None and not (other is kind and getattr(found, kind.pk) == pk):
                wrong[name] = [f"{kind.title[0]} with this {name} already exists."]
    return wrong
