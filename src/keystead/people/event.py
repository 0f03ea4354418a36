"""Event: what happened, told to those who may read it. Written by the ledger only; the API adds, never edits."""

import enum
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, TypeAlias

import msgspec

from keystead.base.clock import instant
from keystead.kinds import listing
from keystead.kinds.access import require
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Filter, Kind, Table, Verb
from keystead.kinds.marks import HIDDEN, READ_ONLY, Column, Json, Text, Uuid
from keystead.kinds.state import State
from keystead.store.sql import Value


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


class TypeCreate(msgspec.Struct):
    """One thing that may be chosen."""

    name: str
    description: str
    component: str
    model_name: str
    icon_url: str = ""
    requires_enterprise: bool = False
    deprecated: bool = False


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


def asked_for(call: Call, state: State, query: Mapping[str, Sequence[str]]) -> tuple[str, list[Value]]:
    """The condition over ``events t`` that the filters in ``query`` make, and its parameters."""
    conditions, values = listing.conditions_of(call, state, EVENT, query)
    return " AND ".join(["TRUE", *conditions]), values


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
)
