"""UserOffboarding: somebody leaves at a set time; the worker then deactivates or removes them."""

import enum
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec

from keystead.base import log
from keystead.base.clock import micros
from keystead.base.errors import Problem, invalid
from keystead.kinds import records
from keystead.kinds.access import system
from keystead.kinds.call import SYSTEM, Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Filter, Kind, Table, Verb
from keystead.kinds.marks import HIDDEN, READ_ONLY, Column, OnDelete, Ref, Uuid
from keystead.kinds.state import State
from keystead.people import session, token
from keystead.people.finding import by_pk
from keystead.people.power import check_reach
from keystead.people.shown import PartialUser, gone, partial_users
from keystead.people.user import USER, User
from keystead.store import Statement, Write

_LOG = log.get("people.offboarding")
_BATCH: Final = 50


class OffboardingActionEnum(enum.StrEnum):
    """What happens to the account."""

    DEACTIVATE = "deactivate"
    DELETE = "delete"


class OffboardingStatusEnum(enum.StrEnum):
    """How it stands. One that is called off is removed."""

    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


class UserOffboarding(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody leaves at a set time.

    :param scheduled_at: when; the worker looks once a minute.
    :param action: what happens to the account. With a deleted account goes this record; an event stays.
    :param revoke_sessions: sign them out everywhere.
    :param revoke_tokens: remove their API tokens and application passwords.
    """

    id: Annotated[Uuid, READ_ONLY]
    user: Annotated[int, Column("user_id"), Ref("authentik_core.user")]
    scheduled_at: datetime
    action: OffboardingActionEnum = OffboardingActionEnum.DEACTIVATE
    revoke_sessions: bool = True
    revoke_tokens: bool = True
    status: Annotated[OffboardingStatusEnum, READ_ONLY] = OffboardingStatusEnum.PENDING
    created_by: Annotated[int | None, HIDDEN, Ref("authentik_core.user", OnDelete.SET_NULL, gives=False)] = None
    created_at: Annotated[datetime, READ_ONLY]
    executed_at: Annotated[datetime | None, READ_ONLY] = None


class UserOffboardingShown(msgspec.Struct):
    """The computed members: who leaves, and who says so."""

    user_obj: PartialUser
    created_by_obj: PartialUser


_PENDING_OF: Final = Statement(
    "offboarding.of_user", "SELECT id FROM user_offboardings WHERE user_id = $1 AND status = 'pending'"
)
_DUE: Final = Statement(
    "offboarding.due",
    "SELECT id FROM user_offboardings WHERE status = 'pending' AND scheduled_at <= $1 ORDER BY scheduled_at LIMIT $2",
)
_END: Final = Statement(
    "offboarding.end",
    "UPDATE user_offboardings SET status = $2, executed_at = $3 WHERE id = $1 AND status = 'pending'",
)


async def view(
    _call: Call, state: State, leaving: Sequence[UserOffboarding], _query: Mapping[str, Sequence[str]]
) -> list[UserOffboardingShown]:
    """Who leaves, and who says so."""
    people = await partial_users(state, [pk for one in leaving for pk in (one.user, one.created_by) if pk])
    return [
        UserOffboardingShown(
            people.get(one.user) or gone(state, one.user),
            people.get(one.created_by or 0) or gone(state, one.created_by or 0),
        )
        for one in leaving
    ]


async def rules(call: Call, state: State, _old: UserOffboarding | None, new: UserOffboarding) -> UserOffboarding:
    """In time to come, by somebody no weaker, for somebody else, and once."""
    await check_reach(call, state, new.user, "offboard this user")
    if new.user == call.actor.pk:
        raise invalid({"user": ["Somebody else has to do this for you."]})
    if new.scheduled_at <= call.at:
        raise invalid({"scheduled_at": ["Choose a moment that is still to come."]})
    if await state.store.fetch_one(_PENDING_OF, new.user) is not None:
        raise invalid({"user": ["This user is to be offboarded already; call that off first."]})
    return msgspec.structs.replace(new, created_by=call.actor.pk or None, created_at=call.at)


async def cancelling(call: Call, state: State, one: UserOffboarding) -> None:
    """Nobody keeps somebody stronger who is to go."""
    await check_reach(call, state, one.user, "call this off")


def carried_out(call: Call, state: State, one: UserOffboarding, user: User) -> Changes:
    """What it takes to let ``user`` go."""
    changes = Changes()
    told = {"action": one.action.value, "revoke_sessions": one.revoke_sessions, "revoke_tokens": one.revoke_tokens}
    changes.event(call, "user_offboarded", USER_OFFBOARDING.app, told, about=(USER, user))
    changes.write(Write(_END, (one.id, OffboardingStatusEnum.COMPLETED, micros(call.at)), expect=1, guard="row"))
    # On the authority of whoever set the time: they were allowed to then.
    if one.revoke_sessions:
        changes.write(session.end_all_but(user.pk, ""))
    if one.revoke_tokens:
        changes.write(token.end_all(user.pk))
    if one.action is OffboardingActionEnum.DELETE:
        changes.delete(system(call, USER, "delete"), user, state.kinds.values())
    else:
        idle = msgspec.structs.replace(user, is_active=False, last_updated=call.at)
        changes.update(system(call, USER, "change"), user, idle)
    return changes


def _decision(state: State, one: UserOffboarding, user: User) -> Callable[[Call], Awaitable[tuple[Changes, None]]]:
    async def decide(call: Call) -> tuple[Changes, None]:
        return carried_out(call, state, one, user), None

    return decide


async def carry_out_due(state: State) -> int:
    """Let go whoever's time has come; how many that were.

    :raises StoreDown: the store does not answer.
    """
    at = state.clock.now()
    done = 0
    keys = [row[0] for row in await state.store.fetch(_DUE, micros(at), _BATCH)]
    for one in await records.load(state.store, USER_OFFBOARDING, "id", keys) if keys else ():
        call = Call(SYSTEM, at, await state.refresh())
        user = await by_pk(state, one.user)
        if user is None:
            continue
        try:
            await state.change(call, _decision(state, one, user))
            done += 1
        except Problem as exc:
            _LOG.error("a user could not be offboarded", user=one.user, reason=str(exc))
            failed = Changes()
            failed.write(Write(_END, (one.id, OffboardingStatusEnum.FAILED, micros(at))))
            await state.commit(failed, at)
    return done


USER_OFFBOARDING: Kind[UserOffboarding] = Kind(
    model="authentik_lifecycle.useroffboarding",
    struct=UserOffboarding,
    path="lifecycle/user_offboarding",
    title=("User Offboarding", "User Offboardings"),
    key="id",
    key_name="id",
    table=Table("user_offboardings"),
    verbs=frozenset({Verb.LIST, Verb.CREATE, Verb.RETRIEVE, Verb.DESTROY}),
    shown=UserOffboardingShown,
    view=view,
    rules=rules,
    leaving=cancelling,
    search=(),
    order=("scheduled_at",),
    filters=(
        "action",
        "status",
        Filter("user__uuid", Uuid, sql="t.user_id IN (SELECT u.id FROM users u WHERE u.uuid = {})"),
    ),
)
