"""The first run: while the installation's first administrator has no password, whoever comes may set it - once.

That it was done is written in the same commit, so that of parallel attempts one succeeds, and stays written: afterwards
there is no such page, whatever becomes of users, flows or policies (SECURITY FL-09).
"""

from typing import Final

from keystead.kinds.state import State
from keystead.people.finding import by_username
from keystead.people.password import usable
from keystead.people.user import User
from keystead.store import Statement, Write

SLUG: Final = "initial-setup"
"""The flow's slug; only this one is guarded, and nothing else is served under it."""
ADMINISTRATOR: Final = "akadmin"
GUARD: Final = "setup"
_DONE: Final = Statement("setup.done", "SELECT value FROM installation WHERE name = 'setup'")
_CLOSE: Final = Statement(
    "setup.close", "INSERT INTO installation (name, value) VALUES ('setup', 'done') ON CONFLICT (name) DO NOTHING"
)


async def first_administrator(state: State) -> User | None:
    """The user whose password the first run sets, or None when the first run is over."""
    if await state.store.fetch_one(_DONE) is not None:
        return None
    user = await by_username(state, ADMINISTRATOR)
    return user if user is not None and user.is_active and not usable(user.password) else None


async def setup_open(state: State) -> bool:
    """Whether the first run is still to come."""
    return await first_administrator(state) is not None


def close() -> Write:
    """The write that ends the first run for good; its guard ``setup`` fails when it has ended already."""
    return Write(_CLOSE, expect=1, guard=GUARD)
