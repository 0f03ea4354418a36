"""Webhooks: what a transport sends to its address when something happened, and sending it.

Whoever wants something sent puts :func:`post` into their unit; the worker calls :func:`deliver`. What is sent is
settled when the event is told of; where to, when it is sent. The address may hold a secret of the receiver's: nothing
repeats it.
"""

import re
import ssl
from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from keystead.base.outbound import OURS, Unreached
from keystead.kinds import outbox
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.outbox import Message
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State
from keystead.notify.mapping import NOTIFICATION_WEBHOOK_MAPPING, NotificationWebhookMapping
from keystead.notify.notification import LONGEST, SeverityEnum
from keystead.notify.transport import NOTIFICATION_TRANSPORT, WEBHOOKS, NotificationTransport, TransportModeEnum
from keystead.people.brand import brand_for
from keystead.people.event import Event
from keystead.people.person import Person
from keystead.policies.judge import Request
from keystead.policies.plain import plain
from keystead.policies.sandbox import ExpressionError, View, make_view
from keystead.policies.values import evaluate_mapping, event_view, names_for_mapping, user_view
from keystead.store import Write
from keystead.trust import tls
from keystead.trust.keypair import KEYPAIR

TOPIC: Final = "webhook"
WITHIN: Final = 10.0
"""Seconds for one delivery."""
_COLOURS: Final = {SeverityEnum.NOTICE: "#2d6a8f", SeverityEnum.WARNING: "#b7791f", SeverityEnum.ALERT: "#b3261e"}
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")  # RFC 9110 §5.6.2
_VALUE: Final = re.compile(r"[\x20-\x7e]{0,4096}")


class Told(NamedTuple):
    """What somebody is told, as a mapping sees it (``notification``)."""

    severity: SeverityEnum
    body: str
    event: Event | None
    reader: Person | None
    created: datetime


class Parcel(msgspec.Struct, frozen=True):
    """What is to be sent.

    :param transport: by which transport; its address is the one it has when this is sent.
    :param body: JSON.
    :param headers: further header fields.
    """

    transport: str
    body: str
    headers: dict[str, str] = {}


class MappingError(Exception):
    """A mapping does not yield what can be sent; the message says why."""

    def __init__(self, mapping: NotificationWebhookMapping, text: str) -> None:
        super().__init__(f"{mapping.name}: {text}")
        self.mapping = mapping


class Undelivered(Exception):  # noqa: N818 - what a receiver says, and no error of the program
    """The receiver did not take it. The text names its host, and nothing else of its address."""


_NOTIFICATION: Final = make_view(
    "notification",
    {
        "severity": "severity",
        "body": "body",
        "created": "created",
        "event": lambda told: event_view(told.event) if told.event else None,
        "user": lambda told: user_view(told.reader) if told.reader else None,
    },
    text=lambda told: told.body,
)


def packed(call: Call, transport: NotificationTransport, told: Told) -> Parcel | None:
    """What a transport sends; None where its mapping wants nothing sent.

    :raises MappingError: a mapping does not yield what can be sent.
    """
    body = _body(call, transport, told)
    if body is None:
        return None
    headers = _headers(call, transport, told)
    return Parcel(transport.pk, msgspec.json.encode(body).decode(), headers)


def _body(call: Call, transport: NotificationTransport, told: Told) -> dict[str, object] | None:
    mapping = _mapping(call.settings, transport.webhook_mapping_body)
    if mapping is None:
        return _for_chat(call, told) if transport.mode is TransportModeEnum.WEBHOOK_SLACK else _plainly(told)
    yielded = _yielded(call, mapping, told)
    if yielded is None:
        return None
    try:
        found = plain(yielded)
        msgspec.json.encode(found).decode()
    except (TypeError, ValueError) as exc:
        raise MappingError(mapping, f"yields what is no JSON: {exc}") from None
    if not isinstance(found, dict):
        raise MappingError(mapping, f"returned a {type(yielded).__name__}; a mapping for the body returns a dict")
    return found


