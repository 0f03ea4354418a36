"""``Call``: who asks, when, from where, and the settings as they stood on arrival. Frozen, and no bag."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from keystead.kinds.snapshot import Snapshot


class Actor(msgspec.Struct, frozen=True):
    """Who acts.

    :param pk: the user's number, 0 for nobody.
    :param permissions: full names of the permissions held through roles (``app.codename``), on all objects.
    :param roles: uuids of the roles held, directly and through groups.
    :param partial: full names of the permissions that these roles hold on some objects.
    :param on: of those what has been looked up: a permission's full name and an object's key, as text.
    :param initial: what roles are to hold on the objects this actor makes: a role's uuid and full names.
    :param groups: uuids of the groups, with every ancestor.
    :param session: uuid of the session the call came with, or empty.
    :param means: how the caller proved itself: ``session``, ``token``, ``oauth``, ``system`` or empty.
    :param original: who really acts, where somebody acts as this user.
    """

    pk: int = 0
    username: str = ""
    uuid: str = ""
    name: str = ""
    email: str = ""
    is_superuser: bool = False
    permissions: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    session: str = ""
    means: str = ""
    type: str = "internal"
    roles: frozenset[str] = frozenset()
    partial: frozenset[str] = frozenset()
    on: frozenset[tuple[str, str]] = frozenset()
    initial: tuple[tuple[str, frozenset[str]], ...] = ()
    original: "Actor | None" = None

    @property
    def known(self) -> bool:
        """Whether it is somebody."""
        return self.pk > 0 or self.means == "system"


NOBODY: Final = Actor()
SYSTEM: Final = Actor(username="system", is_superuser=True, means="system")
"""Keystead itself: the command line, the worker, the first start."""


class Origin(msgspec.Struct, frozen=True):
    """The HTTP request behind a call, as far as an event tells of it.

    :param root: scheme, host and path prefix under which the caller reaches us, without a slash at the end.
    :param query: the query's parameters (secrets among them are masked in events).
    """

    method: str = ""
    path: str = ""
    root: str = ""
    host: str = ""
    query: dict[str, str] = {}
    user_agent: str = ""
    secure: bool = False
    brand: str = "{}"
    """The brand that answers, as the JSON text events carry."""
    retention: timedelta = timedelta(days=365)
    """How long the events of the request are kept."""


class Call(msgspec.Struct, frozen=True):
    """One request's view of the world.

    :param at: the one instant of this request.
    :param peer: the client's IP address, or empty.
    :param settings: all settings as they stood on arrival: one request sees one truth.
    :param parked: the keys of the browser's other sessions, of people who use several accounts.
    """

    actor: Actor
    at: datetime
    settings: Snapshot
    peer: str = ""
    request_id: str = ""
    origin: Origin = Origin()
    parked: tuple[str, ...] = ()
