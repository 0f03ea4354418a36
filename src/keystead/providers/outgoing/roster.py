"""Who belongs to a group there: those come who are linked, and of those who are there only linked ones go."""

from collections.abc import Collection
from typing import Protocol

from keystead.providers.outgoing.system import Members, Refused, Remote, Written


class Roster(Protocol):
    """A system that takes members of a group one by one. Each of these raises :class:`Refused` where it fails."""

    async def enlisted(self, group: str) -> tuple[Collection[str], Collection[str]]:
        """Ids of all who belong to the group, and of those of them who may be taken out."""

    async def join(self, group: str, member: Remote) -> bool:
        """Put somebody into the group; False where they are nowhere there any more."""

    async def part(self, group: str, member: str) -> None:
        """Take somebody out of the group, who may be out of it already."""


async def enrolled(where: str, roster: Roster, group: Remote, members: Members) -> Written:
    """The group with these members. Memberships that others gave are not ours to end.

    :param where: what the system is called.
    """
    wanted = {one.id: one for one in members.wanted}
    try:
        there, plain = await roster.enlisted(group.id)
        others = sorted(set(plain) - wanted.keys())
        gone = sorted(await members.ours(others)) if others and members.ours else []
        come = [wanted[key] for key in sorted(wanted.keys() - set(there))]
        lost = [one for one in come if not await roster.join(group.id, one)]
        for key in gone:
            await roster.part(group.id, key)
    except Refused as exc:
        return Written(group, faults=(f"Not all members are written. {exc}",))
    note = f"{len(come) - len(lost)} members came, {len(gone)} went."
    fault = f"{len(lost)} members are not in {where} any more; synchronise them one by one."
    return Written(group, (note,), (fault,) if lost else ())
