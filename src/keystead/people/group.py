"""Group: a named set of users. A group may have several parents; what an ancestor grants, its descendants have."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec

from keystead.base.errors import denied, invalid, not_found
from keystead.kinds.access import permitted, require
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Filter, Kind, Table
from keystead.kinds.marks import LINE, READ_ONLY, UNIQUE, Column, Json, Link, OnDelete, Ref, Text, Uuid
from keystead.kinds.state import State
from keystead.people import power
from keystead.people.shown import PartialUser, RelatedGroup, RoleObj, partial_users, related, roles_shown, wanted
from keystead.store import Statement, Write


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A set of users.

    :param num_pk: a number for systems that want one (POSIX group ids).
    :param is_superuser: whether members may do everything.
    """

    pk: Annotated[Uuid, READ_ONLY, Column("id")]
    num_pk: Annotated[int, READ_ONLY] = 0
    name: Annotated[Text, LINE, UNIQUE]
    is_superuser: bool = False
    parents: Annotated[
        tuple[Annotated[Uuid, Ref("authentik_core.group", OnDelete.CASCADE_MANY, gives=False)], ...],
        Link("group_parents", "group_id", "parent_id"),
    ] = ()
    users: Annotated[
        tuple[Annotated[int, Ref("authentik_core.user", OnDelete.CASCADE_MANY, gives=False)], ...],
        Link("group_members", "group_id", "user_id", revision="members_revision"),
    ] = ()
    attributes: Json = {}
    roles: Annotated[
        tuple[Annotated[Uuid, Ref("authentik_rbac.role", OnDelete.CASCADE_MANY, gives=False)], ...],
        Link("group_roles", "group_id", "role_id"),
    ] = ()


class GroupShown(msgspec.Struct):
    """The computed members of a group."""

    parents_obj: list[RelatedGroup] | None
    users_obj: list[PartialUser] | None
    roles_obj: list[RoleObj]
    inherited_roles_obj: list[RoleObj] | None
    children: list[Uuid]
    children_obj: list[RelatedGroup] | None


class UserAccountRequest(msgspec.Struct):
    """Which user to add or remove."""

    pk: int


_CHILDREN = Statement(
    "group.children", "SELECT parent_id, group_id FROM group_parents WHERE parent_id = ANY($1::text[])"
)
_ANCESTORS = Statement(
    "group.ancestors",
    "WITH RECURSIVE up (id) AS (SELECT parent_id FROM group_parents WHERE group_id = ANY($1::text[])"
    " UNION SELECT p.parent_id FROM group_parents p JOIN up ON p.group_id = up.id) SELECT id FROM up",
)
_ROLES_OF = Statement("group.roles_of", "SELECT DISTINCT role_id FROM group_roles WHERE group_id = ANY($1::text[])")
_ADD = Statement(
    "group.add_user", "INSERT INTO group_members (user_id, group_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
)
_REMOVE = Statement("group.remove_user", "DELETE FROM group_members WHERE user_id = $1 AND group_id = $2")
_USER = Statement("group.user", "SELECT 1 FROM users WHERE id = $1")


async def ancestors(state: State, groups: Sequence[str]) -> list[str]:
    """The uuids of every ancestor of ``groups`` (they themselves only where they are each other's ancestor)."""
    return [str(row[0]) for row in await state.store.fetch(_ANCESTORS, list(groups))] if groups else []


async def view(
    call: Call, state: State, groups: Sequence[Group], query: Mapping[str, Sequence[str]]
) -> list[GroupShown]:
    """Compute the members a client asked for; the others are null (rest.md §3)."""
    keys = [group.pk for group in groups]
    children: dict[str, list[str]] = {key: [] for key in keys}
    for parent, child in await state.store.fetch(_CHILDREN, keys) if keys else []:
        children[str(parent)].append(str(child))
    parents = (
        await related(state, [pk for group in groups for pk in group.parents])
        if wanted(query, "include_parents", default=False)
        else None
    )
    offspring = (
        await related(state, [pk for pks in children.values() for pk in pks])
        if wanted(query, "include_children", default=False)
        else None
    )
    members = (
        await partial_users(state, [pk for group in groups for pk in group.users])
        if wanted(query, "include_users", default=True)
        else None
    )
    shown = []
    for group in groups:
        inherited = None
        if wanted(query, "include_inherited_roles", default=False):
            above = await ancestors(state, [group.pk])
            rows = await state.store.fetch(_ROLES_OF, above) if above else []
            inherited = roles_shown(call.settings, [str(row[0]) for row in rows])
        shown.append(
            GroupShown(
                parents_obj=[parents[pk] for pk in group.parents if pk in parents] if parents is not None else None,
                users_obj=[members[pk] for pk in group.users if pk in members] if members is not None else None,
                roles_obj=roles_shown(call.settings, group.roles),
                inherited_roles_obj=inherited,
                children=children[group.pk],
                children_obj=[offspring[pk] for pk in children[group.pk] if pk in offspring]
                if offspring is not None
                else None,
            )
        )
    return shown


