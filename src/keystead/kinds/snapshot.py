"""All settings in memory: an immutable set of typed objects with indexes, replaced whole at each change.

No request reads settings from the database. A new snapshot shares every index a change did not touch.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar, cast

import msgspec

from keystead.base.kept import Kept
from keystead.kinds.kind import Kind

T = TypeVar("T", bound=msgspec.Struct)
V = TypeVar("V")


class Referrer(NamedTuple):
    """An object that refers to another.

    :param field: the member that holds the reference.
    """

    kind: "Kind[Any]"
    pk: object
    field: str


class _Indexes(NamedTuple):
    """How settings are found: by kind and key, by unique member, by who refers to them, by family."""

    objects: dict[str, dict[object, Any]]
    by: dict[tuple[str, str], dict[object, Any]]
    referrers: dict[tuple[str, object], frozenset[Referrer]]
    families: dict[str, list[Kind[Any]]]


class Snapshot:
    """The settings at one point of their history.

    :param seq: the number of the newest change in it.
    """

    __slots__ = ("_by", "_families", "_indexes", "_kinds", "_memo", "_objects", "_referrers", "seq")

    def __init__(self, kinds: Mapping[str, Kind[Any]], *, seq: int = 0, indexes: "_Indexes | None" = None) -> None:
        self.seq = seq
        self._kinds = kinds
        self._indexes = indexes or _Indexes({model: {} for model in kinds}, {}, {}, _families(kinds))
        self._objects, self._by, self._referrers, self._families = self._indexes
        self._memo: dict[Hashable, object] = {}

    def get(self, kind: Kind[T], pk: object) -> T | None:
        """The object of ``kind`` with primary key ``pk``."""
        return cast("T | None", self._objects[kind.model].get(pk))

    def by(self, kind: Kind[T], member: str, value: object) -> T | None:
        """The object of ``kind`` whose unique (or key) ``member`` has ``value``."""
        index = self._by.get((kind.model, member))
        if index is None:
            index = self._by[kind.model, member] = {
                getattr(obj, member): obj for obj in self._objects[kind.model].values()
            }
        return cast("T | None", index.get(value))

    def all(self, kind: Kind[T]) -> Sequence[T]:
        """Every object of ``kind``, in the kind's default order."""

        def ordered() -> tuple[T, ...]:
            return tuple(in_order(self._objects[kind.model].values(), kind.order))

        return self.memo(("all", kind.model), ordered)

    def kinds(self, family: str) -> Sequence[Kind[Any]]:
        """The kinds of a family, or the one kind of that model."""
        return self._families.get(family, ())

    def find(self, target: str, pk: object) -> tuple[Kind[Any], Any] | None:
        """The kind and object with primary key ``pk`` in a family (``stages``), model, or ``bindable``."""
        for kind in self.kinds(target):
            if (obj := self._objects[kind.model].get(pk)) is not None:
                return kind, obj
        return None

    def members(self, family: str) -> list[tuple[Kind[Any], Any]]:
        """Every object of a family with its kind, in no particular order."""
        return [(kind, obj) for kind in self.kinds(family) for obj in self._objects[kind.model].values()]

    def referrers(self, kind: Kind[Any], pk: object) -> frozenset[Referrer]:
        """Which settings refer to the object of ``kind`` (a setting or a record) with primary key ``pk``."""
        found = self._referrers.get((kind.model, pk), frozenset()) | self._referrers.get((kind.family, pk), frozenset())
        return found | self._referrers.get(("bindable", pk), frozenset()) if kind.bindable else found

    def memo(self, key: Hashable, build: Callable[[], V]) -> V:
        """A value derived from this snapshot, built once for it; ``key`` names it."""
        try:
            return cast("V", self._memo[key])
        except KeyError:
            value = self._memo[key] = build()
            return value

    def kept(self, name: str, most: int) -> "Kept[Any, Any]":
        """What is made from this snapshot and the caller's own things, by ``name``; it starts anew after ``most``."""
        return self.memo(name, lambda: Kept(most))

    def changed(self, seq: int, changes: Iterable[tuple[Kind[Any], object, Any | None]]) -> "Snapshot":
        """A snapshot numbered ``seq`` with ``(kind, pk, new object or None)`` applied; this one stays as it is."""
        objects, by, moved = dict(self._objects), dict(self._by), _Moved(self._referrers)
        copied: set[str] = set()
        for kind, pk, obj in changes:
            if kind.model not in copied:
                objects[kind.model] = dict(objects[kind.model])
                copied.add(kind.model)
                by = _own(by, kind, len(objects[kind.model]))
            of_kind = objects[kind.model]
            old = of_kind.pop(pk, None) if obj is None else of_kind.get(pk)
            if obj is not None:
                of_kind[pk] = obj
            for member in kind.unique:
                key = (kind.model, member)
                if key in by and not _replaced(by[key], member, old, obj):
                    del by[key]
            for one, change in ((old, set.discard), (obj, set.add)):
                for field, target in _targets(kind, one) if one is not None else ():
                    change(moved.around(target), Referrer(kind, pk, field))
        return Snapshot(self._kinds, seq=seq, indexes=_Indexes(objects, by, moved.whole(), self._families))


