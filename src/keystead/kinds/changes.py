"""``Changes``: what one decision wants written, gathered in plain code and committed once by the door."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from keystead.base.clock import micros
from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem, denied
from keystead.kinds import ledger, records
from keystead.kinds.access import Power
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.kinds.marks import OnDelete
from keystead.kinds.snapshot import Snapshot
from keystead.store import Statement, Unit, Write
from keystead.store.settings_sql import change


class Changes:
    """Writes, settings and events that belong together. Every method that changes an object wants a :class:`Power`."""

    def __init__(self) -> None:
        self.writes: list[Write] = []
        self.settings: dict[tuple[str, object], tuple[Kind[Any], object, Any | None]] = {}

    def write(self, *writes: Write) -> None:
        """Add guarded writes of a room's own statements."""
        self.writes.extend(writes)

    def extend(self, other: "Changes") -> None:
        """Add everything ``other`` holds."""
        self.writes.extend(other.writes)
        self.settings.update(other.settings)

    def event(self, call: Call, action: str, app: str, context: Mapping[str, object], **more: Any) -> None:  # noqa: ANN401 - handed on to ledger.event
        """Add an event; see :func:`keystead.kinds.ledger.event`."""
        self.write(ledger.event(call, action, app, context, **more))

    def create(self, power: Power, obj: msgspec.Struct, *, quiet: bool = False) -> None:
        """Keep a new object; ``quiet`` leaves the event out (the records of a login are told by the login's own event)."""
        kind = _checked(power, "add")
        if kind.table is None:
            self._put(kind, obj)
        else:
            self.writes.extend(records.insert(kind, obj))
        if not quiet:
            self.event(power.call, "model_created", kind.app, {}, about=(kind, obj))

    def update(self, power: Power, old: msgspec.Struct, new: msgspec.Struct, *, quiet: bool = False) -> None:
        """Turn ``old`` into ``new``; nothing is written when they are equal."""
        kind = _checked(power, "change")
        changed = ledger.difference(kind, old, new)
        if not changed:
            return
        if kind.table is None:
            self._put(kind, new)
        else:
            self.writes.extend(records.update(kind, old, new))
        if not quiet:
            self.event(power.call, "model_updated", kind.app, {"diff": changed}, about=(kind, new))

    def delete(self, power: Power, obj: msgspec.Struct, kinds: Iterable[Kind[Any]]) -> None:
        """Remove ``obj`` and do to everything that refers to it what its references say.

        :param kinds: every kind there is, for the records among them that may refer to ``obj``.
        """
        kind = _checked(power, "delete")
        self._remove(power.call, kind, obj, tuple(kinds))

    def _put(self, kind: Kind[Any], obj: Any) -> None:  # noqa: ANN401 - objects of every kind
        pk = getattr(obj, kind.pk)
        self.settings[kind.model, pk] = (kind, pk, obj)

    def _remove(self, call: Call, kind: Kind[Any], obj: Any, kinds: tuple[Kind[Any], ...]) -> None:  # noqa: ANN401 - as above
        pk = getattr(obj, kind.pk)
        if kind.table is None:
            if (kind.model, pk) in self.settings and self.settings[kind.model, pk][2] is None:
                return
            self.settings[kind.model, pk] = (kind, pk, None)
        else:
            self.write(records.delete(kind, obj))
        self.event(call, "model_deleted", kind.app, {}, about=(kind, obj))
        targets = {kind.model, kind.family, "bindable" if kind.bindable else ""} - {""}
        for other in kinds:
            if other.table is not None and kind.table is None:
                self.writes.extend(_detach(other, targets, pk))
        for referrer in call.settings.referrers(kind, pk):
            self._release(call, referrer.kind, referrer.pk, referrer.field, pk, kinds)

    def _release(
        self, call: Call, kind: Kind[Any], pk: object, member: str, target: object, kinds: tuple[Kind[Any], ...]
    ) -> None:
        """Do to the holder of one reference what the reference says about its target's end."""
        pending = self.settings.get((kind.model, pk))
        holder = pending[2] if pending else call.settings.get(kind, pk)
        field = kind.fields[member]
        if holder is None or field.ref is None or field.ref.on_delete is OnDelete.LEFT_DANGLING:
            return
        if field.many:
            rest = tuple(value for value in getattr(holder, member) if value != target)
            self._put(kind, msgspec.structs.replace(holder, **{member: rest}))
        elif field.ref.on_delete is OnDelete.SET_NULL:
            self._put(kind, msgspec.structs.replace(holder, **{member: None}))
        elif field.ref.on_delete is OnDelete.SET_DEFAULT:
            self._put(kind, msgspec.structs.replace(holder, **{member: field.fresh()}))
        else:
            self._remove(call, kind, holder, kinds)

    def unit(self, base: Snapshot, at: datetime, encode: "Mapping[str, Any]") -> Unit:
        """Everything as one unit, decided on the settings ``base``.

        :param encode: model -> the function that turns an object of it into its stored JSON text.
        """
        if not self.settings:
            return Unit(tuple(self.writes))
        documents = []
        for kind, pk, obj in self.settings.values():
            id_ = pk if isinstance(pk, str) else f"{kind.family or kind.model}/{pk}"
            if obj is None and base.get(kind, pk) is None:
                continue  # made and removed within this unit: there is nothing to remove
            documents.append((kind.model, id_, None if obj is None else encode[kind.model](obj)))
        return Unit((*change(base.seq, micros(at), documents), *self.writes), announce=base.seq + len(documents))


def _checked(power: Power, word: str) -> Kind[Any]:
    if power.word != word:
        raise denied()
    return power.kind


def _detach(kind: Kind[Any], targets: set[str], pk: object) -> list[Write]:
    """The writes that free the records of ``kind`` from the setting that goes."""
    writes = []
    for field in kind.references:
        if field.ref is None or field.ref.target not in targets:
            continue
        key = pk if isinstance(pk, (str, int)) else str(pk)
        if field.link:
            text = f"DELETE FROM {field.link.table} WHERE {field.link.other} = $1"  # noqa: S608 - declared names
        elif field.ref.on_delete is OnDelete.SET_NULL:
            text = f"UPDATE {records.table(kind)} SET {field.column} = NULL WHERE {field.column} = $1"  # noqa: S608
        elif field.ref.on_delete is OnDelete.CASCADE:
            text = f"DELETE FROM {records.table(kind)} WHERE {field.column} = $1"  # noqa: S608
        else:
            continue
        writes.append(Write(Statement(f"{kind.model}.detach", text), (key,)))
    return writes


def stale() -> Problem:
    """The ``Problem`` of somebody who edits what has changed meanwhile."""
    return Problem(
        Fault.CONFLICT, "The object was changed by somebody else meanwhile; read it again and repeat the change."
    )
