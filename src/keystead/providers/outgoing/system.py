"""What a system is that is told of people and groups: the few things that each protocol knows how to ask it for."""

import enum
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeAlias

import msgspec

Body: TypeAlias = Mapping[str, object]
"""What a system is told of a user or group, as its property mappings make it."""


class What(enum.StrEnum):
    """What is written."""

    USER = "user"
    GROUP = "group"


class Remote(msgspec.Struct, frozen=True):
    """An object there.

    :param id: by which it is known there.
    :param attributes: what the system told of it.
    """

    id: str
    attributes: Mapping[str, object]


class Members(msgspec.Struct, frozen=True):
    """Who belongs to a group.

    :param wanted: the counterparts of its members.
    :param ours: which of some ids there are counterparts of users of ours; memberships of others are not ours to end.
    """

    wanted: Sequence[Remote] = ()
    ours: Callable[[Sequence[str]], Awaitable[set[str]]] | None = None


class Written(msgspec.Struct, frozen=True):
    """What became of an object there.

    :param notes: what else was done, for administrators.
    :param faults: what was not done although the object is there, for administrators.
    """

    remote: Remote
    notes: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


class Refused(Exception):  # noqa: N818 - what the system says, and no error of the program
    """The system did not do it. The text is for administrators, and holds nothing secret.

    :param status: with which HTTP status it said so; 0 where it said nothing.
    """

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


class Missing(Refused):
    """There is no such object."""


class Taken(Refused):
    """There is an object like that already."""


class System(Protocol):
    """A system that is spoken to.

    Each of these raises :class:`Refused` where it does not succeed.
    """

    def name_of(self, what: What, body: Body) -> str:
        """By which name the object is found there again.

        :raises Refused: the mappings gave none.
        """

    async def find(self, what: What, body: Body) -> Remote | None:
        """The object there that bears the name of ``body``."""

    async def create(self, what: What, body: Body, members: Members) -> Written:
        """A new object.

        :raises Taken: there is one like it.
        """

    async def update(self, what: What, known: Remote, body: Body, members: Members) -> Written:
        """The object as it shall be.

        :param known: the object as far as it was known until now.
        :raises Missing: it is not there any more.
        """

    async def remove(self, what: What, remote_id: str) -> None:
        """Remove the object.

        :raises Missing: it is not there any more.
        """

    async def suspend(self, what: What, remote_id: str) -> Body | None:
        """Let nobody use the object; what is then different about it, or None where nothing like that can be done.

        :raises Missing: it is not there any more.
        """
