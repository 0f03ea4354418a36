"""Going through things: loops, comprehensions, stars, and whatever a function reads to its end.

Only what is named here can be gone through; everything is counted by its length before the first item.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from operator import length_hint
from typing import Final, cast

from keystead.policies.sandbox.budget import CONTAINERS, MAX_ITEMS, Budget
from keystead.policies.sandbox.values import ATOMS, LIST_ITERATOR, NETWORKS, View, kind_name, own, subject

_MAX_KEY_BITS: Final = 64
_COUNTED: Final[frozenset[type]] = frozenset({*CONTAINERS, str, bytes})


def members(budget: Budget, view: View) -> list[object]:
    """What is in a view that declares ``items``.

    :raises TypeError: it declares none.
    """
    items = type(view).view_items
    if items is None:
        raise TypeError(f"a {view.view_name} is not a list of anything")
    return cast("list[object]", own(budget, list(items(subject(view)))))


def _length(budget: Budget, value: object) -> int:
    """How many items will come out of ``value``, which is counted, a range or an iterator of ours."""
    try:
        return length_hint(value)
    except OverflowError:
        budget.stop("it goes through a range that has no end")


def each(budget: Budget, value: object) -> Iterable[object]:
    """What a ``for`` statement goes through; its body counts the turns."""
    kind = type(value)
    if kind in _COUNTED or kind is range or kind is LIST_ITERATOR or kind in NETWORKS:
        return cast("Iterable[object]", value)
    if isinstance(value, View):
        return members(budget, value)
    raise TypeError(f"a {kind_name(value)} cannot be gone through item by item")


def rows(budget: Budget, value: object, steps: int, octets: int) -> Iterable[object]:
    """What a comprehension goes through, each item paid in advance with ``steps`` and ``octets``."""
    kind = type(value)
    if kind in _COUNTED or kind is range or kind is LIST_ITERATOR:
        length = _length(budget, value)
        budget.spend(length * steps, length * octets)
        # A list may grow while it is gone through; what was paid for is a snapshot.
        return list(cast("list[object]", value)) if kind is list else cast("Iterable[object]", value)
    if isinstance(value, View):
        return rows(budget, members(budget, value), steps, octets)
    if kind in NETWORKS:
        return _metered(budget, cast("Iterable[object]", value), steps, octets)
    raise TypeError(f"a {kind_name(value)} cannot be gone through item by item")


def _metered(budget: Budget, items: Iterable[object], steps: int, octets: int) -> Iterator[object]:
    for item in items:
        budget.spend(steps, octets)
        yield item


def gather(budget: Budget, value: object) -> list[object]:
    """All items of ``value`` as a new list."""
    kind = type(value)
    if kind in _COUNTED or kind is range or kind is LIST_ITERATOR:
        budget.items(_length(budget, value), 8 if kind in CONTAINERS else 48)
        return list(cast("Iterable[object]", value))
    if isinstance(value, View):
        return members(budget, value)
    if kind in NETWORKS:
        found = list(islice(_metered(budget, cast("Iterable[object]", value), 1, 64), MAX_ITEMS + 1))
        budget.items(len(found), 0)
        return found
    raise TypeError(f"a {kind_name(value)} cannot be gone through item by item")


def item_key(budget: Budget, key: object) -> object:
    """``key``, fit to be hashed.

    :raises ValueError: it is or holds an integer of more than 64 bits.
    """
    kind = type(key)
    if kind is int:
        # All multiples of 2^61 - 1 have the same hash, and a dict of n keys with one hash takes n^2 steps to fill.
        if cast("int", key).bit_length() > _MAX_KEY_BITS:
            raise ValueError(f"an integer of more than {_MAX_KEY_BITS} bits cannot be a key or in a set")
    elif kind not in ATOMS:
        budget.weigh(key)
        if kind is tuple or kind is frozenset:
            for part in cast("tuple[object, ...]", key):
                item_key(budget, part)
    return key


def new_key(budget: Budget, key: object) -> object:
    """A key that a comprehension puts into a dict or set."""
    budget.spend(1)
    return item_key(budget, key)


def pairs(budget: Budget, value: object) -> dict[object, object]:
    """A new dict from a dict or from a collection of pairs."""
    if type(value) is dict:
        budget.items(len(value), 64)
        return dict(value)
    found: dict[object, object] = {}
    for pair in gather(budget, value):
        key, item = gather(budget, pair)
        found[new_key(budget, key)] = item
    return found


def collect(budget: Budget, value: object) -> set[object]:
    """A new set of the items of ``value``."""
    items = gather(budget, value)
    budget.items(len(items), 64)
    return {item_key(budget, item) for item in items}


def spread(budget: Budget, value: object) -> list[object]:
    """What a star puts into a call, a display or a target."""
    return gather(budget, value)


def spread_pairs(budget: Budget, value: object) -> dict[object, object]:
    """What two stars put into a call or a dict.

    :raises TypeError: it is no dict.
    """
    if type(value) is not dict:
        raise TypeError(f"** needs a dict, not a {kind_name(value)}")
    return pairs(budget, value)
