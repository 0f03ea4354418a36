"""Who acts, with every power they hold: asked with one query by whatever lets them in."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from keystead.kinds.call import Actor
from keystead.kinds.state import State
from keystead.people import initial
from keystead.people.role import ROLE
from keystead.store import Row, Statement

_POWERS: Final = (
    "up (id) AS (SELECT m.group_id FROM k JOIN group_members m ON m.user_id = k.id"
    " UNION SELECT p.parent_id FROM group_parents p JOIN up ON p.group_id = up.id)"
    " SELECT 'u', u.username, u.uuid, u.name, u.email, u.type FROM k JOIN users u ON u.id = k.id AND u.is_active"
    " UNION ALL SELECT 'g', up.id, CASE WHEN g.is_superuser THEN '1' ELSE '' END, '', '', ''"
    " FROM up JOIN groups g ON g.id = up.id"
    " UNION ALL SELECT 'r', r.role_id, '', '', '', '' FROM k JOIN user_roles r ON r.user_id = k.id"
    " UNION ALL SELECT 'r', r.role_id, '', '', '', '' FROM up JOIN group_roles r ON r.group_id = up.id"
    " UNION ALL SELECT 's', CAST(h.seq AS TEXT), '', '', '', '' FROM settings_head h"
)
"""What the one user in ``k`` is and holds, for :func:`actor_from`: whoever asks about an actor asks with this.

It also tells of the newest settings, so that a request need not ask for them beside.
"""
_ACTOR: Final = Statement(
    "user.actor",
    f"WITH RECURSIVE k (id) AS (SELECT id FROM users WHERE id = $1), {_POWERS}",  # noqa: S608 - constants
)
_BEARER: Final = Statement(
    "user.bearer",
    "WITH RECURSIVE k (id, intent, expires, expiring) AS"  # noqa: S608 - constants
    f" (SELECT user_id, intent, expires, expiring FROM tokens WHERE key_digest = $1), {_POWERS}"
    " UNION ALL SELECT 't', CAST(k.id AS TEXT), k.intent,"
    " CASE WHEN k.expiring THEN CAST(k.expires AS TEXT) ELSE '' END, '', '' FROM k",
)


async def actor_of(state: State, pk: int, *, session: str = "", means: str = "") -> Actor | None:
    """Who acts, with every power they hold through groups, their ancestors and roles; None when inactive or gone.

    One query, however deep the hierarchy. The settings are as new as its answer afterwards.
    """
    rows = await _powers(state, _ACTOR, pk)
    return actor_from(state, pk, rows, session=session, means=means)


class Bearer(NamedTuple):
    """What the key of a token opens.

    :param expires: when it ends, microseconds since 1970; None for never.
    :param actor: the token's user with every power, None when inactive.
    """

    intent: str
    expires: int | None
    actor: Actor | None


async def bearer(state: State, digest: str) -> Bearer | None:
    """The token whose key has this fingerprint, with its user; one query, and the settings are as new as its answer."""
    rows = await _powers(state, _BEARER, digest)
    token = next((row for row in rows if row[0] == "t"), None)
    if token is None:
        return None
    rest = [row for row in rows if row is not token]
    actor = actor_from(state, int(str(token[1])), rest, session="", means="token")
    return Bearer(str(token[2]), int(str(token[3])) if token[3] else None, actor)


async def _powers(state: State, statement: Statement, of: int | str) -> list[Row]:
    rows = await state.store.fetch(statement, of)
    await state.reach(max((int(str(row[1])) for row in rows if row[0] == "s"), default=0))
    return [row for row in rows if row[0] != "s"]


def actor_from(state: State, pk: int, rows: Sequence[Row], *, session: str, means: str) -> Actor | None:
    """The :class:`Actor` that the rows of one actor query describe."""
    person: Row | None = None
    groups: set[str] = set()
    roles: set[str] = set()
    superuser = False
    for row in rows:
        if row[0] == "u":
            person = row
        elif row[0] == "g":
            groups.add(str(row[1]))
            superuser = superuser or row[2] == "1"
        else:
            roles.add(str(row[1]))
    if person is None:
        return None
    held = [role for pk in roles if (role := state.settings.get(ROLE, pk))]
    return Actor(
        pk=pk,
        username=str(person[1]),
        uuid=str(person[2]),
        name=str(person[3]),
        email=str(person[4]),
        type=str(person[5]),
        is_superuser=superuser,
        permissions=frozenset(name for role in held for name in role.permissions),
        groups=frozenset(groups),
        session=session,
        means=means,
        roles=frozenset(roles),
        partial=frozenset(name for role in held for name in role.objects),
        initial=initial.of_roles(state, state.settings, roles),
    )
