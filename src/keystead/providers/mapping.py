"""What property mappings of every protocol share: their expressions compile, and lists find what is managed."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from keystead.base.errors import invalid
from keystead.kinds.access import holds
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter
from keystead.kinds.marks import Uuid
from keystead.kinds.state import State
from keystead.people.person import Person, person_by_pk
from keystead.people.user import USER
from keystead.policies.expression import check_expression

MANAGED: Final = Filter(
    "managed", str, many=True, test=lambda one, values: one.managed in values, note="Id of what manages the mapping."
)
UNMANAGED: Final = Filter(
    "managed__isnull",
    bool,
    test=lambda one, value: (one.managed is None) is value,
    note="Whether nothing manages the mapping.",
)
KEY: Final = Filter("pm_uuid", Uuid, test=lambda one, value: one.pk == value)
FOR_USER: Final = Filter("for_user", int, note="About this user.")


class PropertyMappingPreview(msgspec.Struct):
    """What mappings tell of one person."""

    preview: dict[str, object]


async def compiles(_call: Call, _state: State, _old: Any, new: Any) -> Any:  # noqa: ANN401 - mappings of every kind
    """The expression of a mapping compiles, where it has one."""
    if new.expression:
        check_expression(new.expression, new.name)
    return new


async def previewed(call: Call, state: State, query: Mapping[str, Sequence[str]]) -> Person:
    """Whom a preview is about: the caller, or ``for_user`` for those who may view users.

    :raises Problem: ``INVALID`` on ``for_user``.
    """
    text = (query.get("for_user") or [""])[-1].strip()
    pk = int(text[:18]) if text.isascii() and text.isdigit() else 0
    person = await person_by_pk(state, pk if text else call.actor.pk)
    if person is None or (person.user.pk != call.actor.pk and not holds(call, USER.permission("view"))):
        raise invalid({"for_user": [f'Invalid pk "{text}" - object does not exist.']})
    return person
