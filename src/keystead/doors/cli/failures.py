"""What went wrong, in the words of a terminal, and the exit code that says so."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from keystead.base.config import ConfigError
from keystead.base.errors import FieldErrors, Problem
from keystead.doors.http.runtime import CannotListen
from keystead.store import StoreDown
from keystead.store.migrate import DatabaseNewer

FAILED = 1
WRONG = 2


class Failure(NamedTuple):
    """How a command ends that could not do its work."""

    text: str
    code: int


def told(exc: BaseException) -> Failure | None:
    """What to say of ``exc``; None for a fault of ours, which is to be seen whole."""
    if isinstance(exc, ConfigError | DatabaseNewer):
        return Failure(str(exc), WRONG)
    if isinstance(exc, CannotListen):
        return Failure(str(exc), FAILED)
    if isinstance(exc, StoreDown):
        return Failure(f"The database cannot be used: {exc}", FAILED)
    if isinstance(exc, Problem):
        return Failure("\n".join(_lines(exc.fields, "")) if exc.fields else exc.detail or exc.kind.value, FAILED)
    return None


def _lines(fields: FieldErrors, above: str) -> Iterator[str]:
    for name, messages in fields.items():
        place = "" if name == "non_field_errors" else f"{above}{name}: "
        if isinstance(messages, Mapping):
            yield from _lines(messages, f"{above}{name}.")
        else:
            yield from (f"{place}{message}" for message in messages)
