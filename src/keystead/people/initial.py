"""InitialPermissions: what members of a role may do to the objects they make, granted in the commit that makes them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import msgspec

from keystead.base.errors import invalid
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, OnDelete, Ref, Text, Uuid
from keystead.kinds.permissions import Permission, Permissions, app_title
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State
from keystead.people import power


class InitialPermissions(msgspec.Struct, frozen=True, kw_only=True):
    """What members of a role may do to the objects they make.

    :param permissions: numbers of permissions; those on objects of another kind than the one made are passed over.
    """

    pk: Annotated[int, READ_ONLY]
    name: Annotated[Text, msgspec.Meta(max_length=150)]
    role: Annotated[Uuid, Ref("authentik_rbac.role", OnDelete.CASCADE)]
    permissions: tuple[int, ...] = ()


class PermissionShown(msgspec.Struct):
    """Something a role may be allowed.

    :param name: what it lets one do.
    """

    id: Annotated[int, READ_ONLY]
    name: Annotated[str, msgspec.Meta(max_length=255)]
    codename: Annotated[str, msgspec.Meta(max_length=100)]
    model: Annotated[str, READ_ONLY]
    app_label: Annotated[str, READ_ONLY]
    app_label_verbose: Annotated[str, READ_ONLY]
    model_verbose: Annotated[str, READ_ONLY]


class InitialPermissionsShown(msgspec.Struct):
    """The computed members."""

    permissions_obj: list[Annotated[PermissionShown, msgspec.Meta(title="Permission")]]


def shown(one: Permission) -> PermissionShown:
    """A permission as the API shows it."""
    return PermissionShown(one.id, one.name, one.codename, one.model, one.app, app_title(one.app), one.model_title)


async def rules(
    call: Call, state: State, old: InitialPermissions | None, new: InitialPermissions
) -> InitialPermissions:
    """Every permission is one, and nobody lets others, or takes from them, what they lack."""
    for one in new.permissions:
        if one not in state.permissions.by_id:
            raise invalid({"permissions": [f'Invalid pk "{one}" - object does not exist.']})
    touched = set(new.permissions) ^ set(old.permissions if old else ())
    if old is not None and old.role != new.role:
        touched = set(new.permissions) | set(old.permissions)
    _check(call, state, touched)
    return msgspec.structs.replace(new, permissions=tuple(dict.fromkeys(new.permissions)))


async def leaving(call: Call, state: State, obj: InitialPermissions) -> None:
    """Nobody takes from others what they lack."""
    _check(call, state, set(obj.permissions))


def _check(call: Call, state: State, numbers: set[int]) -> None:
    power.check(call, power.Power(permissions=names(state.permissions, numbers)), "change these permissions")


def names(every: Permissions, numbers: Sequence[int] | set[int]) -> frozenset[str]:
    """Full names of the permissions with these numbers; those that are no more are passed over."""
    return frozenset(every.by_id[one].full for one in numbers if one in every.by_id)


async def view(
    _call: Call, state: State, objs: Sequence[InitialPermissions], _query: Mapping[str, Sequence[str]]
) -> list[InitialPermissionsShown]:
    """The permissions in full."""
    found = state.permissions.by_id
    return [InitialPermissionsShown([shown(found[one]) for one in obj.permissions if one in found]) for obj in objs]


def of_roles(state: State, settings: Snapshot, roles: set[str]) -> tuple[tuple[str, frozenset[str]], ...]:
    """What each of ``roles`` is to hold on the objects that its members make."""
    if not roles:
        return ()

    def gathered() -> Mapping[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for one in [one for kind in settings.kinds(INITIAL_PERMISSIONS.model) for one in settings.all(kind)]:
            found[one.role] = found.get(one.role, frozenset()) | names(state.permissions, one.permissions)
        return found

    every = settings.memo(("initial permissions",), gathered)
    return tuple((role, every[role]) for role in sorted(roles) if role in every)


INITIAL_PERMISSIONS: Final[Kind[Any]] = Kind(
    model="authentik_rbac.initialpermissions",
    struct=InitialPermissions,
    path="rbac/initial_permissions",
    title=("Initial Permissions", "Initial Permissions"),
    key_name="id",
    shown=InitialPermissionsShown,
    view=view,
    rules=rules,
    leaving=leaving,
    filters=("name",),
)
