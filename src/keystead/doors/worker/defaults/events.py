"""Default transports, and rules that tell administrators when something is wrong (defaults.md §2)."""

from collections.abc import Sequence

import msgspec

from keystead.base import rand
from keystead.notify.notification import SeverityEnum
from keystead.notify.rule import NotificationRule
from keystead.notify.transport import NotificationTransport, TransportModeEnum
from keystead.people.event import EventActions
from keystead.policies.binding import PolicyBinding
from keystead.policies.event_matcher import EventMatcherPolicy

_RULES = {
    "default-notify-configuration-error": {
        "default-match-configuration-error": EventActions.CONFIGURATION_ERROR,
    },
    "default-notify-update": {
        "default-match-update": EventActions.UPDATE_AVAILABLE,
    },
    "default-notify-exception": {
        "default-match-policy-exception": EventActions.POLICY_EXCEPTION,
        "default-match-property-mapping-exception": EventActions.PROPERTY_MAPPING_EXCEPTION,
    },
}
"""Rule -> the policies bound to it -> what each matches."""


def events(admins: str) -> Sequence[msgspec.Struct]:
    """The default transports, rules and what they match; ``admins`` is the group that is told."""
    transports = (
        NotificationTransport(pk=rand.uuid4(), name="default-email-transport", mode=TransportModeEnum.EMAIL),
        NotificationTransport(pk=rand.uuid4(), name="default-local-transport", mode=TransportModeEnum.LOCAL),
    )
    made: list[msgspec.Struct] = [*transports]
    for name, matched in _RULES.items():
        rule = NotificationRule(
            pk=rand.uuid4(),
            name=name,
            transports=tuple(one.pk for one in transports),
            severity=SeverityEnum.ALERT,
            destination_group=admins,
        )
        made.append(rule)
        for order, (policy, action) in enumerate(matched.items()):
            matcher = EventMatcherPolicy(pk=rand.uuid4(), name=policy, action=action)
            made += [matcher, PolicyBinding(pk=rand.uuid4(), policy=matcher.pk, target=rule.pk, order=order)]
    return made