async def rules(call: Call, state: State, old: Group | None, new: Group) -> Group:
    """Keep the hierarchy free of circles, and powers in the hands of those who have them."""
    if new.pk in new.parents:
        raise invalid({"parents": ["A group cannot be its own parent."]})
    if (old is None or set(new.parents) - set(old.parents)) and new.pk in await ancestors(state, list(new.parents)):
        raise invalid({"parents": ["This would make the group an ancestor of itself."]})
    if not call.actor.is_superuser:
        await _no_elevation(call, state, old, new)
    if old is None:
        new = msgspec.structs.replace(new, num_pk=await state.store.reserve("groups.num_pk", 1))
    return new


async def _no_elevation(call: Call, state: State, old: Group | None, new: Group) -> None:
    """Nobody grants or takes what they lack: superuser status, parents, roles, and membership in what has them."""
    before = old or Group(pk=new.pk, name=new.name)
    if new.is_superuser != before.is_superuser:
        word = "enable" if new.is_superuser else "disable"
        if not permitted(call, GROUP, f"authentik_core.{word}_group_superuser", old):
            raise denied("You may not change who is a superuser.")
    settings = call.settings
    if old is not None and old != msgspec.structs.replace(new, is_superuser=old.is_superuser):
        power.check(call, await power.of_groups(state, settings, [old.pk]), "change this group")
    power.check(call, power.of_roles(settings, set(new.roles) ^ set(before.roles)), "change these roles")
    parents = await power.of_groups(state, settings, set(new.parents) ^ set(before.parents))
    power.check(call, parents, "change these parents")


async def leaving(call: Call, state: State, group: Group) -> None:
    """Removing a group takes what it gives from all who are in it."""
    power.check(call, await power.of_groups(state, call.settings, [group.pk]), "remove this group")


async def _member(call: Call, state: State, group: Group, body: UserAccountRequest, statement: Statement) -> Answer:
    require(call, GROUP, "change", group)
    if await state.store.fetch_one(_USER, body.pk) is None:
        raise not_found()
    power.check(call, await power.of_groups(state, call.settings, [group.pk]), "change the members of this group")
    changes = Changes()
    changes.write(Write(statement, (body.pk, group.pk)))
    changes.event(call, "model_updated", GROUP.app, {"user": body.pk, "change": statement.name}, about=(GROUP, group))
    return Answer(status=204, changes=changes)


async def add_user(call: Call, state: State, group: Group, body: UserAccountRequest) -> Answer:
    """Put a user into the group; doing it twice changes nothing."""
    return await _member(call, state, group, body, _ADD)


async def remove_user(call: Call, state: State, group: Group, body: UserAccountRequest) -> Answer:
    """Take a user out of the group."""
    return await _member(call, state, group, body, _REMOVE)


_MEMBERS = "t.id IN (SELECT m.group_id FROM group_members m"
_IS_MEMBERS = "EXISTS (SELECT 1 FROM group_members m WHERE m.group_id = t.id"
_BY_PK = "m.user_id = ANY({}::bigint[])"
_BY_NAME = "m.user_id IN (SELECT u.id FROM users u WHERE u.username = ANY({}::text[]))"
# PostgreSQL's planner takes a list of unknown length to be short, and what IN asks for to be long.
_FEW_BY_PK = f"t.id = ANY(ARRAY(SELECT m.group_id FROM group_members m WHERE {_BY_PK}))"  # noqa: S608 - constants
_NAMED_USERS = "ARRAY(SELECT u.id FROM users u WHERE u.username = ANY({}::text[]))"
_FEW_BY_NAME = f"t.id = ANY(ARRAY(SELECT m.group_id FROM group_members m WHERE m.user_id = ANY({_NAMED_USERS})))"  # noqa: S608 - constants
GROUP: Kind[Group] = Kind(
    model="authentik_core.group",
    struct=Group,
    path="core/groups",
    title=("Group", "Groups"),
    key_name="group_uuid",
    table=Table("groups", counted=True, number="num_pk"),
    shown=GroupShown,
    view=view,
    rules=rules,
    leaving=leaving,
    permissions=(
        ("enable_group_superuser", "Can make members of a group superusers"),
        ("disable_group_superuser", "Can end that members of a group are superusers"),
    ),
    filters=(
        "name",
        "is_superuser",
        Filter(
            "members_by_pk",
            int,
            many=True,
            sql=f"{_MEMBERS} WHERE {_BY_PK})",
            each=f"{_IS_MEMBERS} AND {_BY_PK})",
            few=_FEW_BY_PK,
        ),
        Filter(
            "members_by_username",
            str,
            many=True,
            sql=f"{_MEMBERS} WHERE {_BY_NAME})",
            each=f"{_IS_MEMBERS} AND {_BY_NAME})",
            few=_FEW_BY_NAME,
        ),
        Filter("attributes", str, note="A JSON object whose members the attributes have; `a__b` reaches inside."),
        Filter("include_users", bool, note="Whether to show the members (`users_obj`); true unless said."),
        Filter("include_parents", bool, note="Whether to show the parents (`parents_obj`)."),
        Filter("include_children", bool, note="Whether to show the children (`children_obj`)."),
        Filter("include_inherited_roles", bool, note="Whether to show the roles of ancestors (`inherited_roles_obj`)."),
    ),
)
ACTIONS = tuple(
    Action(
        GROUP,
        "POST",
        f"{{key}}/{word}_user/",
        run,
        f"{word}_user_create",
        request=UserAccountRequest,
        status=204,
        bare=True,
    )
    for word, run in (("add", add_user), ("remove", remove_user))
)
