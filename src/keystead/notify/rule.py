"""NotificationRule: who is told, by which transports, when an event passes the policies bound to it."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec

from keystead.kinds import records
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, OnDelete, Ref, Text, Uuid
from keystead.kinds.render import render
from keystead.kinds.state import State
from keystead.notify.notification import SeverityEnum
from keystead.people.group import GROUP
from keystead.store import Statement


class NotificationRule(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told of the events that pass the policies bound to it; without a policy no event does.

    :param destination_group: whose members are told.
    :param destination_event_user: tell also whoever did it.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    transports: tuple[Annotated[Uuid, Ref("authentik_events.notificationtransport", OnDelete.CASCADE_MANY)], ...] = ()
    severity: SeverityEnum = SeverityEnum.NOTICE
    destination_group: Annotated[Uuid, Ref("authentik_core.group", OnDelete.SET_NULL, gives=False)] | None = None
    destination_event_user: bool = False


class NotificationRuleShown(msgspec.Struct):
    """The computed member: the group in full."""

    destination_group_obj: Annotated[dict[str, object], msgspec.Meta(title="Group")] | None


async def view(
    call: Call, state: State, rules: Sequence[NotificationRule], _query: Mapping[str, Sequence[str]]
) -> list[NotificationRuleShown]:
    """The groups in full."""
    keys = sorted({one.destination_group for one in rules if one.destination_group})
    groups = await records.load(state.store, GROUP, "id", keys) if keys else []
    shown = {group.pk: body for group, body in zip(groups, await render(call, state, GROUP, groups, {}), strict=True)}
    return [NotificationRuleShown(shown.get(one.destination_group or "")) for one in rules]


_CALLED = Statement("group.called", "SELECT id FROM groups WHERE name = $1")


async def _telling(call: Call, state: State, name: str, _query: Mapping[str, Sequence[str]]) -> set[object]:
    """The keys of the rules that tell the group of this name."""
    groups = {row[0] for row in await state.store.fetch(_CALLED, name)}
    return {one.pk for one in call.settings.all(NOTIFICATION_RULE) if one.destination_group in groups}


NOTIFICATION_RULE: Kind[NotificationRule] = Kind(
    model="authentik_events.notificationrule",
    struct=NotificationRule,
    path="events/rules",
    title=("Notification Rule", "Notification Rules"),
    key_name="pbm_uuid",
    shown=NotificationRuleShown,
    view=view,
    filters=(
        Filter("destination_group__name", str, keys=_telling, note="Name of the group that is told."),
        "name",
        "severity",
    ),
    bindable=True,
)
