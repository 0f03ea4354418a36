"""Log lines as the API shows them: what a policy, a synchronisation or a test said while it ran."""

import enum
from datetime import datetime

import msgspec


class LogLevelEnum(enum.StrEnum):
    """How much a line matters."""

    CRITICAL = "critical"
    EXCEPTION = "exception"
    ERROR = "error"
    WARN = "warn"
    WARNING = "warning"
    INFO = "info"
    DEBUG = "debug"
    NOTSET = "notset"


class LogEvent(msgspec.Struct):
    """One line."""

    timestamp: datetime
    log_level: LogLevelEnum
    logger: str
    event: str
    attributes: dict[str, object]
