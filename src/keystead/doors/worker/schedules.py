"""Work by schedules: what is due is queued, what is queued is done, and the task tells how it went.

One process of the installation looks at a time. A task that it finds begun was left by one that has ended, so it is
done again: jobs bear that.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from keystead.base import log, rand
from keystead.base.clock import micros
from keystead.doors.worker.job import Job, Outcome, attempt
from keystead.kinds import records
from keystead.kinds.access import system
from keystead.kinds.call import SYSTEM, Call
from keystead.kinds.changes import Changes
from keystead.kinds.logged import LogEvent, LogLevelEnum
from keystead.kinds.state import State
from keystead.kinds.sync import TaskAggregatedStatusEnum as Status
from keystead.people.installation import crontab
from keystead.people.installation.task import KEPT, SCHEDULE, TASK, Schedule, Task, TaskStatusEnum, task_of
from keystead.store import GuardFailed, Statement, Write

_LOG = log.get("worker.schedules")
EVERY: Final = 5.0
"""Seconds between looks."""
_BATCH: Final = 50
_NAMES: Final = uuid.UUID("6d0c1b54-4c0e-4f43-9d4b-6e7c0b6a2f11")
_UIDS: Final = Statement("schedule.uids", "SELECT uid FROM schedules")
_DUE: Final = Statement(
    "schedule.due", "SELECT id FROM schedules WHERE paused = FALSE AND next_run <= $1 ORDER BY next_run LIMIT $2"
)
_MOVE: Final = Statement("schedule.move", "UPDATE schedules SET next_run = $3 WHERE id = $1 AND next_run = $2")
_LAST: Final = Statement("schedule.last", "UPDATE schedules SET last_task_status = $2 WHERE id = $1")
_LEFT: Final = Statement(
    "task.left", "UPDATE tasks SET state = 'queued', aggregated_status = 'queued' WHERE state = 'running'"
)
_AFRESH: Final = Statement(
    "task.afresh",
    "UPDATE tasks SET state = 'queued', aggregated_status = 'queued', previous_logs = logs, logs = '[]', mtime = $2,"
    " expires = $3 WHERE id = $1 AND state IN ('done', 'rejected')",
)
_QUEUED: Final = Statement(
    "task.queued", "SELECT id FROM tasks WHERE state = 'queued' AND (eta IS NULL OR eta <= $1) ORDER BY mtime LIMIT $2"
)
_BEGIN: Final = Statement(
    "task.begin",
    "UPDATE tasks SET state = 'running', aggregated_status = 'running', mtime = $2 WHERE id = $1 AND state = 'queued'",
)
_END: Final = Statement(
    "task.end",
    "UPDATE tasks SET state = $2, aggregated_status = $3, logs = $4, mtime = $5, expires = $6"
    " WHERE id = $1 AND state = 'running'",
)


def job(jobs: Sequence[Job]) -> Job:
    """The job that looks after the schedules and tasks of ``jobs``."""
    known = {one.name: one for one in jobs}

    async def run(state: State) -> int:
        return await tend(state, known)

    return Job("tasks", EVERY, run)


async def tend(state: State, jobs: Mapping[str, Job]) -> int:
    """Queue what is due and do what is queued; how many tasks were done.

    :raises StoreDown: the store does not answer.
    """
    at = state.clock.now()
    await _register(state, jobs, at)
    left = Changes()
    left.write(Write(_LEFT, ()))
    await state.commit(left, at)
    keys = [row[0] for row in await state.store.fetch(_DUE, micros(at), _BATCH)]
    for schedule in await records.load(state.store, SCHEDULE, "id", keys) if keys else ():
        await _queue(state, schedule, at)
    waiting = [row[0] for row in await state.store.fetch(_QUEUED, micros(at), _BATCH)]
    done = 0
    for task in await records.load(state.store, TASK, "id", waiting) if waiting else ():
        done += await _do(state, jobs, task)
    return done


async def _register(state: State, jobs: Mapping[str, Job], at: datetime) -> None:
    """Keep a schedule for each job that has none yet."""
    there = {str(row[0]) for row in await state.store.fetch(_UIDS)}
    changes = Changes()
    for one in jobs.values():
        if one.crontab and one.name not in there:
            schedule = Schedule(
                id=rand.uuid4(),
                identifier=one.name,
                uid=one.name,
                actor_name=one.name,
                rel_obj_app_label="",
                rel_obj_model="",
                crontab=one.crontab,
                next_run=crontab.following(one.crontab, at) or at,
                description=one.about or None,
            )
            # Keystead's own work, on its own authority.
            changes.create(system(_call(state, at), SCHEDULE, "add"), schedule, quiet=True)
    await state.commit(changes, at)


async def _queue(state: State, schedule: Schedule, at: datetime) -> None:
    """Queue a schedule's work, as the one task that tells of its regular runs, and set the next time."""
    changes = Changes()
    onward = crontab.following(schedule.crontab, at)
    moved = (schedule.id, micros(schedule.next_run), micros(onward or at + timedelta(days=3650)))
    changes.write(Write(_MOVE, moved, expect=1, guard="schedule"))
    key = str(uuid.uuid5(_NAMES, schedule.id))
    if await records.existing(state.store, TASK, [key]):
        changes.write(Write(_AFRESH, (key, micros(at), micros(at + KEPT))))
    else:
        # Keystead's own work, on its own authority.
        changes.create(system(_call(state, at), TASK, "add"), task_of(schedule, key, at), quiet=True)
    try:
        await state.commit(changes, at)
    except GuardFailed:
        return  # moved by an administrator meanwhile


