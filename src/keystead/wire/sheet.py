"""Tables as comma-separated values (RFC 4180) that spreadsheets read as text, whatever people call themselves."""

from collections.abc import Iterable
from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a cell begins that spreadsheets would carry out (OWASP, CSV Injection)."""


def cell(value: str) -> str:
    """``value`` in quotes; what would be taken for a formula has an apostrophe before it.

    Some programs leave blanks out before they look, so a formula behind blanks is one too.
    """
    if value.startswith(_FORMULA) or value.lstrip().startswith(_FORMULA):
        value = "'" + value
    return '"' + value.replace('"', '""') + '"'


def line(values: Iterable[str]) -> str:
    """One record, with its line end."""
    return ",".join(map(cell, values)) + "\r\n"
