"""The program as its users run it: a process of its own, told by its arguments, its environment and signals."""

import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import psutil

from tests import turns
from tests.engines import Place
from tests.patience import PATIENCE

KEY: Final = "the key of an installation that only tests know, long enough"
PROGRAM: Final = (sys.executable, "-m", "keystead")


def environment(**more: str) -> dict[str, str]:
    """The environment, without what would configure another installation."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AUTHENTIK_", "KEYSTEAD_"))}
    return kept | more


def on(place: Place) -> tuple[str, ...]:
    """The flags of an installation on ``place``."""
    if isinstance(place, Path):
        return ("--data", str(place.parent))
    return (
        "--database",
        f"postgresql://{place.user}@/{place.database}?host={place.host}",
        "--set",
        f"secret_key={KEY}",
    )


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that is over."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON of any shape; a test looks into it
        """The output as JSON."""
        return json.loads(self.out)


def command(*arguments: str, text: str = "", env: Mapping[str, str] | None = None) -> Ended:
    """Run one command to its end."""
    done = subprocess.run(
        [*PROGRAM, *arguments],
        input=text,
        env=environment(**(env or {})),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


_run = os.getppid() if turns.WORKERS > 1 else os.getpid()
_ports = itertools.cycle(range(20_000 + _run * 37 % 10_000 + turns.WORKER, 32_000, turns.WORKERS))
"""Below those that the system gives to connections of its own accord, and none that another process of this run looks
at: nobody takes one between look and use.
"""


def free_port() -> int:
    """A port that nobody has at the moment, another one at each call."""
    for port in _ports:
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port
    raise AssertionError("unreachable: the ports come round and round")


@dataclass(slots=True)
class Running:
    """A process that serves."""

    process: "subprocess.Popen[str]"
    http: int
    https: int
    metrics: int
    said: list[str] = field(default_factory=list)

    def get(self, path: str, *, metrics: bool = False, timeout: float = PATIENCE) -> tuple[int, str]:
        """Status and text of a page."""
        port = self.metrics if metrics else self.http
        answered = httpx.get(f"http://127.0.0.1:{port}{path}", timeout=timeout, trust_env=False)
        return answered.status_code, answered.text

    def until(self, path: str, status: int) -> None:
        """Wait until a page answers with ``status``."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError(f"it ended with {self.process.returncode}: {self.output}")
            with contextlib.suppress(httpx.HTTPError):
                if self.get(path)[0] == status:
                    return
            time.sleep(0.02)
        raise AssertionError(f"{path} did not become {status}: {self.output}")

    def until_said(self, text: str) -> None:
        """Wait until it has printed ``text``."""
        end = time.monotonic() + PATIENCE
        while text not in self.output:
            if time.monotonic() > end:
                raise AssertionError(f"{text!r} was not said: {self.output}")
            time.sleep(0.02)

    @property
    def output(self) -> str:
        """Everything it has printed."""
        return "".join(self.said)

    @property
    def children(self) -> list[psutil.Process]:
        """The processes it started."""
        return psutil.Process(self.process.pid).children()

    def tell(self, number: signal.Signals) -> int:
        """Send a signal and wait for the end; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@contextlib.contextmanager
def running(*arguments: str, env: Mapping[str, str] | None = None, https: bool = False) -> Iterator[Running]:
    """``keystead`` with ``arguments`` and addresses of its own; killed in the end if it still runs."""
    ports = free_port(), free_port() if https else 0, free_port()
    process = subprocess.Popen(
        [*PROGRAM, *arguments, *_addresses(*ports)],
        env=environment(**(env or {})),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    one = Running(process, *ports)
    reader = threading.Thread(target=_collect, args=(process, one.said), daemon=True)
    reader.start()
    family: Sequence[psutil.Process] = ()
    try:
        yield one
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            family = psutil.Process(process.pid).children(recursive=True)
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE)
        for child in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        reader.join(PATIENCE)
        if process.stdout is not None:
            process.stdout.close()


def _addresses(http_: int, https: int, metrics: int) -> tuple[str, ...]:
    secure = f"127.0.0.1:{https}" if https else ""
    return ("--http", f"127.0.0.1:{http_}", "--https", secure, "--metrics", f"127.0.0.1:{metrics}")


def _collect(process: "subprocess.Popen[str]", said: list[str]) -> None:
    if process.stdout is not None:
        said.extend(process.stdout)