async def _do(state: State, jobs: Mapping[str, Job], task: Task) -> bool:
    began = state.clock.now()
    job = jobs.get(task.actor_name)
    changes = Changes()
    changes.write(Write(_BEGIN, (task.message_id, micros(began)), expect=1, guard="task"))
    try:
        await state.commit(changes, began)
    except GuardFailed:
        return False
    if job is None:
        await _end(state, task, TaskStatusEnum.REJECTED, Status.REJECTED, f"Nothing here does {task.actor_name}.")
        return False
    outcome = await attempt(state, job)
    if not outcome.ran:
        return False  # another process is at it: the next look finds this task and does it then
    if outcome.failure is not None:
        await _failed(state, task, outcome.failure)
        return False
    await _end(state, task, TaskStatusEnum.DONE, Status.INFO, _told(outcome))
    return True


def _told(outcome: Outcome) -> str:
    return f"Done: {outcome.number}." if outcome.number else "Done; there was nothing to do."


async def _failed(state: State, task: Task, failure: Exception) -> None:
    reason = f"{type(failure).__name__}: {failure}"
    schedule = await records.load(state.store, SCHEDULE, "id", [task.rel_obj_id]) if task.rel_obj_id else []
    known = bool(schedule) and schedule[0].last_task_status is Status.ERROR and not task.retries
    await _end(state, task, TaskStatusEnum.DONE, Status.ERROR, reason, tell=not known)


async def _end(state: State, task: Task, how: TaskStatusEnum, status: Status, text: str, *, tell: bool = False) -> None:
    """Say how a task ended.

    :param tell: by an event, too.
    """
    at = state.clock.now()
    level = LogLevelEnum.INFO if status is Status.INFO else LogLevelEnum.ERROR
    logs = msgspec.json.encode([LogEvent(at, level, "keystead.worker", text, {})]).decode()
    changes = Changes()
    changes.write(Write(_END, (task.message_id, how.value, status.value, logs, micros(at), micros(at + KEPT))))
    if task.rel_obj_model == SCHEDULE.name and task.rel_obj_id:
        changes.write(Write(_LAST, (task.rel_obj_id, status.value)))
    if tell:
        told = {"message": f"{task.actor_name} failed: {text}"}
        changes.event(_call(state, at), "system_task_exception", TASK.app, told, about=(TASK, task))
    await state.commit(changes, at)


def _call(state: State, at: datetime) -> Call:
    return Call(SYSTEM, at, state.settings, "", rand.hex128())
