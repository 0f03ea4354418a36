"""What an expression may ask of values that Python makes: which methods, which attributes. Nothing else is there."""

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from keystead.policies.sandbox.budget import DICT_VIEWS, Budget
from keystead.policies.sandbox.calls import callback
from keystead.policies.sandbox.iterate import collect, gather, item_key, pairs
from keystead.policies.sandbox.operators import combine
from keystead.policies.sandbox.render import formatted
from keystead.policies.sandbox.text_methods import OCTET_METHODS, TEXT_METHODS
from keystead.policies.sandbox.values import ADDRESSES, NETWORKS

Method = Callable[..., object]
Rows = list[object]
Pairs = dict[object, object]
Group = set[object]


def ordered(budget: Budget, rows: Rows, key: object, reverse: object) -> Rows:
    """``rows`` sorted, as a new list."""
    if key is None:
        keys = rows
    else:
        judge = callback(budget, key)
        keys = [judge(item) for item in rows]
    budget.spend((budget.weigh(keys) * len(rows).bit_length()) >> 4, 16 * len(rows))
    places = sorted(range(len(rows)), key=keys.__getitem__, reverse=bool(reverse))  # type: ignore[arg-type]  # may fail
    return [rows[place] for place in places]


def _append(budget: Budget, rows: Rows, item: object, /) -> None:
    budget.spend(1, 16)
    rows.append(item)


def _extend(budget: Budget, rows: Rows, more: object, /) -> None:
    items = gather(budget, more)
    budget.items(len(rows) + len(items), 0)
    rows.extend(items)


def _moving(method: Method) -> Method:
    """A method that moves all items behind a place by one."""

    def run(budget: Budget, rows: Rows, /, *args: object) -> object:
        budget.spend(1 + (len(rows) >> 8), 16)
        return method(rows, *args)

    return run


def _searching(method: Method) -> Method:
    """A method that compares items with its argument one after the other."""

    def run(budget: Budget, rows: Rows, item: object, /) -> object:
        budget.weigh(rows)
        budget.weigh(item)
        return method(rows, item)

    return run


def _sort(budget: Budget, rows: Rows, /, *, key: object = None, reverse: object = False) -> None:
    rows[:] = ordered(budget, rows, key, reverse)


def _all(method: Method) -> Method:
    """A method that goes through the whole of a container and takes nothing."""

    def run(budget: Budget, container: Group, /) -> object:
        budget.items(len(container), 16)
        return method(container)

    return run


def _keyed(method: Method) -> Method:
    """A method of a dict or set whose first argument is hashed."""

    def run(budget: Budget, container: object, key: object, /, *rest: object) -> object:
        budget.spend(1, 100)
        return method(container, item_key(budget, key), *rest)

    return run


def _quick(method: Method) -> Method:
    """A method whose work does not depend on sizes."""

    def run(budget: Budget, value: object, /, *args: object, **named: object) -> object:
        budget.spend(1, 64)
        return method(value, *args, **named)

    return run


def _update_dict(budget: Budget, target: Pairs, more: object = (), /, **named: object) -> None:
    found = pairs(budget, more)
    budget.items(len(target) + len(found) + len(named), 0)
    target.update(found)
    target.update(named)


def _update_set(budget: Budget, group: Group, /, *more: object) -> None:
    for other in more:
        found = collect(budget, other)
        budget.items(len(group) + len(found), 0)
        group.update(found)


def _set_operation(sign: str) -> Method:
    def run(budget: Budget, group: Group, /, *others: object) -> object:
        budget.items(len(group), 16)
        result: object = group.copy()
        for other in others:
            result = combine(budget, sign, result, collect(budget, other))
        return result

    return run


def _set_relation(method: Method) -> Method:
    def run(budget: Budget, group: Group, other: object, /) -> object:
        budget.weigh(group)
        return method(group, collect(budget, other))

    return run


def _strftime(budget: Budget, moment: object, form: str, /) -> str:
    return formatted(budget, moment, -1, form) if form else ""


