"""Event: what happened, told to those who may read it. Written by the ledger only; the API adds, never edits."""

import enum
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final, TypeAlias

import msgspec

from keystead.base.clock import instant, micros
from keystead.kinds import listing
from keystead.kinds.access import require
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Filter, Kind, Table, Verb
from keystead.kinds.marks import HIDDEN, READ_ONLY, Column, Json, Text, Uuid
from keystead.kinds.state import State
from keystead.store.sql import Value, dynamic


class EventActions(enum.StrEnum):
    """What may have happened."""

    LOGIN = "login"
    LOGIN_FAILED = "login_failed"
    LOGOUT = "logout"
    USER_WRITE = "user_write"
    USER_OFFBOARDED = "user_offboarded"
    SUSPICIOUS_REQUEST = "suspicious_request"
    PASSWORD_SET = "password_set"  # noqa: S105 - a word of the contract
    SECRET_VIEW = "secret_view"  # noqa: S105 - as above
    SECRET_ROTATE = "secret_rotate"  # noqa: S105 - as above
    INVITATION_USED = "invitation_used"
    AUTHORIZE_APPLICATION = "authorize_application"
    SOURCE_LINKED = "source_linked"
    IMPERSONATION_STARTED = "impersonation_started"
    IMPERSONATION_ENDED = "impersonation_ended"
    FLOW_EXECUTION = "flow_execution"
    POLICY_EXECUTION = "policy_execution"
    POLICY_EXCEPTION = "policy_exception"
    PROPERTY_MAPPING_EXCEPTION = "property_mapping_exception"
    SYSTEM_TASK_EXECUTION = "system_task_execution"
    SYSTEM_TASK_EXCEPTION = "system_task_exception"
    SYSTEM_EXCEPTION = "system_exception"
    CONFIGURATION_ERROR = "configuration_error"
    CONFIGURATION_WARNING = "configuration_warning"
    MODEL_CREATED = "model_created"
    MODEL_UPDATED = "model_updated"
    MODEL_DELETED = "model_deleted"
    EMAIL_SENT = "email_sent"
    UPDATE_AVAILABLE = "update_available"
    EXPORT_READY = "export_ready"
    REVIEW_INITIATED = "review_initiated"
    REVIEW_OVERDUE = "review_overdue"
    REVIEW_ATTESTED = "review_attested"
    REVIEW_COMPLETED = "review_completed"
    ACCESS_REQUEST_CREATED = "access_request_created"
    ACCESS_REQUEST_APPROVED = "access_request_approved"
    ACCESS_REQUEST_DENIED = "access_request_denied"
    ACCESS_REQUEST_REVOKED = "access_request_revoked"
    CUSTOM = "custom_"


EventAction: TypeAlias = Annotated[str, msgspec.Meta(title="EventActions")]
"""What happened, as it is kept: one of :class:`EventActions`, or a word of an expression's own."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened.

    :param context: what is known about it; nothing secret.
    :param owner: the user who did it.
    :param position: its place in the log, rising.
    """

    pk: Annotated[Uuid, READ_ONLY, Column("id")]
    user: Annotated[Json, Column("actor")] = {}
    action: EventAction
    app: Text
    context: Json = {}
    client_ip: str | None = None
    created: Annotated[datetime, READ_ONLY]
    expires: Annotated[datetime, READ_ONLY]
    brand: Json = {}
    owner: Annotated[int | None, HIDDEN, Column("user_pk")] = None
    position: Annotated[int, HIDDEN] = 0


class EventRequest(msgspec.Struct):
    """An event as an outpost or an administrator reports it."""

    action: EventActions
    app: Text
    context: dict[str, object] = {}
    client_ip: Text | None = None
    user: dict[str, object] = {}
    brand: dict[str, object] = {}
    expires: datetime | msgspec.UnsetType = msgspec.UNSET


class PatchedEventRequest(msgspec.Struct):
    """Some members of an event."""

    action: EventActions | msgspec.UnsetType = msgspec.UNSET
    app: Text | msgspec.UnsetType = msgspec.UNSET
    context: dict[str, object] = {}
    client_ip: Text | None = None
    user: dict[str, object] = {}
    brand: dict[str, object] = {}
    expires: datetime | msgspec.UnsetType = msgspec.UNSET


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


