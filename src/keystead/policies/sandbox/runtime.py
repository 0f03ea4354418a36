"""The one set of globals every expression runs in: guards that its compiled form calls, and nothing else.

A guard is known as ``_name_``; an expression cannot spell such a name. No code of an expression can write here:
``global`` is refused, and everything it assigns is local to its function.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from keystead.policies.sandbox import access, calls, functions, helpers, iterate, operators, render
from keystead.policies.sandbox.budget import Budget
from keystead.policies.sandbox.errors import EXCEPTIONS

MISSING: Final = object()
"""Stands for a name the caller did not give; the first line of an expression deletes what holds it."""

FACADES: Final[Mapping[str, Callable[..., object]]] = MappingProxyType(
    {**functions.BUILTINS, **helpers.HELPERS, "getattr": access.attribute, "hasattr": access.has_attribute}
)
"""The functions every expression has, by name."""

_GUARDS: Final[Mapping[str, Callable[..., object]]] = MappingProxyType(
    {
        "add": operators.add,
        "augment": access.augment,
        "at_least": operators.at_least,
        "at_most": operators.at_most,
        "bind": access.bind,
        "call": calls.call,
        "chain": operators.chain,
        "combine": operators.combine,
        "contains": operators.contains,
        "each": iterate.each,
        "emit": access.emit,
        "emit_all": access.emit_all,
        "equal": operators.equal,
        "formatted": render.formatted,
        "inplace": operators.inplace,
        "invoke": access.invoke,
        "item": access.item,
        "join": render.join,
        "key": iterate.item_key,
        "new_key": iterate.new_key,
        "less": operators.less,
        "more": operators.more,
        "multiply": operators.multiply,
        "part": access.part,
        "power": operators.power,
        "remainder": operators.remainder,
        "rows": iterate.rows,
        "shift": operators.shift,
        "spread": iterate.spread,
        "spread_pairs": iterate.spread_pairs,
        "subtract": operators.subtract,
        "tick": Budget.spend,
        "unequal": operators.unequal,
        "write": access.writable,
    }
)

GLOBALS: Final[dict[str, object]] = {
    "__builtins__": EXCEPTIONS,
    "_missing_": MISSING,
    **{f"_{name}_": guard for name, guard in _GUARDS.items()},
    **{f"_{name}_": facade for name, facade in FACADES.items()},
}
