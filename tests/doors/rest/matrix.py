"""Who may do what: for every operation of the API and every sort of caller what must come of it, by what is declared.

A new kind, family, action or operation has its cells here by being listed in ``app.py``. What the declarations cannot
tell stands in the tables at the end, each line with its reason: whoever adds one has looked at who may do it.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from keystead import app
from keystead.doors.rest.operation import Operation
from keystead.kinds.action import Action
from keystead.kinds.kind import PERMISSION, Kind, Verb
from keystead.kinds.pending import Withheld

AnyKind = Kind[Any]


class Who(enum.StrEnum):
    """A sort of caller."""

    NOBODY = "nobody"
    PLAIN = "somebody without any permission"
    OWNER = "the owner of the object"
    HOLDER = "who holds exactly the permission, on all objects"
    GRANTED = "who holds exactly the permission, on this object"
    OTHERS = "who holds every permission on objects of the kind but this one"
    SUPERUSER = "a superuser"


class Comes(enum.StrEnum):
    """What comes of a request."""

    REACHED = "what was asked for is done, or refused for what was sent"
    REFUSED = "403"
    HIDDEN = "404"
    AWAY = "403 or 404"
    NEVER = "405"


def came(status: int) -> Comes | str:
    """What the status of an answer says."""
    if status in {403, 404, 405}:
        return {403: Comes.REFUSED, 404: Comes.HIDDEN, 405: Comes.NEVER}[status]
    reached = (status < 500 and status != 401) or status == 501
    return Comes.REACHED if reached else f"a status of {status}"


@dataclass(frozen=True, slots=True)
class Special:
    """A cell that the declarations do not tell of, and why it is as it is."""

    comes: Comes
    why: str


def of_verb(kind: AnyKind, verb: Verb, who: Who) -> Comes | None:  # noqa: PLR0911 - a line for each sort of caller
    """What must come of a verb; None where there is no such caller."""
    if special := VERBS.get((kind.model, verb, who)):
        return special.comes
    single = verb not in {Verb.LIST, Verb.CREATE}
    owned, self_made = bool(kind.table and kind.table.owner), bool(kind.table and kind.table.self_made)
    if who is Who.NOBODY:
        return Comes.REFUSED
    if who is Who.OWNER:
        return Comes.REACHED if owned and (single or verb is Verb.LIST) else None
    if who is Who.GRANTED and verb is Verb.CREATE:
        return None
    if who in {Who.HOLDER, Who.GRANTED} and verb is Verb.DESTROY and is_part(kind):
        return Comes.REFUSED  # it wants the permission to change what the object is a part of, too
    if who in {Who.HOLDER, Who.GRANTED, Who.SUPERUSER}:
        return Comes.REACHED
    if verb is Verb.CREATE:
        return Comes.REACHED if self_made else Comes.REFUSED
    if verb is Verb.LIST:
        return Comes.REACHED if owned or kind.model in app.NARROWED else Comes.REFUSED
    return Comes.REFUSED if who is Who.OTHERS and PERMISSION[verb] != "view" else Comes.HIDDEN


def is_part(kind: AnyKind) -> bool:
    """Whether objects of the kind are parts of others."""
    return any(field.ref and field.ref.part for field in kind.references)


def permission_of(action: Action) -> str:
    """The full name of the permission an action wants; empty where it wants none."""
    word = action.permission or ""
    return word if "." in word or not word else action.kind.permission(word)


def of_action(action: Action, who: Who) -> Comes | None:
    """What must come of an action; None where there is no such caller."""
    found = _of_action(action, who)
    return Comes.NEVER if found is Comes.REACHED and isinstance(action.run, Withheld) else found


def _of_action(action: Action, who: Who) -> Comes | None:  # noqa: PLR0911 - as above
    if special := ACTIONS.get((name_of(action), who)):
        return special.comes
    single, permission = "{key}" in action.path, permission_of(action)
    if action.permission is None:
        return Comes.REACHED
    if who is Who.NOBODY:
        return Comes.REFUSED
    if who is Who.SUPERUSER:
        return Comes.REACHED
    if not permission:
        if who is not Who.PLAIN:
            return None
        return Comes.AWAY if single else Comes.REACHED
    if who is Who.HOLDER:
        return Comes.REACHED
    if who is Who.GRANTED:
        return Comes.REACHED if single else None
    if who is Who.OWNER:
        return None
    sees = who is Who.OTHERS and permission != action.kind.permission("view")
    return Comes.REFUSED if sees or not single else Comes.HIDDEN


def of_operation(operation: Operation, who: Who) -> Comes | None:
    """What must come of an operation below no kind; None where the declarations tell of no such caller."""
    if special := OPERATIONS.get((operation.operation, who)):
        return special.comes
    if operation.anonymous:
        return Comes.REACHED
    if who is Who.NOBODY:
        return Comes.REFUSED
    if who is Who.SUPERUSER or (who is Who.HOLDER and operation.permission):
        return Comes.REACHED
    if who is not Who.PLAIN:
        return None
    return Comes.REFUSED if operation.permission else Comes.AWAY


def name_of(action: Action) -> str:
    """An action's name in the tables."""
    return f"{action.kind.model} {action.operation}"


