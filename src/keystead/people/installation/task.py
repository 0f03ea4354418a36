"""Tasks and schedules: what background work was done, and what is done again and again."""

import enum
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import msgspec

from keystead.base import rand
from keystead.base.clock import EPOCH, micros
from keystead.base.errors import invalid
from keystead.kinds.access import system
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Filter, Kind, Table, Verb
from keystead.kinds.logged import LogEvent
from keystead.kinds.marks import HIDDEN, READ_ONLY, Column, Text, Uuid
from keystead.kinds.state import State
from keystead.kinds.sync import TaskAggregatedStatusEnum
from keystead.people.installation import crontab
from keystead.people.installation.crontab import is_crontab
from keystead.store import Statement, Write

BEAT: Final = timedelta(seconds=30)
"""How often a process that does background work says that it is there."""
_BEAT: Final = Statement(
    "worker.beat",
    "INSERT INTO workers (id, version, seen) VALUES ($1, $2, $3)"
    " ON CONFLICT (id) DO UPDATE SET version = excluded.version, seen = excluded.seen",
)
_LOST: Final = Statement("worker.lost", "DELETE FROM workers WHERE seen < $1")
_GONE: Final = Statement("worker.gone", "DELETE FROM workers WHERE id = $1")


async def beat(state: State, worker: str, version: str) -> None:
    """Say that the process ``worker`` does background work, and forget those that were not heard of for long."""
    at = state.clock.now()
    changes = Changes()
    changes.write(Write(_BEAT, (worker, version, micros(at))), Write(_LOST, (micros(at - 20 * BEAT),)))
    await state.commit(changes, at)


async def leave(state: State, worker: str) -> None:
    """Say that the process ``worker`` does no more."""
    changes = Changes()
    changes.write(Write(_GONE, (worker,)))
    await state.commit(changes, state.clock.now())


