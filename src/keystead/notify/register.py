"""The rooms of this floor in lists; a new kind is one line here."""

from typing import Any, Final

from keystead.kinds.action import Action
from keystead.kinds.kind import Kind
from keystead.notify import letters, mapping, notification, rule, transport, trial

KINDS: Final[tuple[Kind[Any], ...]] = (
    notification.NOTIFICATION,
    mapping.NOTIFICATION_WEBHOOK_MAPPING,
    transport.NOTIFICATION_TRANSPORT,
    rule.NOTIFICATION_RULE,
)
ACTIONS: Final[tuple[Action, ...]] = (*letters.ACTIONS, *notification.ACTIONS, *trial.ACTIONS)
