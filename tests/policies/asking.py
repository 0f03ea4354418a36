"""Asking one policy directly, as the engine does: what the suites of single policies share."""

from typing import Any

from msgspec.structs import replace

from keystead import app
from keystead.people.person import person_of
from keystead.people.user import User
from keystead.policies.judge import PolicyResult, Request
from tests.house import House


async def ask(
    house: House,
    policy: Any,  # noqa: ANN401 - policies of every kind
    user: User | None = None,
    *,
    peer: str = "192.0.2.7",
    **context: object,
) -> PolicyResult:
    """What ``policy``, which need not be kept, says about ``user``."""
    call = replace(house.call, peer=peer)
    person = await person_of(house.state, user) if user else None
    return await app.ENGINE.ask(house.state, house.kind_of(policy), policy, Request(call, person, context))
