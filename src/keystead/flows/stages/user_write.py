"""User write stage: what prompts gathered becomes a new user, or is written to the pending one."""

import enum
from collections.abc import Mapping
from typing import Annotated, Final

import msgspec

from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem, invalid
from keystead.flows.challenge import complaints
from keystead.flows.ports import WhoIs
from keystead.flows.shown import BY_UUID, StageShown, view
from keystead.flows.stage import Again, Deny, Done, Error, Outcome, Run, Stage
from keystead.flows.vouched import JOINING, keep
from keystead.kinds.access import as_system, system
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, OnDelete, Ref, Text, Uuid
from keystead.people import password, session
from keystead.people.finding import by_username
from keystead.people.user import USER, User, UserTypeEnum, rules

WRITABLE: Final = ("username", "name", "email")
"""Members of a user that a prompt may fill; everything else a person could type is an attribute or nothing."""
_SPENT: Final = frozenset({"password", "password_repeat"})
_DEEP: Final = 8


class UserCreationModeEnum(enum.StrEnum):
    """When a new user is made."""

    NEVER_CREATE = "never_create"
    CREATE_WHEN_REQUIRED = "create_when_required"
    ALWAYS_CREATE = "always_create"


class UserWriteStage(msgspec.Struct, frozen=True, kw_only=True):
    """Writes a user.

    :param create_users_as_inactive: somebody else has to let new users in.
    :param create_users_group: new users become members of this group.
    :param user_path_template: the folder of new users; blank for ``users``.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    user_creation_mode: UserCreationModeEnum = UserCreationModeEnum.CREATE_WHEN_REQUIRED
    create_users_as_inactive: bool = True
    create_users_group: Annotated[Uuid, Ref("authentik_core.group", OnDelete.SET_NULL)] | None = None
    user_type: UserTypeEnum = UserTypeEnum.EXTERNAL
    user_path_template: str = ""


async def ask(run: Run[UserWriteStage]) -> Outcome:
    """Write; what does not fit is complained about where it was asked for."""
    data = run.context.get("prompt_data")
    data = data if isinstance(data, Mapping) else {}
    mode = run.stage.user_creation_mode
    old = run.user
    if mode is UserCreationModeEnum.ALWAYS_CREATE or (
        old is None and mode is UserCreationModeEnum.CREATE_WHEN_REQUIRED
    ):
        old = None
    elif old is None:
        return Deny("There is nobody whose account could be changed.")
    try:
        new = _filled(old or _blank(run), data)
        holder = await by_username(run.state, new.username)
        if holder is not None and (old is None or holder.pk != old.pk):
            return Again({"username": [Error("This username is taken. Choose another one.", "unique")]})
        new = await _ruled(run, old, await _secured(run, new, data))
    except Problem as exc:
        if exc.kind is not Fault.INVALID or not exc.fields:
            raise
        return Again(complaints(exc.fields))
    kept = {key: value for key, value in data.items() if key not in _SPENT}
    context = {"pending_user": new.pk, "prompt_data": kept}
    changes = _changes(run, old, new)
    if old is not None:
        return Done(context, changes=changes, user=new)
    joined = await keep(run, new, WhoIs.MADE)
    if isinstance(joined, Deny):
        return joined
    changes.extend(joined)
    return Done(context, forget=(JOINING,), changes=changes, user=new)


def _blank(run: Run[UserWriteStage]) -> User:
    stage = run.stage
    return User(
        pk=0,
        username="",
        name="",
        is_active=not stage.create_users_as_inactive,
        type=stage.user_type,
        path=str(run.context.get("user_path") or stage.user_path_template or "users"),
        groups=(stage.create_users_group,) if stage.create_users_group else (),
    )


def _filled(user: User, data: Mapping[str, object]) -> User:
    """``user`` with what was answered.

    :raises Problem: ``INVALID``: it does not fit.
    """
    values: dict[str, object] = {"attributes": _attributes(user.attributes, data)}
    for member in WRITABLE:
        if member in data:
            try:
                values[member] = USER.fields[member].take(data[member])
            except ValueError as exc:
                raise invalid({member: [str(exc)]}) from None
    user = msgspec.structs.replace(user, **values)
    if not user.username:
        raise invalid({"username": ["A user needs a username."]})
    return user


async def _secured(run: Run[UserWriteStage], user: User, data: Mapping[str, object]) -> User:
    """``user`` with the password that was answered, if any."""
    if not (given := data.get("password")):
        return user
    hashed = await password.hash_password(str(given))
    return msgspec.structs.replace(user, password=hashed, password_change_date=run.call.at)


async def _ruled(run: Run[UserWriteStage], old: User | None, new: User) -> User:
    """``new`` as the rules of users have it, with a key of its own if it is a new one."""
    if old is None:
        new = msgspec.structs.replace(new, pk=await run.state.store.reserve("users", 1))
    # The administrator who composed the flow decided what it writes, so the rules hold as for Keystead itself.
    return await rules(as_system(run.call), run.state, old, new)


def _attributes(old: Mapping[str, object], data: Mapping[str, object]) -> dict[str, object]:
    """``old`` with what was told as ``attributes``, answered as ``attributes.…`` (dots lead inside) and ``locale``."""
    told = data.get("attributes")
    new = {**old, **(told if isinstance(told, Mapping) else {})}
    for key, value in data.items():
        place, _, inside = ("attributes", ".", "settings.locale") if key == "locale" else key.partition(".")
        path = inside.split(".")
        if place == "attributes" and all(path) and len(path) <= _DEEP:
            new = _placed(new, path, value)
    return new


def _placed(inside: Mapping[str, object], path: list[str], value: object) -> dict[str, object]:
    first, *rest = path
    deeper = inside.get(first)
    return {**inside, first: _placed(deeper if isinstance(deeper, Mapping) else {}, rest, value) if rest else value}


def _changes(run: Run[UserWriteStage], old: User | None, new: User) -> Changes:
    call, changes = run.call, Changes()
    # As above: the flow writes on the authority of whoever composed it.
    if old is None:
        changes.create(system(call, USER, "add"), new)
    else:
        changes.update(system(call, USER, "change"), old, new)
        if old.password != new.password:
            here = run.visitor.session
            # Whoever knew the old password may sit in another session.
            changes.write(session.end_all_but(new.pk, here.uuid if here and here.user == new.pk else ""))
            changes.event(call, "password_set", USER.app, {}, about=(USER, new))
    told = {"created": old is None, "username": new.username, "name": new.name, "email": new.email}
    changes.event(call, "user_write", USER_WRITE_STAGE.app, told, about=(USER, new))
    return changes


USER_WRITE_STAGE = Kind(
    model="authentik_stages_user_write.userwritestage",
    struct=UserWriteStage,
    path="stages/user_write",
    title=("User Write Stage", "User Write Stages"),
    key_name="stage_uuid",
    family="stages",
    component="ak-stage-user-write-form",
    shown=StageShown,
    view=view,
    filters=(
        "create_users_as_inactive",
        "create_users_group",
        "name",
        "user_creation_mode",
        "user_path_template",
        "user_type",
        BY_UUID,
    ),
)
STAGE = Stage(USER_WRITE_STAGE, ask)
