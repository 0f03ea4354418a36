"""Telegram source: people whom Telegram's login widget names."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import msgspec

from keystead.base.errors import Problem, denied, invalid
from keystead.base.secret import Secret
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind
from keystead.kinds.marks import VERBATIM, Ref, Text, Uuid
from keystead.kinds.render import render
from keystead.kinds.state import State
from keystead.people.person import person_by_pk
from keystead.policies.engine import Engine
from keystead.sources import mapping
from keystead.sources.connection import group_kind, user_kind
from keystead.sources.source import LATER, PBM_UUID, Source, SourceShown, admits, check, view
from keystead.sources.spent import is_spent, spend
from keystead.sources.vouching import Vouched, Ways, connected, connection, link


class TelegramSource(Source, frozen=True, kw_only=True):
    """People with an account at Telegram.

    :param bot_username: the bot that people sign in with.
    :param request_message_access: ask for leave to write to them.
    :param pre_authentication_flow: runs before Telegram is asked.
    """

    bot_username: Text
    bot_token: Annotated[Secret, msgspec.Meta(extra_json_schema={"minLength": 1})]
    request_message_access: bool = False
    pre_authentication_flow: Annotated[Uuid, Ref("authentik_flows.flow")]


class TelegramSourcePropertyMapping(mapping.SourcePropertyMapping, frozen=True, kw_only=True):
    """What Telegram tells about a user."""


_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255), VERBATIM]


class TelegramAuthRequest(msgspec.Struct):
    """What Telegram's login widget gave the browser.

    :param auth_date: when, in seconds since 1970.
    :param hash: the proof that it comes from Telegram.
    """

    id: int
    auth_date: int
    hash: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    first_name: _Name = ""
    last_name: _Name = ""
    username: _Name = ""
    photo_url: Annotated[str, msgspec.Meta(min_length=1), VERBATIM] = ""


async def rules(_call: Call, _state: State, _old: TelegramSource | None, new: TelegramSource) -> TelegramSource:
    """The bot has a token."""
    check(new)
    if not new.bot_token.reveal().strip():
        raise invalid({"bot_token": ["May not be blank."]})
    return new


TELEGRAM_SOURCE: Kind[TelegramSource] = Kind(
    model="authentik_sources_telegram.telegramsource",
    struct=TelegramSource,
    path="sources/telegram",
    title=("Telegram Source", "Telegram Sources"),
    key="slug",
    key_name="slug",
    family="sources",
    component="ak-source-telegram-form",
    shown=SourceShown,
    view=view,
    rules=rules,
    search=("name", "slug", "bot_username"),
    filters=(
        "authentication_flow",
        "bot_username",
        "enabled",
        "enrollment_flow",
        Filter("group_matching_mode", str, note="Ignored: Telegram knows no groups."),
        "name",
        PBM_UUID,
        "policy_engine_mode",
        "request_message_access",
        "slug",
        "user_matching_mode",
    ),
    bindable=True,
    stored_only=LATER,
)
USER_TELEGRAM: Final = user_kind(TELEGRAM_SOURCE, "telegram", "Telegram")
KINDS: Final = (
    TELEGRAM_SOURCE,
    mapping.kind(TelegramSourcePropertyMapping, "telegram", "Telegram"),
    USER_TELEGRAM,
    group_kind(TELEGRAM_SOURCE, "telegram", "Telegram"),
)
WAYS: Final = Ways(TELEGRAM_SOURCE, USER_TELEGRAM)
FRESH: Final = timedelta(minutes=10)
"""How old a proof may be."""
_AHEAD: Final = timedelta(minutes=1)
"""How far Telegram's clock may be ahead of ours."""
_UNPROVEN: Final = "This does not come from Telegram for this bot, or it was altered on the way."
_OLD: Final = "This proof of Telegram's is too old, or was used already; sign in with Telegram again."


def is_proven(token: Secret, given: TelegramAuthRequest) -> bool:
    """Whether Telegram vouches for ``given`` with the bot's token (core.telegram.org/widgets/login)."""
    members = {name: value for name, value in msgspec.structs.asdict(given).items() if name != "hash" and value != ""}
    told = "\n".join(f"{name}={members[name]}" for name in sorted(members))
    key = hashlib.sha256(token.reveal().encode()).digest()
    expected = hmac.new(key, told.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), given.hash.lower().encode())


def _refused(text: str) -> Problem:
    return invalid({"non_field_errors": [text]})


async def _checked(call: Call, state: State, source: TelegramSource, given: TelegramAuthRequest) -> datetime:
    """Until when the proof counts.

    :raises Problem: ``INVALID``: it is none, or counts no more.
    """
    if not is_proven(source.bot_token, given):
        raise _refused(_UNPROVEN)
    try:
        made = datetime.fromtimestamp(given.auth_date, UTC)
    except (ValueError, OverflowError, OSError):
        raise _refused(_OLD) from None
    if not made - _AHEAD <= call.at < made + FRESH or await is_spent(state, _proof(source, given)):
        raise _refused(_OLD)
    return made + FRESH


def _proof(source: TelegramSource, given: TelegramAuthRequest) -> str:
    return f"telegram/{source.pk}/{given.hash.lower()}"


def actions(engine: Engine) -> tuple[Action, ...]:
    """Connecting; ``engine`` says whom a source concerns."""

    async def connect(call: Call, state: State, source: TelegramSource, given: TelegramAuthRequest) -> Answer:
        """Connect the caller with the account at Telegram that the login widget has named, once for each proof."""
        if not call.actor.pk or call.actor.original is not None:
            raise denied("People connect themselves; nobody does it for them while acting as them.")
        person = await person_by_pk(state, call.actor.pk)
        if not source.enabled or not await admits(engine, call, state, source, person):
            raise denied("You may not use this source.")
        until = await _checked(call, state, source, given)
        found = await connected(state, USER_TELEGRAM, source, str(given.id))
        if found is not None and found.user != call.actor.pk:
            raise _refused("This account at Telegram is connected with somebody else here.")
        new = await connection(call, state, WAYS, source, Vouched(str(given.id), {}), found, call.actor.pk)
        changes = link(call, USER_TELEGRAM, source, found, new, None)
        changes.write(spend(_proof(source, given), until))
        return Answer((await render(call, state, USER_TELEGRAM, [new], {}))[0], status=201, changes=changes)

    return (
        Action(
            TELEGRAM_SOURCE,
            "POST",
            "{key}/connect_user/",
            connect,
            "connect_user_create",
            permission="",
            request=TelegramAuthRequest,
            response=USER_TELEGRAM.struct,
            status=201,
        ),
    )
