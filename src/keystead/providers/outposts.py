"""Outposts and providers: which outpost works for which provider (outposts.md §2)."""

from typing import Any, Final, TypeVar

import msgspec

from keystead.base.errors import not_found
from keystead.flows.flow import FLOW
from keystead.kinds.access import require
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State
from keystead.people.person import person_by_pk
from keystead.policies.engine import Engine
from keystead.providers.access import PolicyTestResult, judge
from keystead.providers.application import APPLICATION, Application, Assigned, of_provider

T = TypeVar("T", bound=msgspec.Struct)
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


def own_outpost(call: Call) -> str | None:
    """The uuid, as 32 digits, of the outpost whose account calls; None for everybody else."""
    if call.actor.type == _TYPE and call.actor.username.startswith(_ACCOUNT):
        return call.actor.username.removeprefix(_ACCOUNT)
    return None


def concern(call: Call, kind: Kind[T], word: str) -> list[T]:
    """The providers of ``kind`` that the caller may work for.

    An outpost learns of those in its own list and of no other one, whatever else its account may see; people learn of
    all, if they may ``word``.

    :raises Problem: ``UNAUTHENTICATED`` or ``DENIED``.
    """
    own = own_outpost(call)
    if own is None:
        require(call, kind, word)
        return list(call.settings.all(kind))
    return [one for one in call.settings.all(kind) if own in _holders(call.settings, kind, one)]


def _holders(settings: Snapshot, kind: Kind[Any], provider: Any) -> set[str]:  # noqa: ANN401 - providers of every kind
    holders = settings.referrers(kind, provider.pk)
    return {str(one.pk).replace("-", "") for one in holders if one.kind.model == _MODEL}


def application_of(settings: Snapshot, pk: int, *, behind: bool = False) -> Application | None:
    """The application a provider's outposts work for; with ``behind`` one that it works behind comes first."""
    front = of_provider(settings, pk)
    if not behind:
        return front
    return next((one for one in settings.all(APPLICATION) if pk in one.backchannel_providers), front)


def named(settings: Snapshot, pk: int, slug: str) -> Application:
    """The application with this slug, which the provider with this key speaks for or works behind.

    :raises Problem: ``NOT_FOUND``.
    """
    found = settings.by(APPLICATION, "slug", slug)
    if found is None or pk not in {found.provider, *found.backchannel_providers}:
        raise not_found()
    return found


def flow_slug(settings: Snapshot, pk: str) -> str:
    """The slug of the flow with this key; empty if there is none."""
    flow = settings.get(FLOW, pk)
    return flow.slug if flow else ""


async def checked(engine: Engine, call: Call, state: State, application: Application) -> PolicyTestResult:
    """How the application's policies judge the caller, whom an outpost has just signed in."""
    person = await person_by_pk(state, call.actor.pk)
    if person is None:
        return PolicyTestResult(passing=False, messages=[], log_messages=[])
    result = await judge(engine, call, state, application, person)
    return PolicyTestResult(passing=result.passing, messages=list(result.messages), log_messages=[])
