"""A flow as a blueprint: itself, its stages, what these ask and what decides over them. No secret is in it.

Objects are named as people name them, so the file fits another installation too: what the flow only leads to (sources,
groups, other flows) is looked for there by name.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from keystead.flows.binding import FLOW_STAGE_BINDING, bindings_of
from keystead.flows.flow import FLOW, Flow
from keystead.kinds import records
from keystead.kinds.call import Call
from keystead.kinds.field import Field
from keystead.kinds.kind import Kind
from keystead.kinds.ledger import reference
from keystead.kinds.state import State
from keystead.policies.binding import POLICY_BINDING
from keystead.wire.tagged_yaml import Tag, write

_PARTS: Final = frozenset({"stages", "policies"})
"""Families whose objects go along with what refers to them."""
_PROMPT: Final = "authentik_stages_prompt.prompt"
_LAST: Final = "order"
"""The member of a binding that tells it from others between the same two objects."""


async def exported(call: Call, state: State, flow: Flow) -> str:
    """``flow`` as YAML."""
    writing = _Writing(call, state)
    await writing.add(FLOW, flow)
    bindings = bindings_of(call.settings, flow.pk)
    for binding in bindings:
        await writing.add(FLOW_STAGE_BINDING, binding)
    targets = {flow.pk, *(one.pk for one in bindings)}
    for one in sorted(call.settings.all(POLICY_BINDING), key=lambda one: (one.order, one.pk)):
        if one.target in targets:
            await writing.add(POLICY_BINDING, one)
    comment = [f"# The flow “{flow.name}” with its stages and policies, to be imported elsewhere.".replace("\n", " ")]
    if writing.left_out:
        comment += ["# Secrets are left out; set these after the import, or add them here:"]
        comment += [f"#   {line}".replace("\n", " ") for line in writing.left_out]
    metadata = {"name": f"Flow {flow.slug}", "labels": {"blueprints.goauthentik.io/instantiate": "false"}}
    return "\n".join(comment) + "\n" + write({"version": 1, "metadata": metadata, "entries": writing.entries})


class _Writing:
    """Entries in an order in which each finds those it refers to."""

    def __init__(self, call: Call, state: State) -> None:
        self.entries: list[dict[str, object]] = []
        self.left_out: list[str] = []
        self._call = call
        self._state = state
        self._ids: dict[object, str] = {}

    async def add(self, kind: Kind[Any], obj: Any) -> None:  # noqa: ANN401 - objects of every kind
        """An entry for ``obj``, after those for its parts."""
        pk = getattr(obj, kind.pk)
        if pk in self._ids:
            return
        self._ids[pk] = f"{kind.name}-{len(self._ids) + 1}"
        for field in kind.references:
            for other in _keys(getattr(obj, field.name)):
                found = self._call.settings.find(field.ref.target if field.ref else "", other)
                if found and (found[0].family in _PARTS or found[0].model == _PROMPT):
                    await self.add(*found)
        attrs: dict[str, object] = {}
        for field in kind.fields.values():
            if field.secret or not field.readable:
                if field.writable and getattr(obj, field.name):
                    self.left_out.append(f"{kind.model} “{reference(kind, obj)['name']}”: {field.name}")
            elif field.writable:
                attrs[field.name] = await self._value(field, getattr(obj, field.name))
        named = [name for name in kind.unique if attrs.get(name)][:1]
        if not named:
            named = [one.name for one in kind.references if getattr(obj, one.name) is not None]
            named += [name for name in (_LAST,) if name in attrs]
        entry: dict[str, object] = {
            "model": kind.model,
            "id": self._ids[pk],
            "identifiers": {name: attrs.pop(name) for name in named},
        }
        self.entries.append({**entry, "attrs": attrs} if attrs else entry)

    async def _value(self, field: Field, value: Any) -> object:  # noqa: ANN401 - a member's value
        if field.ref is None or not value:
            plain: object = msgspec.to_builtins(value)
            return list(plain) if isinstance(plain, tuple) else plain
        found = [await self._reference(field.ref.target, one) for one in _keys(value)]
        return found if field.many else found[0]

    async def _reference(self, target: str, pk: object) -> object:
        """``pk`` as something that is true elsewhere: an entry's key, or an object of a name; else itself."""
        if pk in self._ids:
            return Tag("KeyOf", self._ids[pk])
        found = self._call.settings.find(target, pk) or await self._record(target, pk)
        if found is not None:
            kind, obj = found
            for name in kind.unique:
                if kind.fields[name].readable and (value := getattr(obj, name)):
                    return Tag("Find", [kind.model, [name, value]])
        return pk

    async def _record(self, target: str, pk: object) -> tuple[Kind[Any], Any] | None:
        kind = self._state.kinds.get(target)
        if kind is None or kind.table is None:
            return None
        found = await records.load(self._state.store, kind, kind.fields[kind.pk].column, [pk])
        return (kind, found[0]) if found else None


def _keys(value: Any) -> Iterable[object]:  # noqa: ANN401 - as above
    if isinstance(value, (tuple, list)):
        return value
    return () if value is None else (value,)
