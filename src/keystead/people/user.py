"""User: a person or a machine that signs in."""

import enum
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec

from keystead.base import rand
from keystead.base.clock import EPOCH, micros
from keystead.base.errors import invalid
from keystead.kinds import records
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind, Table
from keystead.kinds.marks import HIDDEN, LINE, READ_ONLY, UNIQUE, Column, Email, Json, Link, OnDelete, Ref, Text, Uuid
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State
from keystead.people import power, shown
from keystead.people.avatar import picture
from keystead.people.group import GROUP
from keystead.people.power import check_reach
from keystead.people.shown import PartialGroup, RoleObj
from keystead.people.user_filters import FILTERS
from keystead.store import Statement, Write
from keystead.store.sql import Value

_USERNAME: Final = re.compile(r"[\w.@+-]+")
LONGEST_NAME: Final = 150
"""Characters of a username."""


class UserTypeEnum(enum.StrEnum):
    """What sort of user it is."""

    INTERNAL = "internal"
    EXTERNAL = "external"
    SERVICE_ACCOUNT = "service_account"
    INTERNAL_SERVICE_ACCOUNT = "internal_service_account"


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person or a machine that signs in.

    :param password: the argon2id hash, or empty for somebody who signs in by other means.
    :param path: a folder, such as ``users/berlin``.
    :param attributes: whatever else is known, as JSON.
    """

    pk: Annotated[int, READ_ONLY, Column("id")]
    username: Annotated[Text, msgspec.Meta(max_length=LONGEST_NAME), UNIQUE]
    name: Annotated[str, LINE]
    is_active: bool = True
    last_login: datetime | None = None
    date_joined: Annotated[datetime, READ_ONLY] = EPOCH
    groups: Annotated[
        tuple[Annotated[Uuid, Ref("authentik_core.group", OnDelete.CASCADE_MANY, gives=False)], ...],
        Link("group_members", "user_id", "group_id"),
    ] = ()
    roles: Annotated[
        tuple[Annotated[Uuid, Ref("authentik_rbac.role", OnDelete.CASCADE_MANY, gives=False)], ...],
        Link("user_roles", "user_id", "role_id"),
    ] = ()
    email: Email = ""
    attributes: Json = {}
    path: Annotated[Text, LINE] = "users"
    type: UserTypeEnum = UserTypeEnum.INTERNAL
    uuid: Annotated[Uuid, READ_ONLY] = ""
    password: Annotated[str, HIDDEN] = ""
    password_change_date: Annotated[datetime, READ_ONLY] = EPOCH
    last_updated: Annotated[datetime, READ_ONLY] = EPOCH


class UserShown(msgspec.Struct):
    """The computed members of a user."""

    is_superuser: bool
    groups_obj: list[PartialGroup] | None
    roles_obj: list[RoleObj] | None
    avatar: str
    uid: str


_UP: Final = (
    "WITH RECURSIVE up (user_id, id) AS (SELECT user_id, group_id FROM group_members WHERE user_id = ANY($1::bigint[])"
    " UNION SELECT up.user_id, p.parent_id FROM group_parents p JOIN up ON p.group_id = up.id)"
)
_SUPERUSERS: Final = Statement(
    "user.superusers",
    # Asked group by group: for a join with a large table SQLite reads all of it first, to make a Bloom filter.
    f"{_UP} SELECT DISTINCT up.user_id FROM up WHERE (SELECT g.is_superuser FROM groups g WHERE g.id = up.id)",  # noqa: S608 - constant
)


def uid(state: State, pk: int) -> str:
    """The opaque, lasting name of a user."""
    return shown.uid(state, pk)


def avatar(settings: Snapshot, user: User) -> str:
    """The address of the user's picture."""
    return picture(settings, user.username, user.name, user.email, user.attributes)


async def superusers(state: State, keys: Sequence[int]) -> set[int]:
    """Which of the users with these keys are superusers, through whatever group."""
    return {int(str(row[0])) for row in await state.store.fetch(_SUPERUSERS, list(keys))} if keys else set()


async def view(call: Call, state: State, users: Sequence[User], query: Mapping[str, Sequence[str]]) -> list[UserShown]:
    """Compute the members a client asked for; the others are null (rest.md §3)."""
    above = await superusers(state, [user.pk for user in users])
    groups = (
        await shown.partial_groups(state, [pk for user in users for pk in user.groups])
        if shown.wanted(query, "include_groups", default=True)
        else None
    )
    roles = shown.wanted(query, "include_roles", default=True)
    return [
        UserShown(
            is_superuser=user.pk in above,
            groups_obj=[groups[pk] for pk in user.groups if pk in groups] if groups is not None else None,
            roles_obj=shown.roles_shown(call.settings, user.roles) if roles else None,
            avatar=avatar(call.settings, user),
            uid=uid(state, user.pk),
        )
        for user in users
    ]


