"""Attributes, items and slices: every ``a.b``, ``a[b]``, ``a[b:c]`` and ``a.b()`` of an expression comes here."""

from collections.abc import Callable
from functools import partial
from types import MethodType
from typing import Final, cast

from keystead.policies.sandbox.budget import MAX_ITEMS, Budget
from keystead.policies.sandbox.calls import call
from keystead.policies.sandbox.functions import TYPES
from keystead.policies.sandbox.iterate import gather, item_key, members
from keystead.policies.sandbox.methods import ATTRIBUTES, METHODS
from keystead.policies.sandbox.operators import inplace
from keystead.policies.sandbox.values import ATOMS, View, field, kind_name, own, subject

_ROWS: Final = frozenset({list, tuple})
_SLICED: Final = frozenset({list, tuple, str, bytes, range})


def _closed(budget: Budget, value: object, name: object) -> AttributeError:
    """Why ``value`` has no such attribute here. A private name ends the run: nobody asks for one by mistake."""
    if type(name) is not str:
        raise TypeError("an attribute's name must be text")
    if name.startswith("_"):
        budget.stop(f"names that start with an underscore are not available ({name[:40]!r})")
    return AttributeError(f"a {kind_name(value)} has no attribute {name[:100]!r} that an expression may use")


def _read(budget: Budget, view: View, name: str) -> object:
    """An attribute of a view. What can change is copied once a run, so that the same name gives the same list again."""
    getter = field(view, name)
    kept = budget.copies.get((id(view), name))
    if kept is not None:
        return kept[1]
    value = getter(subject(view))
    if type(value) in ATOMS:
        return value
    budget.spend(4, 200)
    value = own(budget, value)
    # The view is kept beside its copy: while it lives, no other object gets its id.
    budget.copies[id(view), name] = (view, value)
    return value


def attribute(budget: Budget, value: object, name: str, /, *default: object) -> object:
    """``value.name``, or ``getattr(value, name, default)``.

    :raises AttributeError: there is no such attribute, or none an expression may see.
    """
    kind = type(value)
    try:
        if isinstance(value, View):
            if type(name) is not str or name.startswith("_"):
                raise _closed(budget, value, name)
            return _read(budget, value, name)
        method = METHODS.get(kind, {}).get(name)
        if method is not None:
            return partial(method, budget, value)
        if name in ATTRIBUTES.get(kind, ()):
            return getattr(value, name)
        if isinstance(value, MethodType):
            # A function of ours that stands for a type: str.lower is a function of any text.
            method = METHODS.get(TYPES.get(value.__func__, object), {}).get(name)
            if method is not None:
                return partial(method, budget)
        raise _closed(budget, value, name)
    except AttributeError:
        if default:
            return default[0]
        raise


def has_attribute(budget: Budget, value: object, name: str, /) -> bool:
    """``hasattr(value, name)``."""
    missing = object()
    return attribute(budget, value, name, missing) is not missing


def invoke(budget: Budget, value: object, name: str, /, *args: object, **named: object) -> object:
    """``value.name(...)``, the short way for values whose methods are ours."""
    methods = METHODS.get(type(value))
    if methods is not None and name in methods:
        return methods[name](budget, value, *args, **named)
    return call(budget, attribute(budget, value, name), *args, **named)


def item(budget: Budget, value: object, key: object) -> object:
    """``value[key]``.

    :raises TypeError: it has no items.
    """
    kind = type(value)
    if kind is dict:
        return cast("dict[object, object]", value)[item_key(budget, key)]
    if kind in _SLICED:
        return cast("list[object]", value)[cast("int", key)]
    if isinstance(value, View):
        return members(budget, value)[cast("int", key)]
    raise TypeError(f"a {kind_name(value)} has no items")


def part(budget: Budget, value: object, start: object, stop: object, step: object) -> object:
    """``value[start:stop:step]``."""
    if isinstance(value, View):
        value = members(budget, value)
    kind = type(value)
    if kind not in _SLICED:
        raise TypeError(f"a {kind_name(value)} cannot be cut into slices")
    made = cast("list[object]", value)[cast("int", start) : cast("int", stop) : cast("int", step)]
    if kind in _ROWS:
        budget.items(len(made))
    elif kind is not range:
        budget.text(len(made))
    return made


def writable(budget: Budget, value: object) -> object:
    """``value``, if an expression may set or delete its items.

    :raises TypeError: it may not.
    """
    if type(value) is dict:
        if len(value) > MAX_ITEMS:
            budget.items(len(value))
        budget.spend(1, 100)
        return value
    if type(value) is list:
        budget.spend(1 + (len(value) >> 10))
        return value
    raise TypeError(f"items of a {kind_name(value)} cannot be changed")


def augment(budget: Budget, value: object, key: object, sign: str, right: object) -> None:
    """``value[key] += right`` and its kin."""
    held = cast("dict[object, object]", writable(budget, value))
    item_key(budget, key)
    held[key] = inplace(budget, sign, held[key], right)


def bind(budget: Budget, function: Callable[..., object]) -> object:
    """One of our functions as a value: ``key=len``."""
    return MethodType(function, budget)


def emit(budget: Budget, value: object) -> None:
    """Take a ``yield`` of the expression's body."""
    budget.spend(1, 16)
    budget.yielded.append(value)


def emit_all(budget: Budget, values: object) -> None:
    """Take a ``yield from`` of the expression's body."""
    budget.yielded.extend(gather(budget, values))
