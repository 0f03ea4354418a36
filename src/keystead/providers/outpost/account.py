"""The account of an outpost: a machine's user, what it may do, and the token that the outpost shows us."""

from typing import Any, Final, Protocol

import msgspec

from keystead.base import rand
from keystead.kinds import records
from keystead.kinds.access import system
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.state import State
from keystead.people import token
from keystead.people.role import ROLE, Role
from keystead.people.user import USER, User, UserTypeEnum

PREFIX: Final = "ak-outpost-"
_FOLDER: Final = "goauthentik.io/outposts"


class Named(Protocol):
    """An outpost, as far as its account knows it."""

    @property
    def pk(self) -> str:
        """Its key."""
        ...

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def type(self) -> str:
        """What it speaks."""
        ...


_ALWAYS: Final = ("authentik_events.add_event",)
_BY_TYPE: Final = {"ldap": ("authentik_core.view_group", "authentik_core.view_user")}
"""What the work itself asks for; its own outpost and that one's providers an account sees without a permission."""


def username(pk: str) -> str:
    """The name of the account of the outpost with this key."""
    return PREFIX + pk.replace("-", "")


def token_identifier(pk: str) -> str:
    """The identifier of its token."""
    return f"{PREFIX}{pk}-api"


def _title(name: str) -> str:
    return f"Outpost {name} Service-Account"


def _role(pk: str) -> str:
    return f"goauthentik.io/outpost/{pk}"


def permissions(kind: str) -> tuple[str, ...]:
    """What the account of an outpost of this type may do."""
    return (*_ALWAYS, *_BY_TYPE.get(kind, ()))


async def made(call: Call, state: State, outpost: Named) -> Changes:
    """The changes that make the account, its role and its token."""
    changes = Changes()
    role = Role(
        pk=rand.uuid4(), name=username(outpost.pk), permissions=permissions(outpost.type), managed=_role(outpost.pk)
    )
    user = User(
        pk=await state.store.reserve("users", 1),
        uuid=rand.uuid4(),
        username=username(outpost.pk),
        name=_title(outpost.name),
        type=UserTypeEnum.INTERNAL_SERVICE_ACCOUNT,
        path=_FOLDER,
        roles=(role.pk,),
        date_joined=call.at,
        password_change_date=call.at,
        last_updated=call.at,
    )
    key, _ = token.issue(
        state,
        identifier=token_identifier(outpost.pk),
        user=user.pk,
        intent=token.IntentEnum.API,
        description=f"Made for the outpost {outpost.name} and kept by it",
    )
    key = msgspec.structs.replace(key, managed=f"goauthentik.io/outpost/{token_identifier(outpost.pk)}")
    # Whoever may make an outpost makes its account with it; the account can do nothing but the outpost's work.
    changes.create(system(call, ROLE, "add"), role, quiet=True)
    changes.create(system(call, USER, "add"), user, quiet=True)
    changes.create(system(call, token.TOKEN, "add"), key, quiet=True)
    return changes


async def renamed(call: Call, state: State, outpost: Named) -> Changes:
    """The changes that keep the account in step with the outpost's name and type; they make one that is missing."""
    user = await _user(state, outpost.pk)
    if user is None:
        return await made(call, state, outpost)
    changes = Changes()
    # On the authority of whoever may change the outpost.
    changed = msgspec.structs.replace(user, name=_title(outpost.name), is_active=True)
    if changed != user:
        changed = msgspec.structs.replace(changed, last_updated=call.at)
        changes.update(system(call, USER, "change"), user, changed, quiet=True)
    role = _held(call, outpost.pk)
    if role is not None and role.permissions != permissions(outpost.type):
        now = msgspec.structs.replace(role, permissions=permissions(outpost.type))
        changes.update(system(call, ROLE, "change"), role, now, quiet=True)
    return changes


async def removed(call: Call, state: State, outpost: Named) -> Changes:
    """The changes that end the account; its token goes with it."""
    changes = Changes()
    user, role = await _user(state, outpost.pk), _held(call, outpost.pk)
    kinds = state.kinds.values()
    # On the authority of whoever may remove the outpost.
    if user is not None:
        changes.delete(system(call, USER, "delete"), user, kinds)
    if role is not None:
        changes.delete(system(call, ROLE, "delete"), role, kinds)
    return changes


async def _user(state: State, pk: str) -> User | None:
    found = await records.load(state.store, USER, "username", [username(pk)])
    return found[0] if found else None


def _held(call: Call, pk: str) -> Any | None:  # noqa: ANN401 - a role
    return next((role for role in call.settings.all(ROLE) if role.managed == _role(pk)), None)
