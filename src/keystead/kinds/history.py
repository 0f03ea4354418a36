"""When a settings object was made and last changed: its document does not say, the log of changes does."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from keystead.base.clock import micros
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Keys
from keystead.kinds.state import State
from keystead.store import Statement

_MADE: Final = Statement(
    "history.made", "SELECT id FROM settings_changes WHERE kind = $1 GROUP BY id HAVING min(at) = $2"
)
_CHANGED: Final = Statement(
    "history.changed", "SELECT id FROM settings_changes WHERE kind = $1 GROUP BY id HAVING max(at) = $2"
)


def moments(model: str) -> tuple[Filter, Filter]:
    """The filters ``created`` and ``last_updated`` of a settings kind whose keys are uuids."""
    return (
        Filter("created", datetime, keys=_at(_MADE, model), note="Made at this instant."),
        Filter("last_updated", datetime, keys=_at(_CHANGED, model), note="Last changed at this instant."),
    )


def _at(statement: Statement, model: str) -> Keys:
    async def keys(_call: Call, state: State, at: datetime, _query: Mapping[str, Sequence[str]]) -> set[object]:
        return {row[0] for row in await state.store.fetch(statement, model, micros(at), heavy=True)}

    return keys
