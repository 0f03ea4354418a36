"""A unit: everything one decision writes. It lands whole or leaves nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from keystead.store.sql import Statement, Value

Shape: TypeAlias = tuple[tuple[str, int | None], ...]
"""What units that can travel together have in common: the texts and the expected counts of their writes."""


@dataclass(frozen=True, slots=True)
class Write:
    """One guarded write.

    :param statement: an INSERT, UPDATE or DELETE.
    :param args: its parameters.
    :param expect: how many rows it must touch, or None when any number is fine.
    :param guard: the guard's name, given back in :class:`~keystead.store.store.GuardFailed` when the count differs.
    :raises TypeError: ``args`` are more or fewer than the statement has parameters.
    """

    statement: Statement
    args: tuple[Value, ...] = ()
    expect: int | None = None
    guard: str = ""

    def __post_init__(self) -> None:
        self.statement.check(self.args)


@dataclass(frozen=True, slots=True)
class Unit:
    """Writes that land together, as if one after the other.

    :param writes: the guarded writes.
    :param announce: the number of the newest settings change in this unit, 0 if it holds none.
    """

    writes: tuple[Write, ...] = ()
    announce: int = 0
    shape: Shape = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple((write.statement.text, write.expect) for write in self.writes))


def join(units: Iterable[Unit]) -> Unit:
    """One unit that holds the writes of all ``units``, in their order."""
    units = tuple(units)
    return Unit(
        tuple(write for unit in units for write in unit.writes), max((unit.announce for unit in units), default=0)
    )
