"""Several processes of one kind: started, started again when they die, and ended together.

The parent does nothing but watch. It has no threads and no event loop, so that a process forked from it, whenever that
is, begins clean and shares the memory of all that was imported.
"""

import gc
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

import click

from keystead.base import log
from keystead.doors.cli.failures import FAILED, WRONG, told
from keystead.doors.http.runtime import GRACE

_LOG = log.get("cli.supervisor")
_WATCHED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
_LONGEST: Final = 30.0
"""Seconds until a process that dies again and again is started once more, at most."""
_HEALTHY: Final = 60.0
"""Seconds after which a death counts as the first one again."""
_LAST: Final = GRACE + 10.0
"""Seconds that processes get to end, when told to."""


class Child(Protocol):
    """What a process does."""

    def __call__(self, place: int, leash: int, *, first: bool) -> int:
        """Be the process at ``place``; its exit code.

        :param leash: a pipe that ends when the parent does.
        :param first: no process was at this place before.
        """
        ...


@dataclass(slots=True)
class _Seat:
    pid: int = 0
    since: float = 0.0
    deaths: int = 0
    due: float = 0.0


@dataclass(slots=True)
class Supervisor:
    """Keeps ``count`` processes running.

    :param child: what each does.
    """

    count: int
    child: Child
    _seats: list[_Seat] = field(default_factory=list)
    _stopping: bool = False
    _code: int = 0

    def run(self) -> int:
        """Watch until told to stop, or until a process says that the settings are wrong; the exit code."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
        leash, held = os.pipe()
        gc.freeze()
        self._seats = [_Seat() for _ in range(self.count)]
        try:
            while True:
                self._start_due(leash, held, before)
                if self._stopping and not any(seat.pid for seat in self._seats):
                    return self._code
                self._heed(signal.sigtimedwait(_WATCHED, self._patience()))
        finally:
            os.close(leash)
            os.close(held)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _patience(self) -> float:
        """Seconds until there is something to do that no signal tells of."""
        if self._stopping:
            return max(0.0, min(seat.due for seat in self._seats if seat.pid) - time.monotonic())
        waiting = [seat.due - time.monotonic() for seat in self._seats if not seat.pid]
        return max(0.0, min(waiting, default=_LONGEST))

    def _start_due(self, leash: int, held: int, before: Iterable[int]) -> None:
        now = time.monotonic()
        for place, seat in enumerate(self._seats):
            if self._stopping and seat.pid and now >= seat.due:
                _LOG.error("a process does not end and is killed", pid=seat.pid)
                os.kill(seat.pid, signal.SIGKILL)
                seat.due = now + _LAST
            elif not self._stopping and not seat.pid and now >= seat.due:
                seat.since = now
                seat.pid = os.fork()
                if not seat.pid:
                    os.close(held)
                    signal.pthread_sigmask(signal.SIG_SETMASK, before)
                    _be(self.child, place, leash, first=not seat.deaths)

    def _heed(self, told_: "signal.struct_siginfo | None") -> None:
        if told_ is not None and told_.si_signo in {signal.SIGTERM, signal.SIGINT}:
            self._stop(0, signal.SIGKILL if self._stopping else signal.SIGTERM)
        while any(seat.pid for seat in self._seats):
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            self._ended(pid, os.waitstatus_to_exitcode(status))

    def _ended(self, pid: int, code: int) -> None:
        seat = next((one for one in self._seats if one.pid == pid), None)
        if seat is None:
            return  # somebody else's child, handed to us
        seat.pid = 0
        if self._stopping:
            return
        if code == WRONG:
            # It has said what is wrong, and so would every other.
            self._stop(code, signal.SIGTERM)
            return
        now = time.monotonic()
        seat.deaths = 1 if now - seat.since > _HEALTHY else seat.deaths + 1
        seat.due = now + min(_LONGEST, 0.25 * 2 ** min(seat.deaths, 8))
        _LOG.error("a process ended and is started again", pid=pid, code=code, seconds=round(seat.due - now, 2))

    def _stop(self, code: int, how: signal.Signals) -> None:
        self._stopping = True
        self._code = self._code or code
        for seat in self._seats:
            if seat.pid:
                os.kill(seat.pid, how)
                seat.due = time.monotonic() + _LAST


def _be(child: Child, place: int, leash: int, *, first: bool) -> None:
    """Be the process at ``place``, and end without coming back into the parent's code."""
    code = FAILED
    try:
        code = child(place, leash, first=first)
    except KeyboardInterrupt:
        code = 130
    except BaseException as exc:  # noqa: BLE001 - whatever it is, it ends here and not in a copy of the parent
        failure = told(exc)
        if failure is None:
            traceback.print_exc()
        else:
            click.echo(failure.text, err=True)
            code = failure.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
