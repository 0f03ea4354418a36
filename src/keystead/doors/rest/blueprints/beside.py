"""What blueprints may write beside the members that the API takes: passwords, keys, permissions, ``managed``."""

from collections.abc import Mapping
from typing import Any, Final

from keystead.base.errors import denied, invalid
from keystead.base.secret import fingerprint
from keystead.doors.rest.blueprints.work import Work
from keystead.kinds.kind import Kind
from keystead.kinds.models import ModelEnum
from keystead.people import assigning, password, token
from keystead.people.assigning import PermissionAssignRequest
from keystead.people.role import ROLE
from keystead.people.token import TOKEN
from keystead.people.user import USER
from keystead.people.user_actions import UserPasswordSetRequest, change_password, may_reset

_RENAMED: Final[Mapping[tuple[str, str], str]] = {("authentik_core.application", "icon"): "meta_icon"}
"""Model and member as blueprints call it -> what the API calls it."""
AFTER: Final[Mapping[str, frozenset[str]]] = {
    USER.model: frozenset({"password", "permissions"}),
    TOKEN.model: frozenset({"key"}),
    ROLE.model: frozenset({"permissions"}),
}
"""Model -> the members that are written once the object is there."""
_MANAGED: Final = "managed"


def parted(
    work: Work, kind: Kind[Any], given: Mapping[str, object]
) -> tuple[dict[str, object], dict[str, object], dict[str, object]]:
    """``given`` as what the API takes, what stands beside it, and what is written afterwards.

    :raises Problem: ``DENIED``: the caller may not say so.
    """
    body = {_RENAMED.get((kind.model, name), name): value for name, value in given.items()}
    after = {name: body.pop(name) for name in AFTER.get(kind.model, ()) if name in body}
    beside: dict[str, object] = {}
    field = kind.fields.get(_MANAGED)
    if field is not None and not field.writable and _MANAGED in body:
        value = body.pop(_MANAGED)
        if not work.call.actor.is_superuser:
            raise denied("Only superusers say what manages an object.")
        if not isinstance(value, (str, type(None))):
            raise invalid({_MANAGED: ["Write a text."]})
        beside[_MANAGED] = value
    return body, beside, after


async def afterwards(work: Work, kind: Kind[Any], obj: Any, given: Mapping[str, object]) -> None:  # noqa: ANN401 - objects of every kind
    """Write what :func:`parted` has put off.

    :raises Problem: it is wrong, or the caller may not.
    """
    if "password" in given:
        await set_password(work, obj, given["password"])
    if "key" in given:
        await _set_key(work, obj, given["key"])
    if given.get("permissions"):
        if kind is not ROLE:
            raise invalid({"permissions": ["Only roles hold permissions: give the user a role."]})
        names = given["permissions"]
        if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
            raise invalid({"permissions": ["Write a list of permissions, such as authentik_core.view_user."]})
        await _assign(work, obj, PermissionAssignRequest(permissions=names))


async def set_password(work: Work, user: Any, given: object) -> None:  # noqa: ANN401 - a user
    """Give ``user`` a password, unless it is theirs already.

    :raises Problem: it is wrong, or the caller may not.
    """
    if not isinstance(given, str) or not given:
        raise invalid({"password": ["Write a text that is not blank."]})
    call = await work.about(USER, user)
    await may_reset(call, work.state, user)
    await work.ahead.let_go()  # hashing takes its time
    if not user.password or not await password.verify(user.password, given):
        answer = await change_password(call, work.state, user, UserPasswordSetRequest(given))
        if answer.changes:
            await work.put(answer.changes)


async def _set_key(work: Work, held: Any, given: object) -> None:  # noqa: ANN401 - a token
    if not isinstance(given, str) or not given:
        raise invalid({"key": ["Write a text that is not blank."]})
    if work.call.actor.is_superuser and held.key_digest == fingerprint(given):
        return
    call = await work.about(TOKEN, held)
    answer = await token.set_key(call, work.state, held, token.TokenSetKeyRequest(given))
    if answer.changes:
        await work.put(answer.changes)


async def permit(work: Work, kind: Kind[Any], obj: Any, given: Mapping[str, object]) -> None:  # noqa: ANN401 - objects of every kind
    """Carry out one line of an entry's list of permissions.

    :raises Problem: it is wrong, or the caller may not.
    """
    name, role = given.get("permission"), given.get("role")
    if not isinstance(name, str):
        raise invalid({"permissions": ["Each names a permission."]})
    if given.get("user") is not None or not isinstance(role, str):
        raise invalid({"permissions": ["Only roles hold permissions: name a role by its key."]})
    found = work.call.settings.get(ROLE, role)
    if found is None:
        raise invalid({"permissions": [f'Invalid pk "{role}": there is no such role.']})
    pk = str(getattr(obj, kind.pk))
    await _assign(work, found, PermissionAssignRequest(permissions=[name], model=ModelEnum(kind.model), object_pk=pk))


async def _assign(work: Work, role: Any, wanted: PermissionAssignRequest) -> None:  # noqa: ANN401 - a role
    asked = await assigning.read(work.call, work.state, wanted)
    if asked.kind is None:
        given = set(asked.names) <= set(role.permissions)
    else:
        given = len(await assigning.results(work.state, role, asked)) == len(asked.names)
    if not given:
        call = await work.about(ROLE, role)
        await work.put(await assigning.assign(call, work.state, role, asked))
