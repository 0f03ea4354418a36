"""A furnished place on each engine, and an installation that the API serves."""

from collections.abc import AsyncIterator

import pytest

from tests.engines import Engine
from tests.house import House, fresh_house
from tests.providers.furnish import opened
from tests.providers.place import Place


@pytest.fixture
async def place(engine: Engine) -> AsyncIterator[Place]:
    """A place with flows, keys and scope mappings."""
    async with opened(engine) as made:
        yield made


@pytest.fixture
async def house(engine: Engine) -> AsyncIterator[House]:
    """An installation that the API serves; it has no flows."""
    async with fresh_house(engine) as made:
        yield made
