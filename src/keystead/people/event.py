"""Event: what happened, told to those who may read it. Written by the ledger only; the API adds, never edits."""

import enum
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec

from keystead.base.clock import instant, micros
from keystead.kinds.access import require
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Action, Answer, Filter, Kind, Table, Verb
from keystead.kinds.marks import HIDDEN, READ_ONLY, Column, Json, Text, Uuid
from keystead.kinds.state import State
from keystead.store.sql import dynamic


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


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened.

    :param context: what is known about it; nothing secret.
    :param position: its place in the log, rising.
    """

    pk: Annotated[Uuid, READ_ONLY, Column("id")]
    user: Annotated[Json, Column("actor")] = {}
    action: str
    app: Text
    context: Json = {}
    client_ip: str | None = None
    created: Annotated[datetime, READ_ONLY]
    expires: datetime | None = None
    brand: Json = {}
    position: Annotated[int, HIDDEN] = 0


class EventRequest(msgspec.Struct):
    """An event as an outpost or an administrator reports it."""

    action: EventActions
    app: Text
    context: dict[str, object] = {}
    client_ip: str | None = None
    user: dict[str, object] = {}
    brand: dict[str, object] = {}
    expires: datetime | None = None


class EventVolume(msgspec.Struct):
    """How many events of an action an hour had."""

    action: str
    time: datetime
    count: int


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


async def create(call: Call, state: State, _obj: None, body: EventRequest) -> Answer:
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


async def volume(call: Call, state: State, _obj: None, query: Mapping[str, Sequence[str]]) -> Answer:
    """Events an hour and action over the last ``history_days`` (7), of ``action`` or ``actions`` only if given."""
    require(call, EVENT, "view")
    wanted = [text for name in ("action", "actions") for text in query.get(name, ()) if text]
    since = micros(call.at - timedelta(days=_days(query, "history_days", 7)))
    condition = " AND action = ANY($3::text[])" if wanted else ""
    text = (
        f"SELECT action, (created / $2::bigint) * $2::bigint AS hour, count(*) FROM events"  # noqa: S608 - constant parts
        f" WHERE created > $1{condition} GROUP BY 1, 2 ORDER BY 2, 1"
    )
    values = (since, _HOUR, wanted) if wanted else (since, _HOUR)
    rows = await state.store.fetch(dynamic(text), *values, heavy=True)
    return Answer([EventVolume(str(row[0]), instant(int(str(row[1]))), int(str(row[2]))) for row in rows])


async def per_month(call: Call, state: State, _obj: None, query: Mapping[str, Sequence[str]]) -> Answer:
    """The older form of :func:`volume` that some dashboards still read: hours of the last month as ``x_cord, y_cord``."""
    merged = {**query, "history_days": ["30"]}
    answer = await volume(call, state, None, merged)
    points = answer.body if isinstance(answer.body, list) else []
    return Answer([{"x_cord": int(point.time.timestamp() * 1000), "y_cord": point.count} for point in points])


async def top_per_user(call: Call, state: State, _obj: None, query: Mapping[str, Sequence[str]]) -> Answer:
    """The applications used most, by how many events and people; ``top_n`` (15) of them."""
    require(call, EVENT, "view")
    action = (query.get("action") or ["authorize_application"])[-1] or "authorize_application"
    text = (
        "SELECT context, count(*), count(DISTINCT user_pk) FROM (SELECT user_pk,"
        " (context::jsonb ->> 'authorized_application') AS context FROM events WHERE action = $1) e"
        " WHERE context IS NOT NULL GROUP BY context ORDER BY 2 DESC LIMIT $2"
    )
    rows = await state.store.fetch(dynamic(text), action, max(1, _days(query, "top_n", 15)), heavy=True)
    return Answer(
        [
            EventTopPerUser(
                msgspec.json.decode(str(row[0]), type=dict[str, object]), int(str(row[1])), int(str(row[2]))
            )
            for row in rows
        ]
    )


def _inside(*path: str) -> str:
    quoted = "t.context::jsonb" + "".join(f" -> '{part}'" for part in path[:-1]) + f" ->> '{path[-1]}'"
    return f"{quoted} = {{}}"


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
    filters=(
        "action",
        "client_ip",
        Filter("actions", str, many=True, sql="t.action = ANY({}::text[])"),
        Filter("username", str, sql="t.username = {}"),
        Filter("brand_name", str, sql="t.brand::jsonb ->> 'name' = {}"),
        Filter("context_model_pk", str, sql=_inside("model", "pk")),
        Filter("context_model_app", str, sql=_inside("model", "app")),
        Filter("context_model_name", str, sql=_inside("model", "model_name")),
        Filter("context_authorized_app", str, sql=_inside("authorized_application", "pk")),
    ),
)
ACTIONS = (
    Action(EVENT, "POST", "", create, "create", permission="add", request=EventRequest, response=Event, status=201),
    Action(EVENT, "GET", "actions/", actions, "actions_list", permission="", response=list[TypeCreate]),
    Action(EVENT, "GET", "volume/", volume, "volume_list", permission="view", response=list[EventVolume]),
    Action(EVENT, "GET", "per_month/", per_month, "per_month_list", permission="view"),
    Action(
        EVENT,
        "GET",
        "top_per_user/",
        top_per_user,
        "top_per_user_list",
        permission="view",
        response=list[EventTopPerUser],
    ),
)
