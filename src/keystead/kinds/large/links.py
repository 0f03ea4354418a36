"""Long links of records, such as the members of a group of everybody: read once, used until somebody changes them.

A column of the record rises with every change of them (:attr:`~keystead.kinds.marks.Link.revision`), in the same
commit. So what was read with one number is what there is as long as the number stands, for every process.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeVar, cast

import msgspec

from keystead.kinds import records
from keystead.kinds.field import Field
from keystead.kinds.kind import Kind
from keystead.kinds.linked import decoded, kept_in, linked, selecting, sql_type
from keystead.store import Row, Statement, Store, Value

T = TypeVar("T", bound=msgspec.Struct)
LONG: Final = 32 * 1024
"""Characters of JSON from which links are kept."""
MOST: Final = 8 * 1024 * 1024
"""Characters of them that are kept."""


@dataclass(frozen=True, slots=True)
class _Held:
    """The links of one record.

    :param of: the record's number, which none after it gets, and their revision.
    """

    of: tuple[object, object]
    text: str


class Links:
    """The long links that one process remembers; what was used least goes first."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held: OrderedDict[tuple[str, object], _Held] = OrderedDict()

    async def complete(self, kind: Kind[T], rows: Sequence[Row]) -> list[T]:
        """The records in ``rows`` (as :func:`~keystead.kinds.records.columns` orders them), with their links."""
        field = _revised(kind)
        if field is None or not rows:
            return await records.from_rows(self._store, kind, rows)
        place = linked(kind).index(field)
        found: dict[object, list[object]] = {}
        if known := [row[0] for row in rows if (kind.model, row[0]) in self._held]:
            for key, number, revision, *texts in await self._store.fetch(
                _links(kind, without=field), cast("Value", known)
            ):
                held = self._held.get((kind.model, key))
                if held and held.of == (number, revision):
                    self._held.move_to_end((kind.model, key))
                    found[key] = [*texts[:place], held.text, *texts[place + 1 :]]
        if rest := [row[0] for row in rows if row[0] not in found]:
            for key, number, revision, *texts in await self._store.fetch(_links(kind), cast("Value", rest)):
                found[key] = texts
                self._keep((kind.model, key), _Held((number, revision), str(texts[place] or "")))
        nothing: list[object] = [None] * len(linked(kind))
        return [records.from_row(kind, row, decoded(kind, found.get(row[0], nothing))) for row in rows]

    async def load(self, kind: Kind[T], keys: Sequence[object]) -> list[T]:
        """The records of these primary keys, with their links, in whatever order."""
        if not keys or _revised(kind) is None:
            return await records.load(self._store, kind, kept_in(kind).key, keys) if keys else []
        rows = await self._store.fetch(records.select(kind, kept_in(kind).key), cast("Value", list(keys)))
        return await self.complete(kind, rows)

    def _keep(self, key: tuple[str, object], held: _Held) -> None:
        self._held.pop(key, None)
        if LONG <= len(held.text) <= MOST:
            self._held[key] = held
            while sum(len(one.text) for one in self._held.values()) > MOST:
                self._held.popitem(last=False)


@lru_cache(maxsize=64)
def _revised(kind: Kind[Any]) -> Field | None:
    """The field whose links have a revision."""
    return next((field for field in linked(kind) if field.link and field.link.revision), None)


@lru_cache(maxsize=64)
def _links(kind: Kind[Any], *, without: Field | None = None) -> Statement:
    """SELECT of the keys ``$1``, each with its number, the revision of its long links, and all links as JSON."""
    table, link = kept_in(kind), cast("Field", _revised(kind)).link
    first = f"t.{table.key}, t.{table.number}, t.{link.revision if link else ''}"
    condition = f"t.{table.key} = ANY($1::{sql_type(kind.fields[kind.pk])}[])"
    return selecting(kind, "revised" if without else "revising", first, condition, without=without)
