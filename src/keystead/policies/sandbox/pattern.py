r"""Regular expressions whose worst case is known before they run.

Python's engine backtracks and cannot be interrupted, so a pattern is read first: from what each repetition can match
and what may follow it we get an upper bound on the ways to try, as a power of the text's length. Where the next
character decides whether a repetition goes on (``\w+@``), there is one way; where it does not (``.*a``), as many as
there are characters; and a repetition of something that itself has several ways (``(a+)+``) is refused, for it has no
such bound.
"""

import re
from functools import lru_cache
from typing import Final

import msgspec

from keystead.policies.sandbox.quiet import quiet
from keystead.policies.sandbox.ways import NONE, Follow, Reader, Ways, parser

MAX_PATTERN: Final = 1000
MAX_SUBJECT: Final = 1 << 16
MAX_TRIES: Final = 2_000_000
"""Steps of the engine that a call may take: about 30 ms."""

_MAX_GROUPS: Final = 100
_MAX_WIDE_SETS: Final = 8
_START: Final = 16
"""Steps that trying a pattern in one more place costs in itself."""


class Examined(msgspec.Struct, frozen=True):
    """A pattern that has a bound."""

    compiled: re.Pattern[str]
    ways: Ways
    scans: bool
    """A try that fails may have read all of the text."""
    reach: int
    """Otherwise, how much it may have read."""
    aside: Ways
    """What looking ahead and back costs each time."""
    size: int
    """Characters and sets that it names."""

    def check(self, length: int, *, everywhere: bool) -> None:
        """See whether the pattern stays within ``MAX_TRIES`` on a text of ``length``.

        :param everywhere: it is tried from every place of the text, not only from its start.
        :raises ValueError: it might not.
        """
        if length > MAX_SUBJECT:
            raise ValueError(f"a pattern can be tried on at most {MAX_SUBJECT} characters")
        tries = self.ways.factor * length**self.ways.degree * self.aside.factor * length**self.aside.degree
        # Of many alternatives the engine looks at each in turn, which costs it less than a step.
        tries *= length * (1 + self.size // 32) if self.scans else self.reach
        if everywhere:
            tries = length * (tries + _START)
        if tries > MAX_TRIES:
            raise ValueError(f"this pattern could take too long on {length} characters; say what ends each repetition")


@lru_cache(maxsize=512)
def examine(pattern: str) -> Examined:
    """Read and compile ``pattern``.

    :raises ValueError: it is malformed, too long, uses what we do not know, or has no bound.
    """
    if len(pattern) > MAX_PATTERN or pattern.count("(") > _MAX_GROUPS:
        raise ValueError(f"a pattern may have {MAX_PATTERN} characters and {_MAX_GROUPS} groups")
    with quiet():
        try:
            parsed = parser.parse(pattern)
            reader = Reader(parsed.state.flags)
            ways, _ = reader.sequence(parsed, Follow(NONE, sure=True))
            if reader.wide_sets > _MAX_WIDE_SETS:
                raise ValueError(f"a pattern may have {_MAX_WIDE_SETS} ranges that end beyond U+00FF")
            return Examined(re.compile(pattern), ways, reader.scans, reader.reach, reader.aside, reader.size)
        except (re.error, OverflowError, RecursionError) as exc:
            raise ValueError(f"this is not a regular expression: {exc}") from None
