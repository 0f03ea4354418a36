"""A server, an application and a relying party on one machine, so that a sign-in can be seen within a minute.

    make demo

Everything lives in a folder of its own (``data-demo``), which may be deleted at any time. Ctrl-C stops both.
"""

import argparse
import contextlib
import json
import os
import secrets  # noqa: TID251 - an example draws its own throw-away password
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
KEYSTEAD = (sys.executable, "-m", "keystead")
WAIT = 120.0
"""Seconds that a process may take to be ready."""


@dataclass(frozen=True)
class Demo:
    """Where everything is."""

    data: Path
    port: int
    metrics: int
    application: int

    @property
    def home(self) -> str:
        """The identity provider's address."""
        return f"http://localhost:{self.port}"

    @property
    def party(self) -> str:
        """The application's address."""
        return f"http://localhost:{self.application}/"

    @property
    def slug(self) -> str:
        """The application's short name; each port is an application of its own, since addresses are registered."""
        return f"demo-{self.application}"

    @property
    def issuer(self) -> str:
        """The identity provider's name towards the application."""
        return f"{self.home}/application/o/{self.slug}/"


class Ended(Exception):  # noqa: N818 - it is a piece of news, not always an error
    """A process that should go on has ended; its own messages say why."""


def password(demo: Demo) -> str:
    """The demo administrator's password: drawn at the first run, the same afterwards."""
    demo.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = demo.data / "akadmin-password"
    if not kept.exists():
        kept.touch(mode=0o600)
        kept.write_text(secrets.token_urlsafe(9))
    return kept.read_text()


def environment(secret: str) -> dict[str, str]:
    """Our own environment without the settings of other installations."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AUTHENTIK_", "KEYSTEAD_"))}
    return {**kept, "AUTHENTIK_BOOTSTRAP_PASSWORD": secret}


@contextlib.contextmanager
def running(command: Sequence[str], env: Mapping[str, str]) -> "Iterator[subprocess.Popen[bytes]]":
    """A process that is told once to stop, by us: it does not hear of Ctrl-C itself."""
    process = subprocess.Popen(command, env=env, start_new_session=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def until_ready(process: "subprocess.Popen[bytes]", url: str) -> None:
    """Wait until ``url`` answers 200.

    :raises Ended: the process ended, or it takes too long.
    """
    until = time.monotonic() + WAIT
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(url, trust_env=False).status_code == httpx.codes.OK:
                return
        time.sleep(0.1)
    raise Ended


def application(demo: Demo, env: Mapping[str, str]) -> dict[str, str]:
    """The demo application's particulars: made at the first run, the same afterwards."""
    kept = demo.data / f"{demo.slug}.json"
    if not kept.exists():
        redirect = f"{demo.party}auth/callback"
        made = subprocess.run(
            [
                *(*KEYSTEAD, "app", "create", "Example application", "--slug", demo.slug, "--redirect-uri", redirect),
                *("--ask-consent", "--json", "--data", str(demo.data), "--base-url", demo.home),
            ],
            env=env,
            check=True,
            capture_output=True,
            text=True,
        )
        kept.touch(mode=0o600)
        kept.write_text(made.stdout)
    particulars: dict[str, str] = json.loads(kept.read_text())
    return particulars


def show(demo: Demo) -> None:
    """Run both, and tell where they are, until one of them ends.

    :raises Ended: always.
    """
    secret = password(demo)
    env = environment(secret)
    serve = [
        *(*KEYSTEAD, "up", "--data", str(demo.data), "--https", ""),
        *("--http", f"localhost:{demo.port}", "--metrics", f"localhost:{demo.metrics}"),
    ]
    with running(serve, env) as server:
        until_ready(server, f"{demo.home}/-/health/ready/")
        made = application(demo, env)
        # The command wrote to the database; the server hears of it within a second.
        until_ready(server, f"{demo.issuer}.well-known/openid-configuration")
        relying = [
            *(sys.executable, str(ROOT / "examples" / "relying_party.py"), "--port", str(demo.application)),
            *("--issuer", demo.issuer),
            *("--client-id", made["client_id"], "--client-secret", made["client_secret"]),
        ]
        with running(relying, env) as party:
            until_ready(party, demo.party)
            print(
                f"\n  Open {demo.party} and sign in as akadmin with the password {secret}\n"
                f"  The identity provider itself is on {demo.home}/   (stop both with Ctrl-C)\n",
                flush=True,
            )
            while server.poll() is None and party.poll() is None:
                time.sleep(0.2)
            raise Ended


def _interrupt(*_signal: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """Run both until interrupted."""
    parser = argparse.ArgumentParser(description="Show a sign-in: an identity provider and an application.")
    parser.add_argument("--data", type=Path, default=ROOT / "data-demo", help="folder in which everything is kept")
    parser.add_argument("--port", type=int, default=9000, help="of the identity provider")
    parser.add_argument("--metrics-port", type=int, default=9300)
    parser.add_argument("--app-port", type=int, default=3000, help="of the application")
    given = parser.parse_args()
    # Also the interrupt: whoever starts us with "&" from a script hands it down ignored.
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, _interrupt)
    try:
        show(Demo(given.data, given.port, given.metrics_port, given.app_port))
    except KeyboardInterrupt:
        print("Stopped.")
        return 0
    except Ended:
        print("The demo ended by itself; the messages above say why.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
