"""The way in for a browser whose visitor a source vouches for: a run of the source's flow, or the portal."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem, denied
from keystead.flows.challenge import FLOW_ERROR, flow_path, stays_here
from keystead.flows.entry import home
from keystead.flows.executor import Executor
from keystead.flows.flow import prefix
from keystead.flows.ports import LoginOption, Visitor
from keystead.kinds.call import NOBODY, Call
from keystead.kinds.state import State
from keystead.sources.source import Source, icon
from keystead.sources.vouching import Vouched, Ways, connect, welcome

_PORTAL: Final = "/if/user/"
Button: TypeAlias = Callable[[Any], dict[str, object]]
"""Of a source: the challenge that follows when its button is pressed."""


class WayIn(NamedTuple):
    """Where the browser goes, and who its visitor is from now on."""

    to: str
    visitor: Visitor


async def lead_in(
    executor: Executor, call: Call, state: State, visitor: Visitor, ways: Ways, source: Source, vouched: Vouched
) -> WayIn:
    """Begin the flow that leads in, or connect the visitor who is signed in.

    :raises Problem: with a text for the person where the source leads them nowhere.
    """
    onward = visitor.query.get("next", "")
    visitor = replace(visitor, query={"next": onward} if stays_here(onward) else {})
    if visitor.user is not None:
        changes, _ = await connect(executor.ports.engine, call, state, ways, source, vouched)
        await state.commit(changes, call.at)
        return WayIn(home(call, visitor) if visitor.query else f"{prefix(call)}{_PORTAL}", visitor)
    call = msgspec.structs.replace(call, actor=NOBODY)
    flow, context = await welcome(executor.ports.engine, call, state, ways, source, vouched)
    shown = await executor.begin(call, state, flow, visitor, context)
    challenge = shown.challenge or {}
    if challenge.get("component") == FLOW_ERROR:
        raise Problem(Fault.INTERNAL)
    if not shown.ended:
        return WayIn(flow_path(call, flow.slug, visitor.query), shown.visitor)
    if shown.to is None:
        raise denied(str(challenge.get("error_message") or "You may not come in here."))
    return WayIn(shown.to, shown.visitor)


def buttons(
    kinds: Mapping[str, Button],
) -> Callable[[Call, State, Sequence[str]], Awaitable[Sequence[LoginOption]]]:
    """The buttons of sources, for :class:`keystead.flows.ports.Ports`.

    :param kinds: model -> what follows, for the types with which people sign in.
    """

    async def options(call: Call, _state: State, sources: Sequence[str]) -> Sequence[LoginOption]:
        found = [one for pk in sources if (one := call.settings.find("sources", pk)) is not None]
        return [
            LoginOption(
                name=source.name,
                icon_url=icon(source)[0],
                promoted=source.promoted,
                challenge=kinds[kind.model](source),
            )
            for kind, source in found
            if source.enabled and kind.model in kinds
        ]

    return options
