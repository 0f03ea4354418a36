"""The wall clock, read in one place so that time can be an argument everywhere else.

A request reads it once (``Call.at``); background work is handed a ``Clock``. Nobody else may ask for the time.
"""

from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Clock(Protocol):
    """Anything that knows what time it is."""

    def now(self) -> datetime:
        """The present instant, with time zone UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present instant, with time zone UTC."""
        return datetime.now(UTC)


def micros(instant: datetime) -> int:
    """``instant`` as whole microseconds since 1970-01-01 UTC: the form in which both engines keep time."""
    return (instant - EPOCH) // _MICROSECOND


def instant(value: int) -> datetime:
    """The reverse of :func:`micros`."""
    return EPOCH + value * _MICROSECOND


def unix(moment: datetime) -> int:
    """``moment`` as whole seconds since 1970-01-01 UTC (RFC 7519 §2, NumericDate)."""
    return int((moment - EPOCH).total_seconds())
