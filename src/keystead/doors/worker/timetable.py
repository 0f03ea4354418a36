"""The timetable: what happens again and again, in one process of the installation at a time, whoever is first.

Nothing here is needed for an answer to be right: a job that fails or comes late costs space or time, not safety.
"""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter
from typing import Final, NamedTuple

from keystead import __version__
from keystead.base import log, metrics, rand
from keystead.doors.worker.cleanup import forget_passwords, remove_expired
from keystead.kinds.state import State
from keystead.people.exporting import make_due
from keystead.people.installation.task import BEAT, beat, leave
from keystead.people.lifecycle.offboarding import carry_out_due

_LOG = log.get("worker.timetable")
_RUNS: Final = metrics.counter("authentik_tasks_total", "Background jobs that were run.", "actor_name")
_ERRORS: Final = metrics.counter("authentik_tasks_errors_total", "Background jobs that failed.", "actor_name")
_TOOK: Final = metrics.histogram(
    "authentik_tasks_duration_milliseconds",
    "How long background jobs took.",
    "actor_name",
    bounds=metrics.MILLISECONDS,
)
_WORKERS: Final = metrics.gauge(
    "authentik_tasks_workers", "Processes that run background jobs.", "version", "version_matched"
)


class Job(NamedTuple):
    """Something to do again and again.

    :param every: seconds from one run to the next, give or take a tenth.
    :param run: does it; the number it answers is logged where it is not 0.
    """

    name: str
    every: float
    run: Callable[[State], Awaitable[int]]


JOBS: Final = (
    Job("cleanup", 60.0, remove_expired),
    Job("forget_passwords", 600.0, forget_passwords),
    Job("offboarding", 60.0, carry_out_due),
    Job("exports", 2.0, make_due),
)


async def keep(state: State, jobs: Sequence[Job] = JOBS) -> None:
    """Run ``jobs`` by the clock until cancelled."""
    _WORKERS.set(1, __version__, "true")
    worker = f"{socket.gethostname()}-{rand.hex128()[:8]}"
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_beat(state, worker))
            for job in jobs:
                group.create_task(_keep(state, job))
    finally:
        _WORKERS.set(0, __version__, "true")


async def _beat(state: State, worker: str) -> None:
    """Say again and again that this process works, until cancelled; then that it does no more."""
    try:
        while True:
            try:
                await beat(state, worker, __version__)
            except Exception as exc:  # noqa: BLE001 - the work goes on, heard of or not
                _LOG.warning("could not say that this process works", reason=str(exc))
            await asyncio.sleep(BEAT.total_seconds())
    finally:
        with contextlib.suppress(Exception):
            await leave(state, worker)


async def _keep(state: State, job: Job) -> None:
    # Drawn, so that the processes of an installation, or of many on one machine, do not all come at once.
    await asyncio.sleep(job.every * rand.below(1000) / 1000)
    while True:
        await run(state, job)
        await asyncio.sleep(job.every * (900 + rand.below(200)) / 1000)


async def run(state: State, job: Job) -> bool:
    """Run ``job`` now, unless another process is at it; whether it ran to its end."""

    async def work() -> None:
        began = perf_counter()
        try:
            done = await job.run(state)
        finally:
            _TOOK.observe((perf_counter() - began) * 1000, job.name)
            _RUNS.inc(job.name)
        if done:
            _LOG.info("job done", job=job.name, count=done, ms=round((perf_counter() - began) * 1000))

    try:
        return await state.store.exclusively(job.name, work)
    except Exception as exc:  # noqa: BLE001 - whatever it is, the next run may go well
        _ERRORS.inc(job.name)
        _LOG.error("a job failed and will be tried again", job=job.name, reason=str(exc), exc_info=exc)
        return False
