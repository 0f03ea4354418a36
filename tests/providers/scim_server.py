"""A SCIM server that others have written (scim2-server), on this machine."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from keystead.base import rand
from keystead.base.outbound import Outbound
from tests.doors.cli.program import free_port
from tests.patience import PATIENCE
from tests.strangers import LOCAL

TOKEN = "the-token-of-the-scim-server"
PROGRAM = Path(sys.executable).with_name("scim2-server")


@dataclass
class ScimServer:
    """The server, asked as an administrator of it would."""

    url: str

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and JSON of an answer."""
        answer = await Outbound((LOCAL,)).send(
            method,
            f"{self.url}{path}",
            headers={"authorization": f"Bearer {TOKEN}", "content-type": "application/scim+json"},
            body=b"" if body is None else msgspec.json.encode(body),
            plain=True,
        )
        return answer.status, msgspec.json.decode(answer.body) if answer.body else None

    async def all(self, sort: str) -> list[dict[str, Any]]:
        """Everything there is of ``Users`` or ``Groups``."""
        status, told = await self.ask("GET", f"/{sort}?count=1000")
        assert status == 200
        found: list[dict[str, Any]] = told.get("Resources", [])
        return found

    async def put_user(self, username: str) -> str:
        """A user that is there already; its id."""
        schema = "urn:ietf:params:scim:schemas:core:2.0:User"
        status, made = await self.ask("POST", "/Users", {"schemas": [schema], "userName": username})
        assert status == 201, made
        return str(made["id"])

    async def put_group(self, name: str, *members: str) -> str:
        """A group that is there already; its id."""
        schema = "urn:ietf:params:scim:schemas:core:2.0:Group"
        body = {"schemas": [schema], "displayName": name, "members": [{"value": one} for one in members]}
        status, made = await self.ask("POST", "/Groups", body)
        assert status == 201, made
        return str(made["id"])

    async def remove(self, sort: str, key: str) -> None:
        """Remove something."""
        assert (await self.ask("DELETE", f"/{sort}/{quote(key)}"))[0] == 204


@contextlib.contextmanager
def scim_servers() -> Iterator[Callable[[], ScimServer]]:
    """New, empty servers of one process, until the end of the block."""
    port = free_port()
    process = subprocess.Popen(
        [PROGRAM, "--bearer-token", TOKEN, "--port", str(port), "--dynamic-tenants"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + PATIENCE
        while True:
            assert process.poll() is None, "the SCIM server has ended"
            assert time.monotonic() < end, "the SCIM server does not listen"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        yield lambda: ScimServer(f"http://127.0.0.1:{port}/t{rand.hex128()}")
    finally:
        process.kill()
        process.wait()
