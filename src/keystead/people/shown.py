"""The short forms in which people appear inside other objects (``PartialUser``, ``RelatedGroup`` …)."""

import base64
import hashlib
import html
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Final, TypeAlias, cast

import msgspec

from keystead.base.clock import instant
from keystead.kinds.marks import Email, Uuid
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State
from keystead.people.role import ROLE
from keystead.store import Statement

_USERS: Final = Statement(
    "user.partial",
    "SELECT id, uuid, username, name, is_active, last_login, email, attributes FROM users WHERE id = ANY($1::bigint[])",
)
_GROUPS: Final = Statement(
    "group.partial", "SELECT id, num_pk, name, is_superuser, attributes FROM groups WHERE id = ANY($1::text[])"
)
_NOBODY: Final = "00000000-0000-0000-0000-000000000000"
"""The UUID of nobody (RFC 9562 §5.9)."""
_PAGE: Final = 100
"""Users in short that a page of a list shows at most; a group may have thousands."""
_HUES: Final = ("1f7a72", "7a4b1f", "4b5d8a", "8a4b6b", "5b7a1f", "6b5b8a", "8a6a1f", "1f5f7a")


class PartialUser(msgspec.Struct, frozen=True):
    """A user in short.

    :param uuid: beside the contract of today; the one before it had it where reviewers are shown.
    """

    pk: int
    username: Annotated[str, msgspec.Meta(max_length=150)]
    name: str
    is_active: bool
    last_login: datetime | None
    email: Email
    attributes: dict[str, object]
    uid: str
    uuid: Uuid


class PartialGroup(msgspec.Struct, frozen=True):
    """A group in short."""

    pk: Uuid
    num_pk: int
    name: str
    is_superuser: bool
    attributes: dict[str, object]


class RelatedGroup(msgspec.Struct, frozen=True):
    """A group as another group's relative."""

    pk: Uuid
    name: str
    is_superuser: bool
    attributes: dict[str, object]
    group_uuid: Uuid


class RoleShown(msgspec.Struct, frozen=True):
    """A role in short."""

    pk: Uuid
    name: str


RoleObj: TypeAlias = Annotated[RoleShown, msgspec.Meta(title="Role")]
"""A role in short, which is all of it that the API shows."""


def wanted(query: Mapping[str, Sequence[str]], name: str, *, default: bool) -> bool:
    """Whether an ``include_…`` parameter asks for its member."""
    values = query.get(name)
    return values[-1].lower() in {"true", "1", "yes", "on"} if values and values[-1] else default


def uid(state: State, pk: int) -> str:
    """The opaque, lasting name of a user: it tells nothing and differs between installations."""
    return _uid(pk, state.install_id)


@lru_cache(maxsize=16_384)
def _uid(pk: int, install_id: str) -> str:
    return hashlib.sha256(f"{pk}-{install_id}".encode()).hexdigest()


async def partial_users(state: State, keys: Iterable[int]) -> dict[int, PartialUser]:
    """Users in short, by key."""
    wanted_keys = sorted(set(keys))
    if not wanted_keys:
        return {}
    found = {}
    for pk, uuid, username, name, active, last, email, attributes in await state.store.fetch(
        _USERS, wanted_keys, heavy=len(wanted_keys) > _PAGE
    ):
        number = cast("int", pk)
        found[number] = PartialUser(
            number,
            str(username),
            str(name),
            bool(active),
            instant(cast("int", last)) if last is not None else None,
            str(email),
            # As it is kept: of 5,000 members nobody looks inside before it is JSON again.
            cast("dict[str, object]", msgspec.Raw(str(attributes).encode())),
            uid(state, number),
            str(uuid),
        )
    return found


def gone(state: State, pk: int) -> PartialUser:
    """What stands for a user who is not there any more."""
    return PartialUser(
        pk,
        "",
        "somebody who is gone",
        is_active=False,
        last_login=None,
        email="",
        attributes={},
        uid=uid(state, pk),
        uuid=_NOBODY,
    )


async def partial_groups(state: State, keys: Iterable[str]) -> dict[str, PartialGroup]:
    """Groups in short, by key."""
    wanted_keys = sorted(set(keys))
    if not wanted_keys:
        return {}
    return {
        str(pk): PartialGroup(
            str(pk),
            cast("int", num),
            str(name),
            bool(superuser),
            msgspec.json.decode(str(attributes), type=dict[str, object]),
        )
        for pk, num, name, superuser, attributes in await state.store.fetch(_GROUPS, wanted_keys)
    }


async def related(state: State, keys: Iterable[str]) -> dict[str, RelatedGroup]:
    """Groups as relatives, by key."""
    found = await partial_groups(state, keys)
    return {pk: RelatedGroup(pk, group.name, group.is_superuser, group.attributes, pk) for pk, group in found.items()}


def roles_shown(settings: Snapshot, keys: Iterable[str]) -> list[RoleShown]:
    """Roles in short, in the order of ``keys``."""
    return [RoleShown(role.pk, role.name) for pk in keys if (role := settings.get(ROLE, pk))]


def avatar(username: str, name: str) -> str:
    """A picture of the person's initials, as a data URI: nothing is fetched from anywhere."""
    words = (name or username).split()
    initials = (
        "".join(word[0] for word in (words[0], words[-1]) if word)[: 2 if len(words) > 1 else 1].upper()
        if words
        else "?"
    )
    hue = _HUES[hashlib.sha256(username.encode()).digest()[0] % len(_HUES)]
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="64" height="64" '
        f'fill="#{hue}"/><text x="32" y="32" dy=".35em" fill="#fff" font-family="sans-serif" font-size="26" '
        f'text-anchor="middle">{html.escape(initials, quote=False)}</text></svg>'
    )
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
