"""``Changes``: what one decision wants written, gathered in plain code and committed once by the door."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast

import msgspec

from keystead.base.clock import micros
from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem, denied
from keystead.kinds import grants, ledger, records
from keystead.kinds.access import Power
from keystead.kinds.call import Call
from keystead.kinds.field import Field
from keystead.kinds.kind import Kind
from keystead.kinds.marks import OnDelete
from keystead.kinds.snapshot import Referrer, Snapshot
from keystead.store import Unit, Value, Write
from keystead.store.settings_sql import change
from keystead.store.sql import dynamic


class Changes:
    """Writes, settings and events that belong together. What changes an object wants a :class:`Power`."""

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
        """Keep a new object; ``quiet`` leaves the event out, where another one tells of it (that of a login, say)."""
        kind = _checked(power, "add")
        if kind.table is None:
            self._put(kind, obj)
        else:
            self.writes.extend(records.insert(kind, obj))
        if not quiet:
            self.event(power.call, "model_created", kind.app, {}, about=(kind, obj))
        for role, names in power.call.actor.initial if power.asked else ():
            if of_kind := names & kind.codenames:
                self.grant(power.call, role, kind, getattr(obj, kind.pk), of_kind)

    def grant(
        self, call: Call, role: str, kind: Kind[Any], pk: object, names: Iterable[str], *, serial: bool = False
    ) -> None:
        """Let the members of ``role`` do what the permissions ``names`` say to one object.

        :param serial: let no other change of the role come between, though its document may stay as it is.
        """
        for holders in call.settings.kinds(grants.HOLDERS):
            if (held := self._left(call, holders, role)) is not None:
                self.write(grants.add(role, kind, pk, names))
                new = set(names) - set(held.objects)
                if new or serial:
                    self._put(holders, msgspec.structs.replace(held, objects=tuple(sorted(new.union(held.objects)))))

    def update(
        self, power: Power, old: msgspec.Struct, new: msgspec.Struct, *, quiet: bool = False, strictly: bool = False
    ) -> None:
        """Turn ``old`` into ``new``; nothing is written when they are equal.

        :param strictly: only while nothing else of the object has changed; otherwise editors of other members both win.
        """
        kind = _checked(power, "change")
        changed = ledger.difference(kind, old, new)
        if not changed:
            return
        if kind.table is None:
            self._put(kind, new)
        else:
            self.writes.extend(records.update(kind, old, new, strictly=strictly))
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

    def _left(self, call: Call, kind: Kind[Any], pk: object) -> Any | None:  # noqa: ANN401 - as above
        """The setting as these changes would leave it."""
        pending = self.settings.get((kind.model, pk))
        return pending[2] if pending else call.settings.get(kind, pk)

    def _remove(self, call: Call, kind: Kind[Any], obj: Any, kinds: tuple[Kind[Any], ...]) -> None:  # noqa: ANN401 - as above
        pk = getattr(obj, kind.pk)
        targets = {kind.model, kind.family, "bindable" if kind.bindable else ""} - {""}
        if kind.table is None:
            if self._left(call, kind, pk) is None:
                return  # a circle of references has led back here
            self.settings[kind.model, pk] = (kind, pk, None)
            for other in kinds:
                if other.table is not None:
                    self.writes.extend(_detach(other, targets, pk))
        else:
            self.write(records.delete(kind, obj))
        self.write(grants.forget(kind, pk))
        self.event(call, "model_deleted", kind.app, {}, about=(kind, obj))
        for holder in self._referrers(call, kind, targets, pk):
            self._release(call, holder, pk, kinds)

    def _referrers(self, call: Call, kind: Kind[Any], targets: set[str], pk: object) -> list[Referrer]:
        """Who refers to an object, as things stood and as these changes leave them; always in the same order."""
        found = set(call.settings.referrers(kind, pk))
        for other, key, obj in self.settings.values():
            for field in other.references if obj is not None else ():
                if field.ref and field.ref.target in targets and _leads_to(obj, field, pk):
                    found.add(Referrer(other, key, field.name))
        return sorted(found, key=lambda one: (one.kind.model, str(one.pk), one.field))

    def _release(self, call: Call, found: Referrer, target: object, kinds: tuple[Kind[Any], ...]) -> None:
        """Do to the holder of one reference what the reference says about its target's end."""
        kind, pk, member = found
        holder = self._left(call, kind, pk)
        field = kind.fields[member]
        if (
            holder is None
            or field.ref is None
            or field.ref.on_delete is OnDelete.LEFT_DANGLING
            or not _leads_to(holder, field, target)
        ):
            return
        if field.many:
            left: object = tuple(value for value in getattr(holder, member) if value != target)
        elif field.ref.on_delete is OnDelete.SET_NULL:
            left = None
        elif field.ref.on_delete is OnDelete.SET_DEFAULT:
            left = field.fresh()
        else:
            self._remove(call, kind, holder, kinds)
            return
        freed = msgspec.structs.replace(holder, **{member: left})
        self._put(kind, freed)
        diff = ledger.difference(kind, holder, freed)
        self.event(call, "model_updated", kind.app, {"diff": diff}, about=(kind, freed))

    def unit(self, base: Snapshot, at: datetime, encode: "Mapping[str, Any]") -> Unit:
        """Everything as one unit, decided on the settings ``base``.

        :param encode: model -> the function that turns an object of it into its stored JSON text.
        """
        if not self.settings:
            return Unit(tuple(self.writes))
        documents = []
        for kind, pk, obj in self.settings.values():
            if obj is None and base.get(kind, pk) is None:
                continue  # made and removed within this unit: there is nothing to remove
            documents.append((kind.model, kind.id_of(pk), None if obj is None else encode[kind.model](obj)))
        return Unit((*change(base.seq, micros(at), documents), *self.writes), announce=base.seq + len(documents))


def _checked(power: Power, word: str) -> Kind[Any]:
    if power.word != word:
        raise denied()
    return power.kind


def _leads_to(holder: Any, field: Field, target: object) -> bool:  # noqa: ANN401 - objects of every kind
    value = getattr(holder, field.name)
    return target in value if field.many else bool(value == target)


def _detach(kind: Kind[Any], targets: set[str], pk: object) -> list[Write]:
    """The writes that free the records of ``kind`` from the setting that goes."""
    writes = []
    key = cast("Value", pk)
    for field in kind.references:
        if field.ref is None or field.ref.target not in targets:
            continue
        if field.link:
            text = f"DELETE FROM {field.link.table} WHERE {field.link.other} = $1"  # noqa: S608 - declared names
        elif field.ref.on_delete is OnDelete.CASCADE:
            text = f"DELETE FROM {records.table(kind)} WHERE {field.column} = $1"  # noqa: S608 - declared names
        elif field.ref.on_delete in {OnDelete.SET_NULL, OnDelete.SET_DEFAULT}:
            left = None if field.ref.on_delete is OnDelete.SET_NULL else field.fresh()
            text = f"UPDATE {records.table(kind)} SET {field.column} = $2 WHERE {field.column} = $1"  # noqa: S608 - declared names
            writes.append(Write(dynamic(text), (key, records.to_column(field, left))))
            continue
        else:
            continue
        writes.append(Write(dynamic(text), (key,)))
    return writes


def stale() -> Problem:
    """The ``Problem`` of somebody who edits what has changed meanwhile."""
    return Problem(
        Fault.CONFLICT, "The object was changed by somebody else meanwhile; read it again and repeat the change."
    )
