"""What a system is told of a user or group: the provider's mappings, in the order of their names, merged."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind
from keystead.kinds.state import State
from keystead.people.group import Group
from keystead.people.person import Person
from keystead.people.shown import PartialGroup
from keystead.policies.judge import Request
from keystead.policies.plain import merged, plain
from keystead.policies.sandbox import ExpressionError, Signal, make_view
from keystead.policies.values import evaluate_mapping, group_view, names_for_mapping
from keystead.providers.outgoing.room import Outgoing, Room
from keystead.providers.outgoing.system import Refused, What

_SHOWN: Final = (
    *("pk", "name", "exclude_users_service_account", "dry_run"),
    *("url", "compatibility_mode", "delegated_subject", "default_group_email_domain", "tenant_id"),
)
"""What expressions see of a provider: nothing secret, and None for what its sort has not."""


def _member(name: str) -> Callable[[Any], object]:
    return lambda provider: getattr(provider, name, None)


_PROVIDER: Final = make_view(
    "provider",
    {name: _member(name) for name in _SHOWN},
    text=lambda provider: provider.name,
    key=lambda provider: ("provider", provider.pk),
)


class SkipObject(Signal):
    """A mapping says that this object is not told of."""


def _connection_view(room: Room) -> Callable[[Any], object]:
    """A link as expressions see it: with the id there under its own name."""
    return make_view(
        "connection",
        {"pk": "id", "id": "id", room.remote: room.remote, "attributes": "attributes"},
        text=lambda link: getattr(link, room.remote),
        key=lambda link: ("connection", link.id),
    )


async def told(
    call: Call, state: State, room: Room, provider: Outgoing, one: Person | Group, link: msgspec.Struct | None
) -> dict[str, object]:
    """What the system is to know of ``one``.

    :param link: what is known of its counterpart; None where there is none yet.
    :raises SkipObject: a mapping says so.
    :raises Refused: a mapping fails, and an event tells of it; or there is none.
    """
    what = What.USER if isinstance(one, Person) else What.GROUP
    keys = provider.property_mappings if what is What.USER else provider.property_mappings_group
    mappings = [found for pk in keys if (found := call.settings.find("propertymappings", pk))]
    if not mappings:
        raise Refused(f"{provider.name} has no property mappings for {what}s, so there is nothing to tell.")
    names: dict[str, object] = {
        "provider": _PROVIDER(provider),
        "connection": _connection_view(room)(link) if link else None,
        "creating": link is None,
        "SkipObject": SkipObject,
    }
    person = one if isinstance(one, Person) else None
    if isinstance(one, Group):
        names["group"] = group_view(PartialGroup(one.pk, one.num_pk, one.name, one.is_superuser, one.attributes))
    body: dict[str, object] = {}
    for kind, mapping in sorted(mappings, key=lambda found: (found[1].name, found[1].pk)):
        body = await _with(call, state, kind, mapping, body, names_for_mapping(Request(call, person), **names))
    try:
        msgspec.json.encode(body)
    except UnicodeError:
        raise Refused("The mappings give a text that is none: half of a character stands in it.") from None
    return body


async def _with(
    call: Call,
    state: State,
    kind: Kind[Any],
    mapping: Any,  # noqa: ANN401 - mappings of every kind
    body: dict[str, object],
    names: Mapping[str, object],
) -> dict[str, object]:
    try:
        yielded = evaluate_mapping(mapping.expression, mapping.name, names)
        if yielded is not None and not isinstance(yielded, dict):
            raise ExpressionError(f"returned a {type(yielded).__name__}; a mapping here returns a dict")  # noqa: TRY301 - one place tells of every failure
    except ExpressionError as exc:
        changes = Changes()
        changes.event(
            call, "property_mapping_exception", kind.app, {"message": f"{mapping.name}: {exc}"}, about=(kind, mapping)
        )
        await state.commit(changes, call.at)
        raise Refused(f"The mapping {mapping.name} fails: {exc}") from None
    both = merged(body, plain(yielded or {}))
    return both if isinstance(both, dict) else body
