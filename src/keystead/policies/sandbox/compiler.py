"""From source to a function of Python, kept by source text; and running it."""

import ast
import re
from collections.abc import Mapping
from functools import lru_cache
from types import CodeType, FunctionType, MethodType, TracebackType
from typing import Final, NamedTuple

from keystead.policies.sandbox.budget import Budget
from keystead.policies.sandbox.check import bound_names, check, parse
from keystead.policies.sandbox.errors import EXCEPTIONS, ExpressionError, Signal, Stop
from keystead.policies.sandbox.nodes import BUDGET
from keystead.policies.sandbox.quiet import quiet
from keystead.policies.sandbox.render import explain
from keystead.policies.sandbox.runtime import FACADES, GLOBALS, MISSING
from keystead.policies.sandbox.values import ATOMS, own, settle

KEPT: Final = 256
"""How many compiled expressions a process keeps."""

_FILE: Final = "<expression>"
_RESTRICTED: Final = re.compile(r"Line (?P<line>\d+): (?P<text>.*)", re.DOTALL)
_QUOTED: Final = re.compile(r"'(\w+)'")


class _Compiled(NamedTuple):
    """A function that takes the budget and then the names, in order; and whether its result is what it yields."""

    function: FunctionType
    names: tuple[str, ...]
    yields: bool


def _code(function: ast.FunctionDef) -> CodeType:
    """The code of the one function in a module."""
    module = ast.fix_missing_locations(ast.Module([function], []))
    compiled = compile(module, _FILE, "exec", dont_inherit=True)
    return next(part for part in compiled.co_consts if isinstance(part, CodeType))


def _names(code: CodeType, own_names: frozenset[str]) -> tuple[str, ...]:
    """The names an expression may be given: what it reads and does not define, and its own variables.

    Its own too, for as in a function with parameters it may read what it was given before it sets it anew.
    """
    found = set(code.co_varnames) | set(code.co_cellvars)
    parts = [code]
    while parts:
        part = parts.pop()
        found |= set(part.co_names)
        parts += [inner for inner in part.co_consts if isinstance(inner, CodeType)]
    # Guards start with an underscore; "_" is a variable like others. Exceptions are found among the builtins.
    return tuple(
        sorted(
            name
            for name in found
            if (not name.startswith("_") or name == "_") and (name in own_names or name not in EXCEPTIONS)
        )
    )


@lru_cache(maxsize=KEPT)
def _compiled(source: str) -> _Compiled:
    # RestrictedPython is loaded by the first expression, not by every start of the server.
    from keystead.policies.sandbox.transform import Instrument  # noqa: PLC0415 - see above

    with quiet():
        tree = parse(source)
        check(tree)
        own_names = bound_names(tree)
        yields = any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(tree))
        shell = ast.parse("def expression(): pass").body[0]
        if not isinstance(shell, ast.FunctionDef):
            raise TypeError("a function definition is one")
        try:
            instrument = Instrument(tree, own_names)
            shell.body = instrument.visit(tree).body or shell.body
            if instrument.errors:
                raise _refused(instrument.errors[0])
            shell.args.args = [ast.arg(BUDGET)]
            names = _names(_code(shell), own_names)
            shell.args.args += [ast.arg(name) for name in names]
            prologue = "\n".join(f"if {name} is _missing_: del {name}" for name in names)
            shell.body[:0] = ast.parse(prologue).body
            code = _code(shell)
        except SyntaxError as exc:
            raise ExpressionError(f"not valid Python: {exc.msg}", exc.lineno, exc.offset) from None
        except RecursionError:
            raise ExpressionError("the expression nests too deeply") from None
        except ValueError as exc:
            raise ExpressionError(f"not valid Python: {exc}") from None
    return _Compiled(FunctionType(code, GLOBALS), names, yields)


def _refused(text: str) -> ExpressionError:
    match = _RESTRICTED.fullmatch(text)
    return ExpressionError(text) if match is None else ExpressionError(match["text"], int(match["line"]))


