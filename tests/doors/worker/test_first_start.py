"""What a fresh installation has of its own: settings as the environment wishes them, and the embedded outpost."""

from datetime import timedelta

from keystead import app
from keystead.base.config.services import Outposts
from keystead.base.config.settings import Config
from keystead.doors.worker.first_start import first_start
from keystead.kinds.state import State
from keystead.people.finding import by_username
from keystead.people.installation.settings import DEFAULT, current
from keystead.providers.outpost import account
from keystead.providers.outpost.instance import EMBEDDED, OUTPOST
from keystead.store import Store
from tests.house import VAULT, HandClock


async def started(store: Store, config: Config) -> State:
    """A new installation."""
    state = State(store, app.KINDS, VAULT, HandClock())
    await state.load()
    assert await first_start(state, config, state.clock.now())
    return state


async def test_settings_begin_as_the_environment_wishes(store: Store) -> None:
    config = Config(
        avatars="none",
        event_retention=timedelta(days=30),
        footer_links='[{"name": "Help", "href": "https://help.example.org"}]',
        pagination_default_page_size=50,
        impersonation=False,
    )
    found = current((await started(store, config)).settings)
    assert (found.avatars, found.event_retention, found.pagination_default_page_size) == ("none", "days=30", 50)
    assert found.impersonation is False
    assert found.footer_links == [{"name": "Help", "href": "https://help.example.org"}]


async def test_wishes_that_cannot_be_leave_the_defaults(store: Store) -> None:
    assert current((await started(store, Config(footer_links="no JSON", avatars="none"))).settings) == DEFAULT


async def test_the_embedded_outpost_is_there_with_its_account(store: Store) -> None:
    state = await started(store, Config())
    (outpost,) = state.settings.all(OUTPOST)
    assert (outpost.managed, outpost.providers, outpost.name) == (EMBEDDED, (), "authentik Embedded Outpost")
    assert await by_username(state, account.username(outpost.pk)) is not None


async def test_an_installation_may_do_without_it(store: Store) -> None:
    state = await started(store, Config(outposts=Outposts(disable_embedded_outpost=True)))
    assert not state.settings.all(OUTPOST)
