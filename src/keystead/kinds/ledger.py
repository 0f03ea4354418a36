"""The ledger: every change and every login, failure, logout and authorization is an event in the same commit.

The shape is the contract's (platform.md §7): a reference to an object is ``{pk, app, name, model_name}`` with uuids as
32 hexadecimal digits, and nothing secret is in it.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from keystead.base import rand
from keystead.base.clock import micros
from keystead.base.secret import Secret
from keystead.kinds.call import Actor, Call
from keystead.kinds.kind import Kind
from keystead.store import Statement, Write

MASK: Final = "********************"
_SENSITIVE: Final = re.compile(
    r"pass_?w|passphrase|secret|token|private|credential|authorization|cookie|assertion|saml_?response|api_?key"
    r"|key_data|code_verifier|^key$|^code$",
    re.IGNORECASE,
)
_KEY_IN_PATH: Final = re.compile(r"(?<=/)(?=[^/]*[0-9])[A-Za-z0-9_-]{40,}(?=/|$)")
"""A part of a path that is drawn at random and longer than an uuid: the key of a recovery link, say."""
_PASSWORD_IN_URL: Final = re.compile(r"(://[^/?#@\s:]*:)[^/?#@\s]+@")  # RFC 3986 §3.2.1
_LONGEST: Final = 1024
"""Characters of a path or a parameter that an event keeps."""
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_INSERT: Final = Statement(
    "event.insert",
    "INSERT INTO events (id, action, app, user_pk, username, actor, model, model_pk, context, client_ip, created,"
    " expires, brand) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
)
_encode: Final = msgspec.json.Encoder(enc_hook=str).encode


def plain_pk(pk: object) -> object:
    """A primary key as events carry it: numbers as they are, uuids without dashes."""
    return pk.replace("-", "") if isinstance(pk, str) and _UUID.fullmatch(pk) else pk


def reference(kind: Kind[Any], obj: msgspec.Struct) -> dict[str, object]:
    """``obj`` as events refer to it."""
    names = (getattr(obj, member, "") for member in _NAMES)
    return {
        "pk": plain_pk(getattr(obj, kind.pk)),
        "app": kind.app,
        "name": next((str(name) for name in names if name), ""),
        "model_name": kind.name,
    }


_NAMES: Final = ("name", "username", "identifier", "domain")
"""Members that name an object for people, the best first."""


def cleaned(value: object) -> object:
    """``value`` as JSON with everything secret replaced: by type, by the names under which secrets travel, in URLs."""
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.asdict(value)
    if isinstance(value, (str, Secret)):
        return MASK if isinstance(value, Secret) else _PASSWORD_IN_URL.sub(rf"\1{MASK}@", _writable(value))
    if isinstance(value, Mapping):
        return {
            _writable(str(key)): _masked(inner) if _SENSITIVE.search(str(key)) else cleaned(inner)
            for key, inner in value.items()
        }
    if isinstance(value, (list, tuple, set, frozenset)):
        return [cleaned(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _masked(value: object) -> object:
    """What stands under the name of something secret: every text is replaced; names inside speak for themselves."""
    if isinstance(value, (str, Secret)):
        return MASK if value else ""
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_masked(item) for item in value]
    return cleaned(value)


def _writable(text: str) -> str:
    """``text`` without what PostgreSQL's JSON and UTF-8 cannot hold, so that no event can break a search of the log."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def told_path(path: str) -> str:
    """A request's path as events and logs may tell it: without keys that stand in it."""
    return _KEY_IN_PATH.sub(MASK, path)[:_LONGEST]


def actor(call: Call) -> dict[str, object]:
    """The caller as events name it: whoever really acts, and as whom if not as themselves."""
    told = _named(call.actor)
    return told if call.actor.original is None else {**_named(call.actor.original), "on_behalf_of": told}


def _named(actor: Actor) -> dict[str, object]:
    return {"pk": actor.pk, "email": actor.email, "username": actor.username}


def event(
    call: Call,
    action: str,
    app: str,
    context: Mapping[str, object],
    *,
    about: tuple[Kind[Any], msgspec.Struct] | None = None,
    user: Mapping[str, object] | None = None,
) -> Write:
    """The write of one event.

    :param action: one of the contract's EventActions, such as ``model_created``.
    :param app: the app label or module it comes from.
    :param context: what happened; secrets in it are replaced.
    :param about: the object it is about; its reference becomes the context's first member, ``model``.
    :param user: who acted, if not the caller (a login names the person who has just logged in).
    """
    body: dict[str, object] = {}
    if about:
        body["model"] = reference(*about)
    cleaned_context = cleaned(context)
    if isinstance(cleaned_context, dict):
        body.update(cleaned_context)
    if call.origin.method:
        body["http_request"] = {
            "args": cleaned({name: value[:_LONGEST] for name, value in call.origin.query.items()}),
            "path": _writable(told_path(call.origin.path)),
            "method": call.origin.method,
            "request_id": call.request_id,
            "user_agent": _writable(call.origin.user_agent[:255]),
        }
    who = dict(user) if user is not None else actor(call)
    pk = who.get("pk")
    created = micros(call.at)
    return Write(
        _INSERT,
        (
            rand.uuid4(),
            _writable(action),
            _writable(app),
            pk if isinstance(pk, int) and pk > 0 else None,
            _writable(str(who.get("username", ""))),
            _encode(cleaned(who)).decode(),
            about[0].model if about else "",
            str(getattr(about[1], about[0].pk)) if about else "",
            _encode(body).decode(),
            call.peer or None,
            created,
            created + call.origin.retention // timedelta(microseconds=1),
            call.origin.brand,
        ),
    )


def difference(kind: Kind[Any], old: msgspec.Struct, new: msgspec.Struct) -> dict[str, object]:
    """Which members changed, from what to what; secrets only as having changed."""
    changed: dict[str, object] = {}
    for field in kind.fields.values():
        before, after = getattr(old, field.name), getattr(new, field.name)
        if before != after:
            if not field.readable:
                before, after = MASK, MASK
            changed[field.name] = {"previous_value": cleaned(before), "new_value": cleaned(after)}
    return changed
