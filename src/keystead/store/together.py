"""The same question asked by many at once: those who wait while it is under way share the next answer.

An answer is shared only by callers who asked before the question was sent, so nobody learns less than by asking alone.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeAlias, TypeVar

R = TypeVar("R")
_Turn: TypeAlias = "asyncio.Future[R | _Lead[R]]"


class _Lead(Generic[R]):
    """To ask next, for oneself and ``others``."""

    __slots__ = ("others",)

    def __init__(self, others: "list[_Turn[R]]") -> None:
        self.others = others


class Together(Generic[R]):
    """Questions under way, by what is asked.

    :ivar waiting: question -> who wait for it to be asked again.
    """

    def __init__(self) -> None:
        self.waiting: dict[object, list[_Turn[R]]] = {}

    async def ask(self, question: object, send: Callable[[], Awaitable[R]]) -> R:
        """The answer of ``send``, which is called after this call and by one of those who ask the same.

        :param question: hashable; equal for those who may share an answer.
        :raises Exception: what ``send`` raises, for everyone who shares it.
        """
        if question in self.waiting:
            told = await self._told(question)
            if not isinstance(told, _Lead):
                return told
            others = told.others
        else:
            others = []
            self.waiting[question] = []
        again: list[_Turn[R]] = []
        try:
            answer = await send()
        except Exception as exc:
            for other in others:
                if not other.done():
                    other.set_exception(exc)
            raise
        except BaseException:
            again = others  # who asked gave up, which is no answer to the others
            raise
        else:
            for other in others:
                if not other.done():
                    other.set_result(answer)
            return answer
        finally:
            self._hand_on(question, again)

    async def _told(self, question: object) -> "R | _Lead[R]":
        """What one is told after waiting."""
        turn: _Turn[R] = asyncio.get_running_loop().create_future()
        self.waiting[question].append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                told = turn.result()
                if isinstance(told, _Lead):
                    self._hand_on(question, told.others)
            raise

    def _hand_on(self, question: object, first: "list[_Turn[R]]") -> None:
        """Let one of those who wait ask next."""
        waiting = [turn for turn in first + self.waiting.pop(question) if not turn.done()]
        if waiting:
            leader, *others = waiting
            self.waiting[question] = []
            leader.set_result(_Lead(others))
