"""Servers as they run for their users: real processes on real addresses, and the API as a script speaks it."""

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import httpx

from tests import engines
from tests.doors.cli.program import KEY, Running, on, running
from tests.engines import Engine, Place
from tests.patience import PATIENCE

PASSWORD: Final = "correct horse battery"
TOKEN: Final = "a-token-of-an-installation-that-only-tests-know"
READY: Final = "/-/health/ready/"
BOOTSTRAP: Final[Mapping[str, str]] = {
    "AUTHENTIK_BOOTSTRAP_PASSWORD": PASSWORD,
    "AUTHENTIK_BOOTSTRAP_TOKEN": TOKEN,
    "AUTHENTIK_BOOTSTRAP_EMAIL": "akadmin@example.org",
    "AUTHENTIK_SECRET_KEY": KEY,
    "AUTHENTIK_LOG_LEVEL": "warning",
}
"""The first administrator's password and API token; whoever wants a server that nobody has set up leaves them out."""
FRESH: Final = {name: value for name, value in BOOTSTRAP.items() if "BOOTSTRAP" not in name}


@dataclass(frozen=True, slots=True)
class Node:
    """A server process."""

    program: Running
    place: Place

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self.program.http}"

    def client(self, token: str = TOKEN) -> "Api":
        """A client with kept connections; to be closed."""
        return Api(self.url, token)


class Api:
    """The REST API, as a script speaks it."""

    def __init__(self, url: str, token: str) -> None:
        self.http = httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE, trust_env=False
        )

    async def __aenter__(self) -> Self:
        """Begin."""
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Close its connections."""
        await self.http.aclose()

    async def ask(self, method: str, path: str, body: object = None, *, status: int = 200) -> Any:  # noqa: ANN401 - JSON
        """What a path below ``/api/v3/`` answers; a test fails where the status is another."""
        answered = await self.http.request(method, f"/api/v3/{path}", json=body)
        assert answered.status_code == status, f"{method} {path}: {answered.status_code} {answered.text}"
        return answered.json() if answered.content else None

    async def get(self, path: str) -> Any:  # noqa: ANN401 - as above
        """An object or a list."""
        return await self.ask("GET", path)

    async def make(self, path: str, **members: object) -> Any:  # noqa: ANN401 - as above
        """A new object."""
        return await self.ask("POST", path, members, status=201)

    async def one(self, path: str) -> Any:  # noqa: ANN401 - as above
        """The only object that a list holds."""
        results = (await self.get(path))["results"]
        assert len(results) == 1, f"{path}: {len(results)}"
        return results[0]


@contextlib.contextmanager
def serving(place: Place, env: Mapping[str, str] = BOOTSTRAP) -> Iterator[Node]:
    """One process that serves ``place``, ready."""
    with running("up", *on(place), env=env) as program:
        program.until(READY, 200)
        yield Node(program, place)


@contextlib.asynccontextmanager
async def fresh_node(engine: Engine = "sqlite", env: Mapping[str, str] = BOOTSTRAP) -> AsyncIterator[Node]:
    """A server on a new database."""
    async with engines.fresh_place(engine) as place:
        with serving(place, env) as node:
            yield node


@contextlib.asynccontextmanager
async def fresh_pair(engine: Engine) -> AsyncIterator[tuple[Node, Node]]:
    """Two servers that share a new database."""
    async with engines.fresh_place(engine) as place:
        with serving(place) as first, serving(place) as second:
            yield first, second
