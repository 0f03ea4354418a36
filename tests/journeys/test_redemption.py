"""One code or refresh token, many who present it at the same moment, over connections to two servers."""

import asyncio
import collections
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx
import pytest

from tests.journeys import furnish
from tests.journeys.furnish import Client
from tests.journeys.person import Person, redemption
from tests.journeys.server import Node
from tests.patience import PATIENCE, until

REDIRECT: Final = "https://racer.example/callback"
AT_ONCE: Final = 20


async def post(node: Node, endpoint: str, client: Client, form: Mapping[str, str]) -> httpx.Response:
    """One request of the client's, on a connection of its own."""
    async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as http:
        return await http.post(
            f"{node.url}/application/o/{endpoint}/",
            data=dict(form),
            auth=(client.client_id, client.client_secret),
        )


async def race(nodes: Sequence[Node], client: Client, form: Mapping[str, str]) -> list[httpx.Response]:
    """The same token request from many sides at once, each over a connection that is open already."""
    async with contextlib.AsyncExitStack() as stack:
        sides = [
            await stack.enter_async_context(
                httpx.AsyncClient(base_url=nodes[number % len(nodes)].url, timeout=PATIENCE, trust_env=False)
            )
            for number in range(AT_ONCE)
        ]
        await asyncio.gather(*(side.get("/-/health/live/") for side in sides))
        auth = (client.client_id, client.client_secret)
        return await asyncio.gather(*(side.post("/application/o/token/", data=dict(form), auth=auth) for side in sides))


def winner(answers: Sequence[httpx.Response]) -> dict[str, Any]:
    """The tokens of the only request that succeeded; the others failed as they should."""
    counted = collections.Counter(answer.status_code for answer in answers)
    assert counted == {200: 1, 400: AT_ONCE - 1}, counted
    assert {answer.json()["error"] for answer in answers if answer.status_code != 200} == {"invalid_grant"}
    found: dict[str, Any] = next(answer.json() for answer in answers if answer.status_code == 200)
    return found


async def active(node: Node, client: Client, token: str) -> bool:
    """Whether a node says that a token counts."""
    answer = await post(node, "introspect", client, {"token": token})
    assert answer.status_code == 200, answer.text
    return bool(answer.json()["active"])


async def known(node: Node, client: Client) -> None:
    """Wait until a node that did not make an application has heard of it."""
    async with node.client() as api:

        async def status() -> int:
            return (await api.http.get(f"/application/o/{client.slug}/jwks/")).status_code

        await until(status, 200)


@pytest.fixture
async def client(pair: tuple[Node, Node]) -> Client:
    """The client whose code is presented."""
    async with pair[0].client() as api:
        slug = f"racer-{(await api.get('core/applications/?superuser_full_list=true'))['pagination']['count']}"
        made = await furnish.application(api, slug, REDIRECT)
    await known(pair[1], made)
    return made


async def test_a_code_is_redeemed_once(pair: tuple[Node, Node], client: Client) -> None:
    async with Person(pair[0].url) as person:
        await person.sign_in()
        for _ in range(3):
            tokens = winner(await race(pair, client, redemption(client, await person.code(client))))
            for node in pair:
                assert not await active(node, client, tokens["access_token"])
                assert not await active(node, client, tokens["refresh_token"])
            async with pair[1].client(tokens["access_token"]) as api:
                assert (await api.http.get("/application/o/userinfo/")).status_code == 401
            refused = await post(
                pair[1], "token", client, {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
            )
            assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


async def test_a_late_replay_ends_what_the_code_gave(pair: tuple[Node, Node], client: Client) -> None:
    here, there = pair
    async with Person(here.url) as person:
        await person.sign_in()
        form = redemption(client, await person.code(client))
        first = (await post(here, "token", client, form)).json()
        second = (
            await post(here, "token", client, {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]})
        ).json()
        assert await active(there, client, second["access_token"])
        assert (await post(there, "token", client, form)).json()["error"] == "invalid_grant"
        for token in (first["access_token"], second["access_token"], second["refresh_token"]):
            assert not await active(here, client, token)


async def test_a_refresh_token_is_replaced_once(pair: tuple[Node, Node], client: Client) -> None:
    async with Person(pair[0].url) as person:
        await person.sign_in()
        first = (await post(pair[0], "token", client, redemption(client, await person.code(client)))).json()
        form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
        tokens = winner(await race(pair, client, form))
        # Two tabs that refresh at the same moment are no theft: what the faster one got counts.
        assert await active(pair[1], client, tokens["refresh_token"])
