"""What lists of a family can be narrowed by: objects of every type are asked, so filters see call, kind and object."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind
from keystead.kinds.marks import Uuid

Found: TypeAlias = tuple[Call, Kind[Any], Any]
"""An object of a family, as its filters see it."""


def _member(name: str) -> Callable[[Found, object], bool]:
    return lambda found, value: getattr(found[2], name, None) == value


def _any_of(name: str) -> Callable[[Found, Sequence[object]], bool]:
    return lambda found, values: getattr(found[2], name, None) in values


def _is_null(name: str) -> Callable[[Found, bool], bool]:
    return lambda found, wanted: (getattr(found[2], name, None) is None) is wanted


def unused(name: str, model: str, *fields: str, note: str) -> Filter:
    """A filter ``…__isnull``: whether no object of ``model`` refers to an object, with one of ``fields``."""

    def test(found: Found, wanted: bool) -> bool:  # noqa: FBT001 - the shape of every filter's test
        call, kind, obj = found
        users = call.settings.referrers(kind, getattr(obj, kind.pk))
        return (not any(one.kind.model == model and one.field in fields for one in users)) is wanted

    return Filter(name, bool, test=test, note=note)


NAME: Final = Filter("name", str, test=_member("name"))
MANAGED: Final = (
    Filter("managed", str, many=True, test=_any_of("managed"), note="Id of what manages the object."),
    Filter("managed__isnull", bool, test=_is_null("managed"), note="Whether nothing manages the object."),
)
SOURCES: Final = (
    Filter("managed", str, test=_member("managed"), note="Id of what manages the object."),
    NAME,
    Filter("pbm_uuid", Uuid, test=_member("pk"), note="The key under which policies are bound to it."),
    Filter("slug", str, test=_member("slug")),
)
UNBOUND: Final = unused(
    "bindings__isnull", "authentik_policies.policybinding", "policy", note="Whether the policy is bound to nothing."
)
NOT_VALIDATING: Final = unused(
    "promptstage__isnull",
    "authentik_stages_prompt.promptstage",
    "validation_policies",
    note="Whether no prompt stage checks its answers with the policy.",
)
UNASSIGNED: Final = unused(
    "application__isnull",
    "authentik_core.application",
    "provider",
    "backchannel_providers",
    note="Whether the provider speaks for no application.",
)


def backchannel(kinds: Sequence[Kind[Any]]) -> Filter:
    """A filter ``backchannel``: whether a provider works behind an application.

    Those of ``kinds`` do; one that also signs people in (it has an authorization flow) is found either way.
    """
    behind = {kind.model for kind in kinds}

    def test(found: Found, wanted: bool) -> bool:  # noqa: FBT001 - the shape of every filter's test
        kind = found[1]
        return kind.model in behind if wanted else kind.model not in behind or "authorization_flow" in kind.fields

    note = "Only providers that can work behind an application, or only those that can stand before one."
    return Filter("backchannel", bool, test=test, note=note)
