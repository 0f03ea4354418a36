"""What an application of a blueprint tells: a line for each entry, and what was wrong."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem
from keystead.kinds.logged import LogEvent, LogLevelEnum
from keystead.people.installation.blueprint_text import Entry

LOGGER: Final = "blueprints"
_BY_MEMBER: Final = frozenset({"non_field_errors", ""})


class Failed(Exception):  # noqa: N818 - an outcome, not a defect
    """A blueprint cannot be applied; nothing was changed.

    :param logs: what was done before it failed, and why it failed.
    :param denied: whether the caller may not do what an entry asks for.
    """

    def __init__(self, logs: "Log", *, denied: bool = False) -> None:
        super().__init__(logs.lines[-1].event if logs.lines else "")
        self.logs = logs
        self.denied = denied


class Log:
    """Lines, in order.

    :param at: the instant of the request.
    """

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.lines: list[LogEvent] = []

    @property
    def warned(self) -> bool:
        """Whether a line warns."""
        return any(line.log_level is LogLevelEnum.WARNING for line in self.lines)

    def add(self, level: LogLevelEnum, text: str, entry: Entry | None = None, **more: object) -> None:
        """A line, about ``entry`` if it is about one."""
        about: dict[str, object] = {}
        if entry is not None:
            about = {"entry": entry.place, "model": entry.model if isinstance(entry.model, str) else ""}
            if isinstance(entry.id, str):
                about["id"] = entry.id
        self.lines.append(LogEvent(self.at, level, LOGGER, text, {**about, **more}))

    @property
    def complaints(self) -> list[str]:
        """What was wrong, a sentence each that names the entry and the member."""
        return [_sentence(line) for line in self.lines if line.log_level is LogLevelEnum.ERROR]

    def info(self, text: str, entry: Entry | None = None, **more: object) -> None:
        """What was done."""
        self.add(LogLevelEnum.INFO, text, entry, **more)

    def warning(self, text: str, entry: Entry | None = None, **more: object) -> None:
        """What somebody may have meant otherwise."""
        self.add(LogLevelEnum.WARNING, text, entry, **more)

    def failed(self, text: str, entry: Entry | None = None, *, denied: bool = False, **more: object) -> Failed:
        """The end, to be raised."""
        self.add(LogLevelEnum.ERROR, text, entry, **more)
        return Failed(self, denied=denied)

    def refused(self, problem: Problem, entry: Entry | None = None) -> Failed:
        """The end because of ``problem``, a line for each member that is wrong; to be raised."""
        for member, why in _complaints(problem.fields or {}):
            self.add(LogLevelEnum.ERROR, why, entry, **({} if member in _BY_MEMBER else {"member": member}))
        if not problem.fields:
            self.add(LogLevelEnum.ERROR, problem.detail or problem.kind.value, entry)
        return Failed(self, denied=problem.kind in {Fault.DENIED, Fault.UNAUTHENTICATED})


def _sentence(line: LogEvent) -> str:
    about = line.attributes
    where = [f"entry {about['entry']} ({about['model']})"] if "entry" in about else []
    where += [str(about["member"])] if "member" in about else []
    text = ": ".join([*where, line.event])
    return text[0].upper() + text[1:]


def _complaints(fields: Mapping[str, object], above: str = "") -> Iterator[tuple[str, str]]:
    for name, why in fields.items():
        member = f"{above}.{name}" if above else str(name)
        if isinstance(why, Mapping):
            yield from _complaints(why, member)
        else:
            for one in [why] if isinstance(why, str) else list(why):  # type: ignore[call-overload]  # messages, by the type of Problem.fields
                yield member, str(one)
