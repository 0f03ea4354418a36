"""How tests wait: for what must come, and as long as a machine may take that does other things too."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

PATIENCE: Final = 120.0
"""Seconds until what has not come will not come any more: no measure of how quick it should be."""


async def until(ask: Callable[[], Awaitable[object] | object], wanted: object = True) -> None:  # noqa: FBT002 - an answer
    """Ask again and again until the answer is ``wanted``."""
    answer: object = None
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                answer = ask()
                if isinstance(answer, Awaitable):
                    answer = await answer
                if answer == wanted:
                    return
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"it is still {answer!r}, not {wanted!r}, after {PATIENCE:.0f} s") from None
