"""Locking an account down: a link to the brand's flow for it, which says whose account and who asked for it.

The link is good for whoever asked, in a browser in which they are signed in, for a while; the stage at its end looks
again whether they may. So it opens nothing for anybody who finds it, and nobody loses an account by following a link
that somebody else has made up.
"""

from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

import msgspec

from keystead.base.clock import micros
from keystead.base.errors import denied, invalid, not_found
from keystead.flows.flow import FLOW, Flow
from keystead.kinds import grants
from keystead.kinds.access import may, require, signed_in
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.state import State
from keystead.people.brand import brand_for
from keystead.people.finding import by_pk
from keystead.people.power import check_reach
from keystead.people.user import USER, User
from keystead.people.user_actions import Link

PARAMETER: Final = "lockdown"
"""The parameter of the flow's address that names the account."""
LIFE: Final = timedelta(minutes=30)
"""How long a link works."""
_CONTEXT: Final = "lockdown"
BE_YOURSELF: Final = "Be yourself first: nobody is locked out while somebody acts as somebody else."


class UserAccountLockdownRequest(msgspec.Struct):
    """Whose account; null for one's own."""

    user: int | None = None


class Asked(msgspec.Struct, frozen=True):
    """What a link says.

    :param user: whose account.
    :param by: who asked.
    :param until: when it works no more, microseconds since 1970.
    """

    user: int
    by: int
    until: int


def opened(state: State, call: Call, text: str) -> Asked | None:
    """What the link with this parameter says; None for one that is not ours or too old."""
    try:
        asked = msgspec.json.decode(state.vault.open(text, _CONTEXT), type=Asked)
    except (ValueError, msgspec.MsgspecError):
        return None
    return asked if asked.until > micros(call.at) else None


async def check(call: Call, state: State, found: User) -> None:
    """Let through who may lock ``found``: the person themselves, or who may change them and is no weaker.

    :raises Problem: ``DENIED``; ``NOT_FOUND`` where the caller may not even see ``found``.
    """
    signed_in(call)
    if call.actor.original is not None:
        raise denied(BE_YOURSELF)
    if found.pk != call.actor.pk:
        require(await grants.on(call, state.store, USER, [found]), USER, "change", found)
        await check_reach(call, state, found.pk, "lock this account")


def _flow(call: Call) -> Flow:
    chosen = brand_for(call.settings, call.origin.host).flow_lockdown
    found = call.settings.get(FLOW, chosen) if chosen else None
    if found is None:
        text = "The brand has no lockdown flow; set one first (flow_lockdown), with an account lockdown stage in it."
        raise invalid({"non_field_errors": [text]})
    return found


async def lock_down(call: Call, state: State, _obj: None, body: UserAccountLockdownRequest) -> Answer:
    """A link to the brand's lockdown flow, in which the account is locked; nothing is locked before.

    Needs the permission to change the user, unless it is one's own account.
    """
    pk = call.actor.pk if body.user is None else body.user
    found = await by_pk(state, pk) if pk else None
    if found is None:
        if not may(call, USER, "view"):
            raise not_found()  # whoever may not look at users hears the same of those there are
        raise invalid({"user": [f'Invalid pk "{pk}" - object does not exist.']})
    await check(call, state, found)
    asked = Asked(found.pk, call.actor.pk, micros(call.at + LIFE))
    sealed = state.vault.seal(msgspec.json.encode(asked).decode(), _CONTEXT)
    query = urlencode({PARAMETER: sealed})
    return Answer(Link(f"{call.origin.root}/if/flow/{_flow(call).slug}/?{query}"))


ACTIONS: Final = (
    Action(
        USER,
        "POST",
        "account_lockdown/",
        lock_down,
        "account_lockdown_create",
        permission="",
        request=UserAccountLockdownRequest,
        response=Link,
    ),
)
