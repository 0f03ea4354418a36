"""What a process remembers of large tables: values for a while, and values that take a while to make."""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem

T = TypeVar("T")
_SLOW: Final = (
    "This page of a long list is being looked up, which takes a while the first time. Try again shortly, or narrow the "
    "list."
)
KEEP: Final = 60.0
"""Seconds for which what took long to make is used, and the places that walks came by."""
MOST: Final = 256
"""Values of a sort that are remembered."""
QUICK: Final = 0.035
"""Seconds that a value may take to be made anew whenever it is wanted."""
PAUSE: Final = 5.0
"""Seconds before a value that took longer is made again, at least."""
_RATIO: Final = 20
"""How many times as long as it took to make a value rests, so that making costs a twentieth of a core at most."""
LONGEST: Final = 25.0
"""Seconds that anybody waits for a value."""
_MAKING: Final = 8
"""Values that may wait to be made for nobody in particular."""


class Recent(Generic[T]):
    """A few values by key, each for a while; the least used goes first."""

    def __init__(self, keep: float = KEEP) -> None:
        self._keep = keep
        self._held: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()

    def get(self, key: Hashable) -> T | None:
        """The value, unless it is too old."""
        held = self._held.get(key)
        if held is None or now() - held[0] > self._keep:
            return None
        self._held.move_to_end(key)
        return held[1]

    def put(self, key: Hashable, value: T) -> T:
        """Keep a value; it is given back."""
        self._held[key] = (now(), value)
        self._held.move_to_end(key)
        while len(self._held) > MOST:
            self._held.popitem(last=False)
        return value


@dataclass(frozen=True, slots=True)
class _Made(Generic[T]):
    """A value, of what it was made, when its making began, what it took, and what it weighs."""

    value: T
    of: Hashable
    at: float
    took: float
    bytes: int

    @property
    def lasts(self) -> bool:
        """Whether making it again would cost too much so soon."""
        return now() - self.at < max(PAUSE, _RATIO * self.took)


class Turns:
    """Whose turn it is to make something: one at a time, so that SQLite's other readers stay free."""

    def __init__(self) -> None:
        self._busy = False
        self._waiting: OrderedDict[Hashable, asyncio.Future[None]] = OrderedDict()

    @contextlib.asynccontextmanager
    async def taken(self, key: Hashable) -> AsyncIterator[None]:
        """A turn, for the body of a ``with``."""
        if self._busy:
            turn = self._waiting[key] = asyncio.get_running_loop().create_future()
            await turn
        self._busy = True
        try:
            yield
        finally:
            self._busy = False
            while self._waiting:
                _, turn = self._waiting.popitem(last=False)
                if not turn.done():
                    self._busy = True
                    turn.set_result(None)
                    break

    def hurry(self, key: Hashable) -> None:
        """Somebody waits for it: it comes next."""
        if key in self._waiting:
            self._waiting.move_to_end(key, last=False)


class Kept(Generic[T]):
    """Values that are made once for all who want them, used for a while, and made again behind those who use them.

    :param most: bytes of them that are kept.
    :param weigh: the bytes of one.
    """

    def __init__(self, turns: Turns, most: int, weigh: Callable[[T], int]) -> None:
        self._turns = turns
        self._most = most
        self._weigh = weigh
        self._held: OrderedDict[Hashable, _Made[T]] = OrderedDict()
        self._making: dict[Hashable, asyncio.Task[T]] = {}

    def held(self, key: Hashable, of: Hashable) -> T | None:
        """The value, if there is one of this very thing that may be used still."""
        made = self._found(key)
        return made.value if made and made.of == of else None

    async def value(self, key: Hashable, make: Callable[[], Awaitable[T]], of: Hashable) -> T:
        """The value; waits only if there is none, or only one of something else that was not made just now.

        :param of: what tells that what it is made of has changed, for all that can be seen.
        :raises Problem: ``BUSY``: it takes too long to wait for; it goes on being made.
        """
        made = self._found(key)
        if made is None or (made.of != of and not made.lasts):
            task = self.begin(key, make, of)
            self._turns.hurry(key)
            await asyncio.wait({task}, timeout=LONGEST)
            if not task.done():
                raise Problem(Fault.BUSY, _SLOW, retry_after=10)
            return task.result()
        if not made.lasts:
            self.begin(key, make, of)
        return made.value

    async def soon(self, key: Hashable, make: Callable[[], Awaitable[T]], of: Hashable, patience: float) -> T | None:
        """The value, made anew if that is quick, or the one of late; None if neither is there by then.

        :param patience: seconds to wait; with none, the one of late will do.
        """
        made = self._found(key)
        if made and made.lasts and (made.took > QUICK or not patience):
            return made.value
        if key in self._making or len(self._making) < _MAKING:
            task = self.begin(key, make, of)
            if not made or made.took <= QUICK:
                self._turns.hurry(key)
                await asyncio.wait({task}, timeout=patience)
            if task.done():
                return task.result()
        return made.value if made else None

    def hint(self, key: Hashable, make: Callable[[], Awaitable[T]], of: Hashable) -> None:
        """The value will be wanted: have it made, unless that was done just now."""
        made = self._held.get(key)
        if not (made and made.lasts) and (key in self._making or len(self._making) < _MAKING):
            self.begin(key, make, of)

    def being_made(self, key: Hashable) -> bool:
        """Whether the value is being made."""
        return key in self._making

    def forget(self, key: Hashable) -> None:
        """Have the value made anew when it is wanted next, unless that was done just now."""
        made = self._held.get(key)
        if made and not made.lasts:
            del self._held[key]

    def begin(self, key: Hashable, make: Callable[[], Awaitable[T]], of: Hashable) -> "asyncio.Task[T]":
        """The value as it is being made; that goes on when nobody waits any more."""
        task = self._making.get(key)
        if task is None:
            task = self._making[key] = asyncio.create_task(self._make(key, make, of))
            task.add_done_callback(lambda _: self._making.pop(key, None))
            task.add_done_callback(_heard)
        return task

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[T]], of: Hashable) -> T:
        async with self._turns.taken(key):
            began = now()
            value = await make()
            before = self._held.get(key)
            if before and before.value == value:
                value = before.value  # and with it what was found out about it
        self._held[key] = _Made(value, of, began, now() - began, self._weigh(value))
        self._held.move_to_end(key)
        while len(self._held) > 1 and sum(made.bytes for made in self._held.values()) > self._most:
            self._held.popitem(last=False)
        return value

    def _found(self, key: Hashable) -> _Made[T] | None:
        made = self._held.get(key)
        if made is None or now() - made.at > max(KEEP, _RATIO * made.took):
            return None
        self._held.move_to_end(key)
        return made


def now() -> float:
    """Seconds of the loop's clock."""
    return asyncio.get_running_loop().time()


def _heard(task: "asyncio.Task[T]") -> None:
    """Whoever asked has gone on: a failure is nobody's any more."""
    if not task.cancelled():
        task.exception()
