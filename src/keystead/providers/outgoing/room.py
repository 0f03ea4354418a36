"""What a sort of system hands to the shared synchronisation: its kinds, its way to be asked, its rules of scope."""

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import msgspec

from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.kinds.state import State
from keystead.providers.outgoing.links import OutgoingSyncDeleteAction
from keystead.providers.outgoing.system import System, What


class Outgoing(Protocol):
    """A provider that writes to another system, whichever."""

    @property
    def pk(self) -> int:
        """Its key."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def property_mappings(self) -> tuple[str, ...]:
        """What the system is told of a user."""

    @property
    def property_mappings_group(self) -> tuple[str, ...]:
        """What the system is told of a group."""

    @property
    def exclude_users_service_account(self) -> bool:
        """Whether service accounts are left out."""

    @property
    def discovery_enabled(self) -> bool:
        """Whether objects that are there already are looked for before new ones are made."""

    @property
    def dry_run(self) -> bool:
        """Whether it is only told what would be written."""


Opened: TypeAlias = Callable[[Call, State, Any], System]
"""How a provider's system is spoken to, once."""


class Room(msgspec.Struct, frozen=True):
    """One sort of system.

    :param where: what it is called.
    :param kind: its providers.
    :param users: the links of users; ``groups``: those of groups.
    :param remote: the member of links that holds the id there.
    :param opened: how it is spoken to.
    :param only: the groups to which a provider is narrowed; none: all.
    :param narrows: what that leaves out: other groups, or users who are in none of them.
    :param leaving: what becomes of an object that is no longer in scope.
    """

    where: str
    kind: Kind[Any]
    users: Kind[Any]
    groups: Kind[Any]
    remote: str
    opened: Opened
    only: Callable[[Any], tuple[str, ...]]
    narrows: What
    leaving: Callable[[Any, What], OutgoingSyncDeleteAction]

    def links(self, what: What) -> Kind[Any]:
        """The links of users, or of groups."""
        return self.users if what is What.USER else self.groups
