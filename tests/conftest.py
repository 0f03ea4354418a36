"""For every test: each engine, a place on it, a store on that; where tests write, and whose turn it is."""

from collections.abc import AsyncIterator, Generator, Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

from keystead.doors.http import health
from keystead.store import Store, postgres_link, postgres_pool
from tests import engines, scratch, turns
from tests.engines import ENGINES, Engine, Place
from tests.patience import PATIENCE
from tests.strangers import Authority

scratch.use()

# The same examples in each run, and no verdict on how long a busy machine takes to draw or to try them.
settings.register_profile(
    "keystead",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
settings.load_profile("keystead")

# Plain tracebacks: those with the values of all variables take seconds to draw.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Nothing runs beside a test that is marked ``alone``."""
    if turns.WORKERS == 1:
        return (yield)
    with turns.turn(alone=item.get_closest_marker("alone") is not None):
        return (yield)


@pytest.fixture(scope="session", autouse=True)
def _end() -> Iterator[None]:
    """Nothing that tests started outlives them."""
    yield
    engines.end_session()


@pytest.fixture(scope="session", autouse=True)
def _patient() -> Iterator[None]:
    """What the house waits for in this process may take as long as a busy machine needs."""
    with pytest.MonkeyPatch.context() as patch:
        for room, name in ((postgres_link, "CONNECT"), (postgres_pool, "PATIENCE"), (health, "PATIENCE")):
            patch.setattr(room, name, PATIENCE)
        yield


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who certifies the servers that tests run."""
    return Authority(tmp_path_factory.mktemp("authority"))


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
