"""An installation for each test, and others on this machine whom it asks."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.house import House, house
from tests.sources.plex_tv import Plex, plex_tv
from tests.sources.slapd import Slapd
from tests.strangers import Authority

__all__ = ["house"]


@pytest.fixture
async def plex(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Plex]:
    """plex.tv, as the tests have it."""
    async with plex_tv(house, Authority(tmp_path), monkeypatch) as found:
        yield found


@pytest.fixture(scope="session")
async def slapd(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Slapd]:
    """A directory server of others."""
    made = Slapd(tmp_path_factory.mktemp("slapd"), authority)
    try:
        yield await made.ready()
    finally:
        made.end()
