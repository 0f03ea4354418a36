"""The ledger: every change and every login, failure, logout and authorization is an event in the same commit.

The shape is the contract's (platform.md §7): a reference to an object is ``{pk, app, name, model_name}`` with uuids as 32
hexadecimal digits, and nothing secret is in it.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from keystead.base import rand
from keystead.base.clock import micros
from keystead.base.secret import Secret
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.store import Statement, Write

MASK: Final = "********************"
_SENSITIVE: Final = re.compile(
    r"passw|secret|token|private|credential|authorization|cookie|assertion|api_?key|key_data|code_verifier|^key$|^code$",
    re.IGNORECASE,
)
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
RETENTION: Final = timedelta(days=365)
"""How long an event is kept unless the installation's settings say otherwise."""
_INSERT: Final = Statement(
    "event.insert",
    "INSERT INTO events (id, action, app, user_pk, username, actor, model, model_pk, context, client_ip, created, expires,"
    " brand) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
)
_encode: Final = msgspec.json.Encoder(enc_hook=str).encode


def plain_pk(pk: object) -> object:
    """A primary key as events carry it: numbers as they are, uuids without dashes."""
    return pk.replace("-", "") if isinstance(pk, str) and _UUID.fullmatch(pk) else pk


def reference(kind: Kind[Any], obj: msgspec.Struct) -> dict[str, object]:
    """``obj`` as events refer to it."""
    name = next((getattr(obj, member) for member in ("name", "username", "identifier") if hasattr(obj, member)), "")
    return {
        "pk": plain_pk(getattr(obj, kind.pk)),
        "app": kind.app,
        "name": str(name),
        "model_name": kind.name,
    }


def cleaned(value: object) -> object:
    """``value`` as JSON with everything secret replaced: by type, and by the names under which secrets travel."""
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, Mapping):
        return {
            str(key): MASK
            if _SENSITIVE.search(str(key)) and isinstance(inner, (str, Secret)) and inner
            else cleaned(inner)
            for key, inner in value.items()
        }
    if isinstance(value, (list, tuple, set, frozenset)):
        return [cleaned(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, msgspec.Struct):
        return cleaned(msgspec.structs.asdict(value))
    return value


def actor(call: Call) -> dict[str, object]:
    """The caller as events name it."""
    return {"pk": call.actor.pk, "email": call.actor.email, "username": call.actor.username}


def event(
    call: Call,
    action: str,
    app: str,
    context: Mapping[str, object],
    *,
    about: tuple[Kind[Any], msgspec.Struct] | None = None,
    user: Mapping[str, object] | None = None,
    retention: timedelta = RETENTION,
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
            "args": cleaned(call.origin.query),
            "path": call.origin.path,
            "method": call.origin.method,
            "request_id": call.request_id,
            "user_agent": call.origin.user_agent[:255],
        }
    who = dict(user) if user is not None else actor(call)
    pk = who.get("pk")
    created = micros(call.at)
    return Write(
        _INSERT,
        (
            rand.uuid4(),
            action,
            app,
            pk if isinstance(pk, int) and pk > 0 else None,
            str(who.get("username", "")),
            _encode(who).decode(),
            about[0].model if about else "",
            str(getattr(about[1], about[0].pk)) if about else "",
            _encode(body).decode(),
            call.peer or None,
            created,
            created + retention // timedelta(microseconds=1),
            call.origin.brand,
        ),
    )


def difference(kind: Kind[Any], old: msgspec.Struct, new: msgspec.Struct) -> dict[str, object]:
    """Which members changed, from what to what; secrets only as having changed."""
    changed: dict[str, object] = {}
    for field in kind.fields.values():
        before, after = getattr(old, field.name), getattr(new, field.name)
        if before != after:
            if field.secret or not (field.readable or field.writable):
                before, after = MASK, MASK
            changed[field.name] = {"previous_value": cleaned(before), "new_value": cleaned(after)}
    return changed
