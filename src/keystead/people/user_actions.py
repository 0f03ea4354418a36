"""What is done to users beside the verbs: passwords, service accounts, recovery links, folders."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import msgspec

from keystead.base import duration, rand
from keystead.base.errors import denied, invalid
from keystead.kinds.access import permitted, require, system
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Filter
from keystead.kinds.marks import VERBATIM, Duration, Text
from keystead.kinds.state import State
from keystead.people import password, session, token
from keystead.people.brand import brand_for
from keystead.people.group import GROUP, Group
from keystead.people.power import check_reach
from keystead.people.user import (
    LONGEST_NAME,
    USER,
    User,
    UserTypeEnum,
    check_username,
    set_password,
    uid,
)
from keystead.store import Statement

SERVICE_LIFE: Final = timedelta(days=360)
"""How long a service account's password lives unless asked otherwise (rest.md §11)."""
RECOVERY_LIFE: Final = timedelta(days=1)
RESET: Final = "authentik_core.reset_user_password"
"""The permission to give people another password, without changing anything else of theirs."""
SET_HASH: Final = "authentik_core.set_user_password_hash"
"""The permission to give people a password by its hash, which nobody here can look at."""


class UserPath(msgspec.Struct):
    """The folders that hold users."""

    paths: list[str]


class UserPasswordSetRequest(msgspec.Struct):
    """The new password."""

    password: Annotated[str, msgspec.Meta(min_length=1), VERBATIM]


class UserPasswordHashSetRequest(msgspec.Struct):
    """The hash of the new password, of argon2."""

    password: Annotated[str, msgspec.Meta(min_length=1)]


class UserServiceAccountRequest(msgspec.Struct):
    """What the service account shall be."""

    name: Text
    create_group: bool = False
    expiring: bool = True
    expires: datetime | None = None


class UserServiceAccountResponse(msgspec.Struct):
    """The service account and its password, shown this once."""

    username: str
    token: str
    user_uid: str
    user_pk: int
    group_pk: str | msgspec.UnsetType = msgspec.UNSET


class UserRecoveryLinkRequest(msgspec.Struct):
    """How long the link shall work."""

    token_duration: Duration = "days=1"  # noqa: S105 - a length of time


class Link(msgspec.Struct):
    """A link."""

    link: str


_PATHS: Final = Statement("user.paths", "SELECT DISTINCT path FROM users ORDER BY path")


async def paths(call: Call, state: State, _obj: None, query: Mapping[str, Sequence[str]]) -> Answer:
    """The folders that hold users; ``search`` narrows them."""
    require(call, USER, "view")
    needle = (query.get("search") or [""])[-1].casefold()
    found = [str(row[0]) for row in await state.store.fetch(_PATHS, heavy=True)]
    return Answer(UserPath([path for path in found if needle in path.casefold()]))


async def may_reset(call: Call, state: State, found: User) -> None:
    """Let through who may change users or reset their passwords, and is no weaker than ``found``.

    One's own password is no exception: a token or an unlocked screen must not be enough to keep an account. A flow asks
    for the present one first.

    :raises Problem: ``DENIED``; ``NOT_FOUND`` where the caller may not even see ``found``.
    """
    if not permitted(call, USER, RESET, found):
        require(call, USER, "change", found)
    await check_reach(call, state, found.pk, "take this account over")


async def change_password(call: Call, state: State, found: User, body: UserPasswordSetRequest) -> Answer:
    """Give the user another password; their other sessions end, because somebody may sit in them."""
    await may_reset(call, state, found)
    hashed = await password.hash_password(body.password)
    changes = Changes()
    changes.write(set_password(call, found.pk, hashed), session.end_all_but(found.pk, call.actor.session))
    changes.event(call, "password_set", USER.app, {}, about=(USER, found))
    return Answer(status=204, changes=changes)


async def change_hash(call: Call, state: State, found: User, body: UserPasswordHashSetRequest) -> Answer:
    """Give the user the password behind a hash, as when accounts move here from elsewhere."""
    if not permitted(call, USER, SET_HASH, found):
        require(call, USER, "view", found)
        raise denied()
    await check_reach(call, state, found.pk, "take this account over")
    try:
        hashed = password.foreign(body.password)
    except ValueError as exc:
        raise invalid({"password": [str(exc)]}) from None
    changes = Changes()
    changes.write(set_password(call, found.pk, hashed), session.end_all_but(found.pk, call.actor.session))
    changes.event(call, "password_set", USER.app, {"hashed_elsewhere": True}, about=(USER, found))
    return Answer(status=204, changes=changes)


