"""Role: a named set of permissions that users and groups hold."""

from typing import Annotated

import msgspec

from keystead.base.errors import not_found
from keystead.kinds.access import require
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Action, Answer, Filter, Kind
from keystead.kinds.marks import HIDDEN, READ_ONLY, UNIQUE, Text, Uuid
from keystead.kinds.state import State
from keystead.store import Statement, Write


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """A named set of permissions.

    :param permissions: full names such as ``authentik_core.view_user``; granted through the permission endpoints.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    permissions: Annotated[tuple[str, ...], HIDDEN] = ()
    managed: Annotated[str | None, HIDDEN] = None


class UserAccountForRoleRequest(msgspec.Struct):
    """Which user to add or remove."""

    pk: int


_ADD = Statement("role.add_user", "INSERT INTO user_roles (user_id, role_id) VALUES ($1, $2) ON CONFLICT DO NOTHING")
_REMOVE = Statement("role.remove_user", "DELETE FROM user_roles WHERE user_id = $1 AND role_id = $2")
_USER = Statement("role.user", "SELECT 1 FROM users WHERE id = $1")


async def _member(
    call: Call, state: State, role: Role, body: UserAccountForRoleRequest, statement: Statement
) -> Answer:
    require(call, ROLE, "change", role)
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


ROLE = Kind(
    model="authentik_rbac.role",
    struct=Role,
    path="rbac/roles",
    title=("Role", "Roles"),
    key_name="uuid",
    filters=(
        "name",
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