class TaskStatusEnum(enum.StrEnum):
    """How far a task is."""

    WAITING = "waiting_for_dependencies"
    QUEUED = "queued"
    CONSUMED = "consumed"
    PREPROCESS = "preprocess"
    RUNNING = "running"
    POSTPROCESS = "postprocess"
    REJECTED = "rejected"
    DONE = "done"


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of background work.

    :param rel_obj_id: the object it is about.
    """

    message_id: Annotated[Uuid, Column("id")]
    queue_name: str = "default"
    actor_name: str
    state: TaskStatusEnum = TaskStatusEnum.QUEUED
    mtime: datetime = EPOCH
    retries: Annotated[int, msgspec.Meta(ge=0, le=9223372036854775807)] = 0
    eta: datetime | None = None
    rel_obj_app_label: Annotated[str, READ_ONLY] = ""
    rel_obj_model: Annotated[str, READ_ONLY] = ""
    rel_obj_id: str | None = None
    uid: Annotated[str, READ_ONLY] = ""
    logs: Annotated[tuple[LogEvent, ...], READ_ONLY] = ()
    previous_logs: Annotated[tuple[LogEvent, ...], READ_ONLY] = ()
    aggregated_status: TaskAggregatedStatusEnum
    description: Annotated[str | None, READ_ONLY] = None
    expires: Annotated[datetime | None, HIDDEN] = None


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """Background work that comes again and again.

    :param crontab: when: minute, hour, day, month and weekday.
    :param paused: whether it rests.
    """

    id: Annotated[Uuid, READ_ONLY]
    identifier: Annotated[str | None, READ_ONLY] = None
    uid: Annotated[str, READ_ONLY]
    actor_name: Annotated[str, READ_ONLY]
    rel_obj_app_label: Annotated[str, READ_ONLY]
    rel_obj_model: Annotated[str, READ_ONLY]
    rel_obj_id: Text | None = None
    crontab: Text
    paused: bool = False
    next_run: Annotated[datetime, READ_ONLY]
    description: Annotated[str | None, READ_ONLY] = None
    last_task_status: Annotated[
        TaskAggregatedStatusEnum | None, msgspec.Meta(title="LastTaskStatusEnum"), READ_ONLY
    ] = None


async def rules(call: Call, _state: State, old: Schedule | None, new: Schedule) -> Schedule:
    """A time that comes; the next one is counted from now on when it was moved, or rested until now."""
    if not is_crontab(new.crontab):
        raise invalid({"crontab": ["Write minute, hour, day, month and weekday as cron does, such as */15 * * * *."]})
    if old is not None and (old.crontab, old.paused) == (new.crontab, new.paused):
        return new
    following = crontab.following(new.crontab, call.at)
    if following is None:
        raise invalid({"crontab": ["This never comes, as 31 February does not; choose a time that does."]})
    return msgspec.structs.replace(new, next_run=following)


_ABOUT: Final[tuple[str | Filter, ...]] = (
    Filter("rel_obj_content_type__app_label", str, sql="t.rel_obj_app_label = {}"),
    Filter("rel_obj_content_type__model", str, sql="t.rel_obj_model = {}"),
    "rel_obj_id",
    Filter("rel_obj_id__isnull", bool, sql="(t.rel_obj_id IS NULL) = {}"),
)
TASK: Kind[Task] = Kind(
    model="authentik_tasks.task",
    struct=Task,
    path="tasks/tasks",
    title=("Task", "Tasks"),
    key="message_id",
    key_name="message_id",
    permissions=(("retry_task", "Can have a task done again"),),
    table=Table("tasks"),
    verbs=frozenset({Verb.LIST, Verb.RETRIEVE}),
    search=("actor_name", "queue_name", "uid"),
    order=("-mtime",),
    filters=(
        "actor_name",
        "queue_name",
        Filter("state", TaskStatusEnum, sql="t.state = {}"),
        Filter("aggregated_status", TaskAggregatedStatusEnum, many=True, sql="t.aggregated_status = ANY({}::text[])"),
        *_ABOUT,
    ),
)
SCHEDULE: Kind[Schedule] = Kind(
    model="authentik_tasks_schedules.schedule",
    struct=Schedule,
    path="tasks/schedules",
    title=("Schedule", "Schedules"),
    key="id",
    key_name="id",
    table=Table("schedules"),
    verbs=frozenset({Verb.LIST, Verb.RETRIEVE, Verb.UPDATE, Verb.PARTIAL_UPDATE}),
    rules=rules,
    permissions=(("send_schedule", "Can run a schedule at once"),),
    search=("actor_name", "identifier"),
    order=("actor_name",),
    filters=("actor_name", "paused", *_ABOUT),
)
KINDS: Final[tuple[Kind[Any], ...]] = (TASK, SCHEDULE)
KEPT: Final = timedelta(days=7)
"""How long a task is told of once nothing happens to it any more."""
_OVER: Final = (TaskStatusEnum.DONE, TaskStatusEnum.REJECTED)
_SENT: Final = Statement(
    "task.sent", "SELECT id FROM tasks WHERE rel_obj_id = $1 AND state = 'queued' AND actor_name = $2 LIMIT 1"
)
_AGAIN: Final = Statement(
    "task.again",
    "UPDATE tasks SET state = 'queued', aggregated_status = 'queued', retries = retries + 1, previous_logs = logs,"
    " logs = '[]', mtime = $2, eta = NULL, expires = $3 WHERE id = $1 AND state IN ('done', 'rejected')",
)


async def retry(call: Call, _state: State, task: Task, _query: Mapping[str, Sequence[str]]) -> Answer:
    """Have a task done again, by the next process that does background work."""
    if task.state not in _OVER:
        raise invalid({"non_field_errors": ["This task is not over yet; it can be done again once it is."]})
    changes = Changes()
    changes.write(Write(_AGAIN, (task.message_id, micros(call.at), micros(call.at + KEPT)), expect=1, guard="row"))
    diff = {"state": {"previous_value": task.state.value, "new_value": TaskStatusEnum.QUEUED.value}}
    changes.event(call, "model_updated", TASK.app, {"diff": diff}, about=(TASK, task))
    return Answer(status=204, changes=changes)


async def send(call: Call, state: State, schedule: Schedule, _query: Mapping[str, Sequence[str]]) -> Answer:
    """Have a schedule's work done now, whether it rests or not; once, however often it is asked for meanwhile."""
    if await state.store.fetch_one(_SENT, schedule.id, schedule.actor_name) is not None:
        return Answer(status=204)
    changes = Changes()
    # On the authority of whoever may send schedules, which was asked for.
    changes.create(system(call, TASK, "add"), task_of(schedule, rand.uuid4(), call.at))
    return Answer(status=204, changes=changes)


def task_of(schedule: Schedule, key: str, at: datetime) -> Task:
    """A task that waits to do a schedule's work."""
    return Task(
        message_id=key,
        actor_name=schedule.actor_name,
        mtime=at,
        rel_obj_app_label=SCHEDULE.app,
        rel_obj_model=SCHEDULE.name,
        rel_obj_id=schedule.id,
        uid=schedule.uid,
        aggregated_status=TaskAggregatedStatusEnum.QUEUED,
        description=schedule.description,
        expires=at + KEPT,
    )


ACTIONS = (
    Action(
        TASK,
        "POST",
        "{key}/retry/",
        retry,
        "retry_create",
        permission="authentik_tasks.retry_task",
        status=204,
    ),
    Action(
        SCHEDULE,
        "POST",
        "{key}/send/",
        send,
        "send_create",
        also=((500, "It could not be run."),),
        permission="authentik_tasks_schedules.send_schedule",
        status=204,
    ),
)
