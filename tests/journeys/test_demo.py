"""``make demo``: both programs come up by themselves, a sign-in works, and one Ctrl-C ends both."""

import contextlib
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import psutil
import pytest
from playwright.async_api import Browser

from tests.doors.cli.program import environment, free_port
from tests.journeys import browser
from tests.patience import PATIENCE

SCRIPT: Final = Path(__file__).resolve().parents[2] / "examples" / "run_demo.py"


@contextlib.contextmanager
def demo(folder: Path, port: int, party: int) -> "Iterator[tuple[subprocess.Popen[str], str]]":
    """The demo, ready, and the password it told."""
    process = subprocess.Popen(
        [
            *(sys.executable, str(SCRIPT), "--data", str(folder), "--port", str(port)),
            *("--metrics-port", str(free_port()), "--app-port", str(party)),
        ],
        env=environment(AUTHENTIK_LOG_LEVEL="of another installation"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said: list[str] = []
    assert process.stdout is not None
    reader = threading.Thread(target=said.extend, args=(process.stdout,), daemon=True)
    reader.start()
    try:
        until = time.monotonic() + PATIENCE
        while not (told := re.search(r"with the password (\S+)", "".join(said))):
            assert process.poll() is None, "".join(said)
            assert time.monotonic() < until, "".join(said)
            time.sleep(0.05)
        yield process, told[1]
    finally:
        process.terminate()
        process.wait(PATIENCE)
        reader.join(PATIENCE)
        process.stdout.close()


async def test_shows_a_sign_in_and_ends_with_one_interrupt(chrome: Browser, tmp_path: Path) -> None:
    port, party = free_port(), free_port()
    home = f"http://localhost:{party}/"
    with demo(tmp_path / "data", port, party) as (process, password):
        async with browser.visit(chrome) as one:
            await one.page.goto(home)
            assert await one.heading() == "A small application"
            await one.press("Sign in", to="**/if/flow/default-authentication-flow/*")
            await browser.sign_in(one, "akadmin", password)
            await one.press("Allow", to=home)
            assert await one.heading() == "Hello Default administrator"
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) == 2
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
        assert not [child for child in children if child.is_running()]
    async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as http:
        for address in (home, f"http://localhost:{port}/-/health/live/"):
            with pytest.raises(httpx.ConnectError):
                await http.get(address)


def test_starts_again_on_what_it_made(tmp_path: Path) -> None:
    port, party = free_port(), free_port()
    passwords = set()
    for _ in range(2):
        with demo(tmp_path / "data", port, party) as (_process, password):
            passwords.add(password)
            away = httpx.get(f"http://localhost:{party}/login", timeout=PATIENCE, trust_env=False)
            assert away.status_code == 303
            asked = httpx.get(away.headers["location"], timeout=PATIENCE, trust_env=False)
            assert asked.status_code == 302
    assert len(passwords) == 1
