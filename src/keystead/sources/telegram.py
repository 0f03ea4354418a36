"""Telegram source: people whom Telegram's login widget names."""

from typing import Annotated, Final

import msgspec

from keystead.base.errors import invalid
from keystead.base.secret import Secret
from keystead.kinds.action import Action
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind
from keystead.kinds.marks import Ref, Text, Uuid
from keystead.kinds.pending import Pending
from keystead.kinds.state import State
from keystead.sources import mapping
from keystead.sources.connection import group_kind, user_kind
from keystead.sources.source import LATER, PBM_UUID, Source, SourceShown, check, view


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


_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


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
    photo_url: Annotated[str, msgspec.Meta(min_length=1)] = ""


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
ACTIONS: Final = (
    Action(
        TELEGRAM_SOURCE,
        "POST",
        "{key}/connect_user/",
        Pending("Telegram's proofs are not checked yet, so nobody is connected by one."),
        "connect_user_create",
        permission="",
        request=TelegramAuthRequest,
        response=USER_TELEGRAM.struct,
        status=201,
    ),
)
