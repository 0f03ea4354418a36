"""A furnished place on each engine."""

from collections.abc import AsyncIterator

import pytest

from tests.engines import Engine
from tests.providers.furnish import opened
from tests.providers.place import Place


@pytest.fixture
async def place(engine: Engine) -> AsyncIterator[Place]:
    """A place with flows, keys and scope mappings."""
    async with opened(engine) as made:
        yield made