async def whole_users(call: Call, state: State, keys: Iterable[int]) -> dict[int, dict[str, object]]:
    """Users as the API shows them, by key, for objects that show their user in full (``user_obj``)."""
    found = await records.load(state.store, USER, "id", sorted(set(keys)))
    return {
        one.pk: {**{name: getattr(one, name) for name in USER.readable}, **msgspec.structs.asdict(more)}
        for one, more in zip(found, await view(call, state, found, {}), strict=True)
    }


def check_username(username: str) -> None:
    """Refuse a name that cannot be one.

    :raises Problem: ``INVALID`` on ``username``.
    """
    if not _USERNAME.fullmatch(username):
        raise invalid({"username": ["Letters, digits and the characters @ . + - _ are accepted."]})


async def rules(call: Call, state: State, old: User | None, new: User) -> User:
    """What a user must be, and that nobody makes somebody more powerful than they are themselves."""
    if old is None or old.username != new.username:
        check_username(new.username)
    if new.path.startswith("/") or new.path.endswith("/") or "//" in new.path:
        raise invalid(
            {"path": ["Write a path like users/berlin, without a slash at the ends and without empty parts."]}
        )
    if new.type is UserTypeEnum.INTERNAL_SERVICE_ACCOUNT and (old is None or old.type is not new.type):
        raise invalid({"type": ["Internal service accounts belong to outposts and are made with them."]})
    if not call.actor.is_superuser:
        await _no_elevation(call, state, old, new)
    if old is None:
        return msgspec.structs.replace(
            new, uuid=rand.uuid4(), date_joined=call.at, password_change_date=call.at, last_updated=call.at
        )
    return msgspec.structs.replace(new, last_updated=call.at) if new != old else new


async def _no_elevation(call: Call, state: State, old: User | None, new: User) -> None:
    """Nobody changes somebody stronger, nor grants or takes what they lack."""
    if old is not None:
        await check_reach(call, state, old.pk, "change this user")
    settings = call.settings
    roles = set(new.roles) ^ set(old.roles if old else ())
    power.check(call, power.of_roles(settings, roles), "change these roles")
    groups = set(new.groups) ^ set(old.groups if old else ())
    power.check(call, await power.of_groups(state, settings, groups), "change the membership of these groups")


async def leaving(call: Call, state: State, user: User) -> None:
    """Nobody removes somebody stronger."""
    await check_reach(call, state, user.pk, "remove this user")


async def admits(_call: Call, state: State, body: dict[str, object]) -> dict[str, object]:
    """Accept what documented clients send: ``first_name``/``last_name`` for ``name``, group names for group keys."""
    if "name" not in body and ("first_name" in body or "last_name" in body):
        parts = (body.get("first_name"), body.get("last_name"))
        body = {**body, "name": " ".join(part.strip() for part in parts if isinstance(part, str) and part.strip())}
    asked = body.get("groups")
    if isinstance(asked, list) and any(isinstance(one, str) and not _is_uuid(one) for one in asked):
        names = [one for one in asked if isinstance(one, str) and not _is_uuid(one)]
        found = {group.name: group.pk for group in await records.load(state.store, GROUP, "name", names)}
        if missing := [name for name in names if name not in found]:
            raise invalid({"groups": [f"There is no group called “{missing[0]}”."]})
        body = {**body, "groups": [found.get(one, one) if isinstance(one, str) else one for one in asked]}
    return body


def _is_uuid(text: str) -> bool:
    return bool(re.fullmatch(r"[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}", text))


_SET_PASSWORD: Final = Statement(
    "user.set_password",
    "UPDATE users SET password = $2, password_change_date = $3, last_updated = $3 WHERE id = $1",
)
_LOGGED_IN: Final = Statement("user.logged_in", "UPDATE users SET last_login = $2 WHERE id = $1 AND is_active")


def set_password(call: Call, pk: int, hashed: str) -> Write:
    """The write that gives a user another password hash."""
    return Write(_SET_PASSWORD, (pk, hashed, micros(call.at)), expect=1, guard="row")


def logged_in(call: Call, pk: int) -> Write:
    """The write that marks a login; its guard ``active`` fails when the user was deactivated meanwhile."""
    values: tuple[Value, ...] = (pk, micros(call.at))
    return Write(_LOGGED_IN, values, expect=1, guard="active")


USER = Kind(
    model="authentik_core.user",
    struct=User,
    path="core/users",
    title=("User", "Users"),
    key_name="id",
    table=Table("users", counted=True, number="id", census="user_census", sorts=("path", "type", "is_active")),
    shown=UserShown,
    view=view,
    rules=rules,
    leaving=leaving,
    admits=admits,
    permissions=(
        ("reset_user_password", "Can give users another password, and recovery links"),
        ("set_user_password_hash", "Can give users a password by its hash"),
        ("impersonate", "Can act as other users"),
    ),
    search=("username", "name", "email"),
    order=("username",),
    filters=(
        "username",
        "email",
        "name",
        "uuid",
        "path",
        "is_active",
        Filter("type", UserTypeEnum, many=True, sql="t.type = ANY({}::text[])", column="type"),
        *FILTERS,
    ),
)
