"""Health pages: what they say before, while and after the store answers."""

import pytest

from keystead.doors.http import health
from keystead.doors.http.front import Front
from tests.client import Client
from tests.house import House

LIVE, READY = "/-/health/live/", "/-/health/ready/"


@pytest.fixture
def client(house: House) -> Client:
    """Nobody, in front of an installation whose health can be asked for."""
    health.add(house.app.routes)
    return Client(house.app, peer="203.0.113.9")


@pytest.mark.parametrize("path", [LIVE, READY])
async def test_a_running_installation_is_well(client: Client, path: str) -> None:
    answered = await client.get(path)
    assert answered.status == 200
    assert int(answered.header("x-response-time")) >= 1
    assert answered.header("cache-control") == "no-store"
    head = await client.request("HEAD", path)
    assert (head.status, head.body) == (200, b"")
    assert (await client.get(path.rstrip("/"))).status == 200


async def test_is_alive_and_not_ready_before_its_start_is_over(client: Client, house: House) -> None:
    house.site.ready = False
    assert (await client.get(LIVE)).status == 200
    answered = await client.get(READY)
    assert answered.status == 503
    assert int(answered.header("x-response-time")) >= 1


async def test_is_alive_and_not_ready_without_its_store(client: Client, house: House) -> None:
    await house.state.store.close()
    assert (await client.get(LIVE)).status == 200
    answered = await client.get(READY)
    assert (answered.status, answered.text) == (503, "the database does not answer\n")


async def test_health_is_for_everybody_whatever_credentials_they_bring(client: Client) -> None:
    assert (await client.get(READY, token="nonsense")).status == 200
    assert (await client.post(READY, {})).status == 405


async def test_a_process_that_has_no_application_yet_says_so() -> None:
    client = Client(Front("/auth"))
    assert (await client.get(f"/auth{LIVE}")).status == 200
    assert (await client.get(f"/auth{READY}")).status == 503
    answered = await client.get("/auth/if/user/")
    assert (answered.status, answered.header("retry-after")) == (503, "1")
