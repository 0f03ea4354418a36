"""Connections: which user or group of ours is which one of a source. All types share a table for each of the two.

The kinds of one type see its own rows; two more, without a type, see all (``…/all/``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Final, TypeAlias, TypeVar, cast

import msgspec

from keystead.base.errors import denied, invalid
from keystead.kinds.access import holds
from keystead.kinds.call import Call
from keystead.kinds.kind import ALL, Filter, Kind, Rules, Table, Verb
from keystead.kinds.marks import HIDDEN, LINE, READ_ONLY, Column, Ref, Text, Uuid
from keystead.kinds.render import base
from keystead.kinds.state import State
from keystead.people import power
from keystead.people.power import check_reach

_LATER: Final = "It was made by hand: nobody signs in through sources of this type yet, and nothing is read from them."
_SOME: Final = "Only connections with Plex sign anybody in yet; nothing is read from sources of other types."

SourceObj: TypeAlias = Annotated[dict[str, object], msgspec.Meta(title="Source")]
"""The source in short, whatever its type."""


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """What all connections have.

    :param type: the source's type.
    :param identifier: by what the source names the user or group; nobody else's there.
    """

    pk: Annotated[int, READ_ONLY, Column("id")]
    type: Annotated[str, HIDDEN] = ""
    source: Annotated[Uuid, Column("source_id")]
    identifier: Annotated[Text, LINE]
    created: Annotated[datetime, READ_ONLY]
    last_updated: Annotated[datetime, READ_ONLY]


class UserSourceConnection(Connection, frozen=True, kw_only=True):
    """Which user of ours somebody at a source is.

    :param user: a new connection's user; the caller, if left out. It stays as it is afterwards.
    """

    user: Annotated[int, Column("user_id")] = 0


class GroupSourceConnection(Connection, frozen=True, kw_only=True):
    """Which group of ours a group at a source is.

    :param group: a new connection's group. It stays as it is afterwards.
    """

    group: Annotated[Uuid, Column("group_id")] = ""


class UserConnectionShown(msgspec.Struct):
    """The computed members of a user's connection."""

    user: int
    source_obj: SourceObj


class GroupConnectionShown(msgspec.Struct):
    """The computed members of a group's connection."""

    group: Uuid
    source_obj: SourceObj


S = TypeVar("S", bound=Connection)


async def _sources(call: Call, state: State, connections: Sequence[Connection]) -> dict[str, dict[str, object]]:
    found = {one.source: call.settings.find("sources", one.source) for one in connections}
    return {pk: await base(call, state, *source) for pk, source in found.items() if source}


async def user_view(
    call: Call, state: State, connections: Sequence[Any], _query: Mapping[str, Sequence[str]]
) -> list[UserConnectionShown]:
    """The sources in short."""
    sources = await _sources(call, state, connections)
    return [UserConnectionShown(one.user, sources.get(one.source, {})) for one in connections]


async def group_view(
    call: Call, state: State, connections: Sequence[Any], _query: Mapping[str, Sequence[str]]
) -> list[GroupConnectionShown]:
    """The sources in short."""
    sources = await _sources(call, state, connections)
    return [GroupConnectionShown(one.group, sources.get(one.source, {})) for one in connections]


def _moved(call: Call, old: Connection, new: S) -> S:
    """``new`` at its new place and time, which must be a source of the same type.

    :raises Problem: ``INVALID`` on ``source``.
    """
    if old.source != new.source:
        target, before = (call.settings.find("sources", pk) for pk in (new.source, old.source))
        if target is None:
            raise invalid({"source": [f'Invalid pk "{new.source}" - object does not exist.']})
        if before is not None and before[0] is not target[0]:
            raise invalid({"source": [f"This connection is one with a {before[0].title[0]}; choose another of these."]})
    return new if new == old else msgspec.structs.replace(new, last_updated=call.at)


def user_rules(permission: str) -> Rules:
    """The rules of connections of users.

    :param permission: what it takes to change one; its owner may end it, and make another by signing in there.
    """

    async def rules(call: Call, state: State, old: Any | None, new: Any) -> Any:  # noqa: ANN401 - connections of every type
        if old is None:
            if not (new.user or call.actor.pk):
                raise invalid({"user": ["This member is required."]})
            made = msgspec.structs.replace(new, user=new.user or call.actor.pk, last_updated=call.at)
            await check_reach(call, state, made.user, "connect this user")
            return made
        if not holds(call, permission):
            raise denied("You may end this connection, but not change it: sign in at the source to make another.")
        await check_reach(call, state, old.user, "change this user's connection")
        return _moved(call, old, msgspec.structs.replace(new, user=old.user))

    return rules


def sealing(member: str, type_: str) -> dict[str, Rules]:
    """``rules`` for :func:`user_kind` where a connection holds a token of the person: ``member`` is kept sealed."""
    plain = user_rules(f"authentik_sources_{type_}.change_user{type_}sourceconnection")

    async def rules(call: Call, state: State, old: Any | None, new: Any) -> Any:  # noqa: ANN401 - as above
        token, kept = getattr(new, member), getattr(old, member, None)
        if token and token != kept:
            context = f"user_connection/{new.pk}"
            same = kept and state.vault.open(kept, context) == token
            new = msgspec.structs.replace(new, **{member: kept if same else state.vault.seal(token, context)})
        return await plain(call, state, old, new)

    return {"rules": rules}


