"""What can be asked about events beyond reading and reporting them: figures for a dashboard, and what is never done."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, cast

import msgspec

from keystead.base import duration
from keystead.base.clock import instant, micros
from keystead.base.errors import invalid
from keystead.kinds.access import require
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter
from keystead.kinds.marks import Text
from keystead.kinds.pending import Withheld
from keystead.kinds.state import State
from keystead.people.event import (
    EVENT,
    SUMMED,
    Event,
    EventAction,
    EventActions,
    EventRequest,
    PatchedEventRequest,
    asked_for,
)
from keystead.store import Value
from keystead.store.sql import dynamic

_HOUR: Final = 3_600_000_000
_LONGEST_DAYS: Final = 365
_MOST_STEPS: Final = 16
_STEPS: Final = "count_steps"
_NEVER: Final = Withheld("Events are neither changed nor removed: a log that can be edited proves nothing.")


class EventVolume(msgspec.Struct):
    """How many events of an action an hour had."""

    action: EventAction
    time: datetime
    count: int


class Coordinate(msgspec.Struct):
    """How many events an hour had.

    :param x_cord: the hour's start, milliseconds since 1970.
    :param y_cord: events.
    """

    x_cord: int
    y_cord: int


class EventTopPerUser(msgspec.Struct):
    """How often an application was used."""

    application: dict[str, object]
    counted_events: int
    unique_users: int


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


def _days(query: Mapping[str, Sequence[str]], name: str, default: int) -> int:
    text = (query.get(name) or [""])[-1]
    try:
        return max(0, min(_LONGEST_DAYS, int(float(text)))) if text else default
    except (ValueError, OverflowError):
        return default


async def volume(call: Call, state: State, _obj: None, query: Mapping[str, Sequence[str]]) -> Answer:
    """Events an hour and action over the last days."""
    require(call, EVENT, "view")
    condition, values = asked_for(call, state, query)
    values += [micros(call.at - timedelta(days=_days(query, "history_days", 7))), _HOUR]
    since, hour = f"${len(values) - 1}", f"${len(values)}::bigint"
    text = (
        f"SELECT t.action, (t.created / {hour}) * {hour} AS hour, count(*) FROM events t"  # noqa: S608 - constant parts
        f" WHERE {condition} AND t.created > {since} GROUP BY 1, 2 ORDER BY 2, 1"
    )
    rows = await state.store.fetch(dynamic(text), *values, heavy=True)
    return Answer([EventVolume(str(row[0]), instant(int(str(row[1]))), int(str(row[2]))) for row in rows])


async def per_month(call: Call, state: State, _obj: None, query: Mapping[str, Sequence[str]]) -> Answer:
    """The older form of the volume, which some dashboards still read: hours of the last month."""
    merged = {**query, "history_days": ["30"]}
    answer = await volume(call, state, None, merged)
    points = answer.body if isinstance(answer.body, list) else []
    return Answer([Coordinate(int(point.time.timestamp() * 1000), point.count) for point in points])


async def top_per_user(call: Call, state: State, _obj: None, query: Mapping[str, Sequence[str]]) -> Answer:
    """The applications used most, by how many events and people."""
    require(call, EVENT, "view")
    if not any(text for name in ("action", "actions") for text in query.get(name, ())):
        query = {**query, "action": [EventActions.AUTHORIZE_APPLICATION.value]}
    condition, values = asked_for(call, state, query)
    values.append(max(1, _days(query, "top_n", 15)))
    text = (
        "SELECT context, count(*), count(DISTINCT user_pk) FROM (SELECT t.user_pk,"  # noqa: S608 - constant parts
        f" (t.context::jsonb ->> 'authorized_application') AS context FROM events t WHERE {condition}) e"
        f" WHERE context IS NOT NULL GROUP BY context ORDER BY 2 DESC LIMIT ${len(values)}"
    )
    rows = await state.store.fetch(dynamic(text), *values, heavy=True)
    return Answer(
        [
            EventTopPerUser(application, int(str(row[1])), int(str(row[2])))
            for row in rows
            if (application := _application(str(row[0]))) is not None
        ]
    )


def _application(text: str) -> dict[str, object] | None:
    """The reference to an application in an event; None where somebody reported something else in its place."""
    try:
        return msgspec.json.decode(text, type=dict[str, object])
    except msgspec.DecodeError:
        return None


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
    Action(
        EVENT,
        "GET",
        "volume/",
        volume,
        "volume_list",
        permission="view",
        response=list[EventVolume],
        query=(*SUMMED, Filter("history_days", int, note="How many days back; 7 unless said, 365 at most.")),
    ),
    Action(
        EVENT,
        "GET",
        "per_month/",
        per_month,
        "per_month_list",
        permission="view",
        response=list[Coordinate],
        query=SUMMED,
    ),
    Action(
        EVENT,
        "GET",
        "top_per_user/",
        top_per_user,
        "top_per_user_list",
        permission="view",
        response=list[EventTopPerUser],
        query=(*SUMMED, Filter("top_n", int, note="How many applications; 15 unless said.")),
    ),
)
