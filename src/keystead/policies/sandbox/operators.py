"""``+ - * ** << % | & ^`` and comparisons, with a look at sizes and weights first."""

import operator
from collections.abc import Callable
from typing import Any, Final, cast

from keystead.policies.sandbox.budget import CONTAINERS, DICT_VIEWS, MAX_BITS, MAX_TEXT, Budget
from keystead.policies.sandbox.iterate import gather, item_key, members
from keystead.policies.sandbox.render import percent
from keystead.policies.sandbox.values import ATOMS, LIST_ITERATOR, NETWORKS, View, kind_name

_INTEGERS: Final = frozenset({int, bool})
_TEXTS: Final = frozenset({str, bytes})
_ROWS: Final = frozenset({list, tuple})
_KEYED: Final[frozenset[type]] = frozenset({set, frozenset, dict, type({}.keys())})
_HASHED: Final[frozenset[type]] = frozenset({set, frozenset, dict, *DICT_VIEWS})
_SMALL: Final = 256
"""Bits of integers that the step which makes them pays for."""
_GLANCE: Final = 32
"""Members that ``in`` may compare with an atom without weighing them first."""

Guard = Callable[[Budget, object, object], object]


def _bits(budget: Budget, bits: int) -> None:
    if bits > MAX_BITS:
        budget.stop(f"it makes an integer of more than {MAX_BITS} bits")
    if bits > _SMALL:
        budget.spend(1, bits >> 3)


def _bounded(budget: Budget, result: object) -> object:
    if type(result) is int:
        _bits(budget, result.bit_length())
    return result


def add(budget: Budget, left: object, right: object) -> object:
    """``left + right``."""
    kind = type(left)
    if kind is type(right):
        if kind in _TEXTS:
            budget.text(len(cast("str", left)) + len(cast("str", right)))
        elif kind in _ROWS:
            budget.items(len(cast("list[object]", left)) + len(cast("list[object]", right)))
    return _bounded(budget, operator.add(left, right))


def subtract(budget: Budget, left: object, right: object) -> object:
    """``left - right``."""
    if type(left) in _HASHED:
        return combine(budget, "-", left, right)
    return _bounded(budget, operator.sub(left, right))


def multiply(budget: Budget, left: object, right: object) -> object:
    """``left * right``."""
    if type(right) in _TEXTS or type(right) in _ROWS:
        left, right = right, left
    times, kind = type(right), type(left)
    if times in _INTEGERS:
        number = cast("int", right)
        if kind in _INTEGERS:
            _bits(budget, cast("int", left).bit_length() + number.bit_length())
        elif kind in _TEXTS:
            budget.text(min(max(number, 0), MAX_TEXT + 1) * len(cast("str", left)))
        elif kind in _ROWS:
            budget.items(min(max(number, 0), MAX_TEXT) * len(cast("list[object]", left)))
    return operator.mul(left, right)


def power(budget: Budget, left: object, right: object) -> object:
    """``left ** right``.

    :raises ValueError: the result would be a complex number.
    """
    if type(left) in _INTEGERS and type(right) in _INTEGERS:
        base, exponent = cast("int", left), cast("int", right)
        if exponent > 0 and base not in (-1, 0, 1):
            _bits(budget, base.bit_length() * exponent)
    result = operator.pow(left, right)
    if type(result) is complex:
        raise ValueError("a negative number to a broken power")
    return result


def shift(budget: Budget, left: object, right: object) -> object:
    """``left << right``."""
    if type(left) in _INTEGERS and type(right) in _INTEGERS and left:
        _bits(budget, cast("int", left).bit_length() + max(cast("int", right), 0))
    return operator.lshift(left, right)


def remainder(budget: Budget, left: object, right: object) -> object:
    """``left % right``: a remainder, or a text filled in."""
    if type(left) is str:
        return percent(budget, left, right)
    if type(left) is bytes:
        raise TypeError("bytes cannot be filled in with %")
    return operator.mod(left, right)


_COMBINE: Final[dict[str, Callable[[object, object], object]]] = {
    "|": operator.or_,
    "&": operator.and_,
    "^": operator.xor,
    "-": operator.sub,
}


def combine(budget: Budget, sign: str, left: object, right: object) -> object:
    """``| & ^ -`` of sets, dicts and integers."""
    for side in (left, right):
        if type(side) in CONTAINERS:
            budget.items(len(cast("list[object]", side)), 64)
            budget.weigh(side)
    return _COMBINE[sign](left, right)


