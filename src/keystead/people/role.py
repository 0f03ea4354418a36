"""Role: a named set of permissions that users and groups hold."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec

from keystead.base.errors import not_found
from keystead.kinds import listing
from keystead.kinds.access import require
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Filter, Keys, Kind
from keystead.kinds.marks import HIDDEN, READ_ONLY, UNIQUE, Text, Uuid
from keystead.kinds.state import State
from keystead.people import power
from keystead.store import Statement, Write


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """A named set of permissions.

    :param permissions: full names such as ``authentik_core.view_user``; granted through the permission endpoints.
    :param objects: full names of the permissions held on some objects (:mod:`keystead.kinds.grants`).
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    permissions: Annotated[tuple[str, ...], HIDDEN] = ()
    objects: Annotated[tuple[str, ...], HIDDEN] = ()
    managed: Annotated[str | None, HIDDEN] = None


class UserAccountForRoleRequest(msgspec.Struct):
    """Which user to add or remove."""

    pk: int


_ADD = Statement("role.add_user", "INSERT INTO user_roles (user_id, role_id) VALUES ($1, $2) ON CONFLICT DO NOTHING")
_REMOVE = Statement("role.remove_user", "DELETE FROM user_roles WHERE user_id = $1 AND role_id = $2")
_USER = Statement("role.user", "SELECT 1 FROM users WHERE id = $1")


async def rules(call: Call, _state: State, old: Role | None, new: Role) -> Role:
    """Nobody renames what is more powerful than they are: mappings and policies may know it by its name."""
    if old is not None and old != new:
        power.check(call, power.of_roles(call.settings, [old.pk]), "change this role")
    return new


async def leaving(call: Call, _state: State, role: Role) -> None:
    """Removing a role takes it from all who have it."""
    power.check(call, power.of_roles(call.settings, [role.pk]), "remove this role")


async def _member(
    call: Call, state: State, role: Role, body: UserAccountForRoleRequest, statement: Statement
) -> Answer:
    require(call, ROLE, "change", role)
    power.check(call, power.of_roles(call.settings, [role.pk]), "give or take this role")
    if await state.store.fetch_one(_USER, body.pk) is None:
        raise not_found()
    changes = Changes()
    changes.write(Write(statement, (body.pk, role.pk)))
    changes.event(call, "model_updated", ROLE.app, {"user": body.pk, "change": statement.name}, about=(ROLE, role))
    return Answer(status=204, changes=changes)


async def add_user(call: Call, state: State, role: Role, body: UserAccountForRoleRequest) -> Answer:
    """Give the role to a user; giving it twice changes nothing."""
    return await _member(call, state, role, body, _ADD)


async def remove_user(call: Call, state: State, role: Role, body: UserAccountForRoleRequest) -> Answer:
    """Take the role from a user."""
    return await _member(call, state, role, body, _REMOVE)


_OF_USER: Final = Statement("role.of_user", "SELECT role_id FROM user_roles WHERE user_id = $1")
_OF_GROUP: Final = Statement("role.of_group", "SELECT role_id FROM group_roles WHERE group_id = $1")
_ANY_OF_USER: Final = Statement(
    "role.any_of_user",
    "WITH RECURSIVE up (id) AS (SELECT group_id FROM group_members WHERE user_id = $1"
    " UNION SELECT p.parent_id FROM group_parents p JOIN up ON p.group_id = up.id)"
    " SELECT role_id FROM user_roles WHERE user_id = $1"
    " UNION SELECT r.role_id FROM up JOIN group_roles r ON r.group_id = up.id",
)
_ANY_OF_GROUP: Final = Statement(
    "role.any_of_group",
    "WITH RECURSIVE up (id) AS (SELECT id FROM groups WHERE id = $1"
    " UNION SELECT p.parent_id FROM group_parents p JOIN up ON p.group_id = up.id)"
    " SELECT r.role_id FROM up JOIN group_roles r ON r.group_id = up.id",
)


_INHERITED: Final = Filter(
    "inherited", bool, note="Whether `users` and `groups` also find what groups and their ancestors give."
)


def _held_by(direct: Statement, every: Statement) -> Keys:
    """Finds the roles of a holder: those given to it, and on wish what it inherits."""

    async def keys(_call: Call, state: State, holder: int | str, query: Mapping[str, Sequence[str]]) -> set[object]:
        statement = every if listing.asked_for(_INHERITED, query) else direct
        return {row[0] for row in await state.store.fetch(statement, holder)}

    return keys


ROLE = Kind(
    model="authentik_rbac.role",
    struct=Role,
    path="rbac/roles",
    title=("Role", "Roles"),
    key_name="uuid",
    rules=rules,
    leaving=leaving,
    filters=(
        "name",
        Filter("users", int, keys=_held_by(_OF_USER, _ANY_OF_USER), note="Roles of this user."),
        Filter("groups", Uuid, keys=_held_by(_OF_GROUP, _ANY_OF_GROUP), note="Roles of this group."),
        _INHERITED,
        Filter("managed", str, many=True, test=lambda role, values: role.managed in values),
        Filter("managed__isnull", bool, test=lambda role, value: (role.managed is None) is value),
    ),
)
ACTIONS = (
    Action(ROLE, "POST", "{key}/add_user/", add_user, "add_user_create", request=UserAccountForRoleRequest, status=204),
    Action(
        ROLE,
        "POST",
        "{key}/remove_user/",
        remove_user,
        "remove_user_create",
        request=UserAccountForRoleRequest,
        status=204,
    ),
)
