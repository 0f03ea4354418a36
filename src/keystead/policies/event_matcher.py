"""EventMatcherPolicy: picks events, for the rules that notify."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Annotated, Final

import msgspec

from keystead.base.errors import invalid
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Format, Text, Uuid
from keystead.kinds.state import State
from keystead.people.event import Event, EventActions
from keystead.policies.event_words import AppEnum, ModelEnum
from keystead.policies.judge import Asked, PolicyKind, PolicyResult, Request
from keystead.policies.sandbox import View, subject
from keystead.policies.shown import PolicyShown, common, view

_MODEL: Final = "authentik_policies_event_matcher.eventmatcherpolicy"


def _address(value: str) -> str:
    try:
        return str(ip_address(value))
    except ValueError:
        raise ValueError(f"“{value}” is not an IP address such as 192.0.2.7 or 2001:db8::7.") from None


class EventMatcherPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Lets an event through that has everything asked for; what is left out may be anything.

    :param execution_logging: write an event at every run, not only when it fails.
    :param action: what happened; ``custom_`` stands for every action that begins so.
    :param client_ip: the address it came from.
    :param app: the part of the server it comes from.
    :param model: what the object is that it is about.
    :param query: not built yet, and refused when it is asked for.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    execution_logging: bool = False
    action: EventActions | None = None
    client_ip: Annotated[Text, Format("", _address)] | None = None
    app: AppEnum | None = None
    model: ModelEnum | None = None
    query: Text | None = None


async def rules(
    _call: Call, _state: State, _old: EventMatcherPolicy | None, new: EventMatcherPolicy
) -> EventMatcherPolicy:
    """Nothing is promised that would not be looked at."""
    if new.query is not None:
        raise invalid({"query": ["Queries over events are not built yet; use action, client_ip, app and model."]})
    return new


def _matches(policy: EventMatcherPolicy, event: Event) -> bool:
    model = event.context.get("model")
    about = f"{model.get('app')}.{model.get('model_name')}" if isinstance(model, Mapping) else ""
    custom = policy.action is EventActions.CUSTOM and event.action.startswith(EventActions.CUSTOM)
    return (
        (policy.action is None or custom or event.action == policy.action)
        and (policy.client_ip is None or event.client_ip == policy.client_ip)
        and (policy.app is None or event.app in {policy.app.value, policy.app.label})
        and (policy.model is None or about == policy.model)
    )


def evaluate(policy: EventMatcherPolicy, request: Request) -> PolicyResult:
    """Whether the event that is judged has everything; where no event is judged, it has not."""
    given = request.context.get("event")
    event = subject(given) if isinstance(given, View) else None
    if not isinstance(event, Event):
        return PolicyResult(passing=False, log=("There is no event here that could match.",))
    # A query that came in past the rules must not be taken for none.
    return PolicyResult(passing=policy.query is None and _matches(policy, event))


EVENT_MATCHER_POLICY = Kind(
    model=_MODEL,
    struct=EventMatcherPolicy,
    path="policies/event_matcher",
    title=("Event Matcher Policy", "Event Matcher Policies"),
    key_name="policy_uuid",
    family="policies",
    component="ak-policy-event-matcher-form",
    shown=PolicyShown,
    view=view,
    rules=rules,
    filters=(
        "action",
        Filter("app", str, test=lambda policy, app: policy.app == app),
        "client_ip",
        Filter("model", str, test=lambda policy, model: policy.model == model),
        "query",
        *common(_MODEL),
    ),
)
POLICY: PolicyKind = Asked(EVENT_MATCHER_POLICY, evaluate)
