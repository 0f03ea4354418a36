"""An installation of the lower floors for each test, on each engine in turn."""

import pytest

from keystead.store import Store
from tests.flows.support import Studio, opened


@pytest.fixture
async def studio(store: Store) -> Studio:
    """Flows, stages and browsers on an installation."""
    return await opened(store)
