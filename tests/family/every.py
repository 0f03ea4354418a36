"""What the suites over all kinds share: which kinds there are, on which engines they are tried, how a verb is asked.

Every kind is tried on SQLite. On PostgreSQL every record is, for its table and statements are its own there; settings
are documents that all go one way whatever their kind, so those in :data:`SAMPLE` speak for the others: every one that
does something of its own on that way (numbers for its keys, secrets to be sealed), and every tenth of the rest.
"""

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


def _sample() -> frozenset[str]:
    settings = [kind for kind in (*app.KINDS, *app.TWINS) if kind.table is None]
    own = [kind for kind in settings if kind.fields[kind.pk].core is int or any(f.secret for f in kind.fields.values())]
    rest = [kind for kind in settings if kind not in own]
    return frozenset(kind.model for kind in (*own, *rest[::10]))


SAMPLE: Final = _sample()
"""Models of the settings that are tried on PostgreSQL too."""
_HOUSES: Final = frozenset({"maker", "callers", "walk"})
"""Fixtures of the suites over all kinds: each a house on an engine."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is not for its engine (a conftest takes this in where such suites are)."""
    out = [item for item in items if isinstance(item, pytest.Function) and not _wanted(item)]
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in set(out)]


def _wanted(item: pytest.Function) -> bool:
    given = item.callspec.params.values() if hasattr(item, "callspec") else ()
    if "postgres" not in given or not _HOUSES & set(item.fixturenames):
        return True
    kinds = [kind for one in given for kind in _kinds(one)]
    return any(kind.table for kind in kinds) or all(kind.model in SAMPLE for kind in kinds)


def _kinds(given: object) -> list[AnyKind]:
    """The kinds that a test's parameter is about: a kind, what has one, or a path of the API at or below one."""
    if isinstance(given, str) and given.startswith("/"):
        found = [kind for kind in (*app.KINDS, *app.TWINS) if given.startswith(f"/{kind.path}/")]
        return [max(found, key=lambda kind: len(kind.path))] if found else []
    kind = given if isinstance(given, Kind) else getattr(given, "kind", None)
    return [kind] if isinstance(kind, Kind) else []


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
