"""What journeys share: servers that were started once, and one Chromium."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.engines import ENGINES, Engine
from tests.journeys import browser, server
from tests.journeys.server import Node


@pytest.fixture(scope="session")
async def node() -> AsyncIterator[Node]:
    """A server on SQLite; tests that use it make what they need and leave the rest alone."""
    async with server.fresh_node() as one:
        yield one


@pytest.fixture(scope="session", params=ENGINES)
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Node, Node]]:
    """Two servers on one database, on each engine in turn."""
    engine: Engine = request.param
    async with server.fresh_pair(engine) as both:
        yield both


@pytest.fixture(scope="session")
async def chrome() -> AsyncIterator[Browser]:
    """The browser."""
    async with browser.chromium() as one:
        yield one
