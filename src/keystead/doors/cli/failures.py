"""What went wrong, in the words of a terminal, and the exit code that says so."""

from collections.abc import Iterator
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
    match exc:
        case ConfigError():
            return Failure(str(exc), WRONG)
        case DatabaseNewer():
            return Failure(str(exc), WRONG)
        case CannotListen():
            return Failure(str(exc), FAILED)
        case StoreDown():
            return Failure(f"The database cannot be used: {exc}", FAILED)
        case Problem(fields=fields) if fields:
            return Failure("\n".join(_lines(fields, "")), FAILED)
        case Problem():
            return Failure(exc.detail or exc.kind.value, FAILED)
        case _:
            return None


def _lines(fields: FieldErrors, above: str) -> Iterator[str]:
    for name, messages in fields.items():
        place = "" if name == "non_field_errors" else f"{above}{name}: "
        if isinstance(messages, str):
            yield place + messages
        elif hasattr(messages, "items"):
            yield from _lines(messages, f"{above}{name}.")
        else:
            yield from (f"{place}{message}" for message in messages)
