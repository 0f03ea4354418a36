"""The applications one may ask for: a rule names them, its binding lets one ask, and one has no access yet."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import msgspec

from keystead.flows.flow import PolicyEngineMode
from keystead.kinds import listing
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter
from keystead.kinds.render import render
from keystead.kinds.state import State
from keystead.people.person import Person, person_by_pk
from keystead.policies.engine import Engine
from keystead.providers.access import judge
from keystead.providers.application import APPLICATION, Application
from keystead.providers.requests.binding import REQUEST_RULE_BINDING

_TEXTS: Final = ("group", "meta_description", "meta_launch_url", "meta_publisher", "name", "slug")
_QUERY: Final = (
    *(Filter(name, str) for name in _TEXTS),
    Filter("ordering", str, note="A member to order by; a leading `-` turns the order round."),
    Filter("page", int, note="Number of the page, from 1."),
    Filter("page_size", int, note="Objects a page; larger sizes than the server allows are cut to its limit."),
    Filter("search", str, note="Text to look for."),
)


async def _may_ask(engine: Engine, call: Call, state: State, application: Application, person: Person) -> bool:
    """Whether a rule lets ``person`` ask for ``application``, which they cannot use yet."""
    if (await judge(engine, call, state, application, person)).passing:
        return False
    for one in call.settings.all(REQUEST_RULE_BINDING):
        if one.target == application.pk:
            mode: Any = "all" if one.policy_engine_mode is PolicyEngineMode.ALL else "any"
            if (await engine.judge(call, state, one.uuid, user=person, mode=mode)).passing:
                return True
    return False


def actions(engine: Engine) -> tuple[Action, ...]:
    """The operation; ``app.py`` lists it."""

    async def requestable(call: Call, state: State, _obj: None, query: Mapping[str, Sequence[str]]) -> Answer:
        """A page of the applications that the caller has no access to and may ask for."""
        asked = listing.page(query)
        named = {one.target for one in call.settings.all(REQUEST_RULE_BINDING)}
        person = await person_by_pk(state, call.actor.pk)
        candidates = listing.settings(call, APPLICATION, query, lambda one: one.pk in named)
        found = [one for one in candidates if person and await _may_ask(engine, call, state, one, person)]
        first = (asked.number - 1) * asked.size
        pages = listing.pagination(asked, len(found))
        results = await render(call, state, APPLICATION, found[first : first + asked.size], query)
        return Answer({"pagination": pages, "results": results, "autocomplete": {}})

    return (
        Action(
            APPLICATION,
            "GET",
            "requestable/",
            requestable,
            "requestable_list",
            permission="",
            response=Annotated[dict[str, object], msgspec.Meta(title="PaginatedApplicationList")],
            query=_QUERY,
        ),
    )
