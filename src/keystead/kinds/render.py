"""Objects as the API shows them: stored members that are readable, computed members, and what tells their type."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from keystead.kinds.access import may
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.kinds.state import State


def type_members(kind: Kind[Any]) -> dict[str, str]:
    """The members that tell a family's clients which type an object is (rest.md §6)."""
    if not kind.component:
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
    """``objs`` as JSON-able mappings; a secret is in none of them, unless its kind says that editors may read it."""
    views = await kind.view(call, state, objs, query) if kind.view else [None] * len(objs)
    secrets = kind.shown_secrets if kind.shown_secrets and may(call, kind, "change") else ()
    fixed = type_members(kind)
    rendered = []
    for obj, more in zip(objs, views, strict=True):
        body: dict[str, object] = {name: getattr(obj, name) for name in kind.readable}
        for name in secrets:
            body[name] = getattr(obj, name).reveal()
        body.update(fixed)
        if more is not None:
            body.update(msgspec.structs.asdict(more))
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
    once for as long as they stay.
    """
    if kind.table is not None or (kind.view is not None and not kind.steady):
        return await render(call, state, kind, objs, query)
    secrets = bool(kind.shown_secrets) and may(call, kind, "change")
    kept: dict[tuple[object, ...], msgspec.Raw] = call.settings.memo("render.encoded", dict)
    names = [(kind.model, getattr(obj, kind.pk), secrets, call.origin.root, call.origin.host) for obj in objs]
    found: list[object] = [kept.get(name) for name in names]
    if missing := [index for index, body in enumerate(found) if body is None]:
        if len(kept) + len(missing) > _KEPT:
            kept.clear()
        bodies = await render(call, state, kind, [objs[index] for index in missing], query)
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
    """``obj`` as its family shows it inside other objects: the base members only (``members``, or the family's own)."""
    wanted = set(members or BASE.get(kind.family, ())) | set(type_members(kind))
    body = (await render(call, state, kind, [obj], {}))[0]
    return {name: value for name, value in body.items() if not wanted or name in wanted}


BASE: dict[str, tuple[str, ...]] = {
    "policies": ("pk", "name", "execution_logging", "bound_to"),
    "stages": ("pk", "name", "flow_set"),
    "propertymappings": ("pk", "managed", "name", "expression"),
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
