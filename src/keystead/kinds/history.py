"""When a settings object was made and last changed: its document does not say, the log of changes does."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from keystead.base.clock import micros
from keystead.base.errors import invalid
from keystead.kinds.call import Call
from keystead.kinds.field import plain
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
        Filter("created", datetime, keys=_at("created", _MADE, model), note="Made at this instant."),
        Filter("last_updated", datetime, keys=_at("last_updated", _CHANGED, model), note="Last changed at this instant."),
    )


def _at(name: str, statement: Statement, model: str) -> Keys:
    async def keys(_call: Call, state: State, query: Mapping[str, Sequence[str]]) -> set[object]:
        try:
            at = msgspec.convert(query[name][-1], datetime, strict=False)
        except msgspec.ValidationError as exc:
            raise invalid({name: [plain(exc)]}) from None
        return {row[0] for row in await state.store.fetch(statement, model, micros(at), heavy=True)}

    return keys
