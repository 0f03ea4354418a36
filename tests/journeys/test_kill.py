"""``kill -9`` in the middle of work: what was acknowledged is there, what was not is there wholly or not at all."""

import asyncio
import contextlib
import itertools
import signal
import sqlite3
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests import engines
from tests.engines import Engine
from tests.journeys import furnish, server
from tests.journeys.furnish import Client
from tests.journeys.person import Person, redemption
from tests.journeys.server import Api, Node
from tests.patience import until

REDIRECT: Final = "https://survivor.example/callback"
WRITERS: Final = 8
EXCHANGERS: Final = 4
SECONDS: Final = 1.5
"""For which it is let work at least."""


async def write_users(node: Node, numbers: "itertools.count[int]", acknowledged: list[str]) -> None:
    """Create users until the server is gone."""
    async with node.client() as api:
        with contextlib.suppress(httpx.TransportError):
            while True:
                username = f"survivor{next(numbers)}"
                answered = await api.http.post("/api/v3/core/users/", json={"username": username, "name": username})
                assert answered.status_code == 201, answered.text
                acknowledged.append(username)


async def exchange_codes(node: Node, client: Client, acknowledged: list[str]) -> None:
    """Redeem codes until the server is gone."""
    async with Person(node.url) as person:
        with contextlib.suppress(httpx.TransportError):
            await person.sign_in()
            while True:
                answered = await person.http.post(
                    "/application/o/token/",
                    data=redemption(client, await person.code(client)),
                    auth=(client.client_id, client.client_secret),
                )
                assert answered.status_code == 200, answered.text
                acknowledged.append(answered.json()["refresh_token"])


async def everything(api: Api, path: str) -> list[Any]:
    """All pages of a list."""
    found: list[Any] = []
    page = 1
    while page:
        answered = await api.get(f"{path}&page_size=100&page={page}")
        found += answered["results"]
        page = answered["pagination"]["next"]
    return found


@pytest.mark.alone
async def test_what_was_acknowledged_survives(engine: Engine) -> None:
    users: list[str] = []
    tokens: list[str] = []
    numbers = itertools.count(1)
    async with engines.fresh_place(engine) as place:
        with server.serving(place) as node:
            async with node.client() as api:
                client = await furnish.application(api, "survivor", REDIRECT)
            load = asyncio.gather(
                *(write_users(node, numbers, users) for _ in range(WRITERS)),
                *(exchange_codes(node, client, tokens) for _ in range(EXCHANGERS)),
            )
            await asyncio.wait([load], timeout=SECONDS)
            await until(lambda: load.done() or (len(users) > WRITERS and len(tokens) > EXCHANGERS))
            assert not load.done(), load
            assert node.program.tell(signal.SIGKILL) == -signal.SIGKILL
            await load
        assert len(users) > WRITERS
        assert len(tokens) > EXCHANGERS

        if isinstance(place, Path):
            with contextlib.closing(sqlite3.connect(place)) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        with server.serving(place) as node:
            async with node.client() as api:
                kept = {one["username"]: one["pk"] for one in await everything(api, "core/users/?search=survivor")}
                assert not set(users) - kept.keys()
                told = await everything(api, "events/events/?action=model_created&ordering=created")
                audited = [
                    one["context"]["model"]["pk"] for one in told if one["context"]["model"]["model_name"] == "user"
                ]
                # A user and the event that tells of them are written together, so neither is ever alone.
                assert sorted(audited) == sorted(kept.values())
                for token in tokens:
                    answered = await api.http.post(
                        "/application/o/introspect/",
                        data={"token": token},
                        auth=(client.client_id, client.client_secret),
                    )
                    assert answered.json()["active"] is True
                made = await api.make("core/users/", username="after-the-fall", name="After the fall")
                assert made["pk"] not in kept.values()
            async with Person(node.url) as person:
                await person.sign_in()
                await person.code(client)
