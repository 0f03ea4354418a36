"""Routes of the API from the kinds, families and actions that ``app.py`` lists."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

import msgspec

from keystead.base.errors import denied, not_found
from keystead.doors.http.json_body import json_object
from keystead.doors.http.message import Request, Response, redirect
from keystead.doors.http.routes import Endpoint, Routes
from keystead.doors.http.site import Site
from keystead.doors.rest import errors, families, verbs
from keystead.doors.rest.body import decoded
from keystead.doors.rest.families import Family
from keystead.doors.rest.once import HEADER, once
from keystead.kinds.access import may, permitted, signed_in
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind, Verb
from keystead.kinds.pending import Withheld

ROOT: Final = "/api/v3/"
_OK: Final = 200
Run = Callable[[Request, Call, Site, dict[str, str]], Awaitable[Response]]


def endpoint(run: Run) -> Endpoint:
    """An endpoint of the API: the caller is identified, sessions need the cross-site token, keys make POSTs unique."""

    async def answered(request: Request, call: Call, site: Site, params: dict[str, str]) -> Response:
        if request.method == "POST" and HEADER in request.headers:
            return await once(request, call, site, run, params)
        return await run(request, call, site, params)

    return Endpoint(answered, errors.answer, csrf=True)


def _of_kind(verb: Callable[..., Awaitable[Response]], kind: Kind[Any], **more: object) -> Run:
    async def run(request: Request, call: Call, site: Site, params: dict[str, str]) -> Response:
        return await verb(request, call, site, kind, *params.values(), **more)

    return run


def add_kind(
    routes: Routes,
    kind: Kind[Any],
    narrow: verbs.Narrow | None = None,
    opened: Callable[[Run], Endpoint] = endpoint,
    more: verbs.More | None = None,
) -> None:
    """Every verb of ``kind``: see :func:`add_all`."""
    base = f"{ROOT}{kind.path}/"
    one = f"{base}{{{kind.key_name or kind.key}}}/"
    for verb, method, path, run in (
        (Verb.LIST, "GET", base, _of_kind(verbs.list_, kind, narrow=narrow)),
        (Verb.CREATE, "POST", base, _of_kind(verbs.create, kind, more=more)),
        (Verb.RETRIEVE, "GET", one, _of_kind(verbs.retrieve, kind)),
        (Verb.UPDATE, "PUT", one, _of_kind(verbs.update, kind, partial=False)),
        (Verb.PARTIAL_UPDATE, "PATCH", one, _of_kind(verbs.update, kind, partial=True)),
        (Verb.DESTROY, "DELETE", one, _of_kind(verbs.destroy, kind)),
        (Verb.USED_BY, "GET", f"{one}used_by/", _of_kind(verbs.used_by, kind)),
    ):
        if verb in kind.verbs:
            routes.add(method, path, opened(run))


def add_family(routes: Routes, family: Family) -> None:
    """The polymorphic endpoints of ``family``."""
    base = f"{ROOT}{family.path}/"
    one = f"{base}{{{family.key_name}}}/"

    def run(verb: Callable[..., Awaitable[Response]]) -> Endpoint:
        async def bound(request: Request, call: Call, site: Site, params: dict[str, str]) -> Response:
            return await verb(request, call, site, family, *params.values())

        return endpoint(bound)

    routes.add("GET", base, run(families.list_))
    routes.add("GET", f"{base}types/", run(families.types))
    routes.add("GET", one, run(families.retrieve))
    routes.add("DELETE", one, run(families.destroy))
    routes.add("GET", f"{one}used_by/", run(families.used_by))


def add_action(routes: Routes, action: Action, opened: Callable[[Run], Endpoint] = endpoint) -> None:
    """One operation beside the verbs."""
    kind = action.kind
    path = action.path.replace("{key}", f"{{{kind.key_name or kind.key}}}")
    routes.add(action.method, f"{ROOT}{kind.path}/{path}", opened(partial(act, action)))


async def act(action: Action, request: Request, call: Call, site: Site, params: dict[str, str]) -> Response:
    """Check, decode, run, commit, answer."""
    state = site.state
    if action.permission is not None:
        signed_in(call)
    given: object = None

    async def decide(call: Call) -> tuple[Changes, Answer]:
        nonlocal given
        obj: Any = None
        if params:
            call, obj = await verbs.seen(call, state, action.kind, next(iter(params.values())), bare=action.bare)
        _permit(action, call, obj)
        if given is None and not isinstance(action.run, Withheld):
            query = verbs.query_of(request)
            given = decoded(json_object(request), action.request) if action.request is not None else query
        answer = await action.run(call, state, obj, given)
        return answer.changes or Changes(), answer

    return _said(action, await state.change(call, decide))


def _permit(action: Action, call: Call, obj: msgspec.Struct | None) -> None:
    """Let through who holds the action's permission.

    :raises Problem: ``DENIED``; ``NOT_FOUND`` where the caller may not even see ``obj``.
    """
    if not action.permission:
        return
    kind = action.kind
    name = action.permission if "." in action.permission else kind.permission(action.permission)
    if not permitted(call, kind, name, obj):
        raise denied() if obj is None or may(call, kind, "view", obj) else not_found()


def _said(action: Action, answer: Answer) -> Response:
    status = action.status if answer.status == _OK else answer.status
    if answer.location:
        return redirect(answer.location, status)
    if answer.body is None:
        return Response(status)
    headers = [*verbs.NO_STORE]
    if answer.filename:
        headers.append((b"content-disposition", f'attachment; filename="{quote(answer.filename)}"'.encode()))
    if isinstance(answer.body, (str, bytes)):
        raw = answer.body.encode() if isinstance(answer.body, str) else answer.body
        return Response(status, raw, answer.content_type.encode(), headers)
    return Response(status, msgspec.json.encode(answer.body), headers=headers)


def add_all(
    routes: Routes,
    kinds: Sequence[Kind[Any]],
    shared: Sequence[Family],
    actions: Sequence[Action],
    narrowed: Mapping[str, verbs.Narrow] = MappingProxyType({}),
    opened: Mapping[str, Callable[[Run], Endpoint]] = MappingProxyType({}),
    more: Mapping[str, verbs.More] = MappingProxyType({}),
) -> None:
    """Everything of the API that derives from declarations.

    :param narrowed: model -> what of its list concerns a caller who may not see all of it.
    :param opened: model -> what makes its endpoints, where callers prove themselves otherwise than elsewhere.
    :param more: model -> what else the body of a create asks for.
    """
    for kind in kinds:
        add_kind(routes, kind, narrowed.get(kind.model), opened.get(kind.model, endpoint), more.get(kind.model))
    for family in shared:
        add_family(routes, family)
    for action in actions:
        add_action(routes, action, opened.get(action.kind.model, endpoint))
