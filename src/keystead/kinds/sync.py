"""Synchronisation as the API shows it: the same words for directories we read and for systems we write to."""

import enum
from datetime import datetime
from typing import Annotated

import msgspec

from keystead.kinds.logged import LogEvent


class TaskAggregatedStatusEnum(enum.StrEnum):
    """How a task, or several together, ended or stand."""

    WAITING_FOR_DEPENDENCIES = "waiting_for_dependencies"
    QUEUED = "queued"
    CONSUMED = "consumed"
    PREPROCESS = "preprocess"
    RUNNING = "running"
    POSTPROCESS = "postprocess"
    REJECTED = "rejected"
    DONE = "done"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class SyncStatus(msgspec.Struct, omit_defaults=True):
    """Whether a synchronisation runs, and how the last one ended."""

    is_running: bool
    last_successful_sync: datetime | msgspec.UnsetType = msgspec.UNSET
    last_sync_status: TaskAggregatedStatusEnum | msgspec.UnsetType = msgspec.UNSET


class SyncObjectModelEnum(enum.StrEnum):
    """What can be synchronised one by one."""

    USER = "authentik.core.models.User"
    GROUP = "authentik.core.models.Group"


class SyncObjectRequest(msgspec.Struct):
    """One user or group to synchronise now.

    :param sync_object_id: its primary key, as text.
    :param override_dry_run: write even where the provider only tries.
    """

    sync_object_model: SyncObjectModelEnum
    sync_object_id: Annotated[str, msgspec.Meta(min_length=1)]
    override_dry_run: bool | None = False


class SyncObjectResult(msgspec.Struct):
    """What was said meanwhile."""

    messages: list[LogEvent]
