"""Tasks and schedules: what background work was done, and what is done again and again."""

import enum
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import msgspec

from keystead.base.clock import EPOCH, micros
from keystead.base.errors import invalid
from keystead.kinds.action import Action
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Filter, Kind, Table, Verb
from keystead.kinds.logged import LogEvent
from keystead.kinds.marks import READ_ONLY, Column, Text, Uuid
from keystead.kinds.pending import Pending
from keystead.kinds.state import State
from keystead.kinds.sync import TaskAggregatedStatusEnum
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


_PARTS: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def _part(text: str, least: int, most: int) -> bool:
    for one in text.split(","):
        span, slash, step = one.partition("/")
        low, dash, high = span.partition("-")
        if slash and not (step.isascii() and step.isdigit() and int(step) > 0):
            return False
        if span != "*":
            ends = (low, high) if dash else (low,)
            if not all(end.isascii() and end.isdigit() and least <= int(end[:4]) <= most for end in ends):
                return False
            if dash and int(low) > int(high):
                return False
    return True


def is_crontab(text: str) -> bool:
    """Whether ``text`` says when: five parts of numbers, ``*``, lists, ranges and steps."""
    parts = text.split()
    return len(parts) == len(_PARTS) and all(_part(one, *ends) for one, ends in zip(parts, _PARTS, strict=True))


async def rules(_call: Call, _state: State, _old: Schedule | None, new: Schedule) -> Schedule:
    """A time that can come, and of the same object."""
    if not is_crontab(new.crontab):
        raise invalid({"crontab": ["Write minute, hour, day, month and weekday as cron does, such as */15 * * * *."]})
    return new


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
    stored_only="Background work keeps its own times; schedules do not move it yet.",
)
KINDS: Final[tuple[Kind[Any], ...]] = (TASK, SCHEDULE)
ACTIONS = (
    Action(
        TASK,
        "POST",
        "{key}/retry/",
        Pending("No task is done again on demand yet."),
        "retry_create",
        permission="authentik_tasks.retry_task",
        status=204,
    ),
    Action(
        SCHEDULE,
        "POST",
        "{key}/send/",
        Pending("No schedule is run on demand yet."),
        "send_create",
        also=((500, "It could not be run."),),
        permission="authentik_tasks_schedules.send_schedule",
        status=204,
    ),
)
