"""Polymorphic families: ``stages/all/``, ``policies/all/`` … list, retrieve and delete objects of every type (rest.md §6)."""

from dataclasses import dataclass
from typing import Any

from keystead.base.errors import not_found
from keystead.doors.http.message import Request, Response
from keystead.doors.http.site import Site
from keystead.doors.rest import verbs
from keystead.doors.rest.verbs import json, query_of
from keystead.kinds import listing
from keystead.kinds.access import may, require, signed_in
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind, Verb
from keystead.kinds.render import base


@dataclass(frozen=True, slots=True)
class Family:
    """A set of kinds that can be listed together.

    :param name: the kinds' ``family``.
    :param path: below ``/api/v3/``, as in ``stages/all``.
    :param key_name: what the contract calls the path parameter.
    :param schema: the base schema's name in OpenAPI.
    """

    name: str
    path: str
    key_name: str
    schema: str
    search: tuple[str, ...] = ("name",)
    filters: tuple[Filter, ...] = ()


def _typed(family: Family, call: Call, key: str) -> tuple[Kind[Any], Any]:
    """The kind and object that a key names.

    :raises Problem: ``NOT_FOUND``.
    """
    for kind in call.settings.kinds(family.name):
        try:
            value = kind.fields[kind.pk].take(int(key) if key.isascii() and key.isdigit() else key)
        except ValueError:
            continue
        if (obj := call.settings.get(kind, value)) is not None:
            return kind, obj
    raise not_found()


async def list_(request: Request, call: Call, site: Site, family: Family) -> Response:
    """A page of the family's objects of the kinds the caller may see; base members only."""
    signed_in(call)
    query = query_of(request)
    asked = listing.page(query)
    found = [(kind, obj) for kind, obj in call.settings.members(family.name) if may(call, kind, "view")]
    for item in family.filters:
        value = listing.asked_for(item, query)
        if value is not None and item.test is not None:
            found = [pair for pair in found if item.test((call, *pair), value)]
    if needle := (query.get("search") or [""])[-1].strip().casefold():
        found = [
            pair
            for pair in found
            if any(needle in str(getattr(pair[1], name, "")).casefold() for name in family.search)
        ]
    ordering = (query.get("ordering") or ["name"])[-1] or "name"
    member = ordering.removeprefix("-") if ordering.removeprefix("-") in {"name", "pk"} else "name"
    found.sort(key=lambda pair: (str(getattr(pair[1], member, "")), str(getattr(pair[1], pair[0].pk))))
    if ordering.startswith("-"):
        found.reverse()
    pages = listing.pagination(asked, len(found))
    first = (asked.number - 1) * asked.size
    results = [await base(call, site.state, kind, obj) for kind, obj in found[first : first + asked.size]]
    return json({"pagination": pages, "results": results, "autocomplete": {}})


async def retrieve(_request: Request, call: Call, site: Site, family: Family, key: str) -> Response:
    """One object's base members."""
    signed_in(call)
    kind, obj = _typed(family, call, key)
    require(call, kind, Verb.RETRIEVE, obj)
    return json(await base(call, site.state, kind, obj))


async def destroy(request: Request, call: Call, site: Site, family: Family, key: str) -> Response:
    """Remove an object, of whatever type."""
    signed_in(call)
    kind, obj = _typed(family, call, key)
    return await verbs.destroy(request, call, site, kind, str(getattr(obj, kind.key)))


async def used_by(request: Request, call: Call, site: Site, family: Family, key: str) -> Response:
    """What refers to an object, of whatever type."""
    signed_in(call)
    kind, obj = _typed(family, call, key)
    return await verbs.used_by(request, call, site, kind, str(getattr(obj, kind.key)))


async def types(_request: Request, call: Call, _site: Site, family: Family) -> Response:
    """The types an administrator can choose from."""
    signed_in(call)
    return json(
        [
            {
                "name": kind.title[0],
                "description": (kind.struct.__doc__ or "").strip().splitlines()[0],
                "component": kind.component,
                "model_name": kind.name,
                "icon_url": "",
                "requires_enterprise": False,
                "deprecated": False,
            }
            for kind in sorted(call.settings.kinds(family.name), key=lambda kind: kind.title[0])
        ]
    )
