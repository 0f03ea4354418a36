"""Finding an object by its members, as identifiers and ``!Find`` name them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from keystead.base.clock import micros
from keystead.kinds import records
from keystead.kinds.call import Call
from keystead.kinds.field import Field
from keystead.kinds.kind import Kind
from keystead.kinds.linked import kept_in
from keystead.kinds.marks import Mark
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State
from keystead.store import Value
from keystead.store.sql import dynamic

_MOST: Final = 20
"""Records that are looked at for one that the caller may see."""
_INSIDE: Final = "attributes"
"""The column that the database looks inside of."""
BASES: Final[Mapping[str, str]] = {
    "authentik_core.propertymapping": "propertymappings",
    "authentik_core.provider": "providers",
    "authentik_core.source": "sources",
    "authentik_flows.stage": "stages",
    "authentik_outposts.outpostserviceconnection": "service_connections",
    "authentik_policies.policy": "policies",
}
"""Models that stand for a whole family where something is looked for."""


def kinds_of(state: State, model: str) -> Sequence[Kind[Any]]:
    """The kinds that ``model`` stands for.

    :raises ValueError: none.
    """
    name = model.lower()
    if name in BASES:
        return state.settings.kinds(BASES[name])
    if name not in state.kinds:
        raise ValueError(f"there is no model {model[:100]!r}")
    return [state.kinds[name]]


async def matching(call: Call, state: State, kind: Kind[Any], wanted: Mapping[str, object]) -> list[Any]:
    """The objects whose members are all as ``wanted``, in a lasting order; of records the first few.

    :raises ValueError: there is no such member, or it is none that objects are looked for by.
    """
    asked = [(_field(kind, name), value) for name, value in wanted.items()]
    values: list[tuple[Field, object]] = []
    for field, value in asked:
        try:
            values.append((field, value if value is None else field.take(value)))
        except ValueError:
            return []  # no object has what no object can have
    if not values:
        return []
    if kind.table is None:
        some = _few(call.settings, kind, {field.name: value for field, value in values})
        found = [obj for obj in some if all(_same(getattr(obj, field.name), value) for field, value in values)]
        return sorted(found, key=lambda obj: str(getattr(obj, kind.pk)))
    return await _rows(call, state, kind, values)


def _few(settings: Snapshot, kind: Kind[Any], wanted: Mapping[str, object]) -> list[Any]:
    """The settings among which those with these members are; by an index, where there is one."""
    for name in (kind.pk, *kind.unique):
        if wanted.get(name) is not None:
            found = settings.get(kind, wanted[name]) if name == kind.pk else settings.by(kind, name, wanted[name])
            return [] if found is None else [found]
    return [obj for _, obj in settings.members(kind.model)]


def _field(kind: Kind[Any], name: str) -> Field:
    field = kind.fields.get(kind.pk if name == "pk" else name)
    if field is None:
        raise ValueError(f"{kind.model} has no member {name[:100]!r}")
    if (not field.readable and Mark.HIDDEN not in field.marks) or field.secret:
        raise ValueError(f"{kind.model} is not looked for by {name!r}: that is a secret")
    if Mark.HIDDEN in field.marks and name != "managed":
        raise ValueError(f"{kind.model} has no member {name[:100]!r}")
    return field


def _same(held: object, wanted: object) -> bool:
    """Whether a member is as wanted: mappings contain what is wanted, lists hold the same."""
    if isinstance(wanted, Mapping):
        return isinstance(held, Mapping) and all(
            name in held and _same(held[name], value) for name, value in wanted.items()
        )
    if isinstance(wanted, (list, tuple)):
        return isinstance(held, (list, tuple)) and list(held) == list(wanted)
    if isinstance(held, bool) or isinstance(wanted, bool):
        return held is wanted
    return held == wanted


async def _rows(call: Call, state: State, kind: Kind[Any], values: Sequence[tuple[Field, object]]) -> list[Any]:
    conditions: list[str] = []
    bound: list[Value] = []
    for field, value in values:
        if field.link or (field.json and field.column != _INSIDE):
            raise ValueError(f"{kind.model} is not looked for by {field.name!r}")
        if value is None:
            conditions.append(f"t.{field.column} IS NULL")
            continue
        bound.append(records.to_column(field, value))
        mark = f"${len(bound)}"
        inside = f"keystead_contains(t.{field.column}, {mark}::jsonb)"
        conditions.append(inside if field.column == _INSIDE else f"t.{field.column} = {mark}")
    spec = kept_in(kind)
    if spec.narrow:
        conditions.append(spec.narrow.replace("{}", f"${len(bound) + 1}"))
        if "{}" in spec.narrow:
            bound.append(micros(call.at))
    text = (
        f"SELECT {records.columns(kind)} FROM {spec.name} t WHERE {' AND '.join(conditions)}"  # noqa: S608 - declared names
        f" ORDER BY t.{spec.key} LIMIT {_MOST}"
    )
    rows = await state.store.fetch(dynamic(text), *bound, heavy=True)
    return await records.from_rows(state.store, kind, rows)