_OPEN: Final = Comes.REACHED
VERBS: Final[dict[tuple[str, Verb, Who], Special]] = {
    ("authentik_core.token", Verb.PARTIAL_UPDATE, who): Special(
        Comes.REFUSED, "a token is changed by its owner and by superusers only: it is the owner's power"
    )
    for who in (Who.HOLDER, Who.GRANTED)
}
VERBS.update(
    {
        (kind.model, Verb.PARTIAL_UPDATE, who): Special(
            Comes.REFUSED,
            "a connection is a way to sign in: its owner may end it, and who may change all may change it",
        )
        for kind in app.KINDS
        if kind.path.startswith("sources/user_connections") and Verb.PARTIAL_UPDATE in kind.verbs
        for who in (Who.OWNER, Who.GRANTED)
    }
)
VERBS.update(
    {
        ("authentik_core.source", Verb.DESTROY, who): Special(
            Comes.REFUSED, "it stands for the users of this installation and stays"
        )
        for who in (Who.HOLDER, Who.GRANTED, Who.SUPERUSER)
    }
)
ACTIONS: Final[dict[tuple[str, Who], Special]] = {
    ("authentik_core.application check_access_retrieve", Who.PLAIN): Special(
        _OPEN, "it tells about the caller only, as the portal does"
    ),
    ("authentik_sources_telegram.telegramsource connect_user_create", Who.PLAIN): Special(
        _OPEN, "everybody connects themselves"
    ),
}
ACTIONS.update(
    {
        (f"authentik_events.event {operation}", who): Special(
            Comes.NEVER, "a log that can be edited proves nothing: nobody changes it"
        )
        for operation in ("update", "partial_update", "destroy")
        for who in (Who.HOLDER, Who.GRANTED, Who.SUPERUSER)
    }
)
ACTIONS.update(
    {
        ("authentik_core.user impersonate_create", Who.SUPERUSER): Special(
            Comes.REFUSED, "only who is signed in with a browser acts as somebody else; these callers have tokens"
        )
    }
)
ACTIONS.update(
    {
        (name_of(action), who): Special(Comes.HIDDEN, "tenants have a key of their own, which none of these holds")
        for action in app.ACTIONS
        if action.kind.model in app.OPENED
        for who in Who
    }
)
VERBS.update(
    {
        (kind.model, verb, who): Special(Comes.HIDDEN, "as above")
        for kind in app.KINDS
        if kind.model in app.OPENED
        for verb in kind.verbs
        for who in Who
    }
)
_SELF: Final = "what everybody may know: names of parts and kinds, which the documentation tells too"
OPERATIONS: Final[Mapping[tuple[str, Who], Special]] = {
    ("admin_version_retrieve", Who.PLAIN): Special(_OPEN, "clients look at it before anything else"),
    ("admin_apps_list", Who.PLAIN): Special(_OPEN, _SELF),
    ("admin_models_list", Who.PLAIN): Special(_OPEN, _SELF),
    ("outposts_list", Who.PLAIN): Special(_OPEN, _SELF),
    ("rbac_permissions_list", Who.PLAIN): Special(_OPEN, _SELF),
    ("rbac_permissions_retrieve", Who.PLAIN): Special(_OPEN, _SELF),
    ("core_sessions_list", Who.PLAIN): Special(_OPEN, "one's own sessions"),
    ("lifecycle_iterations_list_latest", Who.PLAIN): Special(_OPEN, "what one is asked to review"),
    ("lifecycle_iterations_list_open", Who.PLAIN): Special(_OPEN, "what one is asked to review"),
    ("authenticators_all_list", Who.PLAIN): Special(_OPEN, "one's own devices"),
    ("stages_all_user_settings_list", Who.PLAIN): Special(_OPEN, "what everybody may set up for themselves"),
}
BESIDE: Final[Mapping[tuple[str, str], str]] = {
    ("GET", "/api/v3/flows/executor/{flow_slug}/"): "flows are for people who are not signed in; they let in or not",
    ("POST", "/api/v3/flows/executor/{flow_slug}/"): "as above",
    ("GET", "/api/v3/flows/inspector/{flow_slug}/"): "a flow's own test asks it: tests/flows/test_kinds.py",
    **{
        (
            "POST",
            f"/api/v3/{whose.path}/{{{whose.key_name or getattr(whose, 'key', '')}}}/set_{word}{tail}/",
        ): "tests/doors/rest/test_files"
        for whose, word, _ in app.PICTURED
        for tail in ("", "_url")
    },
    ("GET", "/api/v3/schema/"): "the document tells about the product, not about the installation",
    ("GET", "/api/v3/"): "as above, to be read",
}
"""Routes of the API that no list of ``app.py`` holds, and why anybody may use them."""
