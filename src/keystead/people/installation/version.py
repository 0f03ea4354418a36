"""Which versions an installation has run: written at the first start and after each change of version."""

from datetime import datetime
from typing import Annotated, Final, cast

import msgspec

from keystead.base import log
from keystead.base.clock import instant, micros
from keystead.kinds.changes import Changes
from keystead.kinds.marks import READ_ONLY
from keystead.kinds.state import State
from keystead.store import Statement, Taken, Write

_LOG = log.get("people.version")
_ALL: Final = Statement("version.all", "SELECT id, at, version, build FROM version_history ORDER BY id DESC")
_ADD: Final = Statement("version.add", "INSERT INTO version_history (id, at, version, build) VALUES ($1, $2, $3, $4)")


class VersionHistory(msgspec.Struct):
    """A version, and since when it has run."""

    id: Annotated[int, READ_ONLY]
    timestamp: datetime
    version: str
    build: str


async def history(state: State) -> list[VersionHistory]:
    """All versions that have run, the newest first."""
    return [
        VersionHistory(cast("int", number), instant(cast("int", at)), str(version), str(build))
        for number, at, version, build in await state.store.fetch(_ALL)
    ]


async def remember(state: State, version: str, build: str = "") -> bool:
    """Write down that ``version`` runs, unless it is the last that did; whether this call wrote it."""
    known = await history(state)
    if known and (known[0].version, known[0].build) == (version, build):
        return False
    at = state.clock.now()
    changes = Changes()
    changes.write(Write(_ADD, (known[0].id + 1 if known else 1, micros(at), version, build)))
    try:
        await state.commit(changes, at)
    except Exception as exc:
        if isinstance(exc.__cause__, Taken):
            _LOG.info("another process wrote down the version")
            return False
        raise
    return True