def inplace(budget: Budget, sign: str, left: object, right: object) -> object:
    """``left += right`` and its kin: lists, sets and dicts change in place, as other names for them expect."""
    kind = type(left)
    if sign == "+=" and kind is list:
        more = gather(budget, right)
        budget.items(len(cast("list[object]", left)) + len(more))
        cast("list[object]", left).extend(more)
        return left
    result = _OPERATORS[sign[:-1]](budget, left, right)
    if kind is type(result) and result is not left:
        if kind is list:
            cast("list[object]", left)[:] = cast("list[object]", result)
            return left
        if kind is set or kind is dict:
            held = cast("set[object]", left)
            held.clear()
            held.update(cast("set[object]", result))
            return left
    return result


def _combined(sign: str) -> Guard:
    def run(budget: Budget, left: object, right: object) -> object:
        return combine(budget, sign, left, right)

    return run


def _plain(function: Callable[[object, object], object]) -> Guard:
    def run(_budget: Budget, left: object, right: object) -> object:
        return function(left, right)

    return run


_OPERATORS: Final[dict[str, Guard]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "**": power,
    "<<": shift,
    "%": remainder,
    "|": _combined("|"),
    "&": _combined("&"),
    "^": _combined("^"),
    "/": _plain(operator.truediv),
    "//": _plain(operator.floordiv),
    ">>": _plain(operator.rshift),
}


def _comparison(function: Callable[[Any, Any], object]) -> Guard:
    def run(budget: Budget, left: object, right: object) -> object:
        # An atom beside a container is settled at first sight; two containers are compared item by item.
        if type(left) not in ATOMS and type(right) not in ATOMS:
            budget.weigh(left)
            budget.weigh(right)
        return function(left, right)

    return run


equal: Final = _comparison(operator.eq)
unequal: Final = _comparison(operator.ne)
less: Final = _comparison(operator.lt)
at_most: Final = _comparison(operator.le)
more: Final = _comparison(operator.gt)
at_least: Final = _comparison(operator.ge)


def contains(budget: Budget, item: object, container: object) -> bool:
    """``item in container``.

    :raises TypeError: nothing can be in such a thing.
    """
    kind = type(container)
    if kind in _KEYED:
        return item_key(budget, item) in cast("dict[object, object]", container)
    if kind in _TEXTS:
        if type(item) is kind:
            budget.text(len(cast("str", item)) + len(cast("str", container)))
        return item in cast("str", container)  # type: ignore[operator]  # Python says what is wrong with it
    if kind in NETWORKS:
        return item in cast("list[object]", container)
    if kind is range:
        return _in_range(item, cast("range", container))
    if isinstance(container, View):
        container = members(budget, container)
    elif kind is LIST_ITERATOR:
        container = gather(budget, container)
    elif kind not in _ROWS and kind not in DICT_VIEWS:
        raise TypeError(f"nothing can be in a {kind_name(container)}")
    return _in_rows(budget, item, cast("list[object]", container))


def _in_rows(budget: Budget, item: object, rows: list[object]) -> bool:
    if type(item) not in ATOMS:
        budget.weigh(item)
        budget.weigh(rows)
    elif len(rows) > _GLANCE:
        budget.weigh(rows)
    return item in rows


def _in_range(item: object, numbers: range) -> bool:
    # Python looks for anything but an integer by trying each member in turn.
    if isinstance(item, float) and item.is_integer():
        item = int(item)
    return isinstance(item, int) and item in numbers


COMPARISONS: Final[dict[str, Guard]] = {
    "==": equal,
    "!=": unequal,
    "<": less,
    "<=": at_most,
    ">": more,
    ">=": at_least,
    "in": contains,
    "not in": lambda budget, item, container: not contains(budget, item, container),
    "is": _plain(operator.is_),
    "is not": _plain(operator.is_not),
}


def chain(budget: Budget, left: object, *rest: object) -> object:
    """``a < b < c``: signs and operands by turns; the later operands are functions, called if they count."""
    result: object = True
    for number in range(0, len(rest), 2):
        right = rest[number + 1] if number == 0 else cast("Callable[[], object]", rest[number + 1])()
        result = COMPARISONS[cast("str", rest[number])](budget, left, right)
        if not result:
            return result
        left = right
    return result
