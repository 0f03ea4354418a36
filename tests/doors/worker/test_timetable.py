"""The timetable: jobs run again and again, one process at a time, whatever becomes of one run."""

import asyncio
import contextlib

import pytest

from keystead.base import rand
from keystead.base.metrics import METRICS
from keystead.doors.worker import timetable
from keystead.doors.worker.timetable import Job, keep, run
from keystead.kinds.state import State
from tests.house import House
from tests.patience import PATIENCE


async def test_runs_again_and_again_and_a_failure_does_not_stop_it(house: House) -> None:
    name = f"test-{rand.hex128()}"
    runs = 0
    enough = asyncio.Event()

    async def work(state: State) -> int:
        nonlocal runs
        assert state is house.state
        runs += 1
        if runs == 3:
            enough.set()
        if runs == 1:
            raise RuntimeError("not this time")
        return runs

    keeping = asyncio.create_task(keep(house.state, [Job(name, 0.01, work)]))
    async with asyncio.timeout(PATIENCE):
        await enough.wait()
    keeping.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await keeping
    text = METRICS.text()
    assert f'authentik_tasks_errors_total{{actor_name="{name}"}} 1' in text
    assert 'authentik_tasks_workers{version="0.1.0",version_matched="true"} 0' in text


async def test_one_process_at_a_time_does_a_job(house: House) -> None:
    inside = asyncio.Event()
    leave = asyncio.Event()

    async def work(_state: State) -> int:
        inside.set()
        await leave.wait()
        return 0

    first = asyncio.create_task(run(house.state, Job("test-alone", 60, work)))
    await inside.wait()
    assert not await run(house.state, Job("test-alone", 60, work))
    leave.set()
    assert await first


async def test_a_job_without_its_store_fails_and_says_so(house: House) -> None:
    await house.state.store.close()
    assert not await run(house.state, timetable.JOBS[0])


async def test_the_cleanup_is_on_the_timetable(house: House) -> None:
    job = next(job for job in timetable.JOBS if job.name == "cleanup")
    assert await run(house.state, job)
    assert job.every == pytest.approx(60)
