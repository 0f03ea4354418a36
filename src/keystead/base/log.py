"""Structured logs: one JSON object a line on standard error, nothing secret in it.

CR and LF inside values are escaped by JSON, so an attacker cannot forge a line.
"""

import logging
import sys
from typing import Final

import structlog

LEVELS: Final = ("trace", "debug", "info", "warning", "error", "critical")
_SENSITIVE: Final = ("password", "secret", "token", "key", "authorization", "cookie", "assertion", "code_verifier")


def _mask(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    for name, value in event.items():
        if name != "event":
            event[name] = _masked(name, value)
    return event


def _masked(name: str, value: object) -> object:
    if any(word in name.lower() for word in _SENSITIVE):
        return "**********"
    if isinstance(value, dict):
        return {inner: _masked(str(inner), item) for inner, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked("", item) for item in value]
    return value


def configure(level: str = "info", *, human: bool = False) -> None:
    """Set up logging for this process.

    :param level: one of :data:`LEVELS`.
    :param human: coloured lines for a terminal instead of JSON.
    """
    number = logging.DEBUG if level == "trace" else logging.getLevelNamesMapping()[level.upper()]
    renderer: structlog.typing.Processor
    if human:
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            exception_formatter=structlog.dev.plain_traceback,  # the rich one shows local variables, secrets among them
        )
    else:
        renderer = structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _mask,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def get(room: str) -> structlog.typing.FilteringBoundLogger:
    """The logger of a room; ``room`` is its dotted place, such as ``providers.oidc.token``."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(room=room)
    return logger
