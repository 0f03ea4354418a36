"""The SQL of settings documents, of their change log and of reserved integers; the same for both engines."""

from collections.abc import Sequence
from typing import Final

from keystead.store.sql import Statement
from keystead.store.unit import Write

HEAD: Final = Statement("settings.head", "SELECT seq FROM settings_head")
DOCUMENTS: Final = Statement("settings.all", "SELECT seq, kind, id, doc FROM settings ORDER BY seq")
CHANGES: Final = Statement(
    "settings.changes", "SELECT seq, kind, id, doc FROM settings_changes WHERE seq > $1 ORDER BY seq"
)
ADVANCE: Final = Statement("settings.advance", "UPDATE settings_head SET seq = $2 WHERE seq = $1")
PUT: Final = Statement(
    "settings.put",
    "INSERT INTO settings (id, kind, doc, seq) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (id) DO UPDATE SET doc = excluded.doc, seq = excluded.seq",
)
REMOVE: Final = Statement("settings.remove", "DELETE FROM settings WHERE id = $1")
LOG: Final = Statement(
    "settings.log", "INSERT INTO settings_changes (seq, kind, id, doc, at) VALUES ($1, $2, $3, $4, $5)"
)
NEXT_FREE: Final = Statement("ids.next", "SELECT next FROM id_blocks WHERE name = $1")
_OPEN: Final = Statement("ids.open", "INSERT INTO id_blocks (name, next) VALUES ($1, 1) ON CONFLICT (name) DO NOTHING")
_TAKE: Final = Statement("ids.take", "UPDATE id_blocks SET next = $2 WHERE name = $1 AND next = $3")


def open_counter(name: str) -> tuple[Write, ...]:
    """The write that makes sure a counter called ``name`` exists."""
    return (Write(_OPEN, (name,)),)


def take_block(name: str, top: int, count: int) -> tuple[Write, ...]:
    """The write that moves the counter from ``top`` on by ``count``; its guard fails when somebody was faster."""
    return (Write(_TAKE, (name, top + count, top), expect=1, guard="ids"),)


def change(base: int, at: int, documents: Sequence[tuple[str, str, str | None]]) -> tuple[Write, ...]:
    """The writes of a settings change decided on the state numbered ``base``.

    :param base: the newest change the decision has seen; the guard ``settings`` fails if there is a newer one.
    :param at: the instant, microseconds since 1970.
    :param documents: ``(kind, id, document as JSON text, or None to delete)`` each at most once an id.
    """
    writes = [Write(ADVANCE, (base, base + len(documents)), expect=1, guard="settings")]
    for seq, (kind, id_, doc) in enumerate(documents, base + 1):
        if doc is None:
            writes.append(Write(REMOVE, (id_,), expect=1, guard="settings"))
        else:
            writes.append(Write(PUT, (id_, kind, doc, seq), expect=1, guard="settings"))
        writes.append(Write(LOG, (seq, kind, id_, doc, at)))
    return tuple(writes)
