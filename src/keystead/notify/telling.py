"""Telling people of an event by transports, each in its way: on this server, by mail, by webhook."""

from collections.abc import Sequence
from typing import Final

from keystead.base import log
from keystead.kinds import outbox
from keystead.kinds.access import system
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State
from keystead.notify import mail, webhook
from keystead.notify.mail import TRANSPORT
from keystead.notify.mapping import NOTIFICATION_WEBHOOK_MAPPING
from keystead.notify.notification import NOTIFICATION, SeverityEnum, told
from keystead.notify.transport import (
    NOTIFICATION_TRANSPORT,
    WEBHOOKS,
    NotificationTransport,
    Reader,
    TransportModeEnum,
    mailed,
)
from keystead.people.event import Event, EventActions
from keystead.people.person import person_of
from keystead.people.user import User

_LOG = log.get("notify")
_AWAY: Final = WEBHOOKS | {TransportModeEnum.EMAIL}
_NOTHING: Final = frozenset[TransportModeEnum]()
_BY_TOPIC: Final = {mail.TOPIC: frozenset({TransportModeEnum.EMAIL}), webhook.TOPIC: WEBHOOKS}


def ways(settings: Snapshot, pks: Sequence[str]) -> list[NotificationTransport]:
    """The transports of these keys that there are."""
    return [one for pk in pks if (one := settings.get(NOTIFICATION_TRANSPORT, pk)) is not None]


def _silent(event: Event) -> frozenset[TransportModeEnum]:
    """By which ways an event is not told, because telling of it would lead to the next like it, without an end."""
    if TRANSPORT in event.context:
        return _AWAY if event.action == EventActions.EMAIL_SENT else WEBHOOKS
    if event.action == EventActions.SYSTEM_TASK_EXCEPTION:
        return _BY_TOPIC.get(str(event.context.get(outbox.TOPIC)), _NOTHING)
    return _NOTHING


async def tell_by(
    call: Call,
    state: State,
    changes: Changes,
    by: Sequence[NotificationTransport],
    whom: Sequence[User],
    severity: SeverityEnum,
    text: str,
    event: Event,
) -> None:
    """Add to ``changes`` that all of ``whom`` are told ``text`` about ``event``, by all ways."""
    local = [one for one in by if one.mode is TransportModeEnum.LOCAL]
    here = whom if local else []
    for reader in here[:1] if all(one.send_once for one in local) else here:
        # On the authority of whoever wrote down that they are told.
        changes.create(system(call, NOTIFICATION, "add"), told(call, reader.pk, severity, text, event.pk), quiet=True)
    silent = _silent(event)
    for way in by:
        if way.mode in silent:
            continue
        if way.mode is TransportModeEnum.EMAIL:
            _mail(call, state, changes, way, whom, severity, text)
        elif way.mode in WEBHOOKS:
            await _post(call, state, changes, way, whom[:1] if way.send_once else whom, severity, text, event)


def _mail(
    call: Call,
    state: State,
    changes: Changes,
    way: NotificationTransport,
    whom: Sequence[User],
    severity: SeverityEnum,
    text: str,
) -> None:
    """Letters by one transport; who has no address gets none."""
    readers = [Reader(one.email, one.name, one.username) for one in whom if one.email]
    try:
        letters = [
            mail.letter(state, mailed(call, way, reader, severity, text), call.at)
            for reader in (readers[:1] if way.send_once else readers)
        ]
    except mail.TemplateError as exc:
        # An event that told of this would be told of in the same way.
        _LOG.warning("a notification cannot be mailed", transport=way.name, reason=str(exc))
        return
    changes.write(*letters)


async def _post(
    call: Call,
    state: State,
    changes: Changes,
    way: NotificationTransport,
    whom: Sequence[User],
    severity: SeverityEnum,
    text: str,
    event: Event,
) -> None:
    """Parcels by one transport; a mapping that fails is told of once."""
    for user in whom:
        given = webhook.Told(severity, text, event, await person_of(state, user), call.at)
        try:
            parcel = webhook.packed(call, way, given)
        except webhook.MappingError as exc:
            about = (NOTIFICATION_WEBHOOK_MAPPING, exc.mapping)
            context = {"message": f"The mapping {exc}", TRANSPORT: way.pk}
            changes.event(call, EventActions.PROPERTY_MAPPING_EXCEPTION, about[0].app, context, about=about)
            return
        if parcel is not None:
            changes.write(webhook.post(state, parcel, call.at))
