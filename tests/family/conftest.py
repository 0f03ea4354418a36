"""One house for a whole module on each engine: one anew for each of a few thousand questions would take minutes."""

from collections.abc import AsyncIterator

import pytest

from tests.engines import ENGINES
from tests.family.bodies import Maker
from tests.family.every import pytest_collection_modifyitems
from tests.house import fresh_house, house

__all__ = ["house", "maker", "pytest_collection_modifyitems"]


@pytest.fixture(scope="module", params=ENGINES)
async def maker(request: pytest.FixtureRequest) -> AsyncIterator[Maker]:
    """Makes objects of every kind in a house of the module's own."""
    async with fresh_house(request.param) as made:
        yield Maker(made)