_By: TypeAlias = dict[tuple[str, str], dict[object, Any]]


def _own(by: _By, kind: Kind[Any], count: int) -> _By:
    """``by`` with copies of those indexes of ``kind`` that can be kept up to date; others are made when asked for.

    :param count: the objects of ``kind``: an index of fewer hides some.
    """
    found = {key: index for key, index in by.items() if key[0] != kind.model}
    for member in kind.unique:
        index = by.get((kind.model, member))
        if index is not None and len(index) == count:
            found[kind.model, member] = dict(index)
    return found


def _replaced(index: dict[object, Any], member: str, old: object, new: object) -> bool:
    """Put ``new`` in the place of ``old`` (either may be None) in the index of a member; False if it hides another."""
    if old is not None:
        index.pop(getattr(old, member), None)
    if new is None:
        return True
    value = getattr(new, member)
    free = value not in index
    index[value] = new
    return free


class _Moved:
    """Who refers to what, while references come and go; in sets that grow, as thousands may refer to one object."""

    def __init__(self, before: Mapping[tuple[str, object], frozenset[Referrer]]) -> None:
        self._before = before
        self._sets: dict[tuple[str, object], set[Referrer]] = {}

    def around(self, target: tuple[str, object]) -> set[Referrer]:
        """Those who refer to ``target``, to be changed."""
        found = self._sets.get(target)
        if found is None:
            found = self._sets[target] = set(self._before.get(target, ()))
        return found

    def whole(self) -> dict[tuple[str, object], frozenset[Referrer]]:
        """Everything as it is now."""
        after = {**self._before, **{target: frozenset(held) for target, held in self._sets.items()}}
        for target, held in self._sets.items():
            if not held:
                del after[target]
        return after


def _families(kinds: Mapping[str, Kind[Any]]) -> dict[str, list[Kind[Any]]]:
    """Family, model or ``bindable`` -> its kinds."""
    found: dict[str, list[Kind[Any]]] = {}
    for kind in kinds.values():
        for name in {kind.model, kind.family, "bindable" if kind.bindable else ""} - {""}:
            found.setdefault(name, []).append(kind)
    return found


def in_order(objects: Iterable[T], order: Sequence[str]) -> list[T]:
    """``objects`` by the members in ``order`` (a leading ``-`` turns one round): nulls last, ties by primary key."""
    result = list(objects)
    first = result[0].__struct_fields__[:1] if result else ()
    for name in reversed((*order, *first)):
        member = name.removeprefix("-")
        result.sort(key=lambda obj: _sortable(getattr(obj, member, None)), reverse=name.startswith("-"))
    return result


def _sortable(value: object) -> tuple[int, Any]:
    if value is None:
        return (2, 0)
    if isinstance(value, (int, float)):
        return (0, value)
    return (1, str(value))


def _targets(kind: Kind[Any], obj: Any) -> Iterable[tuple[str, tuple[str, object]]]:  # noqa: ANN401 - objects of every kind
    for field in kind.references:
        value = getattr(obj, field.name)
        target = field.ref.target if field.ref else ""
        if field.many:
            yield from ((field.name, (target, one)) for one in value)
        elif value is not None:
            yield field.name, (target, value)
