"""Permissions over REST: which there are, which roles hold them, and giving and taking them (rest.md §9)."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final, TypeAlias, cast

import msgspec

from keystead.base.errors import denied, not_found
from keystead.doors.http.json_body import json_object
from keystead.doors.http.message import Request, Response
from keystead.doors.http.site import Site
from keystead.doors.rest import verbs
from keystead.doors.rest.body import decoded
from keystead.doors.rest.operation import PAGING, Operation, Pagination
from keystead.doors.rest.verbs import json, query_of
from keystead.kinds import asked, grants, ledger, listing, records
from keystead.kinds.access import may, require, signed_in
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Filter
from keystead.kinds.marks import READ_ONLY, Uuid
from keystead.kinds.permissions import Permission, app_title
from keystead.kinds.state import State
from keystead.kinds.terms import escaped
from keystead.people import assigning
from keystead.people.assigning import PatchedPermissionAssignRequest, PermissionAssignRequest, PermissionAssignResult
from keystead.people.initial import PermissionShown, shown
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


_Permission: TypeAlias = Annotated[PermissionShown, msgspec.Meta(title="Permission")]


class PaginatedPermissionList(msgspec.Struct):
    """A page of permissions."""

    pagination: Pagination
    results: list[_Permission]
    autocomplete: dict[str, object]


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


_ROLE: Final = Filter("role", str, note="Permissions that this role holds on all objects.")
_CODENAME: Final = Filter("codename", str)
_MODEL: Final = Filter("content_type__model", str, note="The model's name, such as `user`.")
_APP: Final = Filter("content_type__app_label", str, note="The app label, such as `authentik_core`.")
_OF_MODEL: Final = Filter("model", str, note="Permissions on objects of this model, such as `authentik_core.user`.")
_OF_OBJECT: Final = Filter("object_pk", str, note="Permissions on the object with this primary key.")
_OF_ROLE: Final = Filter("uuid", Uuid, note="Permissions of this role.")


def _page(query: dict[str, list[str]], found: Sequence[Any]) -> tuple[dict[str, int], Sequence[Any]]:
    """The pagination of ``found``, and what of it stands on the page asked for."""
    page = listing.page(query)
    first = (page.number - 1) * page.size
    return listing.pagination(page, len(found)), found[first : first + page.size]


def _listed(pages: dict[str, int], results: Sequence[object]) -> Response:
    return json({"pagination": pages, "results": results, "autocomplete": {}})


async def _role(call: Call, state: State, pk: str) -> tuple[Call, Role]:
    """The role with this key, which the caller may see.

    :raises Problem: ``NOT_FOUND``.
    """
    call, role = await verbs.seen(call, state, ROLE, pk)
    require(call, ROLE, "view", role)
    return call, role


async def permissions(request: Request, call: Call, site: Site, _params: dict[str, str]) -> Response:
    """A page of the permissions there are: four for every kind, and some of their own."""
    signed_in(call)
    query = query_of(request)
    found: Iterable[Permission] = site.state.permissions.by_name.values()
    if pk := asked.last(query, "role"):
        _, role = await _role(call, site.state, pk)
        found = [one for one in found if one.full in set(role.permissions)]
    needle = asked.needle(query)
    wanted = [(item, asked.last(query, item.name)) for item in (_CODENAME, _MODEL, _APP)]
    found = [
        one
        for one in found
        if all(not value or value == _members(one)[item.name] for item, value in wanted)
        and (not needle or any(needle in text.lower() for text in (one.codename, one.name, one.app, one.model)))
    ]
    name = asked.last(query, "ordering")
    if name.removeprefix("-") in {"id", "name", "codename"}:
        found = sorted(found, key=lambda one: getattr(one, name.removeprefix("-")), reverse=name.startswith("-"))
    pages, some = _page(query, found)
    return _listed(pages, [shown(one) for one in some])


def _members(one: Permission) -> dict[str, str]:
    return {_CODENAME.name: one.codename, _MODEL.name: one.model, _APP.name: one.app}


async def permission(_request: Request, call: Call, site: Site, params: dict[str, str]) -> Response:
    """One permission."""
    signed_in(call)
    text = params["id"]
    found = site.state.permissions.by_id.get(int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0)  # noqa: PLR2004 - more digits than a number has
    if found is None:
        raise not_found()
    return json(shown(found))


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
    pages, some = _page(query, found)
    results = []
    for role in some:
        told = [_on_one(state, row) for row in await _held(state, role.pk, model, pk)]
        results.append(
            RoleAssignedObjectPermission(role.pk, role.name, [one for one in told if one], _on_all(state, role, model))
        )
    return _listed(pages, results)


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
    return _listed(pages, results)


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


async def assign(request: Request, call: Call, site: Site, params: dict[str, str]) -> Response:
    """Give permissions to a role: on all objects, or on the one that ``model`` and ``object_pk`` name."""
    state = site.state
    call, role = await _role(call, state, params["uuid"])
    require(call, ROLE, "change", role)
    body = cast("PermissionAssignRequest", decoded(json_object(request), PermissionAssignRequest))

    async def decide(call: Call) -> tuple[Changes, assigning.Asked]:
        call, role = await _role(call, state, params["uuid"])
        wanted = await assigning.read(call, state, body)
        return await assigning.assign(call, state, role, wanted), wanted

    wanted = await state.change(call, decide)
    return json(await assigning.results(state, role, wanted))


async def unassign(request: Request, call: Call, site: Site, params: dict[str, str]) -> Response:
    """Take permissions from a role: on all objects, or on the one that ``model`` and ``object_pk`` name."""
    state = site.state
    call, role = await _role(call, state, params["uuid"])
    require(call, ROLE, "change", role)
    body = cast("PatchedPermissionAssignRequest", decoded(json_object(request), PatchedPermissionAssignRequest))

    async def decide(call: Call) -> tuple[Changes, None]:
        call, role = await _role(call, state, params["uuid"])
        return await assigning.unassign(call, state, role, await assigning.read(call, state, body)), None

    await state.change(call, decide)
    return Response(204)


def _paged(name: str) -> Any:  # noqa: ANN401 - a type expression
    return Annotated[dict[str, object], msgspec.Meta(title=name)]


_BASE: Final = "rbac/permissions/"
_BY_ROLES: Final = f"{_BASE}assigned_by_roles/"
OPERATIONS: Final = (
    Operation(
        "GET",
        _BASE,
        permissions,
        "rbac_permissions_list",
        response=PaginatedPermissionList,
        query=(_CODENAME, _APP, _MODEL, _ROLE, *PAGING),
    ),
    Operation(
        "GET",
        f"{_BASE}{{id}}/",
        permission,
        "rbac_permissions_retrieve",
        response=_Permission,
        params=(("id", int),),
    ),
    Operation(
        "GET",
        _BY_ROLES,
        assigned,
        "rbac_permissions_assigned_by_roles_list",
        response=PaginatedRoleAssignedObjectPermissionList,
        query=(_OF_MODEL, _OF_OBJECT, *PAGING),
    ),
    Operation(
        "POST",
        f"{_BY_ROLES}{{uuid}}/assign/",
        assign,
        "rbac_permissions_assigned_by_roles_assign",
        request=PermissionAssignRequest,
        response=list[PermissionAssignResult],
        params=(("uuid", Uuid),),
    ),
    Operation(
        "PATCH",
        f"{_BY_ROLES}{{uuid}}/unassign/",
        unassign,
        "rbac_permissions_assigned_by_roles_unassign_partial_update",
        request=PatchedPermissionAssignRequest,
        status=204,
        params=(("uuid", Uuid),),
    ),
    Operation(
        "GET",
        f"{_BASE}roles/",
        of_roles,
        "rbac_permissions_roles_list",
        response=PaginatedExtraRoleObjectPermissionList,
        query=(_OF_ROLE, *PAGING),
    ),
)
