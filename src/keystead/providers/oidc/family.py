"""Families: one grant and every token that descends from it. Their rows, and the writes that make, use and end them.

Access tokens are kept nowhere. They name their grant (claim ``uid``), so one indexed read tells whether they still
count: the grant stands, its person is active, the session it was given in was not ended, and the token itself was not
revoked.
"""

from typing import Final, cast

import msgspec

from keystead.base.clock import micros
from keystead.base.secret import fingerprint
from keystead.kinds import records
from keystead.kinds.call import Call
from keystead.kinds.state import State
from keystead.people.person import Person, person_from, with_groups
from keystead.people.user import USER
from keystead.providers.oidc.standing import FOREVER, Code, Proof, Refresh, Standing, Terms
from keystead.store import Row, Statement, Write

_USER: Final = f"{records.columns(USER)}, @groups"


_CODE: Final = with_groups(
    "oauth.code",
    "SELECT c.grant_id, c.provider, c.session_id, c.request, c.expires, c.redeemed,"  # noqa: S608 - declared names
    f" c.session_id IS NOT NULL AND s.id IS NULL, {_USER}"
    " FROM oauth_codes c JOIN users t ON t.id = c.user_id LEFT JOIN sessions s ON s.id = c.session_id"
    " WHERE c.digest = $1",
)
_GRANT_COLUMNS: Final = (
    "g.id, g.provider, g.session_id, g.scope, g.auth, g.created, g.expires,"
    " g.revoked IS NOT NULL OR g.expires <= $2 OR (g.session_id IS NOT NULL AND s.id IS NULL)"
)
_LIVE: Final = with_groups(
    "oauth.live",
    f"SELECT x.jti IS NOT NULL, {_GRANT_COLUMNS}, {_USER}"  # noqa: S608 - declared names
    " FROM oauth_grants g JOIN users t ON t.id = g.user_id LEFT JOIN sessions s ON s.id = g.session_id"
    " LEFT JOIN oauth_revoked x ON x.jti = $3 WHERE g.id = $1",
)
_REFRESH: Final = with_groups(
    "oauth.refresh",
    "SELECT r.expires, n.created, EXISTS (SELECT 1 FROM oauth_refresh_tokens m WHERE m.parent = n.digest),"  # noqa: S608 - declared names
    f" {_GRANT_COLUMNS}, {_USER}"
    " FROM oauth_refresh_tokens r JOIN oauth_grants g ON g.id = r.grant_id JOIN users t ON t.id = g.user_id"
    " LEFT JOIN oauth_refresh_tokens n ON n.parent = r.digest LEFT JOIN sessions s ON s.id = g.session_id"
    " WHERE r.digest = $1",
)
_MACHINE: Final = with_groups(
    "oauth.machine",
    f"SELECT g.id IS NOT NULL, {_USER} FROM users t LEFT JOIN oauth_grants g ON g.id = $2 WHERE t.username = $1",  # noqa: S608 - declared names
)
_NEW_CODE: Final = with_groups(
    "oauth.new_code",
    "INSERT INTO oauth_codes (digest, grant_id, provider, user_id, session_id, request, created, expires)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
)
# One guarded update: of any number of redemptions at once exactly one touches the row, the others find a replay. The
# spent row stays, so a replay is known for one as long as the row lives (RFC 9700 §4.5).
_REDEEM: Final = Statement(
    "oauth.redeem", "UPDATE oauth_codes SET redeemed = $2 WHERE digest = $1 AND redeemed IS NULL AND expires > $2"
)
_BURN: Final = Statement("oauth.burn", "UPDATE oauth_codes SET redeemed = $2 WHERE digest = $1 AND redeemed IS NULL")
_NEW_GRANT: Final = Statement(
    "oauth.new_grant",
    "INSERT INTO oauth_grants (id, provider, user_id, session_id, scope, auth, created, expires)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
)
_STANDING_GRANT: Final = Statement("oauth.standing_grant", f"{_NEW_GRANT.text} ON CONFLICT (id) DO NOTHING")
_REVOKE: Final = Statement("oauth.revoke", "UPDATE oauth_grants SET revoked = $2 WHERE id = $1 AND revoked IS NULL")
_REVOKE_SESSION: Final = Statement(
    "oauth.revoke_session",
    "UPDATE oauth_grants SET revoked = $3 WHERE session_id = $1 AND provider = $2 AND revoked IS NULL",
)
_REVOKE_TOKEN: Final = Statement(
    "oauth.revoke_token", "INSERT INTO oauth_revoked (jti, expires) VALUES ($1, $2) ON CONFLICT (jti) DO NOTHING"
)
_FORGET_CODES: Final = Statement("oauth.forget_codes", "DELETE FROM oauth_codes WHERE user_id = $1")
_FORGET_GRANTS: Final = Statement("oauth.forget_grants", "DELETE FROM oauth_grants WHERE user_id = $1")
# A refresh token is used up by having a successor, and it can have only one: a single insert rotates, and whoever loses
# the race inserts nothing.
_NEW_REFRESH: Final = with_groups(
    "oauth.new_refresh",
    "INSERT INTO oauth_refresh_tokens (digest, grant_id, user_id, parent, created, expires)"
    " VALUES ($1, $2, $3, $4, $5, $6)"
    " ON CONFLICT (parent) DO NOTHING",
)


