"""Load: many clients at once, each on a kept connection, and what they saw."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bench.client import Connection
from bench.server import Server


@dataclass(frozen=True)
class Seen:
    """What a load saw.

    :param rate: requests (or whole flows) a second.
    :param p50: milliseconds.
    :param cpu: CPU seconds of the server for 1,000 of them.
    """

    rate: float
    p50: float
    p95: float
    p99: float
    cpu: float


Step = Callable[[Connection], Awaitable[None]]


async def drive(server: Server, step: Step, *, clients: int = 32, seconds: float = 4.0, warm: float = 1.0) -> Seen:
    """Let ``clients`` repeat ``step`` for ``seconds`` after a warm-up."""
    took: list[float] = []
    counting = False
    stop = False

    async def one() -> None:
        connection = await Connection.to(server.url)
        while not stop:
            began = time.perf_counter()
            await step(connection)
            if counting:
                took.append(time.perf_counter() - began)
        connection.close()

    tasks = [asyncio.create_task(one()) for _ in range(clients)]
    await asyncio.sleep(warm)
    counting, before, began = True, server.cpu(), time.perf_counter()
    await asyncio.sleep(seconds)
    elapsed, used = time.perf_counter() - began, server.cpu() - before
    counting, stop = False, True
    await asyncio.gather(*tasks)
    return seen(took, elapsed, used)


def seen(took: list[float], elapsed: float, used: float) -> Seen:
    """Figures of the requests that took ``took`` seconds each."""
    ordered = sorted(took) or [0.0]

    def at(share: float) -> float:
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000

    return Seen(
        len(took) / elapsed, statistics.median(ordered) * 1000, at(0.95), at(0.99), used / max(1, len(took)) * 1000
    )
