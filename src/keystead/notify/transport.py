"""NotificationTransport: a way to tell people: on this server, by mail, by webhook."""

import enum
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from keystead.base.errors import invalid
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind, steady
from keystead.kinds.marks import READ_ONLY, UNIQUE, OnDelete, Ref, Text, Uuid
from keystead.kinds.state import State
from keystead.notify.mail import Letter, TemplateError, words
from keystead.notify.notification import LONGEST, SeverityEnum
from keystead.people.brand import brand_for

MappingRef = Annotated[Uuid, Ref("authentik_events.notificationwebhookmapping", OnDelete.SET_NULL)]


class TransportModeEnum(enum.StrEnum):
    """The ways there are."""

    LOCAL = "local"
    WEBHOOK = "webhook"
    WEBHOOK_SLACK = "webhook_slack"
    EMAIL = "email"


TITLE: Final = {
    TransportModeEnum.LOCAL: "Notification on this server",
    TransportModeEnum.WEBHOOK: "Webhook",
    TransportModeEnum.WEBHOOK_SLACK: "Webhook (Slack, Discord)",
    TransportModeEnum.EMAIL: "E-mail",
}
_SUBJECT: Final = 100
"""Characters of what is told that a subject holds."""
WEBHOOKS: Final = frozenset({TransportModeEnum.WEBHOOK, TransportModeEnum.WEBHOOK_SLACK})


class NotificationTransport(msgspec.Struct, frozen=True, kw_only=True):
    """A way to tell people.

    :param webhook_url: where a webhook is sent to; it may hold a secret of the receiver's.
    :param webhook_ca: who must have signed the receiver's certificate, if not an authority the system knows.
    :param webhook_mapping_body: yields what is sent; without it a plain description is.
    :param webhook_mapping_headers: yields further headers.
    :param email_subject_prefix: how the subject of a mail begins.
    :param email_template: what a mail is made from.
    :param send_once: tell it once, not to each person.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    mode: TransportModeEnum = TransportModeEnum.LOCAL
    webhook_url: str = ""
    webhook_ca: Annotated[Uuid, Ref("authentik_crypto.certificatekeypair", OnDelete.SET_NULL)] | None = None
    webhook_mapping_body: MappingRef | None = None
    webhook_mapping_headers: MappingRef | None = None
    email_subject_prefix: str = "Keystead: "
    email_template: Text = "email/event_notification.html"
    send_once: bool = False


class NotificationTransportShown(msgspec.Struct):
    """The computed member: the way as people read it."""

    mode_verbose: str


class Reader(NamedTuple):
    """Whom a mail is for."""

    email: str
    name: str
    username: str


@steady
async def view(
    _call: Call, _state: State, transports: Sequence[NotificationTransport], _query: Mapping[str, Sequence[str]]
) -> list[NotificationTransportShown]:
    """The ways as people read them."""
    return [NotificationTransportShown(TITLE[one.mode]) for one in transports]


async def rules(
    call: Call, _state: State, _old: NotificationTransport | None, new: NotificationTransport
) -> NotificationTransport:
    """A webhook has somewhere to go; a mail can be made of its template."""
    if new.webhook_url or new.mode in WEBHOOKS:
        _check_address(new.webhook_url)
    if new.mode is TransportModeEnum.EMAIL:
        sample = mailed(call, new, Reader("", "", ""), SeverityEnum.NOTICE, "")
        try:
            words(sample.template, sample.values)
        except TemplateError as exc:
            raise invalid({"email_template": [str(exc)]}) from None
    return new


def mailed(call: Call, transport: NotificationTransport, to: Reader, severity: SeverityEnum, body: str) -> Letter:
    """What a transport tells somebody, as a letter."""
    subject = " ".join(f"{transport.email_subject_prefix}{body[:_SUBJECT]}".split())
    values: dict[str, object] = {
        "title": severity.value.capitalize(),
        "body": body[:LONGEST],
        "user": {"name": to.name, "username": to.username},
        "brand": brand_for(call.settings, call.origin.host).branding_title,
    }
    template = transport.email_template
    return Letter(to=[to.email], subject=subject, template=template, values=values, transport=transport.pk)


def _check_address(url: str) -> None:
    """Refuse what no webhook can be sent to.

    :raises Problem: ``INVALID`` on ``webhook_url``.
    """
    try:
        parts = urlsplit(url)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        fits = False
    if not fits or any(char.isspace() or not char.isprintable() for char in url):
        raise invalid({"webhook_url": ["Write an address such as https://chat.example.org/hooks/1."]})


NOTIFICATION_TRANSPORT: Kind[NotificationTransport] = Kind(
    model="authentik_events.notificationtransport",
    struct=NotificationTransport,
    path="events/transports",
    title=("Notification Transport", "Notification Transports"),
    key_name="uuid",
    shown=NotificationTransportShown,
    view=view,
    rules=rules,
    search=("name", "mode"),
    filters=("mode", "name", "send_once", "webhook_url"),
)
