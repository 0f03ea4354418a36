"""What can be asked about events beyond reading and reporting them: figures for a dashboard, and what is never done."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final, cast

import msgspec

from keystead.base import duration
from keystead.base.clock import micros
from keystead.base.errors import invalid
from keystead.kinds.access import require
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter
from keystead.kinds.marks import Text
from keystead.kinds.pending import Withheld
from keystead.kinds.state import State
from keystead.people.event import EVENT, SUMMED, Event, EventRequest, PatchedEventRequest, asked_for
from keystead.store import Value
from keystead.store.sql import dynamic

_MOST_STEPS: Final = 16
_STEPS: Final = "count_steps"
_NEVER: Final = Withheld("Events are neither changed nor removed: a log that can be edited proves nothing.")


class EventStats(msgspec.Struct):
    """Figures about the events asked for.

    :param unique_users: how many people were behind them.
    :param count_step: length of time -> how many happened within it up to now.
    """

    unique_users: int
    count_step: dict[str, object]


def _steps(query: Mapping[str, Sequence[str]]) -> dict[str, timedelta]:
    """The lengths of time that are asked for.

    :raises Problem: ``INVALID``: one is none, or they are too many.
    """
    texts = [text for text in query.get(_STEPS, ()) if text]
    if len(texts) > _MOST_STEPS:
        raise invalid({_STEPS: [f"At most {_MOST_STEPS} lengths of time are counted at once."]})
    try:
        return {text: duration.parse(text) for text in texts}
    except ValueError as exc:
        raise invalid({_STEPS: [str(exc)]}) from None


async def stats(call: Call, state: State, _obj: None, query: Mapping[str, Sequence[str]]) -> Answer:
    """How many events there were within lengths of time up to now, and how many people were behind all of them."""
    require(call, EVENT, "view")
    steps = _steps(query)
    condition, given = asked_for(call, state, query)
    values: list[Value] = list(given)
    counts = []
    for length in steps.values():
        try:
            values.append(micros(call.at - length))
        except OverflowError:
            values.append(0)
        counts.append(f", count(CASE WHEN t.created > ${len(values)} THEN 1 END)")
    text = f"SELECT count(DISTINCT t.user_pk){''.join(counts)} FROM events t WHERE {condition}"  # noqa: S608 - constant parts
    (row,) = await state.store.fetch(dynamic(text), *values, heavy=True)
    people, *found = (int(cast("int", value)) for value in row)
    return Answer(EventStats(people, dict(zip(steps, found, strict=True))))


ACTIONS = (
    Action(
        EVENT,
        "GET",
        "stats/",
        stats,
        "stats_retrieve",
        permission="view",
        response=EventStats,
        query=(
            *SUMMED,
            Filter(
                _STEPS,
                Text,
                many=True,
                note="Lengths of time up to now, such as `hours=24`, within which events are counted.",
            ),
        ),
    ),
    Action(EVENT, "PUT", "{key}/", _NEVER, "update", request=EventRequest, response=Event),
    Action(EVENT, "PATCH", "{key}/", _NEVER, "partial_update", request=PatchedEventRequest, response=Event),
    Action(EVENT, "DELETE", "{key}/", _NEVER, "destroy", permission="delete", status=204),
)
