"""Plex source: people with an account at Plex who may use one of our servers there (the kinds)."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec

from keystead.base import rand
from keystead.base.errors import invalid
from keystead.base.secret import Secret
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind, steady
from keystead.kinds.marks import SECRET_SHOWN, WRITE_ONLY, Column, Text
from keystead.kinds.state import State
from keystead.people.brand import ThemedUrls
from keystead.sources import mapping
from keystead.sources.connection import UserSourceConnection, group_kind, sealing, user_kind
from keystead.sources.source import PBM_UUID, GroupMatchingModeEnum, Source, check, icon

_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+")
ICON: Final = "/static/dist/assets/icons/source-plex.svg"


def _client_id() -> str:
    return rand.alphanumeric(40)


class PlexSource(Source, frozen=True, kw_only=True):
    """People with an account at Plex.

    Its group matching and mappings wait for groups, of which Plex tells none.

    :param client_id: by which Plex knows this installation.
    :param allowed_servers: ids of the servers whose users may come in.
    :param allow_friends: friends of the owner may come in too, though they share no server.
    :param plex_token: the owner's token; the owner may come in, and says whose friends and servers count.
    """

    group_matching_mode: GroupMatchingModeEnum = GroupMatchingModeEnum.IDENTIFIER
    client_id: Text = msgspec.field(default_factory=_client_id)
    allowed_servers: tuple[Text, ...] = ()
    allow_friends: bool = True
    plex_token: Annotated[Secret, SECRET_SHOWN, msgspec.Meta(extra_json_schema={"minLength": 1})]


class PlexSourceShown(msgspec.Struct):
    """The computed members of a Plex source."""

    icon_url: str
    icon_themed_urls: ThemedUrls | None


class PlexSourcePropertyMapping(mapping.SourcePropertyMapping, frozen=True, kw_only=True):
    """What Plex tells about a user or group."""


class UserPlexConnection(UserSourceConnection, frozen=True, kw_only=True):
    """Which user of ours somebody at Plex is.

    :param plex_token: their token there; kept sealed.
    """

    plex_token: Annotated[Text, WRITE_ONLY, Column("secret")]


@steady
async def view(
    _call: Call, _state: State, sources: Sequence[PlexSource], _query: Mapping[str, Sequence[str]]
) -> list[PlexSourceShown]:
    """Where the pictures are."""
    shown = []
    for one in sources:
        url, themes = icon(one, ICON)
        shown.append(PlexSourceShown(url or ICON, themes))
    return shown


async def rules(_call: Call, _state: State, _old: PlexSource | None, new: PlexSource) -> PlexSource:
    """It has a token, and a name that Plex can be told."""
    check(new)
    if not _PRINTABLE.fullmatch(new.client_id):
        raise invalid({"client_id": ["Letters, digits and other visible characters of ASCII are accepted, no blanks."]})
    if not new.plex_token.reveal().strip():
        raise invalid({"plex_token": ["May not be blank."]})
    return new


PLEX_SOURCE: Kind[PlexSource] = Kind(
    model="authentik_sources_plex.plexsource",
    struct=PlexSource,
    path="sources/plex",
    title=("Plex Source", "Plex Sources"),
    key="slug",
    key_name="slug",
    family="sources",
    component="ak-source-plex-form",
    shown=PlexSourceShown,
    view=view,
    rules=rules,
    search=("name", "slug"),
    filters=(
        "allow_friends",
        "authentication_flow",
        "client_id",
        "enabled",
        "enrollment_flow",
        "group_matching_mode",
        "name",
        PBM_UUID,
        "policy_engine_mode",
        "slug",
        "user_matching_mode",
    ),
    bindable=True,
)
USER_PLEX: Final = user_kind(
    PLEX_SOURCE, "plex", "Plex", struct=UserPlexConnection, stored_only="", **sealing("plex_token", "plex")
)
KINDS: Final = (
    PLEX_SOURCE,
    mapping.kind(PlexSourcePropertyMapping, "plex", "Plex", stored_only=""),
    USER_PLEX,
    group_kind(PLEX_SOURCE, "plex", "Plex", stored_only="Plex tells of no groups, so nobody gets into one by it."),
)
