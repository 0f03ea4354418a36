"""The functions every expression has, by the name it uses: our own versions of safe builtins.

Each takes the run's :class:`Budget` first and counts what it does. Those that name a type (``str``, ``list``) stand
for it in ``isinstance`` and carry its methods (``str.lower``).
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType, MethodType
from typing import Final, cast

from keystead.policies.sandbox.budget import Budget
from keystead.policies.sandbox.calls import callback
from keystead.policies.sandbox.iterate import collect, gather, members, pairs
from keystead.policies.sandbox.methods import ordered
from keystead.policies.sandbox.operators import add
from keystead.policies.sandbox.render import quote, show
from keystead.policies.sandbox.values import LIST_ITERATOR, View, kind_name

_ABSENT: Final = object()
_NUMBERS: Final = frozenset({int, float, bool})
_MAX_NUMERAL: Final = 1300
"""Letters of a text read as a number: more make an integer of more than ``MAX_BITS``."""
_MAX_DIGITS: Final = 400
_MAX_LOG_LINES: Final = 1000
_MAX_LOG_LINE: Final = 10_000


def _abs(_budget: Budget, value: object, /) -> object:
    return abs(value)  # type: ignore[arg-type]  # Python says which values have none


def _all(budget: Budget, items: object, /) -> bool:
    return all(gather(budget, items))


def _any(budget: Budget, items: object, /) -> bool:
    return any(gather(budget, items))


def _bool(_budget: Budget, value: object = False, /) -> bool:  # noqa: FBT002 - as Python has it
    return bool(value)


def _chr(_budget: Budget, number: int, /) -> str:
    return chr(number)


def _dict(budget: Budget, items: object = (), /, **named: object) -> dict[object, object]:
    found = pairs(budget, items)
    found.update(named)
    return found


def _divmod(_budget: Budget, left: object, right: object, /) -> object:
    if type(left) not in _NUMBERS or type(right) not in _NUMBERS:
        raise TypeError("divmod takes two numbers")
    return divmod(cast("int", left), cast("int", right))


def _enumerate(budget: Budget, items: object, start: int = 0) -> object:
    rows = gather(budget, items)
    budget.items(len(rows), 96)
    return iter(list(enumerate(rows, start)))


def _filter(budget: Budget, function: object, items: object, /) -> object:
    judge = bool if function is None else callback(budget, function)
    return iter([item for item in gather(budget, items) if judge(item)])


def _float(_budget: Budget, value: object = 0.0, /) -> float:
    if type(value) not in _NUMBERS and not (type(value) is str and len(value) <= _MAX_NUMERAL):
        raise ValueError("float takes a number or a short text")
    return float(value)  # type: ignore[arg-type]  # checked above


def _frozenset(budget: Budget, items: object = (), /) -> frozenset[object]:
    return frozenset(collect(budget, items))


def _int(_budget: Budget, value: object = 0, /, base: int | None = None) -> int:
    if type(value) is str:
        if len(value) > _MAX_NUMERAL:
            raise ValueError(f"the text is longer than {_MAX_NUMERAL} letters, which is too much for a number")
        return int(value, 10 if base is None else base)
    if type(value) not in _NUMBERS or base is not None:
        raise TypeError(f"int takes a number or a text, not a {kind_name(value)}")
    return int(cast("int", value))


def _isinstance(_budget: Budget, value: object, kinds: object, /) -> bool:
    for kind in kinds if type(kinds) is tuple else (kinds,):
        real = TYPES.get(kind.__func__) if type(kind) is MethodType else kind
        if not isinstance(real, type):
            raise TypeError("isinstance: the second argument must be a type such as str, or a tuple of types")
        if isinstance(value, real):
            return True
    return False


def iterator(budget: Budget, items: object, /) -> object:
    """``iter(items)``, over a copy; a generator expression is one over its finished list."""
    return items if type(items) is LIST_ITERATOR else iter(gather(budget, items))


def _len(budget: Budget, value: object, /) -> int:
    if isinstance(value, View):
        return len(members(budget, value))
    return len(value)  # type: ignore[arg-type]  # Python says which values have none


def _list(budget: Budget, items: object = (), /) -> list[object]:
    return gather(budget, items)


def _map(budget: Budget, function: object, /, *lists: object) -> object:
    rows = [gather(budget, items) for items in lists]
    apply = callback(budget, function)
    return iter([apply(*items) for items in zip(*rows, strict=False)])


def _extreme(choose: Callable[..., int], name: str) -> Callable[..., object]:
    def run(budget: Budget, /, *items: object, key: object = None, default: object = _ABSENT) -> object:
        rows = gather(budget, items[0]) if len(items) == 1 else list(items)
        if not rows:
            if default is _ABSENT:
                raise ValueError(f"{name}() of nothing")
            return default
        judge = None if key is None else callback(budget, key)
        keys = rows if judge is None else [judge(item) for item in rows]
        budget.weigh(keys)
        return rows[choose(range(len(rows)), key=keys.__getitem__)]

    return run


def _next(budget: Budget, items: object, /, *default: object) -> object:
    if type(items) is not LIST_ITERATOR:
        raise TypeError(f"next takes an iterator, not a {kind_name(items)}: put iter(...) around it")
    budget.spend(1)
    return next(cast("list[object]", items), *default)  # type: ignore[call-overload]  # an iterator, by the check


def _ord(_budget: Budget, letter: str, /) -> int:
    return ord(letter)


def _print(budget: Budget, /, *values: object, sep: str = " ", end: str = "") -> None:
    if not type(sep) is type(end) is str:
        raise TypeError("print: sep and end must be text")
    shown = [show(budget, value) for value in values]
    budget.text(sum(map(len, shown)) + len(sep) * len(shown) + len(end))
    budget.spend(4, 256)
    if budget.log is not None and len(budget.log) < _MAX_LOG_LINES:
        budget.log.append((sep.join(shown) + end)[:_MAX_LOG_LINE])


def _range(_budget: Budget, /, *bounds: int) -> range:
    return range(*bounds)


def _repr(budget: Budget, value: object, /) -> str:
    return quote(budget, value)


def _reversed(budget: Budget, items: object, /) -> object:
    return iter(gather(budget, items)[::-1])


def _round(_budget: Budget, value: object, digits: int | None = None) -> object:
    if type(value) not in _NUMBERS or (digits is not None and abs(digits) > _MAX_DIGITS):
        raise ValueError(f"round takes a number and at most {_MAX_DIGITS} digits")
    return round(cast("float", value), digits)


def _set(budget: Budget, items: object = (), /) -> set[object]:
    return collect(budget, items)


def _sorted(budget: Budget, items: object, /, *, key: object = None, reverse: object = False) -> list[object]:
    return ordered(budget, gather(budget, items), key, reverse)


def _str(budget: Budget, value: object = "", /) -> str:
    return show(budget, value)


def _sum(budget: Budget, items: object, /, start: object = 0) -> object:
    total = start
    for item in gather(budget, items):
        budget.spend(1)
        total = add(budget, total, item)
    return total


def _tuple(budget: Budget, items: object = (), /) -> tuple[object, ...]:
    return tuple(gather(budget, items))


def _zip(budget: Budget, /, *lists: object, strict: object = False) -> object:
    rows = [gather(budget, items) for items in lists]
    budget.items(min(map(len, rows), default=0), 64 + 8 * len(rows))
    return iter(list(zip(*rows, strict=bool(strict))))


BUILTINS: Final[Mapping[str, Callable[..., object]]] = MappingProxyType(
    {
        "abs": _abs,
        "all": _all,
        "any": _any,
        "bool": _bool,
        "chr": _chr,
        "dict": _dict,
        "divmod": _divmod,
        "enumerate": _enumerate,
        "filter": _filter,
        "float": _float,
        "frozenset": _frozenset,
        "int": _int,
        "isinstance": _isinstance,
        "iter": iterator,
        "len": _len,
        "list": _list,
        "map": _map,
        "max": _extreme(max, "max"),
        "min": _extreme(min, "min"),
        "next": _next,
        "ord": _ord,
        "print": _print,
        "range": _range,
        "repr": _repr,
        "reversed": _reversed,
        "round": _round,
        "set": _set,
        "sorted": _sorted,
        "str": _str,
        "sum": _sum,
        "tuple": _tuple,
        "zip": _zip,
    }
)

TYPES: Final[Mapping[object, type]] = MappingProxyType(
    {
        _bool: bool,
        _dict: dict,
        _float: float,
        _frozenset: frozenset,
        _int: int,
        _list: list,
        _set: set,
        _str: str,
        _tuple: tuple,
    }
)
"""The types that some of the functions stand for."""
