"""The verbs of every kind: list, create, retrieve, update, partial update, destroy and used_by."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec

from keystead.base import rand
from keystead.base.errors import denied, not_found
from keystead.doors.http.json_body import json_object
from keystead.doors.http.message import Request, Response
from keystead.doors.http.site import Site
from keystead.doors.rest.body import taken
from keystead.kinds import ledger, listing, records
from keystead.kinds.access import may, require, signed_in
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.field import Field
from keystead.kinds.kind import Kind, Verb
from keystead.kinds.marks import OnDelete
from keystead.kinds.render import encoded, render
from keystead.kinds.state import State

Query = Mapping[str, Sequence[str]]
Narrow = Callable[[Call, State, Sequence[Any], Query], Awaitable[Sequence[Any]]]
"""``(call, state, objects, query) -> those of them that concern the caller``."""
_encoder: Final = msgspec.json.Encoder()
NO_STORE: Final = [(b"cache-control", b"no-store")]


def json(body: object, status: int = 200) -> Response:
    """``body`` as a JSON answer."""
    return Response(status, _encoder.encode(body), headers=NO_STORE)


def query_of(request: Request) -> dict[str, list[str]]:
    """The query as name -> values."""
    found: dict[str, list[str]] = {}
    for name, value in request.query:
        found.setdefault(name, []).append(value)
    return found


async def find(call: Call, state: State, kind: Kind[Any], key: str, *, bare: bool = False) -> Any:  # noqa: ANN401 - objects of every kind
    """The object that a URL names.

    :param bare: a record comes without its links.
    :raises Problem: ``NOT_FOUND``; also for a key that cannot be one.
    """
    field = kind.fields[kind.key]
    value = key_of(field, key)
    if value is None:
        found = None
    elif kind.table is not None:
        found = await records.visible(state.store, kind, field.column, value, call.at, bare=bare)
    elif kind.key == kind.pk:
        found = call.settings.get(kind, value)
    else:
        found = call.settings.by(kind, kind.key, value)
    if found is None:
        raise not_found()
    return found


def key_of(field: Field, text: str) -> object | None:
    """``text``, from a URL, as a value of the key ``field``; None if it cannot be one."""
    try:
        return field.take(int(text) if field.core is int and text.isascii() and text.isdigit() else text)
    except ValueError:
        return None


async def list_(request: Request, call: Call, site: Site, kind: Kind[Any], narrow: Narrow | None = None) -> Response:
    """A page of the objects the caller may see.

    :param narrow: picks what concerns the caller, who then needs no permission to see it.
    """
    query = query_of(request)
    asked = listing.page(query)
    everything = may(call, kind, "view")
    if kind.table is None:
        if narrow is None:
            require(call, kind, Verb.LIST)
        signed_in(call)
        found = listing.settings(call, kind, query, await listing.narrowed(call, site.state, kind, query))
        if narrow and not everything:
            # Counted after narrowing: how many others there are is not this caller's to know.
            found = list(await narrow(call, site.state, found, query))
        pages = listing.pagination(asked, len(found))
        first = (asked.number - 1) * asked.size
        objs = found[first : first + asked.size]
        if narrow and everything:
            objs = list(await narrow(call, site.state, objs, query))
    else:
        signed_in(call)
        if not everything and not kind.table.owner:
            raise denied()
        objs, count = await listing.rows(
            call, site.state, kind, query, asked, owner=None if everything else call.actor.pk
        )
        pages = listing.pagination(asked, count)
    results = await encoded(call, site.state, kind, objs, query)
    return json({"pagination": pages, "results": results, "autocomplete": {}})


async def retrieve(request: Request, call: Call, site: Site, kind: Kind[Any], key: str) -> Response:
    """One object."""
    signed_in(call)
    obj = await find(call, site.state, kind, key)
    require(call, kind, Verb.RETRIEVE, obj)
    return json((await encoded(call, site.state, kind, [obj], query_of(request)))[0])


async def new_key(state: State, kind: Kind[Any]) -> object:
    """A primary key nobody has."""
    if kind.fields[kind.pk].core is int:
        return await state.store.reserve(kind.table.name if kind.table else kind.family or kind.model, 1)
    return rand.uuid4()


async def create(request: Request, call: Call, site: Site, kind: Kind[Any]) -> Response:
    """Make an object from the body."""
    power = require(call, kind, Verb.CREATE)
    body = json_object(request)
    state = site.state
    pk = await new_key(state, kind)

    async def decide(call: Call) -> tuple[Changes, Any]:
        obj = await taken(call, state, kind, body, None, partial=False, pk=pk)
        if kind.rules:
            obj = await kind.rules(call, state, None, obj)
        changes = Changes()
        changes.create(power, obj)
        return changes, obj

    obj = await state.change(call, decide)
    return json(await _shown(call, state, kind, obj, query_of(request)), 201)


async def _shown(call: Call, state: State, kind: Kind[Any], obj: Any, query: Query) -> dict[str, object]:  # noqa: ANN401 - objects of every kind
    """``obj`` after the change, seen with the settings the change made."""
    after = replace(call, settings=state.settings)
    return (await render(after, state, kind, [obj], query))[0]


async def update(request: Request, call: Call, site: Site, kind: Kind[Any], key: str, *, partial: bool) -> Response:
    """Change an object by the body: PUT wants every required member, PATCH takes any."""
    signed_in(call)
    state = site.state
    require(call, kind, Verb.UPDATE, await find(call, state, kind, key))
    body = json_object(request)

    async def decide(call: Call) -> tuple[Changes, Any]:
        old = await find(call, state, kind, key)
        power = require(call, kind, Verb.UPDATE, old)
        obj = await taken(call, state, kind, body, old, partial=partial, pk=getattr(old, kind.pk))
        if kind.rules:
            obj = await kind.rules(call, state, old, obj)
        changes = Changes()
        changes.update(power, old, obj)
        return changes, obj

    obj = await state.change(call, decide)
    return json(await _shown(call, state, kind, obj, query_of(request)))


async def destroy(_request: Request, call: Call, site: Site, kind: Kind[Any], key: str) -> Response:
    """Remove an object and do to what refers to it what the references say."""
    signed_in(call)
    state = site.state
    require(call, kind, Verb.DESTROY, await find(call, state, kind, key))

    async def decide(call: Call) -> tuple[Changes, None]:
        obj = await find(call, state, kind, key)
        power = require(call, kind, Verb.DESTROY, obj)
        if kind.leaving:
            await kind.leaving(call, state, obj)
        changes = Changes()
        changes.delete(power, obj, state.kinds.values())
        return changes, None

    await state.change(call, decide)
    return Response(204)


async def used_by(_request: Request, call: Call, site: Site, kind: Kind[Any], key: str) -> Response:
    """What refers to an object, as far as the caller may see it."""
    signed_in(call)
    obj = await find(call, site.state, kind, key)
    require(call, kind, Verb.USED_BY, obj)
    pk = getattr(obj, kind.pk)
    found: list[dict[str, object]] = []
    for referrer in sorted(call.settings.referrers(kind, pk), key=lambda one: (one.kind.model, str(one.pk))):
        holder = call.settings.get(referrer.kind, referrer.pk)
        ref = referrer.kind.fields[referrer.field].ref
        if holder is None or ref is None or not may(call, referrer.kind, "view"):
            continue
        action = OnDelete.CASCADE_MANY if referrer.kind.fields[referrer.field].many else ref.on_delete
        found.append(_user(referrer.kind, holder, action))
    for other in site.state.kinds.values():
        if other.table is not None and may(call, other, "view"):
            found.extend(await _records_using(site.state, other, kind, pk))
    return json(found)


def _user(kind: Kind[Any], holder: msgspec.Struct, action: OnDelete) -> dict[str, object]:
    told = ledger.reference(kind, holder)
    return {
        "app": kind.app,
        "model_name": kind.name,
        "pk": str(getattr(holder, kind.pk)),
        "name": str(told["name"]) or f"{kind.title[0]} {getattr(holder, kind.pk)}",
        "action": action.value,
    }


_MOST: Final = 100
"""Records listed for one reference; a group of a million users is not told by name."""


async def _records_using(state: State, holder: Kind[Any], kind: Kind[Any], pk: object) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    targets = {kind.model, kind.family} - {""}
    for field in holder.references:
        if field.ref is None or field.ref.target not in targets or holder.table is None:
            continue
        statement = records.holders(holder, field, _MOST)
        rows = await state.store.fetch(statement, pk if isinstance(pk, int) else str(pk), heavy=True)
        action = OnDelete.CASCADE_MANY if field.many else field.ref.on_delete
        found.extend(_user(holder, records.from_row(holder, row), action) for row in rows)
    return found
