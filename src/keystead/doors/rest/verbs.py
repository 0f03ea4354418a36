"""The verbs of every kind: list, create, retrieve, update, partial update, destroy and used_by."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from keystead.base import rand
from keystead.base.errors import denied, not_found
from keystead.doors.http.json_body import json_object
from keystead.doors.http.message import Request, Response
from keystead.doors.http.site import Site
from keystead.doors.rest import deeds, kept_lists, version
from keystead.kinds import grants, ledger, listing, records
from keystead.kinds.access import may, require, signed_in
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.field import Field
from keystead.kinds.kind import Kind, Verb
from keystead.kinds.marks import OnDelete
from keystead.kinds.render import encoded, render
from keystead.kinds.snapshot import Referrer
from keystead.kinds.state import State
from keystead.people.installation import settings as installation

Query = Mapping[str, Sequence[str]]
Narrow = Callable[[Call, State, Sequence[Any], Query], Awaitable[Sequence[Any]]]
"""``(call, state, objects, query) -> those of them that concern the caller``."""
More = Callable[[Call, State, Any, Mapping[str, object]], Awaitable[Changes]]
"""``(call, state, new object, body) -> what else is written``."""
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


def page_of(call: Call, query: Query) -> listing.Page:
    """The page that ``query`` asks for, of the size that the installation's settings name and allow.

    :raises Problem: ``NOT_FOUND`` for a page number that is none.
    """
    sizes = installation.current(call.settings)
    return listing.page(
        query,
        default=sizes.pagination_default_page_size or listing.DEFAULT_SIZE,
        most=sizes.pagination_max_page_size or listing.MAX_SIZE,
    )


async def find(call: Call, state: State, kind: Kind[Any], key: str) -> Any:  # noqa: ANN401 - objects of every kind
    """The object that a URL names.

    :raises Problem: ``NOT_FOUND``; also for a key that cannot be one.
    """
    return (await seen(call, state, kind, key))[1]


async def seen(call: Call, state: State, kind: Kind[Any], key: str, *, bare: bool = False) -> tuple[Call, Any]:
    """The object that a URL names, and ``call`` with what its actor may do to that object in particular.

    :param bare: a record comes without its links.
    :raises Problem: as :func:`find`.
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
    return await grants.on(call, state.store, kind, [found]), found


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
    shared = _shared_by_all(request, call, kind, narrow)
    if shared is not None and (body := kept_lists.get(call, shared)) is not None:
        return Response(200, body, headers=NO_STORE)
    query = query_of(request)
    asked = page_of(call, query)
    signed_in(call)
    everything = may(call, kind, "view")
    some = grants.some(call, kind, "view")
    if kind.table is None:
        if narrow is None and not some:
            require(call, kind, Verb.LIST)
        found = listing.settings(call, kind, query, await listing.narrowed(call, site.state, kind, query))
        if some and narrow is None:
            keys = await grants.keys(call, site.state.store, kind, "view")
            found = [obj for obj in found if str(getattr(obj, kind.pk)) in keys]
        if narrow and not everything:
            # Counted after narrowing: how many others there are is not this caller's to know.
            found = list(await narrow(call, site.state, found, query))
        pages = listing.pagination(asked, len(found))
        first = (asked.number - 1) * asked.size
        objs = found[first : first + asked.size]
        if narrow and everything:
            objs = list(await narrow(call, site.state, objs, query))
    else:
        if not (everything or some or kind.table.owner):
            raise denied()
        objs, count = await listing.rows(call, site.state, kind, query, asked, everything=everything)
        pages = listing.pagination(asked, count)
    call = await grants.on(call, site.state.store, kind, objs)
    results = await encoded(call, site.state, kind, objs, query)
    response = json({"pagination": pages, "results": results, "autocomplete": {}})
    if shared is not None:
        kept_lists.put(call, shared, response.body)
    return response


def _shared_by_all(request: Request, call: Call, kind: Kind[Any], narrow: Narrow | None) -> tuple[object, ...] | None:
    """What names a list whose bytes are kept as long as the settings stay.

    None where it may be another for another caller, or where the store or the hour has a say in it.
    """
    plain = kind.steady and narrow is None and not kind.shown_secrets
    if not plain or not may(call, kind, "view"):
        return None
    if kind.sought and not kind.sought.isdisjoint(name for name, _ in request.query):
        return None
    return kept_lists.name_of(request, call, kind.path)


async def retrieve(request: Request, call: Call, site: Site, kind: Kind[Any], key: str) -> Response:
    """One object."""
    signed_in(call)
    call, obj = await seen(call, site.state, kind, key)
    require(call, kind, Verb.RETRIEVE, obj)
    shown = json((await encoded(call, site.state, kind, [obj], query_of(request)))[0])
    return shown.header(*version.header(site.state, kind, obj))


