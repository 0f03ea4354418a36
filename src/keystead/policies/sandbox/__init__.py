"""The sandbox: administrators' Python, for expression policies and property mappings.

An expression is the body of a function. It sees the names its caller gives and the functions of this room, no more;
it cannot change what the server holds, and it ends when its steps, its time or its memory are used up. It is pure: no
input, no output, no store. What this room is not: a jail for people who may not administer. Whoever may write an
expression is trusted with what the names given to it can do.

How it holds, from outside in: the syntax tree is read against a list of what there is (``check``); RestrictedPython
and guards of ours take the place of every operation (``transform``, ``runtime``); values come from a closed set of
types, and only listed attributes of those types exist (``values``, ``methods``); every repetition pays from a budget
(``budget``).
"""

from keystead.policies.sandbox.compiler import Expression, compile_expression
from keystead.policies.sandbox.errors import ExpressionError, Signal
from keystead.policies.sandbox.values import Owned, View, make_view, subject

__all__ = ["Expression", "ExpressionError", "Owned", "Signal", "View", "compile_expression", "make_view", "subject"]