_SET_READS: Final[dict[str, Method]] = {
    "difference": _set_operation("-"),
    "intersection": _set_operation("&"),
    "isdisjoint": _set_relation(set.isdisjoint),
    "issubset": _set_relation(set.issubset),
    "issuperset": _set_relation(set.issuperset),
    "symmetric_difference": _set_operation("^"),
    "union": _set_operation("|"),
}
_FROZEN_READS: Final[dict[str, Method]] = _SET_READS | {
    "isdisjoint": _set_relation(frozenset.isdisjoint),
    "issubset": _set_relation(frozenset.issubset),
    "issuperset": _set_relation(frozenset.issuperset),
}
_DAY: Final = {name: _quick(getattr(dt.date, name)) for name in ("isoformat", "isoweekday", "replace", "weekday")}
_MOMENT: Final = {
    name: _quick(getattr(dt.datetime, name))
    for name in ("date", "isoformat", "isoweekday", "replace", "time", "timestamp", "utcoffset", "weekday")
}

METHODS: Final[Mapping[type, Mapping[str, Method]]] = MappingProxyType(
    {
        str: TEXT_METHODS,
        bytes: OCTET_METHODS,
        int: {"bit_length": _quick(int.bit_length)},
        float: {"is_integer": _quick(float.is_integer)},
        list: {
            "append": _append,
            "clear": _all(list.clear),
            "copy": _all(list.copy),
            "count": _searching(list.count),
            "extend": _extend,
            "index": _searching(list.index),
            "insert": _moving(list.insert),
            "pop": _moving(list.pop),
            "remove": _searching(list.remove),
            "reverse": _all(list.reverse),
            "sort": _sort,
        },
        tuple: {"count": _searching(tuple.count), "index": _searching(tuple.index)},
        dict: {
            "clear": _all(dict.clear),
            "copy": _all(dict.copy),
            "get": _keyed(dict.get),
            "items": _quick(dict.items),
            "keys": _quick(dict.keys),
            "pop": _keyed(dict.pop),
            "popitem": _quick(dict.popitem),
            "setdefault": _keyed(dict.setdefault),
            "update": _update_dict,
            "values": _quick(dict.values),
        },
        set: _SET_READS
        | {
            "add": _keyed(set.add),
            "clear": _all(set.clear),
            "copy": _all(set.copy),
            "discard": _keyed(set.discard),
            "pop": _quick(set.pop),
            "remove": _keyed(set.remove),
            "update": _update_set,
        },
        frozenset: _FROZEN_READS,
        dt.datetime: _MOMENT | {"strftime": _strftime},
        dt.date: _DAY | {"strftime": _strftime},
        dt.time: {"isoformat": _quick(dt.time.isoformat), "strftime": _strftime},
        dt.timedelta: {"total_seconds": _quick(dt.timedelta.total_seconds)},
    }
    | {
        network: {name: _quick(getattr(network, name)) for name in ("overlaps", "subnet_of", "supernet_of")}
        for network in NETWORKS
    }
    | {view: {"isdisjoint": _set_relation(view.isdisjoint)} for view in DICT_VIEWS if hasattr(view, "isdisjoint")}
)

_SCOPES: Final = (
    "is_global",
    "is_link_local",
    "is_loopback",
    "is_multicast",
    "is_private",
    "is_reserved",
    "is_unspecified",
    "version",
)

ATTRIBUTES: Final[Mapping[type, frozenset[str]]] = MappingProxyType(
    {
        dt.datetime: frozenset({"year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo"}),
        dt.date: frozenset({"year", "month", "day"}),
        dt.time: frozenset({"hour", "minute", "second", "microsecond"}),
        dt.timedelta: frozenset({"days", "seconds", "microseconds"}),
        range: frozenset({"start", "stop", "step"}),
        uuid.UUID: frozenset({"hex", "int", "version"}),
    }
    | {address: frozenset({*_SCOPES, "compressed", "exploded", "reverse_pointer"}) for address in ADDRESSES}
    | {
        network: frozenset(
            {
                *_SCOPES,
                "broadcast_address",
                "netmask",
                "network_address",
                "num_addresses",
                "prefixlen",
                "with_prefixlen",
            }
        )
        for network in NETWORKS
    }
)
