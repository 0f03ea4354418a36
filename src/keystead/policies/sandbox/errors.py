"""How an expression fails, and the few exceptions it may name."""

from typing import Final


class ExpressionError(Exception):
    """An expression was refused, or its run ended badly; the text is for the administrator who wrote it.

    :param message: one sentence: what is wrong and, where it helps, what to write instead.
    :param line: line in the source, from 1, or None if no line is to blame.
    :param column: column in that line, from 1, or None.
    """

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message, line, column)
        self.message = message
        self.line = line
        self.column = column

    def __str__(self) -> str:
        if self.line is None:
            return self.message
        if self.column is None:
            return f"line {self.line}: {self.message}"
        return f"line {self.line}, column {self.column}: {self.message}"


class Signal(Exception):  # noqa: N818 - it tells the caller something; nothing went wrong
    """Base of exceptions a caller hands in by name (``SkipObject``): raised inside, they leave ``run`` as is."""


class Stop(BaseException):
    """Ends a run from the inside. No ``Exception``, so no ``except`` an expression can write catches it."""


EXCEPTIONS: Final[dict[str, object]] = {
    kind.__name__: kind
    for kind in (
        ArithmeticError,
        AssertionError,
        AttributeError,
        Exception,
        IndexError,
        KeyError,
        LookupError,
        NameError,
        OverflowError,
        RuntimeError,
        StopIteration,
        TypeError,
        ValueError,
        ZeroDivisionError,
    )
}
"""All that stands in ``__builtins__`` of an expression: no ``__import__``, no ``__build_class__``, nothing acts."""
