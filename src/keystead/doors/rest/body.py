"""Request bodies into objects: every member's complaint at once, nothing changed unless all are right."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from keystead.base.errors import FieldErrors, Problem, invalid
from keystead.kinds import records
from keystead.kinds.call import Call
from keystead.kinds.field import Field, plain
from keystead.kinds.kind import Kind as Shape
from keystead.kinds.state import State

REQUIRED = "This member is required."


def decoded(body: Mapping[str, object], struct: type[msgspec.Struct]) -> msgspec.Struct:
    """``body`` as an action's request.

    :raises Problem: ``INVALID`` naming the member.
    """
    from keystead.kinds.field import fields  # noqa: PLC0415 - here only

    wrong: dict[str, Sequence[str]] = {}
    values: dict[str, object] = {}
    for field in fields(struct).values():
        if field.name not in body:
            if field.required:
                wrong[field.name] = [REQUIRED]
            continue
        try:
            values[field.name] = field.take(body[field.name])
        except ValueError as exc:
            wrong[field.name] = [str(exc)]
    if wrong:
        raise invalid(wrong)
    return struct(**values)


async def taken(
    call: Call,
    state: State,
    kind: Shape[Any],
    body: dict[str, object],
    old: Any | None,
    *,
    partial: bool,
    pk: object,
) -> Any:  # noqa: ANN401 - as above
    """The object that ``body`` describes: a new one, or ``old`` with the members that came.

    A PUT keeps optional members that are left out; required ones must be there (rest.md §4).

    :raises Problem: ``INVALID`` with every member's complaint.
    """
    if kind.admits:
        body = await kind.admits(call, state, body)
    wrong: dict[str, Sequence[str] | FieldErrors] = {}
    values: dict[str, object] = {}
    for field in kind.fields.values():
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
    if not wrong:
        wrong.update(await _dangling(call, state, kind, values))
    if not wrong:
        wrong.update(_not_unique(call, kind, values, pk))
    if wrong:
        raise invalid(wrong)
    if old is not None:
        return msgspec.structs.replace(old, **values)
    for name, field in kind.fields.items():
        if name not in values and field.required and not field.writable:
            values[name] = pk if name == kind.pk else _computed(field, call)
    values[kind.pk] = pk
    return kind.struct(**values)


def _taken(field: Field, value: object) -> object:
    if value is None and not field.nullable:
        raise ValueError("May not be null.")
    return field.take(value)


def _computed(field: Field, call: Call) -> object:
    """The first value of a member that requests cannot set; the kind's rules complete it."""
    return call.at if field.temporal else field.type() if callable(field.type) else None


async def _dangling(
    call: Call, state: State, kind: Shape[Any], values: Mapping[str, object]
) -> dict[str, Sequence[str]]:
    """Members that refer to what does not exist."""
    wrong: dict[str, Sequence[str]] = {}
    for field in kind.references:
        if field.ref is None or values.get(field.name) is None:
            continue
        value = values[field.name]
        wanted = list(value) if isinstance(value, tuple) else [value]
        if not wanted:
            continue
        target = state.kinds.get(field.ref.target)
        if target is not None and target.table is not None:
            found = {
                getattr(obj, target.pk)
                for obj in await records.load(state.store, target, target.fields[target.pk].column, wanted)
            }
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
            if name not in other.fields:
                continue
            found = call.settings.by(other, name, values[name])
            if found is not None and not (other is kind and getattr(found, kind.pk) == pk):
                wrong[name] = [f"{kind.title[0]} with this {name} already exists."]
    return wrong


def explained(exc: msgspec.ValidationError) -> Problem:
    """A whole body's complaint."""
    return invalid({"non_field_errors": [plain(exc)]})
