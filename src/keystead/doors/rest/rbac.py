"""Permissions over REST: which there are, and giving them to roles and taking them (rest.md §9)."""

from collections.abc import Iterable
from typing import Annotated, Final, TypeAlias, cast

import msgspec

from keystead.base.errors import not_found
from keystead.doors.http.json_body import json_object
from keystead.doors.http.message import Request, Response
from keystead.doors.http.site import Site
from keystead.doors.rest import verbs
from keystead.doors.rest.body import decoded
from keystead.doors.rest.operation import PAGING, Operation, Pagination
from keystead.doors.rest.rbac_holders import ASSIGNED, OF_ROLES, listed, paged
from keystead.doors.rest.verbs import json, query_of
from keystead.kinds import asked
from keystead.kinds.access import require, signed_in
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Filter
from keystead.kinds.marks import Uuid
from keystead.kinds.permissions import Permission
from keystead.kinds.state import State
from keystead.people import assigning
from keystead.people.assigning import PatchedPermissionAssignRequest, PermissionAssignRequest, PermissionAssignResult
from keystead.people.initial import PermissionShown, shown
from keystead.people.role import ROLE, Role

_Permission: TypeAlias = Annotated[PermissionShown, msgspec.Meta(title="Permission")]


class PaginatedPermissionList(msgspec.Struct):
    """A page of permissions."""

    pagination: Pagination
    results: list[_Permission]
    autocomplete: dict[str, object]


_ROLE: Final = Filter("role", str, note="Permissions that this role holds on all objects.")
_CODENAME: Final = Filter("codename", str)
_MODEL: Final = Filter("content_type__model", str, note="The model's name, such as `user`.")
_APP: Final = Filter("content_type__app_label", str, note="The app label, such as `authentik_core`.")


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
    pages, some = paged(query, found)
    return listed(pages, [shown(one) for one in some])


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
    ASSIGNED,
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
    OF_ROLES,
)
