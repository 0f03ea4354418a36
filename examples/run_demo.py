"""A server, an application and a relying party on one machine, so that a sign-in can be seen within a minute.

    make demo

Everything lives in a folder of its own (``data-demo``), which may be deleted at any time.
"""

import contextlib
import json
import os
import secrets  # noqa: TID251 - an example draws its own throw-away password
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
KEYSTEAD = [sys.executable, "-m", "keystead"]
DATA = ROOT / "data-demo"
HOME = "http://localhost:9000"
WAIT = 30.0


def password() -> str:
    """The demo administrator's password: drawn at the first run, the same afterwards."""
    DATA.mkdir(mode=0o700, exist_ok=True)
    kept = DATA / "akadmin-password"
    if not kept.exists():
        kept.write_text(secrets.token_urlsafe(9))
        kept.chmod(0o600)
    return kept.read_text()


def ready() -> bool:
    """Whether the server answers within :data:`WAIT` seconds."""
    until = time.monotonic() + WAIT
    while time.monotonic() < until:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{HOME}/-/health/ready/").status_code == httpx.codes.OK:
                return True
        time.sleep(0.1)
    return False


def application(environment: dict[str, str]) -> dict[str, str]:
    """The demo application's particulars: made at the first run, the same afterwards."""
    kept = DATA / "application.json"
    if not kept.exists():
        made = subprocess.run(
            [
                *KEYSTEAD,
                "app",
                "create",
                "Example application",
                "--slug",
                "demo",
                "--redirect-uri",
                "http://localhost:3000/auth/callback",
                "--json",
                "--data",
                str(DATA),
                "--base-url",
                HOME,
            ],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
        kept.write_text(made.stdout)
        kept.chmod(0o600)
    particulars: dict[str, str] = json.loads(kept.read_text())
    return particulars


def main() -> int:
    """Run both until interrupted."""
    secret = password()
    environment = {**os.environ, "AUTHENTIK_BOOTSTRAP_PASSWORD": secret}
    environment.pop("KEYSTEAD_CHROMIUM", None)
    server = subprocess.Popen(
        [*KEYSTEAD, "up", "--data", str(DATA), "--http", "localhost:9000", "--metrics", "localhost:9300"],
        env=environment,
    )
    try:
        if not ready():
            print("The server did not become ready; its messages above say why.", file=sys.stderr)
            return 1
        made = application(environment)
        client = subprocess.Popen(
            [
                sys.executable,
                str(ROOT / "examples" / "relying_party.py"),
                "--issuer",
                made["issuer"],
                "--client-id",
                made["client_id"],
                "--client-secret",
                made["client_secret"],
            ],
        )
        print(
            f"\n  Open http://localhost:3000/ and sign in as akadmin with the password {secret}\n"
            f"  The identity provider itself is on {HOME}/   (stop both with Ctrl-C)\n",
            flush=True,
        )
        signal.signal(signal.SIGTERM, lambda *_: client.terminate())
        with contextlib.suppress(KeyboardInterrupt):
            client.wait()
        client.terminate()
    finally:
        server.terminate()
        server.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
