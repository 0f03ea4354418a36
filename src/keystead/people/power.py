"""Powers: what users, groups and roles make one able to do, so that nobody gives, takes or takes over what they lack.

Whoever may edit people, groups or roles could otherwise make themselves whatever they like: by joining a group, by
giving it another parent, by handing themselves a role, by setting a stronger person's password (SECURITY AP-06..08).
So could whoever may edit what leads to them: a source's connection, a device, a stage that puts newcomers into a group.
:func:`guard` looks at the references of every kind, for the door to ask before any object is kept or removed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from keystead.base.errors import denied
from keystead.kinds.access import may
from keystead.kinds.call import Call
from keystead.kinds.field import Field
from keystead.kinds.grants import HOLDERS, on
from keystead.kinds.kind import Kind
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State
from keystead.store import Row, Statement

_ABOVE: Final = (
    " UNION SELECT p.parent_id FROM group_parents p JOIN up ON p.group_id = up.id)"
    " SELECT 'g', CASE WHEN g.is_superuser THEN '1' ELSE '' END FROM up JOIN groups g ON g.id = up.id"
    " UNION SELECT 'r', r.role_id FROM up JOIN group_roles r ON r.group_id = up.id"
)
_OF_USERS: Final = Statement(
    "power.of_users",
    f"WITH RECURSIVE up (id) AS (SELECT group_id FROM group_members WHERE user_id = ANY($1::bigint[]){_ABOVE}"  # noqa: S608 - constant parts
    " UNION SELECT 'r', r.role_id FROM user_roles r WHERE r.user_id = ANY($1::bigint[])",
)
_OF_GROUPS: Final = Statement(
    "power.of_groups",
    f"WITH RECURSIVE up (id) AS (SELECT id FROM groups WHERE id = ANY($1::text[]){_ABOVE}",  # noqa: S608 - constant parts
)


@dataclass(frozen=True, slots=True)
class Power:
    """What somebody may do, or what something makes one able to do.

    :param permissions: full names of permissions, held on all objects.
    :param partial: those held on some objects: a role's uuid, and a permission's full name.
    """

    is_superuser: bool = False
    permissions: frozenset[str] = frozenset()
    partial: frozenset[tuple[str, str]] = frozenset()

    def __or__(self, other: "Power") -> "Power":
        return Power(
            self.is_superuser or other.is_superuser,
            self.permissions | other.permissions,
            self.partial | other.partial,
        )


async def of_user(state: State, settings: Snapshot, pk: int) -> Power:
    """What a user could do, active or not."""
    return await of_users(state, settings, [pk])


async def of_users(state: State, settings: Snapshot, keys: Iterable[int]) -> Power:
    """What these users could do, taken together, active or not."""
    wanted = sorted(set(keys))
    return _power(settings, await state.store.fetch(_OF_USERS, wanted)) if wanted else Power()


async def of_groups(state: State, settings: Snapshot, groups: Iterable[str]) -> Power:
    """What membership in any of ``groups`` gives, through their ancestors too."""
    keys = sorted(set(groups))
    return _power(settings, await state.store.fetch(_OF_GROUPS, keys)) if keys else Power()


def of_roles(settings: Snapshot, roles: Iterable[str]) -> Power:
    """What ``roles`` give."""
    found = [role for kind in settings.kinds(HOLDERS) for pk in roles if (role := settings.get(kind, pk))]
    return Power(
        permissions=frozenset(name for role in found for name in role.permissions),
        partial=frozenset((role.pk, name) for role in found for name in role.objects),
    )


def _power(settings: Snapshot, rows: Iterable[Row]) -> Power:
    marks = [(row[0], str(row[1])) for row in rows]
    return Power(("g", "1") in marks) | of_roles(settings, [pk for what, pk in marks if what == "r"])


def check(call: Call, power: Power, what: str) -> None:
    """Let through whoever holds all of ``power`` themselves.

    What a role holds on single objects counts as held by who has that role, and by who holds it on all objects.

    :param what: what was tried, as the end of a sentence: "give this role".
    :raises Problem: ``DENIED``.
    """
    actor = call.actor
    if actor.is_superuser:
        return
    lacking = power.permissions - actor.permissions
    partly = {name for role, name in power.partial if role not in actor.roles} - actor.permissions
    if power.is_superuser or lacking or partly:
        raise denied(f"You may not {what}: it carries powers you do not have.")


async def check_reach(call: Call, state: State, pk: int, what: str) -> None:
    """Let through who may do everything that the user ``pk`` may: others could become what they are not.

    :raises Problem: ``DENIED``.
    """
    await check_all(call, state, [pk], what)


async def check_all(call: Call, state: State, keys: Iterable[int], what: str) -> None:
    """:func:`check_reach` for several users at once; oneself is none of them.

    :raises Problem: ``DENIED``.
    """
    if not call.actor.is_superuser:
        check(call, await of_users(state, call.settings, {pk for pk in keys if pk != call.actor.pk}), what)


async def guard(
    call: Call, state: State, kind: Kind[Any], old: msgspec.Struct | None, new: msgspec.Struct | None
) -> None:
    """Let through who is no weaker than the people, groups and roles that a change of an object touches.

    What belongs to somebody is touched whenever it changes; every other reference when it is set, changed or taken
    away. ``Ref(..., gives=False)`` marks references that give nobody what their target has; ``Ref(..., part=True)``
    those to what the object is a part of, such as the flow that a stage is bound to.

    :param old: the object as it was; None for a new one.
    :param new: the object as it shall be; None for one that goes.
    :raises Problem: ``DENIED``.
    """
    if call.actor.is_superuser or old == new:
        return
    touched: dict[str, set[Any]] = {}
    for field in kind.references:
        if field.ref and field.ref.part:
            for pk in _led_to(old, field) | _led_to(new, field):
                await _whole(call, state, field.ref.target, pk)
        if field.ref and field.ref.gives and field.ref.target in _GIVERS:
            before, after = _led_to(old, field), _led_to(new, field)
            always = kind.table is not None and field.column == kind.table.owner
            touched.setdefault(field.ref.target, set()).update(before | after if always else before ^ after)
    what = f"have this {kind.title[0]} changed"
    await check_all(call, state, touched.get(_USERS, ()), what)
    check(call, await of_groups(state, call.settings, touched.get(_GROUPS, ())), what)
    check(call, of_roles(call.settings, touched.get(HOLDERS, ())), what)


async def _whole(call: Call, state: State, target: str, pk: object) -> None:
    found = call.settings.find(target, pk)
    if found is not None:
        asking = await on(call, state.store, found[0], [found[1]])
        if not may(asking, found[0], "change", found[1]):
            raise denied(f"You may not change the {found[0].title[0]} that this is a part of.")


_USERS: Final = "authentik_core.user"
_GROUPS: Final = "authentik_core.group"
_GIVERS: Final = frozenset({_USERS, _GROUPS, HOLDERS})
"""The models of those that can do something, or make others able to."""


def _led_to(obj: msgspec.Struct | None, field: Field) -> set[Any]:
    value = getattr(obj, field.name) if obj is not None else None
    if not value:
        return set()
    return set(value) if field.many else {value}