def _headers(call: Call, transport: NotificationTransport, told: Told) -> dict[str, str]:
    mapping = _mapping(call.settings, transport.webhook_mapping_headers)
    yielded = _yielded(call, mapping, told) if mapping else None
    if mapping is None or yielded is None:
        return {}
    if not isinstance(yielded, dict):
        raise MappingError(mapping, f"returned a {type(yielded).__name__}; a mapping for headers returns a dict")
    found = {}
    for name, value in yielded.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name) or name.lower() in OURS:
            raise MappingError(mapping, f"names a header field that cannot be set: {str(name)[:64]!r}")
        if not _VALUE.fullmatch(str(value)):
            raise MappingError(mapping, f"gives {name} a value that stands in no header field")
        found[name] = str(value)
    return found


def _mapping(settings: Snapshot, pk: str | None) -> NotificationWebhookMapping | None:
    return settings.get(NOTIFICATION_WEBHOOK_MAPPING, pk) if pk else None


def _yielded(call: Call, mapping: NotificationWebhookMapping, told: Told) -> object:
    view: View = _NOTIFICATION(told)
    names = names_for_mapping(Request(call, told.reader, {"notification": view}), notification=view)
    try:
        return evaluate_mapping(mapping.expression, mapping.name, names)
    except ExpressionError as exc:
        raise MappingError(mapping, str(exc)) from None


def _plainly(told: Told) -> dict[str, object]:
    """What is sent where no mapping says otherwise (platform.md §7)."""
    reader = told.reader.user if told.reader else None
    actor: Mapping[str, object] = told.event.user if told.event else {}
    return {
        "body": told.body[:LONGEST],
        "severity": told.severity.value,
        "user_email": reader.email if reader else None,
        "user_username": reader.username if reader else None,
        "event_user_email": actor.get("email"),
        "event_user_username": actor.get("username"),
    }


def _for_chat(call: Call, told: Told) -> dict[str, object]:
    """The same in the form that Slack's incoming webhooks take, and Discord's below ``/slack``."""
    told_of = {"Severity": told.severity.value, **_people(told)}
    fields = [{"title": name, "value": value, "short": True} for name, value in told_of.items()]
    attachment = {
        "fallback": told.body[:LONGEST],
        "text": told.body[:LONGEST],
        "color": _COLOURS[told.severity],
        "fields": fields,
        "ts": int(told.created.timestamp()),
    }
    return {"username": brand_for(call.settings, call.origin.host).branding_title, "attachments": [attachment]}


def _people(told: Told) -> dict[str, str]:
    actor = told.event.user.get("username") if told.event else None
    found = {"For": told.reader.user.username if told.reader else "", "By": str(actor or "")}
    return {name: value for name, value in found.items() if value}


def post(state: State, parcel: Parcel, at: datetime) -> Write:
    """The write that sends a parcel."""
    return outbox.post(state, TOPIC, msgspec.to_builtins(parcel), at)


async def send(state: State, settings: Snapshot, transport: NotificationTransport, parcel: Parcel) -> int:
    """Send a parcel now; the status of the answer.

    :raises Undelivered: the receiver does not take it.
    :raises Unreached: there is no answer.
    """
    pair = settings.get(KEYPAIR, transport.webhook_ca) if transport.webhook_ca else None
    host = urlsplit(transport.webhook_url).hostname
    context: ssl.SSLContext | None = None
    if pair is not None:
        try:
            context = tls.verifying(pair.certificate_data)
        except ValueError as exc:
            raise Undelivered(
                f"The certificate {pair.name}, which is to vouch for {host}, cannot be used: {exc}"
            ) from None
    answer = await state.outbound.send(
        "POST",
        transport.webhook_url,
        headers={"content-type": "application/json", **parcel.headers},
        body=parcel.body.encode(),
        plain=True,
        within=WITHIN,
        tls=context,
    )
    if not 200 <= answer.status < 300:  # noqa: PLR2004 - taken, RFC 9110 §15.3
        raise Undelivered(f"{host} answers with status {answer.status}")
    return answer.status


async def deliver(state: State, _call: Call, message: Message) -> Changes:
    """Send one message of the outbox; what has no transport any more is wanted by nobody."""
    parcel = msgspec.json.decode(message.body, type=Parcel)
    settings = await state.refresh()
    transport = settings.get(NOTIFICATION_TRANSPORT, parcel.transport)
    if transport is not None and transport.mode in WEBHOOKS:
        try:
            await send(state, settings, transport, parcel)
        except Unreached as exc:
            raise Undelivered(f"{urlsplit(transport.webhook_url).hostname} cannot be reached: {exc}") from None
    return Changes()
