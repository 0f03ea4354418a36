"""``Job``: something that background work does again and again, and one run of it."""

from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Final, NamedTuple

from keystead.base import log, metrics
from keystead.kinds.state import State

_LOG = log.get("worker.timetable")
_RUNS: Final = metrics.counter("authentik_tasks_total", "Background jobs that were run.", "actor_name")
_ERRORS: Final = metrics.counter("authentik_tasks_errors_total", "Background jobs that failed.", "actor_name")
_TOOK: Final = metrics.histogram(
    "authentik_tasks_duration_milliseconds",
    "How long background jobs took.",
    "actor_name",
    bounds=metrics.MILLISECONDS,
)


class Job(NamedTuple):
    """Something to do again and again.

    :param every: seconds from one run to the next, give or take a tenth.
    :param run: does it; the number it answers is logged where it is not 0.
    :param crontab: when, for jobs that administrators may move, have done at once, or let rest: these have a schedule
        in the API, and ``every`` is only how often it comes at first.
    :param about: what it does, in a sentence, for the schedule.
    """

    name: str
    every: float
    run: Callable[[State], Awaitable[int]]
    crontab: str = ""
    about: str = ""


class Outcome(NamedTuple):
    """How one run went.

    :param ran: whether it was begun: another process may have been at it.
    :param number: what the job answered.
    :param failure: what it failed of.
    """

    ran: bool
    number: int = 0
    failure: Exception | None = None


async def attempt(state: State, job: Job) -> Outcome:
    """Run ``job`` now, unless another process is at it."""
    count = 0

    async def work() -> None:
        nonlocal count
        began = perf_counter()
        try:
            count = await job.run(state)
        finally:
            _TOOK.observe((perf_counter() - began) * 1000, job.name)
            _RUNS.inc(job.name)
        if count:
            _LOG.info("job done", job=job.name, count=count, ms=round((perf_counter() - began) * 1000))

    try:
        return Outcome(await state.store.exclusively(job.name, work), count)
    except Exception as exc:  # noqa: BLE001 - whatever it is, the next run may go well
        _ERRORS.inc(job.name)
        _LOG.error("a job failed and will be tried again", job=job.name, reason=str(exc), exc_info=exc)
        return Outcome(ran=True, failure=exc)


async def run(state: State, job: Job) -> bool:
    """Run ``job`` now, unless another process is at it; whether it ran to its end."""
    outcome = await attempt(state, job)
    return outcome.ran and outcome.failure is None
