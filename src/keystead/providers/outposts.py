"""Outposts and providers: which outpost works for which provider (outposts.md §2)."""

from typing import Any, Final

from keystead.kinds.access import may
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.kinds.snapshot import Snapshot
from keystead.providers.application import Assigned

_MODEL: Final = "authentik_outposts.outpost"
_ACCOUNT: Final = "ak-outpost-"
_TYPE: Final = "internal_service_account"


class Served(Assigned):
    """The computed members of a provider that outposts work for.

    :param outpost_set: names of the outposts.
    """

    outpost_set: list[str]


def outpost_names(settings: Snapshot, kind: Kind[Any], pk: int) -> list[str]:
    """The names of the outposts that work for the provider of ``kind`` with this key."""
    holders = (one for one in settings.referrers(kind, pk) if one.kind.model == _MODEL)
    return sorted(str(outpost.name) for one in holders if (outpost := settings.get(one.kind, one.pk)) is not None)


def concerns(call: Call, kind: Kind[Any], provider: Any) -> bool:  # noqa: ANN401 - providers of every kind
    """Whether the caller, an outpost's account or a person, may know how to work for ``provider``.

    An outpost learns of the providers in its own list and of no other one, whatever else its account may see.
    """
    if call.actor.type == _TYPE and call.actor.username.startswith(_ACCOUNT):
        own = call.actor.username.removeprefix(_ACCOUNT)
        holders = call.settings.referrers(kind, provider.pk)
        return any(one.kind.model == _MODEL and str(one.pk).replace("-", "") == own for one in holders)
    return may(call, kind, "view", provider) and may(call, kind, "change", provider)
