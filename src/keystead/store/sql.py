"""Statements: SQL written once, in PostgreSQL's words, and spelled for SQLite at definition.

Parameters are ``$1 … $n``. For SQLite a cast to a one-word type (``::jsonb``, ``::numeric(10, 2)``) is dropped and
``= ANY($1::text[])`` becomes a look-up in a JSON array, so lists travel as JSON text there. Texts in quotes stay as
they are. Further quoting (``E'…'``, ``$$…$$``) and comments have no place in a statement.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, TypeAlias

import msgspec

Value: TypeAlias = str | int | float | bool | bytes | Sequence[str] | Sequence[int] | None
Row: TypeAlias = tuple[object, ...]

_QUOTED: Final = r"""'(?:[^']|'')*'|"(?:[^"]|"")*\""""
_TYPE: Final = r"::[a-z_][a-z0-9_]*(?:\(\d+(?:, *\d+)?\))?(?:\[\])?"
_PARAMETER: Final = re.compile(rf"{_QUOTED}|\$(\d+)")
_PIECE: Final = re.compile(rf"{_QUOTED}|= ?ANY ?\(\$(?P<list>\d+)(?:{_TYPE})?\)|(?P<cast>{_TYPE})|\$(?P<one>\d+)")
_WORD: Final = re.compile(r"'(?:[^']|'')*'|([A-Za-z_][A-Za-z0-9_]*)")
_VERB: Final = re.compile(r"\s*(INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+([a-z_][a-z0-9_]*)", re.IGNORECASE)
_BEYOND: Final = 2**63
LONGEST: Final = 30.0
"""Seconds that a list or search may wait and take together, if nothing else is said of it."""


class Statement:
    """One constant SQL text.

    :param name: what it does, for logs and tests (``user.by_username``).
    :param text: the SQL, with ``$1``-style parameters.
    :param sqlite: the SQLite spelling where it cannot be derived.
    :param longest: seconds that it may wait and take together, asked as a list or search.
    """

    __slots__ = ("longest", "name", "order", "parameters", "sqlite", "table", "text", "verb")

    def __init__(self, name: str, text: str, *, sqlite: str | None = None, longest: float = LONGEST) -> None:
        self.longest = longest
        self.name = name
        self.text = text
        self.parameters = parameters(text)
        self.sqlite, self.order = _for_sqlite(sqlite or text)
        self.verb, self.table = target(text)

    def check(self, args: Sequence[Value]) -> None:
        """Refuse a wrong number of arguments, on both engines with the same words.

        :raises TypeError: there are more or fewer than the statement has parameters.
        """
        if len(args) != self.parameters:
            raise TypeError(f"{self.name} takes {self.parameters} arguments, not {len(args)}")

    def sqlite_args(self, args: Sequence[Value]) -> list[str | int | float | bytes | None]:
        """``args`` in the order SQLite's ``?`` marks want them; lists become JSON text.

        :raises ValueError: a value that PostgreSQL could not keep either: NUL in a text, an integer beyond 64 bits.
        """
        bound: list[str | int | float | bytes | None] = []
        for index in self.order:
            value = args[index]
            if isinstance(value, str):
                if "\0" in value:
                    raise ValueError(f"{self.name}: parameter ${index + 1} holds a NUL character")
            elif isinstance(value, int):
                if not -_BEYOND <= value < _BEYOND:
                    raise ValueError(f"{self.name}: parameter ${index + 1} is beyond 64 bits")
            elif isinstance(value, (list, tuple, set, frozenset)):
                value = msgspec.json.encode(value).decode()
            bound.append(value)  # type: ignore[arg-type]  # sequences were turned into text above
        return bound

    def __repr__(self) -> str:
        return f"Statement({self.name})"


def _for_sqlite(text: str) -> tuple[str, tuple[int, ...]]:
    """``text`` with SQLite's ``?`` marks, and which argument each mark stands for."""
    order: list[int] = []

    def spelled(piece: re.Match[str]) -> str:
        if number := piece["list"] or piece["one"]:
            order.append(int(number) - 1)
            return "IN (SELECT value FROM json_each(?))" if piece["list"] else "?"
        return "" if piece["cast"] else piece[0]

    return _PIECE.sub(spelled, text), tuple(order)


def parameters(text: str) -> int:
    """How many parameters ``text`` has: the largest number after a ``$``."""
    return max((int(found[1]) for found in _PARAMETER.finditer(text) if found[1]), default=0)


def renumbered(text: str, offset: int) -> str:
    """``text`` with ``$1`` called ``$(1 + offset)`` and so on."""
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + offset}" if found[1] else found[0], text)


def words(text: str) -> list[str]:
    """The names and key words in ``text``, in lower case, without its quoted texts."""
    return [found[1].lower() for found in _WORD.finditer(text) if found[1]]


def target(text: str) -> tuple[str, str]:
    """The verb and the table of an INSERT, UPDATE or DELETE; ``("SELECT", "")`` for anything else."""
    match = _VERB.match(text)
    return (match[1].split()[0].upper(), match[2]) if match else ("SELECT", "")


@lru_cache(maxsize=2048)
def dynamic(text: str, longest: float = LONGEST) -> Statement:
    """A statement that the composer or a kind put together from constant parts; equal texts share one object."""
    return Statement("composed", text, longest=longest)
