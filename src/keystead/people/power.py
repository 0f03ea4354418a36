"""Powers: what users, groups and roles make one able to do, so that nobody gives, takes or takes over what they lack.

Whoever may edit people, groups or roles could otherwise make themselves whatever they like: by joining a group, by
giving it another parent, by handing themselves a role, by setting a stronger person's password (SECURITY AP-06..08).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from keystead.base.errors import denied
from keystead.kinds.call import Call
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State
from keystead.people.role import ROLE
from keystead.store import Row, Statement

_ABOVE: Final = (
    " UNION SELECT p.parent_id FROM group_parents p JOIN up ON p.group_id = up.id)"
    " SELECT 'g', CASE WHEN g.is_superuser THEN '1' ELSE '' END FROM up JOIN groups g ON g.id = up.id"
    " UNION SELECT 'r', r.role_id FROM up JOIN group_roles r ON r.group_id = up.id"
)
_OF_USER: Final = Statement(
    "power.of_user",
    f"WITH RECURSIVE up (id) AS (SELECT group_id FROM group_members WHERE user_id = $1{_ABOVE}"  # noqa: S608 - constant parts
    " UNION SELECT 'r', r.role_id FROM user_roles r WHERE r.user_id = $1",
)
_OF_GROUPS: Final = Statement(
    "power.of_groups",
    f"WITH RECURSIVE up (id) AS (SELECT id FROM groups WHERE id = ANY($1::text[]){_ABOVE}",  # noqa: S608 - constant parts
)


@dataclass(frozen=True, slots=True)
class Power:
    """What somebody may do, or what something makes one able to do.

    :param permissions: full names of permissions.
    """

    is_superuser: bool = False
    permissions: frozenset[str] = frozenset()

    def __or__(self, other: "Power") -> "Power":
        return Power(self.is_superuser or other.is_superuser, self.permissions | other.permissions)


async def of_user(state: State, settings: Snapshot, pk: int) -> Power:
    """What a user could do, active or not."""
    return _power(settings, await state.store.fetch(_OF_USER, pk))


async def of_groups(state: State, settings: Snapshot, groups: Iterable[str]) -> Power:
    """What membership in any of ``groups`` gives, through their ancestors too."""
    keys = sorted(set(groups))
    return _power(settings, await state.store.fetch(_OF_GROUPS, keys)) if keys else Power()


def of_roles(settings: Snapshot, roles: Iterable[str]) -> Power:
    """What ``roles`` give."""
    found = (settings.get(ROLE, pk) for pk in roles)
    return Power(permissions=frozenset(name for role in found if role for name in role.permissions))


def _power(settings: Snapshot, rows: Iterable[Row]) -> Power:
    marks = [(row[0], str(row[1])) for row in rows]
    return Power(("g", "1") in marks) | of_roles(settings, (pk for what, pk in marks if what == "r"))


def check(call: Call, power: Power, what: str) -> None:
    """Let through whoever holds all of ``power`` themselves.

    :param what: what was tried, as the end of a sentence: "give this role".
    :raises Problem: ``DENIED``.
    """
    actor = call.actor
    if not actor.is_superuser and (power.is_superuser or power.permissions - actor.permissions):
        raise denied(f"You may not {what}: it carries powers you do not have.")
