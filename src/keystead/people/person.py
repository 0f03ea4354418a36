"""A user with everything a decision about them looks at, read at once."""

from typing import Final, cast

import msgspec

from keystead.kinds.state import State
from keystead.people.finding import by_pk
from keystead.people.shown import PartialGroup, uid
from keystead.people.user import User
from keystead.store import Statement

_GROUPS: Final = Statement(
    "person.groups",
    "WITH RECURSIVE up (id) AS (SELECT group_id FROM group_members WHERE user_id = $1"
    " UNION SELECT p.parent_id FROM group_parents p JOIN up ON p.group_id = up.id)"
    " SELECT g.id, g.num_pk, g.name, g.is_superuser, g.attributes,"
    " EXISTS (SELECT 1 FROM group_members m WHERE m.user_id = $1 AND m.group_id = g.id)"
    " FROM up JOIN groups g ON g.id = up.id ORDER BY g.name",
)


class Person(msgspec.Struct, frozen=True):
    """A user and their groups.

    :param groups: the groups the user is a member of.
    :param all_groups: these and every ancestor of theirs.
    """

    user: User
    uid: str
    groups: tuple[PartialGroup, ...]
    all_groups: tuple[PartialGroup, ...]

    @property
    def is_superuser(self) -> bool:
        """Whether any of the groups makes a superuser."""
        return any(group.is_superuser for group in self.all_groups)


_UP: Final = (
    "WITH RECURSIVE up (id) AS (SELECT m.group_id FROM group_members m WHERE m.user_id = t.id"
    " UNION SELECT p.parent_id FROM group_parents p JOIN up ON p.group_id = up.id)"
)
_MEMBER: Final = "EXISTS (SELECT 1 FROM group_members m WHERE m.user_id = t.id AND m.group_id = g.id)"
_ROW = msgspec.json.Decoder(list[tuple[str, int, str, bool | int, dict[str, object], bool | int]]).decode


def with_groups(name: str, text: str) -> Statement:
    """A query over users ``t`` in which ``@groups`` stands for one column: all their groups, for :func:`person_from`.

    So a hot path learns of a person in one round trip.
    """
    members = f"g.id, g.num_pk, g.name, g.is_superuser, @attributes, {_MEMBER}"
    source = "FROM (SELECT h.* FROM up JOIN groups h ON h.id = up.id ORDER BY h.name) g"
    postgres = f"({_UP} SELECT json_agg(json_build_array({members}))::text {source})".replace(
        "@attributes", "g.attributes"
    )
    sqlite = f"({_UP} SELECT json_group_array(json_array({members})) {source})".replace(
        "@attributes", "json(g.attributes)"
    )
    return Statement(name, text.replace("@groups", postgres), sqlite=text.replace("@groups", sqlite))


def person_from(state: State, user: User, groups: str | None) -> Person:
    """``user`` with the groups that the column ``@groups`` gave."""
    found = [
        (PartialGroup(pk, num, name, bool(superuser), attributes), bool(member))
        for pk, num, name, superuser, attributes, member in (_ROW(groups) if groups else ())
    ]
    direct = tuple(group for group, member in found if member)
    return Person(user, uid(state, user.pk), direct, tuple(group for group, _ in found))


async def person_of(state: State, user: User) -> Person:
    """``user`` with all groups, in one query."""
    direct: list[PartialGroup] = []
    every: list[PartialGroup] = []
    for pk, num, name, superuser, attributes, member in await state.store.fetch(_GROUPS, user.pk):
        group = PartialGroup(
            str(pk),
            cast("int", num),
            str(name),
            bool(superuser),
            msgspec.json.decode(str(attributes), type=dict[str, object]),
        )
        every.append(group)
        if member:
            direct.append(group)
    return Person(user, uid(state, user.pk), tuple(direct), tuple(every))


async def person_by_pk(state: State, pk: int) -> Person | None:
    """The person with this key."""
    user = await by_pk(state, pk)
    return await person_of(state, user) if user else None