async def user_leaving(call: Call, state: State, connection: Any) -> None:  # noqa: ANN401 - connections of every type
    """Nobody ends a connection of somebody stronger."""
    await check_reach(call, state, connection.user, "end this connection")


async def group_rules(call: Call, state: State, old: Any | None, new: Any) -> Any:  # noqa: ANN401 - connections of every type
    """Whoever the source puts into the group gets its powers: only who has them may connect it."""
    if old is None and not new.group:
        raise invalid({"group": ["This member is required."]})
    made = new if old is None else msgspec.structs.replace(new, group=old.group)
    power.check(call, await power.of_groups(state, call.settings, [made.group]), "connect this group")
    return msgspec.structs.replace(made, last_updated=call.at) if old is None else _moved(call, old, made)


def _source_key(call: Call, slug: str) -> str:
    found = (call.settings.by(kind, "slug", slug) for kind in call.settings.kinds("sources"))
    return next((source.pk for source in found if source), "")


SOURCE_SLUG: Final = Filter(
    "source__slug", str, sql="t.source_id = {}", known=_source_key, note="Connections with the source of this slug."
)


USER_CONNECTION: Kind[UserSourceConnection] = Kind(
    model="authentik_core.usersourceconnection",
    struct=UserSourceConnection,
    path="sources/user_connections/all",
    title=("User Source Connection", "User Source Connections"),
    key_name="id",
    table=Table("user_connections", owner="user_id"),
    verbs=ALL - {Verb.CREATE},
    shown=UserConnectionShown,
    view=user_view,
    rules=user_rules("authentik_core.change_usersourceconnection"),
    leaving=user_leaving,
    search=("identifier",),
    order=("pk",),
    filters=("user", SOURCE_SLUG),
    stored_only=_SOME,
)
GROUP_CONNECTION: Kind[GroupSourceConnection] = Kind(
    model="authentik_core.groupsourceconnection",
    struct=GroupSourceConnection,
    path="sources/group_connections/all",
    title=("Group Source Connection", "Group Source Connections"),
    key_name="id",
    table=Table("group_connections"),
    verbs=ALL - {Verb.CREATE},
    shown=GroupConnectionShown,
    view=group_view,
    rules=group_rules,
    search=("identifier",),
    order=("pk",),
    filters=("group", SOURCE_SLUG),
    stored_only=_LATER,
)


def user_kind(source: Kind[Any], type_: str, title: str, **more: Any) -> Kind[UserSourceConnection]:  # noqa: ANN401 - members of a Kind
    """The connections of users with sources of one type.

    :param source: the type.
    :param type_: the type as paths and models spell it, such as ``ldap``.
    :param more: members of the kind that are its own; a ``struct`` among them adds fields.
    """
    model = f"authentik_sources_{type_}.user{type_}sourceconnection"
    own = _typed(f"User{title}SourceConnection", more.pop("struct", UserSourceConnection), source, type_, _OF_USER)
    permission = f"authentik_sources_{type_}.change_user{type_}sourceconnection"
    members = {"rules": user_rules(permission), "stored_only": _LATER, **more}
    return replace(
        USER_CONNECTION,
        model=model,
        struct=own,
        path=f"sources/user_connections/{type_}",
        title=(f"User {title} Source Connection", f"User {title} Source Connections"),
        table=Table("user_connections", owner="user_id", narrow=f"t.type = '{type_}'"),
        verbs=ALL,
        **members,
    )


def group_kind(source: Kind[Any], type_: str, title: str, **more: Any) -> Kind[GroupSourceConnection]:  # noqa: ANN401 - members of a Kind
    """The connections of groups with sources of one type; the parameters are those of :func:`user_kind`."""
    return replace(
        GROUP_CONNECTION,
        model=f"authentik_sources_{type_}.group{type_}sourceconnection",
        struct=_typed(f"Group{title}SourceConnection", GroupSourceConnection, source, type_, _OF_GROUP),
        path=f"sources/group_connections/{type_}",
        title=(f"Group {title} Source Connection", f"Group {title} Source Connections"),
        table=Table("group_connections", narrow=f"t.type = '{type_}'"),
        verbs=ALL,
        **more,
    )


_OF_USER: Final = ("user", Annotated[int, Column("user_id"), Ref("authentik_core.user")], 0)
_OF_GROUP: Final = ("group", Annotated[Uuid, Column("group_id"), Ref("authentik_core.group")], "")
"""What a connection of one type says of whom it connects. A user is told to be used by these, not by ``…/all/`` too."""


def _typed(name: str, struct: type[S], source: Kind[Any], type_: str, whom: tuple[str, Any, object]) -> type[S]:
    """``struct`` for one type: its rows are marked, and its sources are of that type."""
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = [
        ("type", Annotated[str, HIDDEN], type_),
        ("source", Annotated[Uuid, Column("source_id"), Ref(source.model)]),
        whom,
    ]
    made = msgspec.defstruct(
        name, fields, bases=(struct,), module=__name__, namespace={"__doc__": struct.__doc__}, frozen=True, kw_only=True
    )
    return cast("type[S]", made)
