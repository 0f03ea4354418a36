"""What challenges have in common: who is being asked, which flow asks, and the addresses they lead to (flows.md §2)."""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from keystead.flows.flow import Flow, background_url, prefix
from keystead.flows.ports import Visitor
from keystead.flows.stage import Error, Errors, Run
from keystead.kinds.call import Call
from keystead.people.brand import brand_for, themed
from keystead.people.shown import avatar
from keystead.people.user import User

REDIRECT: Final = "xak-flow-redirect"
ACCESS_DENIED: Final = "ak-stage-access-denied"
FLOW_ERROR: Final = "ak-stage-flow-error"
_APPLICATION: Final = "authentik_core.application"
_PATH: Final = re.compile(r"/[^\x00-\x20\x7f\\]*")
# "/.//host" is the path "//host" to whoever resolves dot segments first (RFC 3986 §5.2.4) and then parses again.
_HOSTLIKE: Final = re.compile(r"/(?:(?:\.|%2e){1,2}/)*/", re.IGNORECASE)


def stays_here(url: str) -> bool:
    """Whether ``url`` is a path on this server, whatever a browser makes of slashes, dots and blanks in it."""
    return bool(_PATH.fullmatch(url)) and not _HOSTLIKE.match(url)


def flow_path(call: Call, slug: str, query: Mapping[str, str]) -> str:
    """The page of a flow, with the query carried on."""
    return f"{prefix(call)}/if/flow/{slug}/{_query(query)}"


def _query(query: Mapping[str, str]) -> str:
    return f"?{urlencode(query)}" if query else ""


def flow_info(call: Call, flow: Flow, visitor: Visitor, context: Mapping[str, object], who: str) -> dict[str, object]:
    """The ``flow_info`` of every challenge.

    :param who: the person's name as far as they may be shown it.
    """
    picture = background_url(call, flow)
    urls = themed(picture)
    asking = application(call, context)
    app = asking.name if asking else brand_for(call.settings, call.origin.host).branding_title
    return {
        "title": flow.title.replace("%(app)s", str(app)).replace("%(user)s", who),
        "background": picture.replace("%(theme)s", "light"),
        "background_themed_urls": msgspec.to_builtins(urls) if urls else None,
        "cancel_url": f"{prefix(call)}/flows/-/cancel/{_query(visitor.query)}",
        "layout": flow.layout.value,
    }


def application(call: Call, context: Mapping[str, object]) -> Any | None:  # noqa: ANN401 - its kind lives above this floor
    """The application the run is for, if any: it has at least ``name`` and ``meta_launch_url``."""
    found = call.settings.find(_APPLICATION, context.get("application"))
    return found[1] if found else None


def identity(user: User | None, context: Mapping[str, object], *, proven: bool) -> dict[str, object]:
    """``pending_user`` and ``pending_user_avatar``.

    Until they have proved who they are, people see what they typed: a name or picture of the account behind it would
    tell strangers that there is one (SECURITY FL-10).
    """
    typed = context.get("pending_user_identifier")
    if user is not None and (proven or not typed or context.get("matched_user") == user.pk):
        return {"pending_user": user.username, "pending_user_avatar": avatar(user.username, user.name)}
    name = str(typed or "")
    return {"pending_user": name, "pending_user_avatar": avatar(name, "") if name else ""}


def pending(run: Run[Any]) -> dict[str, object]:
    """The same for the person a stage asks."""
    return identity(run.user, run.context, proven=run.proven)


def told(errors: Errors) -> dict[str, list[dict[str, str]]]:
    """``response_errors`` as JSON."""
    return {member: [error._asdict() for error in found] for member, found in errors.items()}


def complaints(fields: Mapping[str, Any]) -> dict[str, list[Error]]:
    """The messages of a ``Problem`` as complaints about members of an answer."""
    return {
        name: [Error(str(text)) for text in ([value] if isinstance(value, (str, Mapping)) else value)]
        for name, value in fields.items()
    }
