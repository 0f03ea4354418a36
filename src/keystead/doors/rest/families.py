"""Polymorphic families: ``stages/all/``, ``policies/all/`` … list, read, delete objects of every type (rest.md §6)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from keystead.base.errors import denied, not_found
from keystead.doors.http.message import Request, Response
from keystead.doors.http.site import Site
from keystead.doors.rest import kept_lists, verbs
from keystead.doors.rest.verbs import json, query_of
from keystead.kinds import asked, grants, listing
from keystead.kinds.access import may, require, signed_in
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind, Verb
from keystead.kinds.render import base
from keystead.kinds.snapshot import in_order

_ORDERED: Final = frozenset({"name", "pk"})
"""Members that every type of a family has and that a list may be ordered by."""


class Family(msgspec.Struct, frozen=True):
    """A set of kinds that can be listed together.

    :param name: the kinds' ``family``.
    :param path: below ``/api/v3/``, as in ``stages/all``.
    :param key_name: what the contract calls the path parameter.
    :param schema: the base schema's name in OpenAPI.
    :param variants: model -> what an administrator chooses from instead of the one type: names and descriptions.
    """

    name: str
    path: str
    key_name: str
    schema: str
    search: tuple[str, ...] = ("name",)
    filters: tuple[Filter, ...] = ()
    variants: Mapping[str, Sequence[tuple[str, str]]] = msgspec.field(default_factory=dict)


def typed(family: Family, call: Call, key: str) -> tuple[Kind[Any], Any]:
    """The kind and object that a key names.

    :raises Problem: ``NOT_FOUND``.
    """
    for kind in call.settings.kinds(family.name):
        value = verbs.key_of(kind.fields[kind.key], key)
        if value is None:
            continue
        obj = call.settings.get(kind, value) if kind.key == kind.pk else call.settings.by(kind, kind.key, value)
        if obj is not None:
            return kind, obj
    raise not_found()


async def _shown(call: Call, site: Site, family: Family) -> dict[Any, tuple[Kind[Any], frozenset[str] | None]]:
    """Struct -> the kind, for those of the family's kinds of which the caller may see objects, and the keys of these.

    None stands for the keys of all objects of a kind.

    :raises Problem: ``DENIED``, where there is none.
    """
    kinds = call.settings.kinds(family.name)
    found: dict[Any, tuple[Kind[Any], frozenset[str] | None]] = {
        kind.struct: (kind, None) for kind in kinds if may(call, kind, "view")
    }
    for kind in kinds:
        if grants.some(call, kind, "view"):
            found[kind.struct] = (kind, await grants.keys(call, site.state.store, kind, "view"))
    if kinds and not found:
        raise denied()
    return found


async def list_(request: Request, call: Call, site: Site, family: Family) -> Response:
    """A page of the family's objects of the kinds the caller may see; base members only."""
    signed_in(call)
    name = _shared_by_all(request, call, family)
    if name is not None and (body := kept_lists.get(call, name)) is not None:
        return Response(200, body, headers=verbs.NO_STORE)
    seen = await _shown(call, site, family)
    query = query_of(request)
    page = verbs.page_of(call, query)
    needle = asked.needle(query)
    ordering = asked.last(query, "ordering")
    found = _ordered(call, family, ordering if ordering.removeprefix("-") in _ORDERED else "name")
    found = [obj for obj in found if type(obj) in seen and _among(seen[type(obj)], obj)]
    if needle:
        texts = _texts(call, family)
        found = [obj for obj in found if needle in texts[id(obj)]]
    for item in family.filters:
        value, test = asked.asked_for(item, query), item.test
        if value is not None and test is not None:
            found = [obj for obj in found if test((call, seen[type(obj)][0], obj), value)]
    pages = listing.pagination(page, len(found))
    first = (page.number - 1) * page.size
    objs = found[first : first + page.size]
    results = [await base(call, site.state, seen[type(obj)][0], obj) for obj in objs]
    response = json({"pagination": pages, "results": results, "autocomplete": {}})
    if name is not None and all(seen[type(obj)][0].steady for obj in objs):
        kept_lists.put(call, name, response.body)
    return response


def _shared_by_all(request: Request, call: Call, family: Family) -> tuple[object, ...] | None:
    """What names a list that everybody sees who may see every type; None for callers who may not.

    No secret is a base member, so those who may change the objects see nothing more.
    """
    if not all(may(call, kind, "view") for kind in call.settings.kinds(family.name)):
        return None
    return kept_lists.name_of(request, call, family.path)


def _among(shown: tuple[Kind[Any], frozenset[str] | None], obj: Any) -> bool:  # noqa: ANN401 - objects of every kind
    kind, keys = shown
    return keys is None or str(getattr(obj, kind.pk)) in keys


def _ordered(call: Call, family: Family, by: str) -> Sequence[Any]:
    """Every object of the family; sorted once for as long as the settings stay."""

    def build() -> tuple[Any, ...]:
        every = (obj for kind in call.settings.kinds(family.name) for obj in call.settings.all(kind))
        return tuple(in_order(every, (by,)))

    return call.settings.memo(("family", family.name, by), build)


def _texts(call: Call, family: Family) -> dict[int, str]:
    """The texts each object is searched for, in lower case, by the object's ``id``; parted by NUL, which none holds."""

    def build() -> dict[int, str]:
        return {
            id(obj): "\0".join(str(getattr(obj, name, "")) for name in family.search).lower()
            for _, obj in call.settings.members(family.name)
        }

    return call.settings.memo(("family.texts", family.name), build)


async def retrieve(_request: Request, call: Call, site: Site, family: Family, key: str) -> Response:
    """One object's base members."""
    signed_in(call)
    kind, obj = typed(family, call, key)
    call = await grants.on(call, site.state.store, kind, [obj])
    require(call, kind, Verb.RETRIEVE, obj)
    return json(await base(call, site.state, kind, obj))


async def destroy(request: Request, call: Call, site: Site, family: Family, key: str) -> Response:
    """Remove an object, of whatever type."""
    signed_in(call)
    kind, obj = typed(family, call, key)
    return await verbs.destroy(request, call, site, kind, str(getattr(obj, kind.key)))


async def used_by(request: Request, call: Call, site: Site, family: Family, key: str) -> Response:
    """What refers to an object, of whatever type."""
    signed_in(call)
    kind, obj = typed(family, call, key)
    return await verbs.used_by(request, call, site, kind, str(getattr(obj, kind.key)))


async def types(_request: Request, call: Call, _site: Site, family: Family) -> Response:
    """The types an administrator can choose from."""
    signed_in(call)
    kinds = [kind for kind in call.settings.kinds(family.name) if Verb.CREATE in kind.verbs]
    return json(
        [
            {
                "name": name,
                "description": description,
                "component": kind.component,
                "model_name": kind.name,
                "icon_url": "",
                "requires_enterprise": False,
                "deprecated": False,
            }
            for kind in sorted(kinds, key=lambda kind: kind.title[0])
            for name, description in family.variants.get(kind.model) or [_described(kind)]
        ]
    )


def _described(kind: Kind[Any]) -> tuple[str, str]:
    return kind.title[0], (kind.struct.__doc__ or "").strip().splitlines()[0]
