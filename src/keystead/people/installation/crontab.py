"""Times that come again and again, as cron writes them: minute, hour, day, month and weekday, in UTC."""

from datetime import datetime, timedelta
from typing import Final

PARTS: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_YEARS: Final = 9
"""How far ahead a time is looked for: 29 February may be eight years away."""


def _part(text: str, least: int, most: int) -> frozenset[int] | None:
    """The numbers that one part names; None where it is none."""
    found: set[int] = set()
    for one in text.split(","):
        span, slash, step = one.partition("/")
        low, dash, high = span.partition("-")
        if slash and not (step.isascii() and step.isdigit() and int(step[:4]) > 0):
            return None
        first, last = least, most
        if span != "*":
            ends = (low, high) if dash else (low,)
            if not all(end.isascii() and end.isdigit() and least <= int(end[:4]) <= most for end in ends):
                return None
            # As cron has it, 5/15 is from 5 on.
            first, last = int(low), int(high) if dash else most if slash else int(low)
            if first > last:
                return None
        found.update(range(first, last + 1, int(step[:4]) if slash else 1))
    return frozenset(found)


def is_crontab(text: str) -> bool:
    """Whether ``text`` says when: five parts of numbers, ``*``, lists, ranges and steps."""
    parts = text.split()
    return len(parts) == len(PARTS) and all(
        _part(one, *ends) is not None for one, ends in zip(parts, PARTS, strict=True)
    )


def following(text: str, after: datetime) -> datetime | None:
    """The first minute after ``after`` that ``text`` names; None where there never is one, such as 31 February.

    Where both day and weekday are narrowed, either of them will do, as with cron.

    :param text: as :func:`is_crontab` accepts.
    """
    parts = text.split()
    minutes, hours, days, months, weekdays = (
        _part(one, *ends) or frozenset() for one, ends in zip(parts, PARTS, strict=True)
    )
    weekdays = frozenset(one % 7 for one in weekdays)
    either = not parts[2].startswith("*") and not parts[4].startswith("*")
    at = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
    end = at + timedelta(days=365 * _YEARS)
    while at < end:
        weekday = at.isoweekday() % 7 in weekdays
        day = at.day in days
        if at.month in months and (day or weekday if either else day and weekday):
            for hour in sorted(hours):
                for minute in sorted(minutes):
                    if (hour, minute) >= (at.hour, at.minute):
                        return at.replace(hour=hour, minute=minute)
        at = at.replace(hour=0, minute=0) + timedelta(days=1)
    return None
