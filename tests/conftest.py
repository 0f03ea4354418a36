"""Fixtures for every test: each engine, a place on it, and a store on that."""

from collections.abc import AsyncIterator, Iterator

import pytest

from keystead.store import Store
from tests import engines
from tests.engines import ENGINES, Engine, Place


@pytest.fixture(scope="session", autouse=True)
def _end() -> Iterator[None]:
    """Nothing that tests started outlives them."""
    yield
    engines.end_session()


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn."""
    name: Engine = request.param
    return name


@pytest.fixture
async def place(engine: Engine) -> AsyncIterator[Place]:
    """A new, migrated database."""
    async with engines.fresh_place(engine) as made:
        yield made


@pytest.fixture
async def store(place: Place) -> AsyncIterator[Store]:
    """A store on a new, migrated database."""
    async with engines.opened(place) as made:
        yield made