async def new_key(state: State, kind: Kind[Any]) -> object:
    """A primary key nobody has."""
    if kind.fields[kind.pk].core is int:
        return await state.store.reserve(kind.table.name if kind.table else kind.family or kind.model, 1)
    return rand.uuid4()


async def create(request: Request, call: Call, site: Site, kind: Kind[Any], more: More | None = None) -> Response:
    """Make an object from the body.

    :param more: what else the body asks for, in the same unit.
    """
    require(call, kind, Verb.CREATE)
    body = json_object(request)
    state = site.state
    pk = await new_key(state, kind)

    async def decide(call: Call) -> tuple[Changes, Any]:
        changes, obj = await deeds.make(call, state, kind, body, pk)
        if more:
            changes.extend(await more(call, state, obj, body))
        return changes, obj

    obj = await state.change(call, decide)
    shown = json(await _shown(call, state, kind, obj, query_of(request)), 201)
    return shown.header(*version.header(state, kind, obj))


async def _shown(call: Call, state: State, kind: Kind[Any], obj: Any, query: Query) -> dict[str, object]:  # noqa: ANN401 - objects of every kind
    """``obj`` after the change, seen with the settings the change made."""
    after = replace(call, settings=state.settings)
    return (await render(after, state, kind, [obj], query))[0]


async def update(request: Request, call: Call, site: Site, kind: Kind[Any], key: str, *, partial: bool) -> Response:
    """Change an object by the body: PUT wants every required member, PATCH takes any."""
    signed_in(call)
    state = site.state
    versions = version.wanted(request)
    call, obj = await seen(call, state, kind, key)
    require(call, kind, Verb.UPDATE, obj)
    body = json_object(request)

    async def decide(call: Call) -> tuple[Changes, Any]:
        call, old = await seen(call, state, kind, key)
        require(call, kind, Verb.UPDATE, old)
        version.check(versions, state, kind, old)
        strictly = versions is not None
        return await deeds.alter(call, state, kind, old, body, partial=partial, strictly=strictly)

    obj = await state.change(call, decide)
    shown = json(await _shown(call, state, kind, obj, query_of(request)))
    return shown.header(*version.header(state, kind, obj))


async def destroy(request: Request, call: Call, site: Site, kind: Kind[Any], key: str) -> Response:
    """Remove an object and do to what refers to it what the references say."""
    signed_in(call)
    state = site.state
    versions = version.wanted(request)
    call, obj = await seen(call, state, kind, key)
    require(call, kind, Verb.DESTROY, obj)

    async def decide(call: Call) -> tuple[Changes, None]:
        call, obj = await seen(call, state, kind, key)
        require(call, kind, Verb.DESTROY, obj)
        version.check(versions, state, kind, obj)
        return await deeds.remove(call, state, kind, obj), None

    await state.change(call, decide)
    return Response(204)


async def used_by(_request: Request, call: Call, site: Site, kind: Kind[Any], key: str) -> Response:
    """What refers to an object, as far as the caller may see it."""
    signed_in(call)
    call, obj = await seen(call, site.state, kind, key)
    require(call, kind, Verb.USED_BY, obj)
    pk = getattr(obj, kind.pk)
    found: list[dict[str, object]] = []
    for other, group in groupby(sorted(call.settings.referrers(kind, pk), key=_by_kind), lambda one: one.kind):
        holders = [(one.field, holder) for one in group if (holder := call.settings.get(other, one.pk)) is not None]
        asking = await grants.on(call, site.state.store, other, [holder for _, holder in holders])
        for field, holder in holders:
            ref = other.fields[field].ref
            if ref is not None and may(asking, other, "view", holder):
                found.append(_user(other, holder, OnDelete.CASCADE_MANY if other.fields[field].many else ref.on_delete))
    for other in site.state.kinds.values():
        if other.table is not None and (may(call, other, "view") or grants.some(call, other, "view")):
            found.extend(await _records_using(call, site.state, other, kind, pk))
    return json(found)


def _by_kind(one: Referrer) -> tuple[str, str]:
    return one.kind.model, str(one.pk)


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


async def _records_using(
    call: Call, state: State, holder: Kind[Any], kind: Kind[Any], pk: object
) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    targets = {kind.model, kind.family} - {""}
    for field in holder.references:
        if field.ref is None or field.ref.target not in targets or holder.table is None:
            continue
        statement = records.holders(holder, field, _MOST)
        rows = await state.store.fetch(statement, pk if isinstance(pk, int) else str(pk), heavy=True)
        action = OnDelete.CASCADE_MANY if field.many else field.ref.on_delete
        objs = [records.from_row(holder, row) for row in rows]
        asking = await grants.on(call, state.store, holder, objs)
        found.extend(_user(holder, obj, action) for obj in objs if may(asking, holder, "view", obj))
    return found
