"""``tasks/``: how background work stands, and who does it."""

from typing import Final, cast

import msgspec

from keystead import __version__
from keystead.base.clock import micros
from keystead.base.errors import denied
from keystead.doors.http.message import Request, Response
from keystead.doors.http.site import Site
from keystead.doors.rest.operation import Operation
from keystead.doors.rest.verbs import json
from keystead.kinds.access import may
from keystead.kinds.call import Call
from keystead.people.installation.task import BEAT, TASK
from keystead.store import Statement

_COUNTS: Final = Statement("task.counts", "SELECT aggregated_status, count(*) FROM tasks GROUP BY aggregated_status")


class GlobalTaskStatus(msgspec.Struct):
    """How many tasks are how far."""

    queued: int
    consumed: int
    preprocess: int
    running: int
    postprocess: int
    rejected: int
    done: int
    info: int
    warning: int
    error: int


class Worker(msgspec.Struct):
    """A process that does background work."""

    worker_id: str
    version: str
    version_matching: bool


async def status(_request: Request, call: Call, site: Site, _params: dict[str, str]) -> Response:
    """How many tasks are how far.

    Needs the permission `authentik_tasks.view_task`.
    """
    if not may(call, TASK, "view"):
        raise denied()
    found = {str(name): cast("int", count) for name, count in await site.state.store.fetch(_COUNTS, heavy=True)}
    return json({name: found.get(name, 0) for name in GlobalTaskStatus.__struct_fields__})


_WORKERS: Final = Statement("worker.alive", "SELECT id, version FROM workers WHERE seen > $1 ORDER BY id")


async def workers(_request: Request, call: Call, site: Site, _params: dict[str, str]) -> Response:
    """The processes that do background work and were heard of lately.

    Needs the permission `authentik_tasks.view_task`.
    """
    if not may(call, TASK, "view"):
        raise denied()
    rows = await site.state.store.fetch(_WORKERS, micros(call.at - 3 * BEAT))
    return json([Worker(str(name), str(version), str(version) == __version__) for name, version in rows])


OPERATIONS: Final = (
    Operation("GET", "tasks/tasks/status/", status, "tasks_tasks_status_retrieve", response=GlobalTaskStatus),
    Operation("GET", "tasks/workers/", workers, "tasks_workers_list", response=list[Worker]),
)
