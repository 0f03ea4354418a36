"""What one may ask for: a rule names it, its binding lets one ask, and one has it not yet."""

from typing import Annotated, Any, Final, TypeAlias

import msgspec

from keystead.flows.flow import PolicyEngineMode
from keystead.kinds import listing
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind
from keystead.kinds.listing import Query
from keystead.kinds.marks import Uuid
from keystead.kinds.render import render
from keystead.kinds.state import State
from keystead.people.person import Person, person_by_pk
from keystead.policies.binding import bindings_of
from keystead.policies.engine import Engine
from keystead.providers.access import judge
from keystead.providers.application import APPLICATION, Application
from keystead.providers.entitlement import ENTITLEMENT, ApplicationEntitlement
from keystead.providers.requests.binding import REQUEST_RULE_BINDING
from keystead.providers.requests.target import RequestableTarget, requestable

_TEXTS: Final = ("group", "meta_description", "meta_launch_url", "meta_publisher", "name", "slug")
_PAGED: Final = (
    Filter("ordering", str, note="A member to order by; a leading `-` turns the order round."),
    Filter("page", int, note="Number of the page, from 1."),
    Filter("page_size", int, note="Objects a page; larger sizes than the server allows are cut to its limit."),
    Filter("search", str, note="Text to look for."),
)
Target: TypeAlias = Application | ApplicationEntitlement
"""What can be asked for."""


class PaginatedRequestableTargetList(msgspec.Struct):
    """A page of what can be asked for."""

    pagination: Annotated[dict[str, object], msgspec.Meta(title="Pagination")]
    results: list[RequestableTarget]
    autocomplete: dict[str, object]


async def _has(engine: Engine, call: Call, state: State, target: Target, person: Person) -> bool:
    """Whether ``person`` has it: without bindings an application is for everybody, an entitlement for nobody."""
    if isinstance(target, Application):
        return (await judge(engine, call, state, target, person)).passing
    bound = bindings_of(call.settings, target.pbm_uuid)
    return bool(bound) and (await engine.judge(call, state, target.pbm_uuid, user=person)).passing


async def _may_ask(engine: Engine, call: Call, state: State, target: Target, person: Person) -> bool:
    """Whether a rule lets ``person`` ask for ``target``, which they have not yet."""
    if await _has(engine, call, state, target, person):
        return False
    key = target.pk if isinstance(target, Application) else target.pbm_uuid
    for one in call.settings.all(REQUEST_RULE_BINDING):
        if one.target == key:
            mode: Any = "all" if one.policy_engine_mode is PolicyEngineMode.ALL else "any"
            if (await engine.judge(call, state, one.uuid, user=person, mode=mode)).passing:
                return True
    return False


async def _asked(
    engine: Engine, call: Call, state: State, kind: Kind[Any], query: Query
) -> tuple[dict[str, int], list[Any]]:
    """The page that is asked for, of what the caller has not and may ask for."""
    page = listing.page(query)
    named = {one.target for one in call.settings.all(REQUEST_RULE_BINDING)}
    person = await person_by_pk(state, call.actor.pk)
    candidates = listing.settings(call, kind, query, lambda one: getattr(one, kind.pk) in named)
    found = [one for one in candidates if person and await _may_ask(engine, call, state, one, person)]
    first = (page.number - 1) * page.size
    return listing.pagination(page, len(found)), found[first : first + page.size]


def actions(engine: Engine) -> tuple[Action, ...]:
    """The operations; ``app.py`` lists them."""

    async def applications(call: Call, state: State, _obj: None, query: Query) -> Answer:
        """A page of the applications that the caller has no access to and may ask for."""
        pages, found = await _asked(engine, call, state, APPLICATION, query)
        results = await render(call, state, APPLICATION, found, query)
        return Answer({"pagination": pages, "results": results, "autocomplete": {}})

    async def entitlements(call: Call, state: State, _obj: None, query: Query) -> Answer:
        """A page of the entitlements that the caller has not and may ask for."""
        pages, found = await _asked(engine, call, state, ENTITLEMENT, query)
        results = [await requestable(call, state, one.pbm_uuid) for one in found]
        return Answer({"pagination": pages, "results": results, "autocomplete": {}})

    return (
        Action(
            APPLICATION,
            "GET",
            "requestable/",
            applications,
            "requestable_list",
            permission="",
            response=Annotated[dict[str, object], msgspec.Meta(title="PaginatedApplicationList")],
            query=(*(Filter(name, str) for name in _TEXTS), *_PAGED),
        ),
        Action(
            ENTITLEMENT,
            "GET",
            "requestable/",
            entitlements,
            "requestable_list",
            permission="",
            response=PaginatedRequestableTargetList,
            query=(Filter("app", Uuid), Filter("name", str), Filter("pbm_uuid", Uuid), *_PAGED),
        ),
    )
