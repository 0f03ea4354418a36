"""Looking up one user: by key, by name, by what people type, by what another system tells."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from keystead.kinds import records
from keystead.kinds.field import unstorable
from keystead.kinds.state import State
from keystead.people.user import USER, User
from keystead.store.sql import Value, dynamic

_DEEPEST: Final = 32
"""How deep a search by attributes reaches."""
_SOUGHT: Final = {"username": "username", "email": "email", "uuid": "uuid", "name": "name", "pk": "id", "id": "id"}
_IDENTIFIED: Final = {
    ("username", True): "lower(t.username) = lower($1)",
    ("username", False): "t.username = $1",
    ("email", True): "lower(t.email) = lower($1)",
    ("email", False): "t.email = $1",
    ("upn", True): "lower(t.attributes ->> 'upn') = lower($1)",
    ("upn", False): "t.attributes ->> 'upn' = $1",
}


async def by_pk(state: State, pk: int) -> User | None:
    """The user with this key."""
    found = await records.load(state.store, USER, "id", [pk])
    return found[0] if found else None


async def by_username(state: State, username: str) -> User | None:
    """The user with exactly this name."""
    found = await records.load(state.store, USER, "username", [username])
    return found[0] if found else None


async def by_identifier(
    state: State, members: Sequence[str], value: str, *, case_insensitive: bool = True
) -> User | None:
    """The one user whom ``value`` names in any of ``members`` (``username``, ``email``, ``upn``); None when two are.

    Of those who differ in upper and lower case only, the one spelled like ``value``: nobody locks ``bob`` out by being
    ``Bob``.
    """
    conditions = [_IDENTIFIED[member, case_insensitive] for member in members if (member, True) in _IDENTIFIED]
    if not conditions or not value or unstorable(value):
        return None
    rows = await state.store.fetch(records.whole(USER, "by_identifier", f"{' OR '.join(conditions)} LIMIT 2"), value)
    if len(rows) > 1 and case_insensitive:
        return await by_identifier(state, members, value, case_insensitive=False)
    return records.from_whole(USER, rows)[0] if len(rows) == 1 else None


async def alike(state: State, member: str, value: str) -> list[User]:
    """Up to two users whose ``member`` (``username``, ``email``) is ``value``, whatever upper and lower case."""
    if not value or unstorable(value):
        return []
    rows = await state.store.fetch(records.whole(USER, "alike", f"{_IDENTIFIED[member, True]} LIMIT 2"), value)
    return records.from_whole(USER, rows)


async def user_by(state: State, wanted: Mapping[str, str]) -> User | None:
    """The one user whose members have these values.

    :param wanted: ``username``, ``email``, ``uuid``, ``pk``, ``name`` and ``attributes__…``.
    :raises ValueError: a member that cannot be looked for, or a value that is none of its.
    """
    conditions: list[str] = []
    values: list[Value] = []
    for name, value in wanted.items():
        member, _, below = name.partition("__")
        if member == "attributes" and below:
            path: object = value
            for part in reversed(below.split("__", _DEEPEST)):
                path = {part: path}
            values.append(msgspec.json.encode(path).decode())
            conditions.append(f"keystead_contains(t.attributes, ${len(values)}::jsonb)")
        elif name in _SOUGHT:
            values.append(int(value) if name in {"pk", "id"} else value)
            conditions.append(f"t.{_SOUGHT[name]} = ${len(values)}")
        else:
            raise ValueError(f"users cannot be looked for by {name!r}")
    if not conditions:
        return None
    text = f"SELECT {records.columns(USER)} FROM users t WHERE {' AND '.join(conditions)} LIMIT 2"  # noqa: S608 - constant parts
    rows = await state.store.fetch(dynamic(text), *values, heavy=True)
    return (await records.from_rows(state.store, USER, rows))[0] if len(rows) == 1 else None
