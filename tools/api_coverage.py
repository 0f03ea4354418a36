"""Write ``docs/api-coverage.md``: what each operation of the API does in this version.

    python tools/api_coverage.py

A test compares the page with what this makes, so the page cannot fall behind.
"""

import gzip
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from keystead import app
from keystead.base.secret import Secret, Vault
from keystead.doors.http.cookies import Jar
from keystead.doors.rest.openapi.document import document
from keystead.doors.rest.openapi.serve import Description
from keystead.doors.rest.operation import Operation
from keystead.doors.web.flow import FlowDoor
from keystead.kinds.pending import Pending, Withheld

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "api-coverage.md"
CONTRACT: Final = ROOT / "tests" / "contract" / "openapi-2026.8.json.gz"
KINDS: Final = (*app.KINDS, *app.TWINS)
ACTS: Final = "acts"
STORED: Final = "stored only"
REFUSED: Final = "answers 501"
ABSENT: Final = "not served"
_INTRO: Final = """\
# What each operation of the API does

Made by `python tools/api_coverage.py`; a test keeps it true.

*acts*: does what its name says. *stored only*: the object is validated, kept and returned in full, and nothing acts on
it yet. *answers 501*: the action is not built and says so. *not served*: the contract has it and this version does not.
"""


class Covered(NamedTuple):
    """One operation."""

    tag: str
    operation: str
    method: str
    path: str
    how: str
    why: str


def _plain(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def operations() -> tuple[Operation, ...]:
    """The operations below no kind; those of flows stand behind a door, whose key does not matter here."""
    door = FlowDoor(Jar.of(Vault(Secret("a key that nothing is locked with"))), app.EXECUTOR)
    return (*app.OPERATIONS, *app.flow_operations(door), Description(dict).operation())


def told() -> dict[str, Any]:
    """Our own document, whole."""
    return document(KINDS, app.FAMILIES, app.ACTIONS, operations())


def covered() -> Iterator[Covered]:
    """Every operation of ours and of the contract."""
    ours: dict[str, Any] = told()["paths"]
    theirs: dict[str, Any] = json.loads(gzip.decompress(CONTRACT.read_bytes()))["paths"]
    stored = {f"/{kind.path}/": kind.stored_only for kind in KINDS if kind.stored_only}
    runs: dict[tuple[str, str], object] = {
        (one.method.lower(), _plain(f"/{one.kind.path}/{one.path}".replace("{key}", "{}"))): one.run
        for one in app.ACTIONS
    }
    runs |= {(one.method.lower(), _plain(f"/{one.path}")): one.run for one in operations()}
    for path, methods in ours.items():
        for method, operation in methods.items():
            run = runs.get((method, _plain(path)))
            why = next((reason for root, reason in stored.items() if path.startswith(root)), "")
            how = STORED if why else ACTS
            if isinstance(run, Pending):
                how, why = REFUSED, run.reason
            elif isinstance(run, Withheld):
                how, why = ABSENT, run.reason
            elif run is not None:
                how, why = ACTS, ""
            yield Covered(operation["tags"][0], operation["operationId"], method.upper(), path, how, why)
    for path, methods in theirs.items():
        for method, operation in methods.items():
            if method not in ours.get(path, {}):
                yield Covered(operation["tags"][0], operation["operationId"], method.upper(), path, ABSENT, "")


def page() -> str:
    """The whole page."""
    every = sorted(covered())
    counts = Counter((one.tag, one.how) for one in every)
    kinds = (ACTS, STORED, REFUSED, ABSENT)
    lines = [_INTRO, f"| | {' | '.join(kinds)} |", "|---|---|---|---|---|"]
    tags = sorted({one.tag for one in every})
    lines += [f"| {tag} | {' | '.join(str(counts[tag, how]) for how in kinds)} |" for tag in tags]
    total = Counter(one.how for one in every)
    lines.append(f"| **all** | {' | '.join(f'**{total[how]}**' for how in kinds)} |")
    tag = ""
    for one in every:
        if one.tag != tag:
            tag = one.tag
            lines += [f"\n## {tag}\n", "| operation | | what it does |", "|---|---|---|"]
        how = f"{one.how}: {one.why}" if one.why else one.how
        lines.append(f"| {one.operation} | `{one.method} /api/v3{one.path}` | {how} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    sys.stdout.write(f"{PAGE.relative_to(ROOT)} is written\n")
