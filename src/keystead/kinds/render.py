"""Objects as the API shows them: stored members that are readable, computed members, and what tells their type."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from keystead.base.clock import EPOCH
from keystead.kinds.access import may
from keystead.kinds.call import NOBODY, Call, Origin
from keystead.kinds.kind import Kind
from keystead.kinds.state import State


def type_members(kind: Kind[Any]) -> dict[str, str]:
    """The members that tell a family's clients which type an object is (rest.md §6)."""
    if not kind.component and not kind.family:
        return {}
    return {
        "component": kind.component,
        "verbose_name": kind.title[0],
        "verbose_name_plural": kind.title[1],
        "meta_model_name": kind.model,
    }


async def render(
    call: Call, state: State, kind: Kind[Any], objs: Sequence[Any], query: Mapping[str, Sequence[str]]
) -> list[dict[str, object]]:
    """``objs`` as JSON-able mappings; a secret is in none of them, unless its kind says that editors may read it.

    A computed member that is ``UNSET`` is left out.
    """
    views = await kind.view(call, state, objs, query) if kind.view else [None] * len(objs)
    fixed = type_members(kind)
    rendered = []
    for obj, more in zip(objs, views, strict=True):
        body: dict[str, object] = {name: getattr(obj, name) for name in kind.readable}
        for name in kind.shown_secrets if kind.shown_secrets and may(call, kind, "change", obj) else ():
            body[name] = getattr(obj, name).reveal()
        body.update(fixed)
        if more is not None:
            members = msgspec.structs.asdict(more)
            body.update({name: value for name, value in members.items() if value is not msgspec.UNSET})
        rendered.append(body)
    return rendered


_KEPT: Final = 2_000
"""Objects a snapshot keeps as JSON."""
_encoder: Final = msgspec.json.Encoder()


async def encoded(
    call: Call, state: State, kind: Kind[Any], objs: Sequence[Any], query: Mapping[str, Sequence[str]]
) -> Sequence[object]:
    """``objs`` as :func:`render` shows them, ready to be put into an answer.

    Where that depends on nothing but the settings and the address we are reached at, each object is turned into JSON
    once for as long as they stay: as nobody in particular sees it, so that nothing of one caller's is kept for another.
    Whoever may read an object's secrets gets it made afresh.
    """
    if not kind.steady:
        return await render(call, state, kind, objs, query)
    if kind.shown_secrets and any(may(call, kind, "change", obj) for obj in objs):
        return await render(call, state, kind, objs, query)
    origin = Origin(root=call.origin.root, host=call.origin.host, secure=call.origin.secure)
    kept: dict[tuple[object, ...], msgspec.Raw] = call.settings.kept("render.encoded", _KEPT)
    names = [(kind.path, getattr(obj, kind.pk), origin.root, origin.host, origin.secure) for obj in objs]
    found: list[object] = [kept.get(name) for name in names]
    if missing := [index for index, body in enumerate(found) if body is None]:
        anybody = Call(NOBODY, EPOCH, call.settings, origin=origin)
        bodies = await render(anybody, state, kind, [objs[index] for index in missing], {})
        for index, body in zip(missing, bodies, strict=True):
            found[index] = kept[names[index]] = msgspec.Raw(_encoder.encode(body))
    return found


async def base(
    call: Call,
    state: State,
    kind: Kind[Any],
    obj: Any,  # noqa: ANN401 - objects of every kind
    members: Sequence[str] = (),
) -> dict[str, object]:
    """``obj`` as its family shows it inside other objects: the base members only (``members``, or the family's own).

    A base member that the type does not have is null, or what :data:`ABSENT` says.
    """
    named = members or BASE.get(kind.family, ())
    wanted = set(named) | set(type_members(kind))
    body = (await render(call, state, kind, [obj], {}))[0]
    found = {name: value for name, value in body.items() if not wanted or name in wanted}
    return found | {name: ABSENT.get(name) for name in named if name not in found}


ABSENT: Final[Mapping[str, object]] = {"property_mappings": ()}
"""Base member -> what it is for types without it, where that is not null."""


BASE: dict[str, tuple[str, ...]] = {
    "policies": ("pk", "name", "execution_logging", "bound_to"),
    "stages": ("pk", "name", "flow_set"),
    "connectors": ("connector_uuid", "name", "enabled"),
    "service_connections": ("pk", "name", "local"),
    "propertymappings": ("pk", "managed", "name", "expression"),
    "sources": (
        "pk",
        "name",
        "slug",
        "enabled",
        "promoted",
        "authentication_flow",
        "enrollment_flow",
        "user_property_mappings",
        "group_property_mappings",
        "policy_engine_mode",
        "user_matching_mode",
        "managed",
        "user_path_template",
        "icon",
        "icon_url",
        "icon_themed_urls",
    ),
    "providers": (
        "pk",
        "name",
        "authentication_flow",
        "authorization_flow",
        "invalidation_flow",
        "property_mappings",
        "assigned_application_slug",
        "assigned_application_name",
        "assigned_backchannel_application_slug",
        "assigned_backchannel_application_name",
    ),
}
"""Family -> the members all its types share, as the contract's base schemas list them."""
