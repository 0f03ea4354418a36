"""Removal of what has expired, in small batches. Expiry is checked wherever something is used: this saves space."""

import asyncio
from datetime import datetime, timedelta
from typing import Final, NamedTuple, cast

from keystead.base.clock import micros
from keystead.kinds.changes import Changes
from keystead.kinds.state import State
from keystead.policies import unique_password
from keystead.store import Statement, Write
from keystead.store.sql import Value

BATCH: Final = 500
_BATCHES: Final = 200
"""Of one table in one run; the next run goes on."""
_PAUSE: Final = 0.02
"""Seconds between batches, for everybody else's writes."""


class Expiring(NamedTuple):
    """A table whose rows run out.

    :param condition: further conditions under which a row may go; ``$1`` is the instant.
    :param kept: how long a row that ran out is kept.
    """

    table: str
    key: str
    condition: str = ""
    kept: timedelta = timedelta()

    def statements(self) -> tuple[Statement, Statement]:
        """Which rows may go (a batch of their keys), and their removal, if they still may."""
        gone = f"expires <= $1{self.condition}"
        return (
            Statement(
                f"cleanup.{self.table}.find",
                f"SELECT {self.key} FROM {self.table} WHERE {gone} LIMIT {BATCH}",  # noqa: S608 - declared names
            ),
            Statement(
                f"cleanup.{self.table}.remove",
                f"DELETE FROM {self.table} WHERE {gone} AND {self.key} = ANY($2::{self.cast}[])",  # noqa: S608 - as above
            ),
        )

    @property
    def cast(self) -> str:
        """The type of the key's column."""
        return "bigint" if self.table in {"consents", "events"} else "text"


# A grant lives as long as the row of its session does, and a session that runs out does not end it, as a logout would:
# so that row stays while a grant needs it.
_SESSIONS: Final = (
    " AND NOT EXISTS (SELECT 1 FROM oauth_grants g WHERE g.session_id = sessions.id"
    " AND g.revoked IS NULL AND g.expires > $1)"
)
TABLES: Final = (
    Expiring("sessions", "id", _SESSIONS),
    Expiring("flow_runs", "digest"),
    Expiring("idempotency", "digest"),
    # A code that comes back betrays a thief, so the spent ones are remembered for a while (RFC 6749 §4.1.2).
    Expiring("oauth_codes", "digest", kept=timedelta(days=1)),
    Expiring("oauth_refresh_tokens", "digest"),
    Expiring("oauth_grants", "id"),
    Expiring("oauth_revoked", "jti"),
    Expiring("tokens", "id", " AND expiring"),
    Expiring("consents", "id", " AND expiring"),
    Expiring("enrollment_tokens", "id", " AND expiring"),
    Expiring("endpoint_devices", "id", " AND expiring"),
    Expiring("tasks", "id"),
    Expiring("invitations", "id"),
    Expiring("events", "position"),
    Expiring("reputation_scores", "id"),
    Expiring("data_exports", "id"),
    Expiring("spent_proofs", "digest"),
)
_STATEMENTS: Final = tuple((one, *one.statements()) for one in TABLES)


async def remove_expired(state: State) -> int:
    """Remove what has expired by now; how many rows that were.

    :raises StoreDown: the store does not answer.
    """
    at = state.clock.now()
    removed = 0
    for table, find, remove in _STATEMENTS:
        removed += await _empty(state, find, remove, at - table.kept)
    return removed


async def forget_passwords(state: State) -> int:
    """Forget the hashes of earlier passwords that no policy asks for.

    :raises StoreDown: the store does not answer.
    """
    changes = Changes()
    changes.write(unique_password.forget(await state.refresh()))
    await state.commit(changes, state.clock.now())
    return 0


async def _empty(state: State, find: Statement, remove: Statement, until: datetime) -> int:
    removed = 0
    for _ in range(_BATCHES):
        rows = await state.store.fetch(find, micros(until), heavy=True)
        if rows:
            changes = Changes()
            keys = cast("Value", [row[0] for row in rows])
            changes.write(Write(remove, (micros(until), keys)))
            await state.commit(changes, state.clock.now())
            removed += len(rows)
        if len(rows) < BATCH:
            break
        await asyncio.sleep(_PAUSE)
    return removed
