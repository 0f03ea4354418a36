"""Who asks the same at the same time shares an answer, but never one that was under way before they asked."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable

import pytest

from keystead.store.together import Together


class Oracle:
    """Answers with the number of the question, when told to."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)
        self.sent: list[asyncio.Future[None]] = []

    async def __call__(self) -> int:
        number = next(self.numbers)
        gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sent.append(gate)
        await gate
        return number

    def answer(self, fault: Exception | None = None) -> None:
        """Let the newest question be answered."""
        if fault:
            self.sent[-1].set_exception(fault)
        else:
            self.sent[-1].set_result(None)


async def settled(count: int = 20) -> None:
    """Every task runs until it waits."""
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.fixture
def oracle() -> Oracle:
    """What is asked."""
    return Oracle()


@pytest.fixture
def ask(oracle: Oracle) -> Callable[[], Awaitable[int]]:
    """Ask it, together."""
    together = Together[int]()
    return lambda: together.ask("q", oracle)


async def test_those_who_wait_share_the_next_answer(oracle: Oracle, ask: Callable[[], Awaitable[int]]) -> None:
    first = asyncio.ensure_future(ask())
    await settled()
    rest = [asyncio.ensure_future(ask()) for _ in range(5)]
    await settled()
    assert len(oracle.sent) == 1
    oracle.answer()
    await settled()
    late = asyncio.ensure_future(ask())
    await settled()
    assert len(oracle.sent) == 2
    oracle.answer()
    await settled()
    oracle.answer()

    assert await first == 1
    assert await asyncio.gather(*rest) == [2] * 5
    assert await late == 3, "it was asked while the second was under way"


async def test_alone_each_is_asked(oracle: Oracle, ask: Callable[[], Awaitable[int]]) -> None:
    for number in (1, 2, 3):
        asked = asyncio.ensure_future(ask())
        await settled()
        oracle.answer()
        assert await asked == number


async def test_other_questions_do_not_wait(oracle: Oracle) -> None:
    together = Together[int]()
    asked = [asyncio.ensure_future(together.ask(name, oracle)) for name in "ab"]
    await settled()
    assert len(oracle.sent) == 2
    for gate in oracle.sent:
        gate.set_result(None)
    assert await asyncio.gather(*asked) == [1, 2]
    assert together.waiting == {}


async def test_a_failure_is_everyones_and_ends_there(oracle: Oracle, ask: Callable[[], Awaitable[int]]) -> None:
    first = asyncio.ensure_future(ask())
    await settled()
    rest = [asyncio.ensure_future(ask()) for _ in range(3)]
    await settled()
    oracle.answer(OSError("first"))
    with pytest.raises(OSError, match="first"):
        await first
    await settled()
    oracle.answer(OSError("second"))
    for one in rest:
        with pytest.raises(OSError, match="second"):
            await one
    again = asyncio.ensure_future(ask())
    await settled()
    oracle.answer()
    assert await again == 3


@pytest.mark.parametrize("when", ["asking", "about to ask", "waiting"])
async def test_who_gives_up_takes_nobody_along(when: str, oracle: Oracle, ask: Callable[[], Awaitable[int]]) -> None:
    async def begin() -> None:
        await ask()
        if when == "about to ask":  # the next one has been told, but has not run yet
            leader.cancel()

    first = asyncio.ensure_future(begin())
    await settled()
    leader, *rest = [asyncio.ensure_future(ask()) for _ in range(4)]
    await settled()
    if when == "waiting":
        leader.cancel()
    oracle.answer()
    await first
    await settled()
    if when == "asking":
        assert len(oracle.sent) == 2
        leader.cancel()
        await settled()
    oracle.answer()

    assert set(await asyncio.gather(*rest)) == {3 if when == "asking" else 2}
    with pytest.raises(asyncio.CancelledError):
        await leader
