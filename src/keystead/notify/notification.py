"""Notification: something a person is told on this server."""

import enum
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec

from keystead.base import rand
from keystead.base.errors import invalid
from keystead.kinds import records
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import READ, Filter, Kind, Table, Verb
from keystead.kinds.marks import HIDDEN, READ_ONLY, Column, Ref, Uuid
from keystead.kinds.render import render
from keystead.kinds.state import State
from keystead.people.event import EVENT
from keystead.store import Statement, Write


class SeverityEnum(enum.StrEnum):
    """How much something matters."""

    NOTICE = "notice"
    WARNING = "warning"
    ALERT = "alert"


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """Something one person is told.

    :param hyperlink: where more is to be found, and what the link is called.
    :param about: the event behind it, while it is kept.
    """

    pk: Annotated[Uuid, READ_ONLY, Column("id")]
    severity: Annotated[SeverityEnum, READ_ONLY]
    body: Annotated[str, READ_ONLY]
    hyperlink: Annotated[str, msgspec.Meta(max_length=4096)] | None = None
    hyperlink_label: str | None = None
    created: Annotated[datetime, READ_ONLY]
    seen: bool = False
    user: Annotated[int, HIDDEN, Column("user_id"), Ref("authentik_core.user")]
    about: Annotated[str | None, HIDDEN, Column("event")] = None


class NotificationShown(msgspec.Struct):
    """The computed member: the event in full; absent where there is none."""

    event: Annotated[dict[str, object], msgspec.Meta(title="Event")] | msgspec.UnsetType = msgspec.UNSET


LONGEST: Final = 8192
"""Characters of a body that are kept."""
_SEEN: Final = Statement("notification.all_seen", "UPDATE notifications SET seen = $2 WHERE user_id = $1 AND NOT seen")


def told(call: Call, user: int, severity: SeverityEnum, body: str, event: str | None = None) -> Notification:
    """A new notification for ``user``, not written yet."""
    return Notification(
        pk=rand.uuid4(), severity=severity, body=body[:LONGEST], created=call.at, user=user, about=event
    )


async def view(
    call: Call, state: State, notifications: Sequence[Notification], _query: Mapping[str, Sequence[str]]
) -> list[NotificationShown]:
    """The events in full."""
    keys = sorted({one.about for one in notifications if one.about})
    events = await records.load(state.store, EVENT, "id", keys) if keys else []
    shown = {event.pk: body for event, body in zip(events, await render(call, state, EVENT, events, {}), strict=True)}
    return [NotificationShown(shown[one.about]) if one.about in shown else NotificationShown() for one in notifications]


async def rules(_call: Call, _state: State, _old: Notification | None, new: Notification) -> Notification:
    """A link leads to a page and runs nothing."""
    if new.hyperlink and not new.hyperlink.lower().startswith(("https://", "http://", "/")):
        raise invalid({"hyperlink": ["Write an http or https address, or a path that begins with a slash."]})
    return new


async def mark_all_seen(call: Call, _state: State, _obj: None, _body: object) -> Answer:
    """Mark every notification of the caller as seen."""
    changes = Changes()
    changes.write(Write(_SEEN, (call.actor.pk, True)))
    return Answer(status=204, changes=changes)


NOTIFICATION: Kind[Notification] = Kind(
    model="authentik_events.notification",
    struct=Notification,
    path="events/notifications",
    title=("Notification", "Notifications"),
    key_name="uuid",
    table=Table("notifications", owner="user_id"),
    verbs=READ | {Verb.UPDATE, Verb.PARTIAL_UPDATE, Verb.DESTROY},
    shown=NotificationShown,
    ignored=(("event", "EventRequest"),),
    view=view,
    rules=rules,
    search=("body",),
    order=("-created",),
    filters=(
        "body",
        "created",
        Filter("event", Uuid, sql="t.event = {}", note="About this event."),
        "seen",
        "severity",
        Filter("user", int, sql="t.user_id = {}", note="For this user."),
    ),
)
ACTIONS = (
    Action(
        NOTIFICATION,
        "POST",
        "mark_all_seen/",
        mark_all_seen,
        "mark_all_seen_create",
        permission="",
        status=204,
    ),
)