async def service_account(call: Call, state: State, _obj: None, body: UserServiceAccountRequest) -> Answer:
    """Make a service account, on wish a group with it, and an application password."""
    power = require(call, USER, "add")
    name = body.name.strip()
    if len(name) > LONGEST_NAME:
        raise invalid({"name": [f"May have at most {LONGEST_NAME} characters."]})
    check_username(name)
    user = User(
        pk=await state.store.reserve("users", 1),
        uuid=rand.uuid4(),
        username=name,
        name=name,
        type=UserTypeEnum.SERVICE_ACCOUNT,
        path="goauthentik.io/service-accounts",
        date_joined=call.at,
        password_change_date=call.at,
        last_updated=call.at,
    )
    changes = Changes()
    group: Group | None = None
    if body.create_group:
        group_power = require(call, GROUP, "add")
        group = Group(pk=rand.uuid4(), name=name, num_pk=await state.store.reserve("groups.num_pk", 1))
        changes.create(group_power, group)
        user = msgspec.structs.replace(user, groups=(group.pk,))
    changes.create(power, user)
    made, key = token.issue(
        state,
        identifier=f"service-account-{_slug(name)}-password",
        user=user.pk,
        intent=token.IntentEnum.APP_PASSWORD,
        expires=(body.expires or call.at + SERVICE_LIFE) if body.expiring else None,
    )
    # The right to add users carries the right to give the new one its first password.
    changes.create(system(call, token.TOKEN, "add"), made)
    return Answer(
        UserServiceAccountResponse(
            username=name,
            token=key.reveal(),
            user_uid=uid(state, user.pk),
            user_pk=user.pk,
            group_pk=group.pk if group else msgspec.UNSET,
        ),
        changes=changes,
    )


def _slug(name: str) -> str:
    return "".join(char if char.isalnum() and char.isascii() else "-" for char in name)


async def recovery(call: Call, state: State, found: User, body: UserRecoveryLinkRequest | None) -> Answer:
    """A link with which the user gets back in; whoever holds it signs in as that user, so it is shown once."""
    await may_reset(call, state, found)
    check_recovery(call)
    life = recovery_life(call, body.token_duration) if body else RECOVERY_LIFE
    changes, link = recovery_link(call, state, found, life)
    return Answer(Link(call.origin.root + link), changes=changes)


def check_recovery(call: Call) -> None:
    """Refuse where a recovery link would lead nowhere.

    :raises Problem: ``INVALID``.
    """
    if brand_for(call.settings, call.origin.host).flow_recovery is None:
        raise invalid({"non_field_errors": ["The brand has no recovery flow; set one first."]})


def recovery_life(call: Call, text: str) -> timedelta:
    """How long a link shall work.

    :raises Problem: ``INVALID``: it would never work, or for longer than there are dates.
    """
    life = duration.parse(text)
    if not timedelta() < life <= datetime.max.replace(tzinfo=UTC) - call.at:
        raise invalid({"token_duration": ["A link works for some time, and not for ever: write it like 'hours=3'."]})
    return life


def recovery_link(call: Call, state: State, found: User, life: timedelta) -> tuple[Changes, str]:
    """The changes that make a recovery token for ``found``, and the path that uses it."""
    made, key = token.issue(
        state,
        identifier=f"ak-recovery-{found.pk}-{rand.hex128()[:12]}",
        user=found.pk,
        intent=token.IntentEnum.RECOVERY,
        description=f"Recovery of {found.username}",
        expires=call.at + life,
    )
    changes = Changes()
    # The caller's right to reset the password was checked; the token is the form it takes.
    changes.create(system(call, token.TOKEN, "add"), made)
    return changes, f"/recovery/use-token/{key.reveal()}/"


ACTIONS = (
    Action(
        USER,
        "GET",
        "paths/",
        paths,
        "paths_retrieve",
        permission="view",
        response=UserPath,
        query=(Filter("search", str),),
    ),
    Action(
        USER,
        "POST",
        "{key}/set_password/",
        change_password,
        "set_password_create",
        permission="",
        request=UserPasswordSetRequest,
        status=204,
    ),
    Action(
        USER,
        "POST",
        "{key}/set_password_hash/",
        change_hash,
        "set_password_hash_create",
        permission="",
        request=UserPasswordHashSetRequest,
        status=204,
    ),
    Action(
        USER,
        "POST",
        "service_account/",
        service_account,
        "service_account_create",
        permission="add",
        request=UserServiceAccountRequest,
        response=UserServiceAccountResponse,
    ),
    Action(
        USER,
        "POST",
        "{key}/recovery/",
        recovery,
        "recovery_create",
        permission="",
        request=UserRecoveryLinkRequest,
        response=Link,
    ),
)
