"""What one run may use up: steps, seconds, memory and sizes.

Work in Python is counted where it repeats (loops, comprehensions, functions); work in C is counted before it is done,
by the size of what it is given. The clock is read every few hundred steps, so a run ends soon after its time. It is the
thread's own: a run is not to fail because the machine did something else meanwhile.
"""

import time
from collections.abc import Collection
from typing import Final, NoReturn, cast

from keystead.policies.sandbox.errors import ExpressionError, Stop

MAX_TEXT: Final = 1 << 20
"""Characters (or octets) in one text."""
MAX_ITEMS: Final = 100_000
"""Items in one list, set or dict."""
MAX_BITS: Final = 4096
"""Bits of an integer."""
MAX_NESTING: Final = 100
"""Containers within containers."""
MAX_STEPS: Final = 1_000_000
"""Steps of a run, whatever its caller asks: no call into C that fits in them lasts long."""
ROOM: Final = 32 << 20
"""Octets a run may allocate in all, freed or not."""

_LOOK_EVERY: Final = 256
DICT_VIEWS: Final[frozenset[type]] = frozenset({type({}.keys()), type({}.values()), type({}.items())})
CONTAINERS: Final = frozenset({list, tuple, set, frozenset, dict, *DICT_VIEWS})
_NUMBERS: Final = frozenset({int, float, bool, type(None)})
_TEXTS: Final = frozenset({str, bytes})


class Budget:
    """The account of one run.

    :param steps: how many steps it may take, at most :data:`MAX_STEPS`; one step is about a microsecond.
    :param seconds: how much processor time it may take.
    :param log: where ``print`` puts its lines, or None to drop them.
    """

    __slots__ = ("copies", "deadline", "log", "mark", "most", "over", "room", "seconds", "steps", "stopped", "yielded")

    def __init__(self, steps: int, seconds: float, log: list[str] | None) -> None:
        self.steps = self.most = steps = min(steps, MAX_STEPS)
        self.mark = steps - _LOOK_EVERY if steps > _LOOK_EVERY else 0
        self.seconds = seconds
        self.deadline = time.thread_time() + seconds
        self.room = ROOM
        self.log = log
        self.stopped = ""
        self.over = False
        self.copies: dict[tuple[int, str], tuple[object, object]] = {}
        self.yielded: list[object] = []

    def spend(self, steps: int, octets: int = 0) -> None:
        """Count ``steps`` of work and ``octets`` of memory.

        :raises Stop: one of the limits is passed.
        """
        self.steps = left = self.steps - steps
        if octets:
            self.room -= octets
            if self.room < 0:
                self.stop("it uses too much memory")
        if left < self.mark:
            self.look()

    def look(self) -> None:
        """Compare steps and clock with their limits now.

        :raises Stop: one of them is passed, or the run was stopped before and swallowed that.
        :raises ExpressionError: the run is over, and somebody kept a function of it.
        """
        if self.over:
            raise ExpressionError("the run this function belongs to is over")
        if self.stopped:
            raise Stop(self.stopped)
        if self.steps < 0:
            self.stop(f"it takes more than {self.most} steps")
        if time.thread_time() >= self.deadline:
            self.stop(f"it takes longer than {self.seconds:g} s")
        self.mark = max(self.steps - _LOOK_EVERY, 0)

    def stop(self, reason: str) -> NoReturn:
        """End the run. Every later look at the budget ends it again, so a ``finally`` cannot carry on."""
        self.stopped = self.stopped or reason
        self.steps = -1
        self.mark = 0
        raise Stop(self.stopped)

    def close(self) -> None:
        """The run is over: whatever of it outlives it finds nothing left."""
        self.over = True
        self.steps = -1
        self.mark = 0

    def text(self, length: int) -> None:
        """Count a text of ``length`` characters about to be made or read through."""
        if length > MAX_TEXT:
            self.stop(f"it makes a text of more than {MAX_TEXT} characters")
        if length > 64:  # noqa: PLR2004 - below, the step that got us here pays for it
            self.spend(length >> 6, length << 2)  # four octets hold any character

    def items(self, count: int, octets: int = 8) -> None:
        """Count a container of ``count`` items, ``octets`` each, about to be made or read through."""
        if count > MAX_ITEMS:
            self.stop(f"it makes a collection of more than {MAX_ITEMS} items")
        self.spend(1 + (count >> 3), count * octets)

    def weigh(self, value: object) -> int:
        """Count and give what comparing, hashing or printing ``value`` would cost: its items as a tree.

        Shared parts count each time. Python does these in C, in one go: a list of 60 levels that names its next level
        twice would take 2^60 comparisons, and hashing a tuple nested 100,000 deep overflows the C stack.

        :raises Stop: too many items, or nested too deeply (a list that holds itself is endlessly deep).
        """
        level: Collection[object] = (value,)
        weight = depth = 0
        while level:
            depth += 1
            if depth > MAX_NESTING:
                self.stop(f"it nests collections more than {MAX_NESTING} deep")
            deeper: list[object] = []
            owed = 0
            for item in level:
                owed += self._enter(item, deeper)
                if owed > 1024:  # noqa: PLR2004 - small portions: a growing level stops before it fills memory
                    self.spend(owed >> 3)
                    weight += owed
                    owed = 0
            self.spend(owed >> 3)
            weight += owed
            level = deeper
        return weight

    def _enter(self, item: object, deeper: list[object]) -> int:
        """Put into ``deeper`` what in ``item`` needs a closer look, and tell the weight of the rest."""
        kind = type(item)
        if kind is dict:
            pairs = cast("dict[object, object]", item)
            return 1 + self._flat(pairs.keys(), deeper) + self._flat(pairs.values(), deeper)
        if kind in CONTAINERS:
            return 1 + self._flat(cast("Collection[object]", item), deeper)
        if kind in _TEXTS:
            return 1 + (len(cast("str", item)) >> 6)
        if isinstance(item, BaseException):
            return 1 + self._flat(item.args, deeper)
        return 1

    def _flat(self, items: Collection[object], deeper: list[object]) -> int:
        kinds = set(map(type, items))
        if kinds <= _NUMBERS:
            return len(items)
        if kinds <= _TEXTS:
            return len(items) + (sum(map(len, cast("Collection[str]", items))) >> 6)
        count = len(items)
        self.spend(count >> 3)
        deeper.extend(items)
        return count
