"""Which roles hold which permissions, on all objects of a model and on single ones (rest.md §9)."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final

import msgspec

from keystead.base.errors import denied
from keystead.doors.http.message import Request, Response
from keystead.doors.http.site import Site
from keystead.doors.rest.operation import PAGING, Operation, Pagination
from keystead.doors.rest.verbs import json, query_of
from keystead.kinds import asked, grants, ledger, listing, records
from keystead.kinds.access import may, signed_in
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter
from keystead.kinds.marks import READ_ONLY, Uuid
from keystead.kinds.permissions import app_title
from keystead.kinds.state import State
from keystead.kinds.terms import escaped
from keystead.people.role import ROLE, Role
from keystead.store import Statement, Value
from keystead.store.sql import dynamic

_MOST: Final = 1000
"""Permissions on single objects told of one role in a list of roles."""

_HOLDERS: Final = Statement(
    "grants.holders",
    "SELECT DISTINCT role_id FROM object_permissions WHERE model = $1 AND ($2 = '' OR object_pk = $2)",
)
_HELD: Final = Statement(
    "grants.held",
    "SELECT id, permission, object_pk FROM object_permissions WHERE role_id = $1"
    " AND ($2 = '' OR model = $2) AND ($3 = '' OR object_pk = $3) ORDER BY id LIMIT $4",
)


class RoleObjectPermission(msgspec.Struct):
    """A permission that a role holds on a single object."""

    id: Annotated[int, READ_ONLY]
    codename: Annotated[str, READ_ONLY]
    model: Annotated[str, READ_ONLY]
    app_label: Annotated[str, READ_ONLY]
    object_pk: str
    name: Annotated[str, READ_ONLY]


class RoleModelPermission(msgspec.Struct):
    """A permission that a role holds on all objects."""

    id: Annotated[int, READ_ONLY]
    codename: Annotated[str, READ_ONLY]
    model: Annotated[str, READ_ONLY]
    app_label: Annotated[str, READ_ONLY]
    name: Annotated[str, READ_ONLY]


class RoleAssignedObjectPermission(msgspec.Struct):
    """What a role holds."""

    role_pk: Annotated[str, READ_ONLY]
    name: Annotated[str, READ_ONLY]
    object_permissions: list[RoleObjectPermission]
    model_permissions: list[RoleModelPermission]


class ExtraRoleObjectPermission(msgspec.Struct):
    """A permission that a role holds on a single object, and on which.

    :param object_description: the object's name; null where it is gone, or the caller may not see it.
    """

    id: Annotated[int, READ_ONLY]
    codename: Annotated[str, READ_ONLY]
    model: Annotated[str, READ_ONLY]
    app_label: Annotated[str, READ_ONLY]
    object_pk: str
    name: Annotated[str, READ_ONLY]
    app_label_verbose: Annotated[str, READ_ONLY]
    model_verbose: Annotated[str, READ_ONLY]
    object_description: Annotated[str | None, READ_ONLY]


class PaginatedRoleAssignedObjectPermissionList(msgspec.Struct):
    """A page of roles and what they hold."""

    pagination: Pagination
    results: list[RoleAssignedObjectPermission]
    autocomplete: dict[str, object]


class PaginatedExtraRoleObjectPermissionList(msgspec.Struct):
    """A page of permissions on single objects."""

    pagination: Pagination
    results: list[ExtraRoleObjectPermission]
    autocomplete: dict[str, object]


_OF_MODEL: Final = Filter("model", str, note="Permissions on objects of this model, such as `authentik_core.user`.")
_OF_OBJECT: Final = Filter("object_pk", str, note="Permissions on the object with this primary key.")
_OF_ROLE: Final = Filter("uuid", Uuid, note="Permissions of this role.")


def paged(query: dict[str, list[str]], found: Sequence[Any]) -> tuple[dict[str, int], Sequence[Any]]:
    """The pagination of ``found``, and what of it stands on the page asked for."""
    page = listing.page(query)
    first = (page.number - 1) * page.size
    return listing.pagination(page, len(found)), found[first : first + page.size]


def listed(pages: dict[str, int], results: Sequence[object]) -> Response:
    """The page as an answer."""
    return json({"pagination": pages, "results": results, "autocomplete": {}})


async def _visible_roles(call: Call, state: State) -> list[Role]:
    """The roles the caller may see, in order.

    :raises Problem: ``DENIED`` to who may see none.
    """
    signed_in(call)
    every = list(call.settings.all(ROLE))
    if may(call, ROLE, "view"):
        return every
    if not grants.some(call, ROLE, "view"):
        raise denied()
    keys = await grants.keys(call, state.store, ROLE, "view")
    return [role for role in every if role.pk in keys]


async def assigned(request: Request, call: Call, site: Site, _params: dict[str, str]) -> Response:
    """A page of roles and what they hold: on all objects of a model, and on single ones.

    Of one role at most a thousand permissions on single objects are told; ``rbac/permissions/roles/`` lists all.
    """
    state, query = site.state, query_of(request)
    needle, model, pk = asked.needle(query), asked.last(query, "model"), asked.last(query, "object_pk")
    found = [role for role in await _visible_roles(call, state) if needle in role.name.lower()]
    if asked.last(query, "ordering").removeprefix("-") == "name":
        found.sort(key=lambda role: role.name, reverse=asked.last(query, "ordering").startswith("-"))
    if model:
        rows = await state.store.fetch(
            _HOLDERS,
            model,
            pk,
            heavy=True,
        )
        holders = {row[0] for row in rows}
        found = [role for role in found if role.pk in holders or _on_all(state, role, model)]
    pages, some = paged(query, found)
    results = []
    for role in some:
        told = [_on_one(state, row) for row in await _held(state, role.pk, model, pk)]
        results.append(
            RoleAssignedObjectPermission(role.pk, role.name, [one for one in told if one], _on_all(state, role, model))
        )
    return listed(pages, results)


def _on_all(state: State, role: Role, model: str) -> list[RoleModelPermission]:
    return [
        RoleModelPermission(one.id, one.codename, one.model, one.app, one.name)
        for name in role.permissions
        if (one := state.permissions.by_name.get(name)) and model in {"", f"{one.app}.{one.model}"}
    ]


async def _held(state: State, role: str, model: str, pk: str) -> list[tuple[int, str, str]]:
    """Number, permission and object of what a role holds on single objects (of a model, on an object)."""
    rows = await state.store.fetch(_HELD, role, model, pk, _MOST, heavy=True)
    return [(int(str(id_)), str(name), str(key)) for id_, name, key in rows]


def _on_one(state: State, row: tuple[int, str, str]) -> RoleObjectPermission | None:
    one = state.permissions.by_name.get(row[1])
    return RoleObjectPermission(row[0], one.codename, one.model, one.app, row[2], one.name) if one else None


_ORDERED: Final = {"id": "t.id", "codename": "t.permission", "model": "t.model", "object_pk": "t.object_pk"}


async def of_roles(request: Request, call: Call, site: Site, _params: dict[str, str]) -> Response:
    """A page of the permissions that roles hold on single objects."""
    state, query = site.state, query_of(request)
    roles = [role.pk for role in await _visible_roles(call, state)]
    if pk := listing.asked_for(_OF_ROLE, query):
        roles = [one for one in roles if one == pk]
    page = listing.page(query)
    where = "FROM object_permissions t WHERE t.role_id = ANY($1::text[])"
    more: list[Value] = [roles]
    if needle := asked.needle(query):
        where += " AND (t.permission LIKE $2 ESCAPE '\\' OR t.object_pk LIKE $2 ESCAPE '\\')"
        more.append(f"%{escaped(needle)}%")
    (counted,) = await state.store.fetch(dynamic(f"SELECT count(*) {where}"), *more, heavy=True)
    pages = listing.pagination(page, int(str(counted[0])))
    wanted = asked.last(query, "ordering")
    by = f"{_ORDERED.get(wanted.removeprefix('-'), 't.id')} {'DESC' if wanted.startswith('-') else 'ASC'}"
    text = (
        f"SELECT t.id, t.permission, t.model, t.object_pk {where} ORDER BY {by}, t.id"
        f" LIMIT ${len(more) + 1} OFFSET ${len(more) + 2}"
    )
    rows = await state.store.fetch(dynamic(text), *more, page.size, (page.number - 1) * page.size, heavy=True)
    told = await _descriptions(call, state, [(str(row[2]), str(row[3])) for row in rows])
    results = []
    for id_, name, model, key in rows:
        one = state.permissions.by_name.get(str(name))
        if one:
            results.append(
                ExtraRoleObjectPermission(
                    id=int(str(id_)),
                    codename=one.codename,
                    model=one.model,
                    app_label=one.app,
                    object_pk=str(key),
                    name=one.name,
                    app_label_verbose=app_title(one.app),
                    model_verbose=one.model_title,
                    object_description=told.get((str(model), str(key))),
                )
            )
    return listed(pages, results)


async def _descriptions(
    call: Call, state: State, wanted: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], str | None]:
    """Model and key of an object -> how people call it; only of objects that the caller may see."""
    found: dict[tuple[str, str], str | None] = {}
    keys: dict[str, list[str]] = {}
    for model, key in dict.fromkeys(wanted):
        keys.setdefault(model, []).append(key)
    for model, some in keys.items():
        if (kind := state.kinds.get(model)) is None:
            continue
        field = kind.fields[kind.pk]
        values = [int(key) if field.core is int else key for key in some]
        if kind.table is None:
            objs = [obj for value in values if (obj := call.settings.get(kind, value)) is not None]
        else:
            objs = await records.load(state.store, kind, field.column, values)
        asking = await grants.on(call, state.store, kind, objs)
        for obj in objs:
            if may(asking, kind, "view", obj):
                pk = str(getattr(obj, kind.pk))
                found[model, pk] = str(ledger.reference(kind, obj)["name"]) or f"{kind.title[0]} {pk}"
    return found


ASSIGNED: Final = Operation(
    "GET",
    "rbac/permissions/assigned_by_roles/",
    assigned,
    "rbac_permissions_assigned_by_roles_list",
    response=PaginatedRoleAssignedObjectPermissionList,
    query=(_OF_MODEL, _OF_OBJECT, *PAGING),
)
OF_ROLES: Final = Operation(
    "GET",
    "rbac/permissions/roles/",
    of_roles,
    "rbac_permissions_roles_list",
    response=PaginatedExtraRoleObjectPermissionList,
    query=(_OF_ROLE, *PAGING),
)
