"""Durations as the contract writes them: ``days=1;hours=2;minutes=3`` (rest.md §4)."""

from datetime import timedelta
from typing import Final

UNITS: Final = ("microseconds", "milliseconds", "seconds", "minutes", "hours", "days", "weeks")


def parse(text: str) -> timedelta:
    """The length of time that ``text`` names; parts are joined by ``;`` or ``,``.

    :raises ValueError: a part is not ``unit=number``, the unit is unknown, or the sum is out of range.
    """
    total: dict[str, float] = {}
    for part in text.replace(",", ";").split(";"):
        if not part.strip():
            continue
        unit, sep, amount = part.partition("=")
        unit = unit.strip().lower()
        if not sep or unit not in UNITS:
            raise ValueError(f"{text!r} is not a duration: write it like 'hours=3;minutes=10' ({', '.join(UNITS)}).")
        try:
            total[unit] = total.get(unit, 0.0) + float(amount)
        except ValueError:
            raise ValueError(f"{text!r} is not a duration: {amount.strip()!r} is not a number.") from None
    if not total:
        raise ValueError(f"{text!r} is not a duration: write it like 'hours=3;minutes=10' ({', '.join(UNITS)}).")
    try:
        return timedelta(**total)
    except (OverflowError, ValueError):
        raise ValueError(f"{text!r} is not a duration: it is out of range.") from None
