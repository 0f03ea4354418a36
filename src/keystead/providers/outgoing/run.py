"""One synchronisation while it goes on: what it is about, what is known here, what was said, what is kept."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from msgspec.structs import replace

from keystead.base import rand
from keystead.base.errors import Problem
from keystead.kinds import records
from keystead.kinds.access import system as power
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind
from keystead.kinds.logged import LogEvent, LogLevelEnum
from keystead.kinds.state import State
from keystead.people.group import Group
from keystead.providers.outgoing.api import attributes
from keystead.providers.outgoing.room import Room
from keystead.providers.outgoing.system import Members, Refused, Remote, What
from keystead.store import GuardFailed, Statement, Write


@lru_cache(maxsize=16)
def _members_of(kind: Kind[Any]) -> Statement:
    return Statement(
        f"{kind.model}.members",
        f"SELECT {records.columns(kind)} FROM {records.table(kind)} t JOIN group_members m ON m.user_id = t.user_id"  # noqa: S608 - declared names
        " WHERE m.group_id = $1 AND t.provider = $2 ORDER BY t.remote_id",
    )


@lru_cache(maxsize=16)
def _ours(kind: Kind[Any]) -> Statement:
    return Statement(
        f"{kind.model}.ours",
        f"SELECT remote_id FROM {records.table(kind)} WHERE provider = $1 AND remote_id = ANY($2::text[])",  # noqa: S608 - as above
    )


@lru_cache(maxsize=16)
def _foreign(kind: Kind[Any], owner: str) -> Statement:
    return Statement(
        f"{kind.model}.foreign",
        f"SELECT 1 FROM {records.table(kind)} WHERE provider = $1 AND {owner} <> $2 AND remote_id = $3",  # noqa: S608 - as above
    )


@lru_cache(maxsize=16)
def _unlinked(kind: Kind[Any], owner: str) -> Statement:
    """A write that touches nothing as long as neither side has a link: a guard for the insert beside it."""
    return Statement(
        f"{kind.model}.unlinked",
        f"UPDATE {records.table(kind)} SET provider = provider"  # noqa: S608 - as above
        f" WHERE provider = $1 AND ({owner} = $2 OR remote_id = $3)",
    )


class Run:
    """One synchronisation: what it is about, and what was said meanwhile."""

    def __init__(self, call: Call, state: State, room: Room, provider: Any, what: What, *, dry: bool) -> None:  # noqa: ANN401 - providers of every kind
        self.call = call
        self.state = state
        self.room = room
        self.provider = provider
        self.what = what
        self.dry = dry
        self.kind = room.links(what)
        self.owner = f"{what}_id"
        self.lines: list[LogEvent] = []

    def say(
        self, text: str, about: Mapping[str, object] | None = None, *, level: LogLevelEnum = LogLevelEnum.INFO
    ) -> None:
        """Tell whoever asked for it."""
        self.lines.append(LogEvent(self.call.at, level, f"{self.room.kind.app}.sync", text, dict(about or {})))

    def fail(self, text: str) -> None:
        """Tell what did not succeed."""
        self.say(text, level=LogLevelEnum.ERROR)

    def remote_of(self, link: Any) -> Remote:  # noqa: ANN401 - links of every kind
        """The counterpart that a link names."""
        return Remote(getattr(link, self.room.remote), link.attributes)

    async def link(self, pk: object) -> Any:  # noqa: ANN401 - as above
        """The link of the object with this key, or None.

        :raises Refused: there are several, and which of them is right nobody can say.
        """
        found = await records.load(self.state.store, self.kind, self.owner, [pk])
        here = [one for one in found if one.provider == self.provider.pk]
        if len(here) > 1:
            raise Refused(f"{len(here)} objects there are linked with this {self.what}; remove all links but one.")
        return here[0] if here else None

    async def check_free(self, remote: Remote, pk: object) -> None:
        """Refuse the counterpart of somebody else.

        :raises Refused: it is.
        """
        key: Any = pk
        if await self.state.store.fetch(_foreign(self.kind, self.owner), self.provider.pk, key, remote.id):
            raise Refused(
                f"{self.room.where} names an object that is linked with another {self.what} of ours; it is left alone."
            )

    async def members(self, group: Group) -> Members:
        """Who of the group is known there."""
        users = self.room.users
        rows = await self.state.store.fetch(_members_of(users), group.pk, self.provider.pk)
        links = await records.from_rows(self.state.store, users, rows)

        async def ours(ids: Sequence[str]) -> set[str]:
            found = await self.state.store.fetch(_ours(users), self.provider.pk, list(ids))
            return {str(row[0]) for row in found}

        return Members([self.remote_of(one) for one in links], ours)

    async def keep(self, link: Any, pk: object, remote: Remote) -> None:  # noqa: ANN401 - as above
        """Keep who is who."""
        changes = Changes()
        known = attributes(remote.attributes)
        # On the authority of whoever may change the provider: they asked for it.
        if link is None:
            members = {self.room.remote: remote.id, str(self.what): pk, "provider": self.provider.pk}
            made = self.kind.struct(id=rand.uuid4(), attributes=known, **members)
            key: Any = pk
            guard = (self.provider.pk, key, remote.id)
            changes.write(Write(_unlinked(self.kind, self.owner), guard, expect=0, guard="link"))
            changes.create(power(self.call, self.kind, "add"), made)
        else:
            now = replace(link, attributes=known, **{self.room.remote: remote.id})
            changes.update(power(self.call, self.kind, "change"), link, now)
        await self.commit(changes)

    async def commit(self, changes: Changes) -> None:
        """Commit the changes of a link.

        :raises Refused: somebody else has changed what they rest on.
        """
        try:
            await self.state.commit(changes, self.call.at)
        except (GuardFailed, Problem):
            raise Refused(
                f"It is done there, but the {self.what} or its link was changed here meanwhile, so the link is not "
                "kept; synchronise again."
            ) from None

    async def suspended(self, link: Any, known: Mapping[str, object]) -> None:  # noqa: ANN401 - as above
        """Keep that the counterpart is suspended."""
        changes = Changes()
        now = replace(link, attributes=attributes({**link.attributes, **known}))
        changes.update(power(self.call, self.kind, "change"), link, now)
        await self.commit(changes)

    async def forget(self, link: Any) -> None:  # noqa: ANN401 - as above
        """Keep no more who was who."""
        changes = Changes()
        changes.delete(power(self.call, self.kind, "delete"), link, self.state.kinds.values())
        await self.commit(changes)
