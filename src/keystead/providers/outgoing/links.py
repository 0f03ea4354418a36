"""Which of our users and groups is which object elsewhere: what the records of all such systems share.

A next synchronisation goes by them.
"""

import enum
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from keystead.kinds.call import Call
from keystead.kinds.kind import READ, Filter, Verb, steady
from keystead.kinds.marks import Uuid
from keystead.kinds.state import State
from keystead.people.shown import PartialGroup, PartialUser, partial_groups, partial_users
from keystead.providers.application import Assigned, assigned

Query = Mapping[str, Sequence[str]]
LINK_VERBS: Final = READ | {Verb.CREATE, Verb.DESTROY}
SCHEDULED: Final = "Nothing is written on a schedule or when users change; only what somebody asks for, one by one."
"""What does not happen yet."""


class OutgoingSyncDeleteAction(enum.StrEnum):
    """What becomes of the object there when ours goes."""

    DO_NOTHING = "do_nothing"
    DELETE = "delete"
    SUSPEND = "suspend"


class UserLinkShown(msgspec.Struct):
    """The computed member of a link: our user in short."""

    user_obj: PartialUser


class GroupLinkShown(msgspec.Struct):
    """The computed member of a link: our group in short."""

    group_obj: PartialGroup


@steady
async def view(call: Call, _state: State, providers: Sequence[Any], _query: Query) -> list[Assigned]:
    """For which applications the providers work."""
    return [assigned(call.settings, one.pk) for one in providers]


async def users_view(_call: Call, state: State, links: Sequence[Any], _query: Query) -> list[UserLinkShown]:
    """The users in short."""
    users = await partial_users(state, [one.user for one in links])
    return [UserLinkShown(users[one.user]) for one in links]


async def groups_view(_call: Call, state: State, links: Sequence[Any], _query: Query) -> list[GroupLinkShown]:
    """The groups in short."""
    groups = await partial_groups(state, [one.group for one in links])
    return [GroupLinkShown(groups[one.group]) for one in links]


_PROVIDER: Final = Filter("provider__id", int, sql="t.provider = {}", note="Links of this provider.")
USER_FILTERS: Final = (
    _PROVIDER,
    Filter("user__id", int, sql="t.user_id = {}", note="Links of this user."),
    Filter(
        "user__username",
        str,
        sql="t.user_id IN (SELECT u.id FROM users u WHERE u.username = {})",
        note="Links of the user of this name.",
    ),
)
GROUP_FILTERS: Final = (
    Filter("group__group_uuid", Uuid, sql="t.group_id = {}", note="Links of this group."),
    Filter(
        "group__name",
        str,
        sql="t.group_id IN (SELECT g.id FROM groups g WHERE g.name = {})",
        note="Links of the group of this name.",
    ),
    _PROVIDER,
)
