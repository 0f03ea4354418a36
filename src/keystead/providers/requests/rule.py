"""RequestRule: who decides about requests, and how many of them."""

import enum
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec

from keystead.flows.flow import FLOW, PolicyEngineMode
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind
from keystead.kinds.marks import UNIQUE, OnDelete, Ref, Text, Uuid
from keystead.kinds.state import State

MODEL: Final = "authentik_requests.requestrule"
BINDING: Final = "authentik_requests.requestrulebinding"


class NotificationModeEnum(enum.StrEnum):
    """Which reviewers are told of a request."""

    ALL = "all"
    DIRECT = "direct"
    RANDOM_MIN_REVIEWERS = "random_min_reviewers"


class RequestRule(msgspec.Struct, frozen=True, kw_only=True):
    """Who decides about requests: whoever the policies, groups and users bound to it let pass.

    :param notification_transports: how reviewers are told.
    :param min_reviewers: how many must agree.
    :param min_reviewers_is_per_group: that many of each group.
    :param request_flow: what somebody who asks goes through.
    """

    uuid: Uuid = ""
    policy_engine_mode: PolicyEngineMode = PolicyEngineMode.ANY
    name: Annotated[Text, UNIQUE]
    notification_transports: tuple[
        Annotated[Uuid, Ref("authentik_events.notificationtransport", OnDelete.CASCADE_MANY)], ...
    ] = ()
    notification_mode: NotificationModeEnum = NotificationModeEnum.ALL
    min_reviewers: Annotated[int, msgspec.Meta(ge=0, le=32767)] = 1
    min_reviewers_is_per_group: bool = False
    request_flow: Annotated[Uuid, Ref("authentik_flows.flow", OnDelete.SET_NULL)] | None = None


class RequestRuleShown(msgspec.Struct):
    """The computed members: what policies are bound to, and what can be asked for by the rule."""

    pbm_uuid: Uuid
    targets: list[Uuid]


async def view(
    call: Call, _state: State, rules: Sequence[RequestRule], _query: Mapping[str, Sequence[str]]
) -> list[RequestRuleShown]:
    """What can be asked for by each rule."""
    return [RequestRuleShown(one.uuid, _targets(call, one.uuid)) for one in rules]


def _targets(call: Call, pk: str) -> list[str]:
    holders = (
        call.settings.get(one.kind, one.pk)
        for one in call.settings.referrers(REQUEST_RULE, pk)
        if (one.kind.model, one.field) == (BINDING, "rule")
    )
    return sorted({one.target for one in holders if one is not None})


async def _by_slug(call: Call, _state: State, slug: str, _query: Mapping[str, Sequence[str]]) -> set[object]:
    """The keys of the rules whose flow has this slug."""
    flow = call.settings.by(FLOW, "slug", slug)
    return {one.uuid for one in call.settings.all(REQUEST_RULE) if flow is not None and one.request_flow == flow.pk}


REQUEST_RULE: Kind[RequestRule] = Kind(
    model=MODEL,
    struct=RequestRule,
    path="requests/rules",
    title=("Request Rule", "Request Rules"),
    key="uuid",
    key_name="uuid",
    shown=RequestRuleShown,
    view=view,
    filters=(
        "name",
        Filter("pbm_uuid", Uuid, test=lambda rule, pk: rule.uuid == pk),
        Filter("request_flow__slug", str, keys=_by_slug),
    ),
    bindable=True,
    stored_only="Access cannot be asked for yet, so the rule decides about nothing.",
)
