"""NotificationWebhookMapping: an expression that yields the body, or the headers, of a webhook."""

from typing import Annotated

import msgspec

from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Text, Uuid
from keystead.kinds.state import State
from keystead.policies.expression import check_expression


class NotificationWebhookMapping(msgspec.Struct, frozen=True, kw_only=True):
    """What a webhook sends.

    :param expression: Python that returns a dict; it finds ``notification`` and, as ``request.user``, whom it is for.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    expression: Text


async def rules(
    _call: Call, _state: State, _old: NotificationWebhookMapping | None, new: NotificationWebhookMapping
) -> NotificationWebhookMapping:
    """The expression compiles."""
    check_expression(new.expression, new.name)
    return new


NOTIFICATION_WEBHOOK_MAPPING: Kind[NotificationWebhookMapping] = Kind(
    model="authentik_events.notificationwebhookmapping",
    struct=NotificationWebhookMapping,
    path="propertymappings/notification",
    title=("Webhook Mapping", "Webhook Mappings"),
    key_name="pm_uuid",
    family="propertymappings",
    component="ak-property-mapping-notification-form",
    rules=rules,
    filters=("name",),
)
