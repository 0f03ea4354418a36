"""Turns of test processes: they run side by side, except that nothing runs beside a test that is marked ``alone``."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_GATE: Final = Path(__file__)
_ROOM: Final = Path(__file__).with_name("conftest.py")
"""Locked, never written: files that every process of a run has, so that there is nothing to make or to tidy up."""

WORKER: Final = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
"""Which of the processes this is, from 0."""
WORKERS: Final = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
"""How many there are."""


@contextlib.contextmanager
def turn(*, alone: bool) -> Iterator[None]:
    """The time of one test. Who waits to be alone holds the gate, so that nobody new comes in before."""
    with _ROOM.open("rb") as room:
        with _GATE.open("rb") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """For what would trip over another process that does the same."""
    with Path(__file__).with_name("engines.py").open("rb") as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        yield
