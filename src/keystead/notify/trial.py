"""Trials of transports: the caller is told something, in the way in which others would be."""

from typing import Final

import msgspec

from keystead.base.errors import invalid
from keystead.base.outbound import Unreached
from keystead.kinds.access import system
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.state import State
from keystead.notify import webhook
from keystead.notify.mail import TemplateError, letter
from keystead.notify.notification import NOTIFICATION, SeverityEnum, told
from keystead.notify.transport import (
    NOTIFICATION_TRANSPORT,
    WEBHOOKS,
    NotificationTransport,
    Reader,
    TransportModeEnum,
    mailed,
)
from keystead.people.person import person_by_pk


class NotificationTransportTest(msgspec.Struct):
    """What became of a trial."""

    messages: list[str]


async def trial(call: Call, state: State, transport: NotificationTransport, _query: object) -> Answer:
    """Tell the caller something by this transport.

    :raises Problem: ``INVALID``: it cannot be, and why.
    """
    text = f"Trial of {transport.name}."
    if transport.mode in WEBHOOKS:
        return Answer(NotificationTransportTest([await _sent(call, state, transport, text)]))
    changes = Changes()
    if transport.mode is TransportModeEnum.EMAIL:
        to = Reader(call.actor.email, call.actor.name, call.actor.username)
        if not to.email:
            raise invalid({"non_field_errors": ["You have no e-mail address to which a trial could go."]})
        try:
            changes.write(letter(state, mailed(call, transport, to, SeverityEnum.NOTICE, text), call.at))
        except TemplateError as exc:
            raise invalid({"email_template": [str(exc)]}) from None
        said = f"A mail to {to.email} is on its way; the event log tells when it has left."
        return Answer(NotificationTransportTest([said]), changes=changes)
    # On the authority of whoever may change the transport, and to them alone.
    power = system(call, NOTIFICATION, "add")
    changes.create(power, told(call, call.actor.pk, SeverityEnum.NOTICE, text), quiet=True)
    return Answer(NotificationTransportTest(["The notification is among yours."]), changes=changes)


async def _sent(call: Call, state: State, transport: NotificationTransport, text: str) -> str:
    """Send it at once, so that the caller sees what the receiver makes of it."""
    reader = await person_by_pk(state, call.actor.pk)
    try:
        parcel = webhook.packed(call, transport, webhook.Told(SeverityEnum.NOTICE, text, None, reader, call.at))
        if parcel is None:
            return "The mapping for the body returned nothing, so nothing was sent."
        return f"It is taken, with status {await webhook.send(state, call.settings, transport, parcel)}."
    except webhook.MappingError as exc:
        body = exc.mapping.pk == transport.webhook_mapping_body
        raise invalid({f"webhook_mapping_{'body' if body else 'headers'}": [f"The mapping {exc}."]}) from None
    except webhook.Undelivered as exc:
        raise invalid({"webhook_url": [str(exc)]}) from None
    except Unreached as exc:
        # What can be reached from here is for those who may know it (decisions 12 and 13).
        raise invalid({"webhook_url": [f"{exc} ({exc.reason})" if call.actor.is_superuser else str(exc)]}) from None


ACTIONS: Final = (
    Action(
        NOTIFICATION_TRANSPORT,
        "POST",
        "{key}/test/",
        trial,
        "test_create",
        also=((500, "The test broke off."),),
        permission="change",
        response=NotificationTransportTest,
    ),
)
