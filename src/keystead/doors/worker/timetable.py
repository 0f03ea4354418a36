"""The timetable: what happens again and again, in one process of the installation at a time, whoever is first.

Nothing here is needed for an answer to be right: a job that fails or comes late costs space or time, not safety.
"""

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from typing import Final

from keystead import __version__
from keystead.base import log, metrics, rand
from keystead.doors.worker import schedules
from keystead.doors.worker.cleanup import forget_passwords, remove_expired
from keystead.doors.worker.job import Job, run
from keystead.kinds.state import State
from keystead.people.exporting import make_due
from keystead.people.installation.task import BEAT, beat, leave
from keystead.people.lifecycle import rounds
from keystead.people.lifecycle.offboarding import carry_out_due

__all__ = ["JOBS", "Job", "keep", "run"]
_LOG = log.get("worker.timetable")
_WORKERS: Final = metrics.gauge(
    "authentik_tasks_workers", "Processes that run background jobs.", "version", "version_matched"
)


JOBS: Final = (
    Job("cleanup", 60.0, remove_expired, "* * * * *", "Removes what has expired."),
    Job(
        "forget_passwords",
        600.0,
        forget_passwords,
        "*/10 * * * *",
        "Forgets earlier passwords that no policy asks for.",
    ),
    Job("offboarding", 60.0, carry_out_due, "* * * * *", "Lets people go whose time has come."),
    Job("reviews", 300.0, rounds.tend, "*/5 * * * *", "Opens rounds of reviews, and ends those that are over."),
    Job("exports", 5.0, make_due),
)


async def keep(state: State, jobs: Sequence[Job] = JOBS) -> None:
    """Run ``jobs`` by the clock until cancelled: those that administrators may move by their schedules."""
    _WORKERS.set(1, __version__, "true")
    worker = f"{socket.gethostname()}-{rand.hex128()[:8]}"
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_beat(state, worker))
            for job in jobs:
                if not job.crontab:
                    group.create_task(_keep(state, job))
            group.create_task(_keep(state, schedules.job(jobs)))
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
