"""Calling things: functions of the expression, functions of ours, functions the caller gave by name."""

from collections.abc import Callable
from functools import partial
from types import FunctionType, MethodType
from typing import cast

from keystead.policies.sandbox.budget import Budget
from keystead.policies.sandbox.errors import EXCEPTIONS
from keystead.policies.sandbox.values import ATOMS, FUNCTIONS, kind_name, own

_HOST_CALL = 8
"""Steps that a call of the server's functions costs beyond what its arguments weigh."""


def _is_inner(budget: Budget, function: object) -> bool:
    """Whether a function counts its own work: made by an expression, or one of our facades bound to this run."""
    if type(function) is FunctionType:
        return function.__globals__.get("__builtins__") is EXCEPTIONS
    if type(function) is partial:
        return bool(function.args) and function.args[0] is budget
    return type(function) is MethodType and function.__self__ is budget


def call(budget: Budget, function: object, /, *args: object, **named: object) -> object:
    """``function(*args, **named)``. What comes from outside gets only arguments of bounded weight, and gives copies.

    :raises TypeError: it is nothing an expression may call.
    """
    if _is_inner(budget, function):
        return cast("Callable[..., object]", function)(*args, **named)
    if isinstance(function, type):
        if not issubclass(function, Exception):
            raise TypeError(f"{function.__name__} cannot be called here")
    elif type(function) not in FUNCTIONS:
        raise TypeError(f"a {kind_name(function)} is not a function")
    for value in (*args, *named.values()):
        if type(value) not in ATOMS:
            budget.weigh(value)
    budget.spend(_HOST_CALL)
    result = cast("Callable[..., object]", function)(*args, **named)
    budget.look()
    return result if isinstance(result, Exception) else own(budget, result)


def callback(budget: Budget, function: object) -> Callable[..., object]:
    """``function`` in a form that C code (``sorted``) may call."""
    if _is_inner(budget, function):
        return cast("Callable[..., object]", function)
    return partial(call, budget, function)
