"""What a source tells of a person, as members of a user: what its type knows, then what its property mappings make."""

from collections.abc import Mapping
from typing import Any, Final

from keystead.base import log
from keystead.base.errors import Problem, denied
from keystead.flows.vouched import SOURCE_VIEW
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind
from keystead.kinds.state import State
from keystead.people.user import USER, check_username
from keystead.policies.judge import Request
from keystead.policies.plain import merged, plain
from keystead.policies.sandbox import ExpressionError
from keystead.policies.values import evaluate_mapping, names_for_mapping
from keystead.sources.source import Source

_LOG = log.get("sources.telling")
_NEVER: Final = frozenset({"password", "password_repeat"})
"""What people prove to us is not what others tell of them."""
_MEMBERS: Final = ("username", "name", "email")
_LONGEST_NAME: Final = 255


async def told_by(
    call: Call, state: State, source: Source, told: Mapping[str, object], names: Mapping[str, object]
) -> dict[str, object]:
    """Members of a user, as the source tells them.

    What cannot be one (a username with blanks, say) is left out: the flow may ask for it.

    :param told: what the source's type makes of it.
    :param names: further names for the mappings.
    :raises Problem: ``DENIED``: a mapping fails; an event tells of it.
    """
    found: dict[str, object] = dict(told)
    for pk in source.user_property_mappings:
        mapping = call.settings.find("propertymappings", pk)
        if mapping is not None:
            found = await _mapped(call, state, source, mapping, found, names)
    kept = {name: value for name, value in found.items() if name not in _NEVER and name not in _MEMBERS}
    return {**kept, **_members(found)}


async def _mapped(
    call: Call,
    state: State,
    source: Source,
    mapping: tuple[Kind[Any], Any],
    found: dict[str, object],
    names: Mapping[str, object],
) -> dict[str, object]:
    kind, one = mapping
    own = names_for_mapping(Request(call, None), **names, source=SOURCE_VIEW(source), properties=dict(found))
    try:
        yielded = evaluate_mapping(one.expression, one.name, own)
        if yielded is not None and not isinstance(yielded, dict):
            raise ExpressionError(f"returned a {type(yielded).__name__}; a mapping of a source returns a dict")  # noqa: TRY301 - one place tells of every failure
    except ExpressionError as exc:
        _LOG.warning("a mapping of a source failed", mapping=one.name, source=source.slug, reason=str(exc))
        changes = Changes()
        message = {"message": f"{one.name}: {exc}"}
        changes.event(call, "property_mapping_exception", kind.app, message, about=(kind, one))
        await state.commit(changes, call.at)
        raise denied(
            f"What {source.name} tells of you cannot be used here. Tell whoever looks after this service."
        ) from None
    made = dict(found)
    for key, value in (yielded or {}).items():
        name, given = str(key), plain(value)
        deep = isinstance(made.get(name), dict) and isinstance(given, dict)
        made[name] = merged(made[name], given) if deep else given
    return made


def _members(found: Mapping[str, object]) -> dict[str, object]:
    """What of ``found`` can be members of a user."""
    good: dict[str, object] = {}
    for member in _MEMBERS:
        value = found.get(member)
        if not isinstance(value, str) or not value.strip():
            continue
        try:
            taken = USER.fields[member].take(value[:_LONGEST_NAME] if member == "name" else value)
            if member == "username":
                check_username(str(taken))
        except (ValueError, Problem):
            continue
        good[member] = taken
    return good
