"""Who is told elsewhere: users who may use an application that the provider works for, and groups."""

from typing import Final

import msgspec

from keystead.flows.flow import PolicyEngineMode
from keystead.kinds.call import Call
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State
from keystead.people.group import Group
from keystead.people.person import Person
from keystead.people.user import UserTypeEnum
from keystead.policies.engine import Engine
from keystead.providers.access import APPLICATION_VIEW
from keystead.providers.application import APPLICATION, Application
from keystead.providers.outgoing.room import Outgoing, Room
from keystead.providers.outgoing.system import Refused, What

_MACHINES: Final = frozenset({UserTypeEnum.SERVICE_ACCOUNT, UserTypeEnum.INTERNAL_SERVICE_ACCOUNT})


class Outside(msgspec.Struct, frozen=True):
    """Somebody is not in scope.

    :param why: one sentence.
    """

    why: str


def applications(settings: Snapshot, provider: Outgoing) -> list[Application]:
    """For which applications the provider works."""
    return [
        one
        for one in settings.all(APPLICATION)
        if provider.pk in one.backchannel_providers or one.provider == provider.pk
    ]


def _served(call: Call, provider: Outgoing) -> list[Application]:
    """As :func:`applications`.

    :raises Refused: there is none. That is no reason to remove anybody anywhere.
    """
    found = applications(call.settings, provider)
    if not found:
        raise Refused(
            f"{provider.name} works for no application, so nobody is in its scope. "
            "Name it among the backchannel providers of one."
        )
    return found


async def of_user(
    call: Call, state: State, engine: Engine, room: Room, provider: Outgoing, person: Person
) -> Outside | None:
    """Why a user is not told of; None for those who are.

    Whether an account is active says nothing here: mappings tell it (``active``), so that who is deactivated here is
    deactivated there.

    :raises Refused: it cannot be said.
    """
    served = _served(call, provider)
    user = person.user
    if provider.exclude_users_service_account and user.type in _MACHINES:
        return Outside(f"{user.username} is a service account, and {provider.name} leaves those out.")
    only = room.only(provider) if room.narrows is What.USER else ()
    if only and not any(group.pk in only for group in person.all_groups):
        return Outside(f"{user.username} is in none of the groups to which {provider.name} is narrowed.")
    failed = False
    for one in served:
        result = await engine.judge(
            call,
            state,
            one.pk,
            user=person,
            mode="all" if one.policy_engine_mode is PolicyEngineMode.ALL else "any",
            subject=APPLICATION_VIEW(one),
        )
        if result.passing:
            return None
        failed = failed or result.failed
    if failed:
        raise Refused(f"A policy that decides about {user.username} failed, so nothing is done; its event tells why.")
    names = ", ".join(one.name for one in served)
    return Outside(f"{user.username} may not use {names}.")


def of_group(call: Call, room: Room, provider: Outgoing, group: Group) -> Outside | None:
    """Why a group is not told of; None for those that are.

    :raises Refused: as :func:`of_user`.
    """
    _served(call, provider)
    only = room.only(provider) if room.narrows is What.GROUP else ()
    if only and group.pk not in only:
        return Outside(f"{group.name} is none of the groups to which {provider.name} is narrowed.")
    return None