class Expression:
    """A compiled expression. It holds nothing of a run, so one object serves all of them, also at the same time."""

    __slots__ = ("_function", "_names", "_yields", "name", "source")

    def __init__(self, name: str, source: str, compiled: _Compiled) -> None:
        self.name = name
        self.source = source
        self._function, self._names, self._yields = compiled

    @property
    def names(self) -> tuple[str, ...]:
        """The names it may be given: what it reads and does not define, and its own variables."""
        return self._names

    def run(
        self, names: Mapping[str, object], *, steps: int = 200_000, seconds: float = 0.2, log: list[str] | None = None
    ) -> object:
        """Run it once.

        Of ``names``, lists and dicts go in as copies (but see ``Owned``), views and functions as they are; anything
        else but plain data is closed to the expression. The names of the functions every expression has cannot be
        given anew.

        :param names: what the expression may use, by name; what is not there is undefined.
        :param steps: how much it may do, up to a million; a step is about a microsecond.
        :param seconds: how much processor time it may take, calls of functions given to it included.
        :param log: gets a line for each ``print``.
        :returns: what it returns, or a list of what it yields: data and views of bounded size.
        :raises ExpressionError: it failed, or passed one of the limits.
        :raises Signal: it raised one that the caller gave it.
        """
        budget = Budget(steps, seconds, log)
        failure: ExpressionError
        try:
            given = [_given(budget, names, name) for name in self._names]
            result = self._function(budget, *given)
            if budget.stopped:
                raise Stop(budget.stopped)  # noqa: TRY301 - a 'finally' may have swallowed the first one
            if self._yields:
                return settle(budget.yielded)
            return result if type(result) in _FIT else settle(result)
        except Signal:
            raise
        except Stop as exc:
            failure = ExpressionError(f"stopped: {budget.stopped or exc}", *_place(exc.__traceback__))
        except Exception as exc:  # noqa: BLE001 - whatever an expression does wrong ends here
            failure = ExpressionError(_told(exc), *_place(exc.__traceback__))
        finally:
            budget.close()
        # Raised without its cause, which may hold more than anybody could print.
        raise failure


def compile_expression(source: str, *, name: str) -> Expression:
    """Compile the body of an expression: Python statements with ``return``, at most 64 KiB.

    :param source: the text; empty is fine and gives None.
    :param name: what administrators call it.
    :raises ExpressionError: it is not valid, or uses what expressions do not have; the text says what and where.
    """
    return Expression(name, source, _compiled(source))


_FIT: Final = frozenset({type(None), bool, int, float})
"""Results that need no look: nearly all policies give one of them."""


def _given(budget: Budget, names: Mapping[str, object], name: str) -> object:
    value = names.get(name, MISSING)
    if type(value) in ATOMS:
        return value
    if value is MISSING:
        # Only where the expression uses the name of one of our functions or exceptions for a variable of its own.
        return MethodType(FACADES[name], budget) if name in FACADES else EXCEPTIONS.get(name, MISSING)
    return own(budget, value)


def _told(exc: Exception) -> str:
    """What went wrong, for an administrator."""
    text = explain(exc)
    if isinstance(exc, NameError):
        match = _QUOTED.search(text)
        return f"the name {match[1]!r} is not available here" if match else text
    if isinstance(exc, RecursionError):
        return "a function calls itself too often"
    kind = type(exc).__name__
    return text if text == kind else f"{kind}: {text}"


def _place(trace: TracebackType | None) -> tuple[int | None, int | None]:
    """Line and column of the innermost place in the expression that a traceback goes through."""
    line = column = None
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename == _FILE:
            start, _, offset, _ = list(code.co_positions())[trace.tb_lasti // 2]
            line, column = start or trace.tb_lineno, None if offset is None else offset + 1
        trace = trace.tb_next
    return line, column
