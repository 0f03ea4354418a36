"""What a SCIM client has named: which of our users and groups is which one of its."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec

from keystead.base import rand
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind, Table
from keystead.kinds.marks import LINE, READ_ONLY, UNIQUE, Column, Format, Json, Ref, Text, Uuid
from keystead.kinds.state import State
from keystead.people import power
from keystead.people.power import check_reach
from keystead.people.shown import PartialGroup, PartialUser, partial_groups, partial_users
from keystead.sources.connection import SOURCE_SLUG
from keystead.sources.scim.source import SCIM_SOURCE

_LATER: Final = "It was made by hand: no SCIM client can write here yet."
_UNFIT: Final = frozenset("/?#%\\")


def _segment(value: str) -> str:
    if value in {".", ".."} or any(char in _UNFIT or char.isspace() or not char.isprintable() for char in value):
        raise ValueError("It stands in addresses: no space, control character or any of / ? # % and backslash.")
    return value


SCIMId = Annotated[str, msgspec.Meta(min_length=1), Format("", _segment), LINE]
"""An id under which a SCIM client asks for an object (RFC 7643 §3.1)."""


class SCIMSourceUser(msgspec.Struct, frozen=True, kw_only=True):
    """Which user of ours a SCIM client's is.

    :param id: our name for it, which the client asks with; drawn unless given.
    :param external_id: the client's own name for it.
    :param attributes: what the client last sent.
    """

    pk: Annotated[Uuid, READ_ONLY, Column("uuid")]
    id: Annotated[SCIMId, UNIQUE] = msgspec.field(default_factory=rand.uuid4)
    external_id: Annotated[Text, LINE]
    user: Annotated[int, Column("user_id"), Ref("authentik_core.user")]
    source: Annotated[Uuid, Column("source_id"), Ref(SCIM_SOURCE.model)]
    attributes: Json = {}


class SCIMSourceGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Which group of ours a SCIM client's is.

    :param id: our name for it, which the client asks with; drawn unless given.
    :param external_id: the client's own name for it.
    :param attributes: what the client last sent.
    """

    pk: Annotated[Uuid, READ_ONLY, Column("uuid")]
    id: Annotated[SCIMId, UNIQUE] = msgspec.field(default_factory=rand.uuid4)
    external_id: Annotated[Text, LINE]
    group: Annotated[Uuid, Column("group_id"), Ref("authentik_core.group")]
    source: Annotated[Uuid, Column("source_id"), Ref(SCIM_SOURCE.model)]
    attributes: Json = {}


class SCIMSourceUserShown(msgspec.Struct):
    """The computed member of a SCIM client's user: ours, in short."""

    user_obj: PartialUser


class SCIMSourceGroupShown(msgspec.Struct):
    """The computed member of a SCIM client's group: ours, in short."""

    group_obj: PartialGroup


async def _users(
    _call: Call, state: State, linked: Sequence[SCIMSourceUser], _query: Mapping[str, Sequence[str]]
) -> list[SCIMSourceUserShown]:
    found = await partial_users(state, [one.user for one in linked])
    return [SCIMSourceUserShown(found[one.user]) for one in linked]


async def _groups(
    _call: Call, state: State, linked: Sequence[SCIMSourceGroup], _query: Mapping[str, Sequence[str]]
) -> list[SCIMSourceGroupShown]:
    found = await partial_groups(state, [one.group for one in linked])
    return [SCIMSourceGroupShown(found[one.group]) for one in linked]


async def user_rules(call: Call, state: State, old: SCIMSourceUser | None, new: SCIMSourceUser) -> SCIMSourceUser:
    """Nobody gives a SCIM client power over somebody stronger than themselves, nor takes it."""
    for pk in {new.user, *([old.user] if old else [])}:
        await check_reach(call, state, pk, "let a SCIM client write this user")
    return new


async def group_rules(call: Call, state: State, old: SCIMSourceGroup | None, new: SCIMSourceGroup) -> SCIMSourceGroup:
    """Whoever a SCIM client puts into the group gets its powers: only who has them may let it."""
    touched = {new.group, *([old.group] if old else [])}
    power.check(call, await power.of_groups(state, call.settings, touched), "let a SCIM client write this group")
    return new


SCIM_SOURCE_USER: Kind[SCIMSourceUser] = Kind(
    model="authentik_sources_scim.scimsourceuser",
    struct=SCIMSourceUser,
    path="sources/scim_users",
    title=("SCIM Source User", "SCIM Source Users"),
    key="id",
    key_name="id",
    table=Table("scim_source_users", key="uuid"),
    shown=SCIMSourceUserShown,
    view=_users,
    rules=user_rules,
    search=("id", "external_id"),
    order=("id",),
    filters=(
        SOURCE_SLUG,
        Filter("user__id", int, sql="t.user_id = {}", note="The user of ours."),
        Filter("user__username", str, sql="t.user_id IN (SELECT u.id FROM users u WHERE u.username = {})"),
    ),
    stored_only=_LATER,
)
SCIM_SOURCE_GROUP: Kind[SCIMSourceGroup] = Kind(
    model="authentik_sources_scim.scimsourcegroup",
    struct=SCIMSourceGroup,
    path="sources/scim_groups",
    title=("SCIM Source Group", "SCIM Source Groups"),
    key="id",
    key_name="id",
    table=Table("scim_source_groups", key="uuid"),
    shown=SCIMSourceGroupShown,
    view=_groups,
    rules=group_rules,
    search=("id", "external_id"),
    order=("id",),
    filters=(
        SOURCE_SLUG,
        Filter("group__group_uuid", Uuid, sql="t.group_id = {}", note="The group of ours."),
        Filter("group__name", str, sql="t.group_id IN (SELECT g.id FROM groups g WHERE g.name = {})"),
    ),
    stored_only=_LATER,
)
