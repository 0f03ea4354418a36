"""Walks over whole lists: in the list's order, every row once, however the pages fall."""

from datetime import timedelta
from typing import Any

import pytest

from keystead.kinds import listing
from keystead.kinds.listing import Page
from keystead.kinds.walk import walk
from keystead.people.event import EVENT
from keystead.people.user import USER
from tests.house import BEGIN, House


async def people(house: House) -> None:
    for number in range(17):
        await house.person(
            f"person{number:02}",
            name="same" if number % 3 else f"name {number}",
            is_active=bool(number % 2),
            last_login=None if number % 4 else BEGIN - timedelta(days=number),
            path=f"users/{number % 5}",
        )


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"ordering": ["-username"]},
        {"ordering": ["name"]},
        {"ordering": ["-name,username"]},
        {"ordering": ["is_active,-last_login"]},
        {"ordering": ["last_login"]},
        {"search": ["person1"], "ordering": ["path,-name"]},
        {"is_superuser": ["false"], "path_startswith": ["users/"]},
        {"is_active": ["true"], "ordering": ["-last_login"]},
    ],
)
async def test_a_walk_meets_what_the_list_shows(house: House, query: dict[str, list[str]]) -> None:
    await people(house)
    expected, count = await listing.rows(house.call, house.state, USER, query, Page(1, 100))
    for size in (1, 4, 100):
        met: list[Any] = []
        async for part in walk(house.call, house.state, USER, query, size=size):
            met += part
        assert met == expected
        assert len(met) == count


@pytest.mark.parametrize("ordering", ["", "client_ip", "-client_ip", "client_ip,-created", "action"])
async def test_nothing_is_last_and_is_met_once(house: House, ordering: str) -> None:
    for number in range(9):
        house.nobody.peer = f"10.0.0.{number}" if number % 3 else ""
        await house.nobody.post("/api/v3/events/events/", {"action": "login", "app": "a"}, token=house.admin.token)
    query = {"ordering": [ordering]}
    expected, _ = await listing.rows(house.call, house.state, EVENT, query, Page(1, 100))
    met: list[Any] = []
    async for part in walk(house.call, house.state, EVENT, query, size=2):
        met += part
    assert met == expected
    assert len(met) >= 9
