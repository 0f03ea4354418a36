"""``Action``: an operation beside the verbs of a kind, and ``Answer``: what it answers. ``app.py`` lists them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from keystead.kinds.changes import Changes
from keystead.kinds.kind import Filter, Kind


@dataclass(frozen=True, slots=True)
class Answer:
    """What an action answers: the door commits ``changes`` first, then sends ``body``.

    :param body: JSON-able value, or None for an empty body.
    :param location: where to go instead, for a redirect; ``status`` is then a 3xx one.
    :param filename: the name under which a browser keeps the body, instead of showing it.
    """

    body: object = None
    status: int = 200
    changes: Changes | None = None
    location: str = ""
    content_type: str = "application/json"
    filename: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """An operation beside the verbs.

    Actions stand beside their kind, in the room's ``ACTIONS``; ``app.py`` lists them.

    :param kind: the kind under whose path it stands.
    :param method: HTTP method.
    :param path: below the kind's path; ``{key}`` stands for the object, as in ``{key}/add_user/``.
    :param run: an async function ``(call, state, obj or None, body) -> Answer``; ``body`` is ``request`` decoded, or
        the query (a mapping name -> values) where the action takes none.
    :param operation: the operation id's tail, as in ``add_user_create``.
    :param permission: what the caller must hold: a codename word (``change``), a full permission (``app.codename``),
        ``""`` for any signed-in caller, or None for everybody.
    :param request: the struct of the body.
    :param bare: ``obj`` comes without what is kept in tables of pairs (a group without its thousands of members).
    :param response: the struct (or type) of the answer, for the API's documentation.
    :param also: further statuses it answers with, and when.
    """

    kind: Kind[Any]
    method: str
    path: str
    run: Callable[[Any, Any, Any, Any], Awaitable[Answer]]
    operation: str
    permission: str | None = "change"
    request: type[msgspec.Struct] | None = None
    response: Any = None
    status: int = 200
    query: tuple[Filter, ...] = ()
    bare: bool = False
    also: tuple[tuple[int, str], ...] = ()
