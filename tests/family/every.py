"""What the suites over all kinds share: which kinds there are, and how a verb is asked."""

from typing import Any, Final, TypeAlias

import pytest

from keystead import app
from keystead.kinds.kind import Kind, Verb
from tests.client import Answered, Client

AnyKind: TypeAlias = Kind[Any]
WRITES: Final = frozenset({Verb.CREATE, Verb.UPDATE, Verb.PARTIAL_UPDATE, Verb.DESTROY})
METHODS: Final = {
    Verb.LIST: "GET",
    Verb.CREATE: "POST",
    Verb.RETRIEVE: "GET",
    Verb.UPDATE: "PUT",
    Verb.PARTIAL_UPDATE: "PATCH",
    Verb.DESTROY: "DELETE",
    Verb.USED_BY: "GET",
}


def every(verb: Verb | None = None) -> pytest.MarkDecorator:
    """For every kind that has ``verb`` (any verb, where none is named)."""
    found = [
        kind
        for kind in (*app.KINDS, *app.TWINS)
        if makeable(kind) and (kind.verbs if verb is None else verb in kind.verbs)
    ]
    ids = [kind.path if kind in app.TWINS else kind.model for kind in found]
    return pytest.mark.parametrize("kind", found, ids=ids)


def makeable(kind: AnyKind) -> bool:
    """Whether there can be an object of ``kind``: everything it must refer to is there, and no other key is wanted."""
    if kind.model in app.OPENED:
        return False
    known = {name for other in app.KINDS for name in (other.model, other.family)} | {"bindable"}
    return all(one.ref is None or one.ref.target in known or one.nullable or one.many for one in kind.references)


def path_of(kind: AnyKind, obj: object = None, tail: str = "") -> str:
    """Where a kind, or an object of it (the kept one, or as the API shows it), stands."""
    base = f"/api/v3/{kind.path}/"
    if obj is None:
        return base
    key = obj[kind.key] if isinstance(obj, dict) else getattr(obj, kind.key)
    return f"{base}{key}/{tail}"


async def asked(client: Client, kind: AnyKind, verb: Verb, obj: object, body: object = ...) -> Answered:
    """The answer to a verb on an object (or, for list and create, on its kind)."""
    url = path_of(kind) if verb in {Verb.LIST, Verb.CREATE} else path_of(kind, obj)
    if verb is Verb.USED_BY:
        url += "used_by/"
    sends = verb in {Verb.CREATE, Verb.UPDATE, Verb.PARTIAL_UPDATE}
    return await client.request(METHODS[verb], url, json=body if sends else ...)


def complains(answered: Answered, member: str) -> bool:
    """Whether the answer is a complaint about this member."""
    return answered.status == 400 and member in answered.json
