"""``keystead server``: several processes behind the same addresses."""

import re
import signal
import time
from pathlib import Path

import psutil

from tests.doors.cli.program import Running, command, on, running
from tests.engines import Place
from tests.patience import PATIENCE

READY = "/-/health/ready/"
_COUNT = re.compile(
    r'^keystead_http_request_duration_seconds_count\{group="api",method="GET",status="200"\} (\d+)$', re.MULTILINE
)


def counted(server: Running) -> int:
    """How many requests to the API the metrics tell of."""
    found = _COUNT.search(server.get("/metrics", metrics=True)[1])
    return int(found[1]) if found else 0


def until_counted(server: Running, number: int) -> None:
    """Wait until the metrics tell of ``number`` requests whichever process is asked."""
    end = time.monotonic() + PATIENCE
    while {counted(server) for _ in range(8)} != {number}:
        assert time.monotonic() < end, f"{counted(server)} is not {number}"
        time.sleep(0.1)


def test_processes_share_the_work_and_tell_of_all_of_it(place: Place) -> None:
    with running("server", "--workers", "2", *on(place)) as server:
        server.until(READY, 200)
        server.until_said("is ready")
        assert len(server.children) == 2
        for _ in range(30):
            assert server.get("/api/v3/root/config/")[0] == 200
        until_counted(server, 30)
        end = time.monotonic() + PATIENCE
        while not all(child.cpu_times().user > 0 for child in server.children):  # the kernel spreads connections
            assert time.monotonic() < end, "one of them is never asked"
            server.get("/api/v3/root/config/")
        assert server.tell(signal.SIGTERM) == 0


def test_a_process_that_dies_is_started_again_and_its_numbers_stay(tmp_path: Path) -> None:
    with running("server", "--workers", "2", "--data", str(tmp_path / "data")) as server:
        server.until(READY, 200)
        for _ in range(20):
            server.get("/api/v3/root/config/")
        until_counted(server, 20)
        before = {child.pid for child in server.children}
        for child in server.children:
            child.kill()
        end = time.monotonic() + PATIENCE
        while len({child.pid for child in server.children} - before) < 2:
            assert time.monotonic() < end, server.output
            time.sleep(0.05)
        server.until(READY, 200)
        server.get("/api/v3/root/config/")
        until_counted(server, 21)
        assert server.tell(signal.SIGTERM) == 0
        assert server.output.count("Keystead 0.1.0 is ready") == 1


def test_all_processes_end_with_their_parent(tmp_path: Path) -> None:
    with running("server", "--workers", "2", "--data", str(tmp_path / "data")) as server:
        server.until(READY, 200)
        children = server.children
        server.process.kill()
        server.process.wait(PATIENCE)
        gone, alive = psutil.wait_procs(children, timeout=PATIENCE)
        assert len(gone) == 2
        assert not alive


def test_a_wrong_setting_ends_all_of_them(tmp_path: Path) -> None:
    flags = ("--data", str(tmp_path / "data"))
    assert command("recovery", "link", "akadmin", *flags).code == 0
    ended = command(
        "server",
        "--workers",
        "2",
        *flags,
        "--set",
        "secret_key=another key than the one this installation was made with",
        "--http",
        "127.0.0.1:0",
        "--https",
        "",
        "--metrics",
        "",
    )
    assert ended.code == 2
    assert "AUTHENTIK_SECRET_KEY" in ended.err


def test_a_taken_port_is_noticed_though_processes_share(tmp_path: Path) -> None:
    flags = ("server", "--workers", "2", "--data", str(tmp_path / "data"))
    with running(*flags) as server:
        server.until(READY, 200)
        ended = command(*flags, "--http", f"127.0.0.1:{server.http}", "--https", "", "--metrics", "")
        assert ended.code == 1
        assert "another process listens there" in ended.err
        server.tell(signal.SIGTERM)


def test_one_process_needs_no_parent(tmp_path: Path) -> None:
    with running("server", "--workers", "1", "--data", str(tmp_path / "data")) as server:
        server.until(READY, 200)
        assert server.children == []
        text = server.get("/metrics", metrics=True)[1]
        assert not re.search(r"^authentik_tasks_workers\{.*\} 1$", text, re.MULTILINE), "background work is elsewhere"
        assert server.tell(signal.SIGTERM) == 0