class TypeCreate(msgspec.Struct):
    """One thing that may be chosen."""

    name: str
    description: str
    component: str
    model_name: str
    icon_url: str = ""
    requires_enterprise: bool = False
    deprecated: bool = False


_HOUR: Final = 3_600_000_000
_LONGEST_DAYS: Final = 365


async def create(call: Call, _state: State, _obj: None, body: EventRequest) -> Answer:
    """Take in an event that an outpost or an administrator reports; who reports it is written, not what it claims."""
    require(call, EVENT, Verb.CREATE)
    changes = Changes()
    changes.event(call, body.action.value, body.app, body.context)
    row = changes.writes[-1].args
    made = {
        "pk": row[0],
        "user": msgspec.json.decode(str(row[5])),
        "action": row[1],
        "app": row[2],
        "context": msgspec.json.decode(str(row[8])),
        "client_ip": row[9],
        "created": call.at,
        "expires": instant(int(str(row[11]))),
        "brand": msgspec.json.decode(str(row[12])),
    }
    return Answer(made, status=201, changes=changes)


async def actions(_call: Call, _state: State, _obj: None, _query: Mapping[str, Sequence[str]]) -> Answer:
    """Every action there is."""
    return Answer([TypeCreate(one.value.replace("_", " ").strip().title(), "", one.value, "") for one in EventActions])


def _days(query: Mapping[str, Sequence[str]], name: str, default: int) -> int:
    text = (query.get(name) or [""])[-1]
    try:
        return max(0, min(_LONGEST_DAYS, int(float(text)))) if text else default
    except (ValueError, OverflowError):
        return default


def asked_for(call: Call, state: State, query: Mapping[str, Sequence[str]]) -> tuple[str, list[Value]]:
    """The condition over ``events t`` that the filters in ``query`` make, and its parameters."""
    conditions, values = listing.conditions_of(call, state, EVENT, query)
    return " AND ".join(["TRUE", *conditions]), values


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


def _inside(member: str, part: str) -> str:
    """A condition on a member of what an event refers to; keys are looked for with dashes or without, as text."""
    wanted = "replace({}, '-', '')" if part == "pk" else "{}"
    return f"CAST(t.context::jsonb -> '{member}' ->> '{part}' AS TEXT) = {wanted}"


FILTERS: Final = (
    Filter("action", str, sql="t.action = {}"),
    Filter("actions", EventActions, many=True, sql="t.action = ANY({}::text[])"),
    Filter("client_ip", str, sql="t.client_ip = {}"),
    Filter("username", str, sql="t.username = {}", note="Name of who did it."),
    Filter("brand_name", str, sql="t.brand::jsonb ->> 'name' = {}"),
    Filter("context_model_pk", str, sql=_inside("model", "pk"), note="Key of the object it was done to."),
    Filter("context_model_app", str, sql=_inside("model", "app")),
    Filter("context_model_name", str, sql=_inside("model", "model_name")),
    Filter("context_authorized_app", str, sql=_inside("authorized_application", "pk")),
    Filter("context_device", str, sql=_inside("device", "pk")),
)
SUMMED: Final = (
    *FILTERS,
    Filter("search", str, note="Text to look for."),
    Filter("ordering", str, note="Taken from clients that send it; the answer has an order of its own."),
)
EVENT = Kind(
    model="authentik_events.event",
    struct=Event,
    path="events/events",
    title=("Event", "Events"),
    key_name="event_uuid",
    table=Table("events", counted=True, owner="user_pk"),
    verbs=frozenset({Verb.LIST, Verb.RETRIEVE}),
    search=("username", "action", "app", "client_ip", "context"),
    order=("-created", "-position"),
    filters=FILTERS,
)
ACTIONS = (
    Action(EVENT, "POST", "", create, "create", permission="add", request=EventRequest, response=Event, status=201),
    Action(EVENT, "GET", "actions/", actions, "actions_list", permission="", response=list[TypeCreate]),
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
