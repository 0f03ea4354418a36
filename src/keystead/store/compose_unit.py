"""A unit as few PostgreSQL statements: writes become data-modifying CTEs, guards a raising function at the end.

The parts of one such statement all see the database as it was before it, so writes share a statement only while none
can notice another. Where one could, the unit continues in a next statement. A unit of one statement needs no
transaction of its own and can travel with others of its shape.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple, TypeAlias

from keystead.store.sql import Value, parameters, renumbered, target, words
from keystead.store.unit import Shape, Unit

References: TypeAlias = frozenset[tuple[str, str]]
"""``(table, other)``: rows of ``table`` refer by foreign key to rows of ``other``, directly or through other tables."""
CHANNEL: Final = "keystead_settings"
"""Where a unit's ``announce`` is told to the other processes."""
MOST: Final = 32
"""Writes that share one statement at most: planning time grows faster than their number."""


class Step(NamedTuple):
    """One statement of a unit.

    :param text: what to send.
    :param first: the first of the unit's writes that it holds.
    :param last: the first write that it does not hold any more.
    """

    text: str
    first: int
    last: int


class _Part(NamedTuple):
    """What must be known about a write to tell whether it can share a statement."""

    verb: str
    table: str
    reads: frozenset[str]


def steps(unit: Unit, references: References, *, apart: bool = False) -> tuple[Step, ...]:
    """The statements that do what ``unit``'s writes do one after the other; units of one shape have the same steps.

    :param references: the foreign keys of the database.
    :param apart: every write in a statement of its own.
    """
    return _steps(unit.shape, references, announce=bool(unit.announce), apart=apart)


def arguments(unit: Unit, step: Step) -> list[Value]:
    """What to send with ``step`` of ``unit``."""
    writes = unit.writes[step.first : step.last]
    args: list[Value] = [value for write in writes for value in write.args]
    args.extend(write.guard for write in writes if write.expect is not None)
    if unit.announce and step.last == len(unit.writes):
        args.append(str(unit.announce))
    return args


@lru_cache(maxsize=1024)
def _steps(shape: Shape, references: References, *, announce: bool, apart: bool) -> tuple[Step, ...]:
    parts = [_part(text) for text, _ in shape]
    cuts = [0]
    for index, part in enumerate(parts):
        together = parts[cuts[-1] : index]
        if together and (
            apart or len(together) == MOST or not all(_unnoticed(earlier, part, references) for earlier in together)
        ):
            cuts.append(index)
    cuts.append(len(shape))
    return tuple(
        Step(_text(shape[first:last], announce=announce and last == len(shape)), first, last)
        for first, last in pairwise(cuts)
    )


def _part(text: str) -> _Part:
    verb, table = target(text)
    reads = words(text)
    if table in reads:
        reads.remove(table)  # once: the write's own target
    return _Part(verb, table, frozenset(reads))


def _unnoticed(earlier: _Part, later: _Part, references: References) -> bool:
    """Whether ``later`` does the same beside ``earlier`` as after it."""
    if "SELECT" in (earlier.verb, later.verb) or earlier.table in later.reads:
        return False
    if earlier.table == later.table:
        # Rows that are added do not meet others, and a unique value that was set free before is free. But rows must not
        # refer to each other, and those of other tables not to a removed one. If an ON CONFLICT finds a row that was
        # written just before, PostgreSQL refuses, and the sender sends the writes apart.
        referred_to = any(other == later.table for _, other in references)
        itself = (later.table, later.table) in references
        return later.verb == "INSERT" and not itself and not (earlier.verb == "DELETE" and referred_to)
    if (later.table, earlier.table) in references:
        return earlier.verb != "DELETE"  # the cascade must not meet, nor miss, what comes after it
    if (earlier.table, later.table) in references:
        # Foreign keys are checked at the end of a statement: what was missing must stay missing until then.
        return later.verb == "UPDATE"
    return True


def _text(shape: Shape, *, announce: bool) -> str:
    ctes: list[str] = []
    results: list[str] = []
    offset = 0
    guards = sum(parameters(text) for text, _ in shape)
    for index, (text, expect) in enumerate(shape):
        ctes.append(f"w{index} AS ({renumbered(text, offset)} RETURNING 1)")
        offset += parameters(text)
        # PostgreSQL runs a CTE when its result is first asked for (and those nobody asks for last, backwards): asking
        # for each in turn keeps the writes in order, so that events of one unit are numbered as they were told.
        count = f"(SELECT count(*) FROM w{index})"  # noqa: S608 - constant texts and numbers only
        if expect is None:
            results.append(count)
        else:
            guards += 1
            results.append(f"keystead_guard(${guards}, {count}, {expect})")
    if announce:
        results.append(f"pg_notify('{CHANNEL}', ${guards + 1})")
    return f"WITH {', '.join(ctes)} SELECT {', '.join(results)}"


def closure(pairs: Sequence[tuple[str, str]]) -> References:
    """``pairs`` of (table, table it refers to), and all that follows from them."""
    found = set(pairs)
    while True:
        further = {(low, high) for low, middle in found for start, high in found if middle == start} - found
        if not further:
            return frozenset(found)
        found |= further
