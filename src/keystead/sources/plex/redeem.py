"""Redeeming a token of Plex: who brings one is the person it belongs to, if the source is for them.

Plex does not say for whom it issued a token: whoever else holds one of somebody's can be them here. So a token counts
no more than the places where people let Plex vouch for them.
"""

from typing import Annotated, Final

import msgspec

from keystead.base import log
from keystead.base.errors import Kind, Problem, denied, invalid
from keystead.flows.executor import Executor
from keystead.flows.outside import PLEX
from keystead.flows.ports import Visitor
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter
from keystead.kinds.state import State
from keystead.policies.engine import Engine
from keystead.sources.plex.source import PLEX_SOURCE, USER_PLEX, PlexSource
from keystead.sources.plex.tv import Account, PlexTv
from keystead.sources.vouching import Vouched, Ways, connect
from keystead.sources.way_in import WayIn, lead_in

_LOG = log.get("sources.plex.redeem")
WAYS: Final = Ways(PLEX_SOURCE, USER_PLEX)
SLUG: Final = (Filter("slug", str, note="Which source."),)
_NOT_FOR: Final = "{} is for people who share a server with its owner, or are friends of theirs, at Plex."


class PlexTokenRedeemRequest(msgspec.Struct):
    """A token that Plex gave the browser."""

    plex_token: Annotated[str, msgspec.Meta(min_length=1)]


async def vouch(state: State, source: PlexSource, token: str) -> Vouched:
    """The person whose token it is.

    :raises Problem: ``INVALID``: Plex knows no such token; ``DENIED``: the source is not for them; ``BUSY``.
    """
    theirs = PlexTv(state.outbound, source.client_id, token.strip())
    account, info = await theirs.account()
    if account.guest or account.anonymous:
        raise denied("Plex says that this is a guest, who could be anybody. Sign in at Plex with an account.")
    await _check_welcome(state, source, theirs, account)
    names = {"username": account.username, "name": account.friendly_name or account.title or account.username}
    told = {key: value for key, value in {**names, "email": account.email}.items() if value}
    return Vouched(
        str(account.id), told, verified=account.confirmed is True, names={"info": info}, sealed=("plex_token", token)
    )


async def _check_welcome(state: State, source: PlexSource, theirs: PlexTv, account: Account) -> None:
    """Let through the owner, who shares one of the allowed servers, and friends of the owner where they may come.

    A device names itself: a server counts only if Plex says that it is the same account's for both.
    """
    ours = PlexTv(state.outbound, source.client_id, source.plex_token.reveal().strip())
    try:
        owner, _ = await ours.account()
        if account.id == owner.id:
            return
        friends = await ours.shares_with() if source.allow_friends else set[int]()
        kept = await ours.servers(owner.id) if source.allowed_servers else set[tuple[str, int]]()
    except Problem as exc:
        if exc.kind is not Kind.INVALID:
            raise
        _LOG.warning("Plex does not know the owner's token", source=source.slug)
        raise denied(f"{source.name} is not set up rightly. Tell whoever looks after this service.") from None
    if account.id in friends:
        return
    wanted = {one for one in kept if one[0] in source.allowed_servers}
    if not wanted or wanted.isdisjoint(await theirs.servers(account.id)):
        raise denied(_NOT_FOR.format(source.name))


def named(call: Call, slug: str) -> PlexSource:
    """The source with this slug.

    :raises Problem: ``INVALID`` on ``slug``.
    """
    found = call.settings.by(PLEX_SOURCE, "slug", slug)
    if found is None:
        raise invalid({"slug": ["There is no such source of the type Plex."]})
    return found


async def redeem(executor: Executor, call: Call, state: State, visitor: Visitor, *, slug: str, token: str) -> WayIn:
    """Lead the visitor in with their token, or connect them where they are signed in.

    :raises Problem: as :func:`vouch`, and with a text for the person where the source leads them nowhere.
    """
    source = named(call, slug)
    return await lead_in(executor, call, state, visitor, WAYS, source, await vouch(state, source, token))


def challenge(source: PlexSource) -> dict[str, object]:
    """What follows when the source's button is pressed."""
    return {"component": PLEX, "client_id": source.client_id, "slug": source.slug}


def actions(engine: Engine) -> tuple[Action, ...]:
    """Connecting; ``engine`` says whom a source is for."""

    async def redeem_authenticated(call: Call, state: State, _obj: None, given: PlexTokenRedeemRequest) -> Answer:
        """Connect the caller with the account at Plex whose token this is."""
        source = named(call, call.origin.query.get("slug", ""))
        vouched = await vouch(state, source, given.plex_token)
        changes, _ = await connect(engine, call, state, WAYS, source, vouched)
        return Answer(status=204, changes=changes)

    return (
        Action(
            PLEX_SOURCE,
            "POST",
            "redeem_token_authenticated/",
            redeem_authenticated,
            "redeem_token_authenticated_create",
            permission="",
            request=PlexTokenRedeemRequest,
            status=204,
            query=SLUG,
        ),
    )
