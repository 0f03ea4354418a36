"""People whom a source vouches for: what a run knows of it, and what is kept once it is clear who they are here.

The floor above puts it into the context of a run it begins. A new user, or one whom the source names for the first
time, and the connection with the source land in the same commit (:data:`~keystead.flows.ports.Keep`).
"""

from collections.abc import Mapping
from typing import Any, Final

from keystead.flows.ports import WhoIs
from keystead.flows.stage import Deny, Run
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.people.user import User
from keystead.policies.sandbox import make_view

SOURCE: Final = "source"
"""In a run's context: the source that vouches, by its key; expressions see the source itself."""
IS_SSO: Final = "is_sso"
"""In a run's context: somebody comes from a source."""
JOINING: Final = "source_connection"
"""In a run's context: what is to be kept of the source's word; for nobody but the floor above."""
GONE: Final = "The service that you came from does not vouch for you here any more. Start again, or sign in otherwise."
SOURCE_VIEW: Final = make_view(
    "source",
    {name: name for name in ("pk", "name", "slug", "enabled", "promoted")},
    text=lambda source: source.name,
    key=lambda source: ("source", source.pk),
)
"""A source as expressions see it (``request.obj``, ``context["source"]``)."""


def source_of(call: Call, context: Mapping[str, object]) -> Any | None:  # noqa: ANN401 - its kinds live above this floor
    """The source that vouches in this run, if one does and it is still there."""
    found = call.settings.find("sources", context.get(SOURCE))
    return found[1] if found else None


async def keep(run: Run[Any], user: User, who: WhoIs) -> Changes | Deny:
    """What is written of the source's word together with ``user``; a no where it does not count any more."""
    if SOURCE not in run.context:
        return Changes()
    kept = await run.ports.keep(run.call, run.state, run.context, user, who)
    return Deny(GONE) if kept is None else kept
