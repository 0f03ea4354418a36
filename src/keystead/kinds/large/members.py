"""Who is in a list of numbered rows, and who of them stands on a page of an order: numbers in memory, no database."""

import asyncio
import bisect
import itertools
from array import array
from collections.abc import Hashable
from typing import Final, NamedTuple, Protocol

STEP: Final = 1_024
"""Rows of an order whose matches are counted together."""
_BREATH: Final = 16
"""Steps after which others may go on."""


class Line:
    """All numbers of a table in an order.

    :param top: the greatest of them.
    """

    def __init__(self, numbers: "array[int]", top: int) -> None:
        self.numbers = numbers
        self.top = top
        self._places: array[int] | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Line) and self.numbers == other.numbers

    __hash__ = None  # type: ignore[assignment]  # two that are equal may be told apart

    async def places(self) -> "array[int]":
        """Where each number stands, counted from 1; 0 for those that do not."""
        if self._places is None:
            places = array("I", bytes(4 * (self.top + 1)))
            for at in range(0, len(self.numbers), _BREATH * STEP):
                for place, number in enumerate(self.numbers[at : at + _BREATH * STEP], at + 1):
                    places[number] = place
                await asyncio.sleep(0)
            self._places = places
        return self._places


class Stray(Exception):  # noqa: N818 - an outcome: another way has to be gone
    """Somebody is in a list who stood nowhere yet when the order was looked at."""


class Members(Protocol):
    """Who is in a list.

    :param count: how many.
    """

    count: int

    @property
    def bytes(self) -> int:
        """What knowing that weighs."""
        ...

    async def standing(self, name: Hashable, line: Line, page: "Stretch") -> list[int]:
        """The numbers of a page, in order.

        :param name: the order's.
        :raises Stray: the order is too old to tell.
        """
        ...


class Few:
    """A list of so few that each is put in its place.

    :param numbers: who is in it.
    """

    def __init__(self, numbers: "array[int]") -> None:
        self.numbers = numbers
        self.count = len(numbers)
        self._places: dict[Hashable, tuple[Line, list[int]]] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Few) and self.numbers == other.numbers

    __hash__ = None  # type: ignore[assignment]  # as above

    @property
    def bytes(self) -> int:
        """See :class:`Members`."""
        return self.count * self.numbers.itemsize

    async def standing(self, name: Hashable, line: Line, page: "Stretch") -> list[int]:
        """See :class:`Members`."""
        known = self._places.get(name)
        if known and known[0] is line:
            places = known[1]
        else:
            at = await line.places()
            places = sorted(place for number in self.numbers if number <= line.top and (place := at[number]))
            if len(places) < self.count:
                raise Stray
            self._places[name] = (line, places)
        first, size = page.of(len(places))
        return [line.numbers[place - 1] for place in places[first : first + size]]


class Many:
    """Any other list.

    :param flags: 1 for each number that is in it.
    :param beyond: whether numbers beyond those are.
    """

    def __init__(self, flags: bytearray, count: int, *, beyond: bool = False) -> None:
        self.flags = flags
        self.count = count
        self._beyond = beyond
        self._before: dict[Hashable, tuple[Line, array[int]]] = {}

    def __eq__(self, other: object) -> bool:
        """Whether the same are in it; flags that were made longer for an order since say nothing more."""
        if not isinstance(other, Many) or (self.count, self._beyond) != (other.count, other._beyond):
            return False
        shorter, longer = sorted((self.flags, other.flags), key=len)
        return longer.startswith(shorter) and longer.find(not self._beyond, len(shorter)) < 0

    __hash__ = None  # type: ignore[assignment]  # as above

    @property
    def bytes(self) -> int:
        """See :class:`Members`."""
        return len(self.flags)

    async def standing(self, name: Hashable, line: Line, page: "Stretch") -> list[int]:
        """See :class:`Members`."""
        before = await self._sums(name, line)
        first, size = page.of(before[-1])
        found: list[int] = []
        at = bisect.bisect_right(before, first) - 1
        skip = first - before[at]
        while size and len(found) < skip + size:
            stretch = line.numbers[at * STEP : (at + 1) * STEP]
            found += itertools.compress(stretch, map(self.flags.__getitem__, stretch))
            at += 1
        return found[skip : skip + size]

    async def _sums(self, name: Hashable, line: Line) -> "array[int]":
        """How many of the list stand before each step of an order, and at last how many there are."""
        known = self._before.get(name)
        if known and known[0] is line:
            return known[1]
        if len(self.flags) <= line.top:
            self.flags.extend((b"\1" if self._beyond else b"\0") * (line.top + 1 - len(self.flags)))
        flag, numbers, total, sums = self.flags.__getitem__, line.numbers, 0, array("I", [0])
        for at in range(0, len(numbers), STEP):
            total += sum(map(flag, numbers[at : at + STEP]))
            sums.append(total)
            if len(sums) % _BREATH == 0:
                await asyncio.sleep(0)
        self._before[name] = (line, sums)
        return sums


class Stretch(NamedTuple):
    """A page.

    :param turned: it is counted from the end, backwards.
    """

    offset: int
    size: int
    turned: bool

    def of(self, count: int) -> tuple[int, int]:
        """Where it begins, counted from the beginning of a list of ``count``, and how much of the list it holds."""
        size = max(0, min(self.size, count - self.offset))
        return (count - self.offset - size if self.turned else self.offset), size