_KEPT: Final = 500
"""People who are kept as they were read: as long as their columns stay the same, so do they."""


def _person(state: State, row: Row) -> Person:
    """The person in the columns of ``_USER``."""
    kept: dict[Row, Person] = state.settings.kept("oidc.people", _KEPT)
    found = kept.get(row)
    if found is None:
        # The user's own list of groups stays empty: who is asked for here is asked through Person.
        user = records.from_row(USER, row[:-1], {"groups": (), "roles": ()})
        found = kept[row] = person_from(state, user, cast("str | None", row[-1]))
    return found


def _standing(state: State, row: Row) -> Standing:
    return Standing(
        grant_id=str(row[0]),
        provider=cast("int", row[1]),
        session=cast("str | None", row[2]),
        scope=tuple(str(row[3]).split()),
        proof=msgspec.json.decode(cast("str", row[4]), type=Proof),
        created=cast("int", row[5]),
        expires=cast("int", row[6]),
        ended=bool(row[7]),
        person=_person(state, row[8:]),
    )


async def code(state: State, value: str) -> Code | None:
    """The code ``value``, redeemed or not, as long as its row lives."""
    row = await state.store.fetch_one(_CODE, fingerprint(value))
    if row is None:
        return None
    return Code(
        grant_id=str(row[0]),
        provider=cast("int", row[1]),
        session=cast("str | None", row[2]),
        asked=msgspec.json.decode(cast("str", row[3]), type=Terms),
        expires=cast("int", row[4]),
        redeemed=cast("int | None", row[5]),
        ended=bool(row[6]),
        person=_person(state, row[7:]),
    )


async def live(call: Call, state: State, grant_id: str, jti: str) -> Standing | None:
    """The grant of an access token, if the token still counts; None if not, whatever the reason."""
    row = await state.store.fetch_one(_LIVE, grant_id, micros(call.at), jti)
    if row is None or row[0]:
        return None
    found = _standing(state, row[1:])
    return found if not found.ended and found.user.is_active else None


async def refresh(call: Call, state: State, value: str) -> Refresh | None:
    """The refresh token ``value``, used or not."""
    row = await state.store.fetch_one(_REFRESH, fingerprint(value), micros(call.at))
    if row is None:
        return None
    return Refresh(cast("int", row[0]), cast("int | None", row[1]), bool(row[2]), _standing(state, row[3:]))


async def machine(state: State, username: str, grant_id: str) -> tuple[Person, bool] | None:
    """The person with this name, and whether their standing grant exists."""
    row = await state.store.fetch_one(_MACHINE, username, grant_id)
    return (_person(state, row[1:]), bool(row[0])) if row else None


def new_code(
    call: Call, value: str, *, grant_id: str, provider: int, user: int, session: str | None, asked: Terms, expires: int
) -> Write:
    """The write that keeps a code; ``expires`` in microseconds."""
    text = msgspec.json.encode(asked).decode()
    at = micros(call.at)
    return Write(_NEW_CODE, (fingerprint(value), grant_id, provider, user, session, text, at, expires))


def redeem(call: Call, value: str) -> Write:
    """The write that uses a code up; its guard ``code`` fails when it was used up before or has run out."""
    return Write(_REDEEM, (fingerprint(value), micros(call.at)), expect=1, guard="code")


def burn(call: Call, value: str) -> Write:
    """The write that makes a code worthless."""
    return Write(_BURN, (fingerprint(value), micros(call.at)))


def new_grant(
    call: Call,
    grant_id: str,
    *,
    provider: int,
    user: int,
    session: str | None,
    scope: tuple[str, ...],
    proof: Proof,
    expires: int,
) -> Write:
    """The write that keeps a grant; with ``expires`` :data:`FOREVER` it may exist already."""
    values = (
        grant_id,
        provider,
        user,
        session,
        " ".join(scope),
        msgspec.json.encode(proof).decode(),
        micros(call.at),
        expires,
    )
    return Write(_STANDING_GRANT if expires == FOREVER else _NEW_GRANT, values)


def revoke(call: Call, grant_id: str) -> Write:
    """The write that ends a grant and with it every token of its family."""
    return Write(_REVOKE, (grant_id, micros(call.at)))


def revoke_session(call: Call, session: str, provider: int) -> Write:
    """The write that ends what a provider was granted in a session."""
    return Write(_REVOKE_SESSION, (session, provider, micros(call.at)))


def forget(user: int) -> tuple[Write, ...]:
    """The writes after which no application holds a code or a grant of this user; new ones begin afresh."""
    return Write(_FORGET_CODES, (user,)), Write(_FORGET_GRANTS, (user,))


def revoke_token(jti: str, expires: int) -> Write:
    """The write that ends one access token; ``expires`` (microseconds) is when the row may go."""
    return Write(_REVOKE_TOKEN, (jti, expires))


def new_refresh(call: Call, value: str, *, grant_id: str, user: int, parent: str | None, expires: int) -> Write:
    """The write that keeps a refresh token.

    :param parent: the token it replaces; the guard ``refresh`` fails when that one was replaced already.
    :param expires: microseconds.
    """
    before = fingerprint(parent) if parent else None
    values = (fingerprint(value), grant_id, user, before, micros(call.at), expires)
    return Write(_NEW_REFRESH, values, expect=1, guard="refresh")
