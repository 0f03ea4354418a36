"""Token: a key that stands for a user: for the API, as an application password, for recovery or verification."""

import enum
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec

from keystead.base import duration, rand
from keystead.base.clock import micros
from keystead.base.errors import denied, invalid
from keystead.base.secret import Secret, fingerprint
from keystead.kinds import records
from keystead.kinds.access import permitted, require
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Actor, Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Filter, Kind, Table
from keystead.kinds.marks import HIDDEN, LINE, READ_ONLY, UNIQUE, Column, Ref, Slug, Text, Uuid
from keystead.kinds.state import State
from keystead.people.actor import bearer
from keystead.people.installation import settings as installation
from keystead.people.power import check_reach
from keystead.people.user import whole_users
from keystead.store import Statement, Write

_LONGEST: Final = 1024
"""Characters from which a text is taken for no key: hashing it would be work for nothing."""
VIEW_KEY: Final = "authentik_core.view_token_key"
SET_KEY: Final = "authentik_core.set_token_key"
"""Permissions on the keys of other people's tokens."""
_CONTEXT: Final = "token"


class IntentEnum(enum.StrEnum):
    """What a token is for."""

    VERIFICATION = "verification"
    API = "api"
    RECOVERY = "recovery"
    APP_PASSWORD = "app_password"  # noqa: S105 - a word of the contract


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A key that stands for a user.

    :param key_digest: SHA-256 of the key, hexadecimal: how it is found.
    :param key_sealed: the key itself, sealed: how ``view_key`` can show it.
    """

    pk: Annotated[Uuid, READ_ONLY, Column("id")]
    managed: Annotated[Text | None, LINE, UNIQUE] = None
    identifier: Annotated[Slug, msgspec.Meta(max_length=255), UNIQUE]
    intent: IntentEnum = IntentEnum.VERIFICATION
    user: Annotated[int, Column("user_id"), Ref("authentik_core.user")] = 0
    description: str = ""
    key_digest: Annotated[str, HIDDEN] = ""
    key_sealed: Annotated[str, HIDDEN] = ""
    expires: datetime | None = None
    expiring: bool = True


class TokenShown(msgspec.Struct):
    """The computed members of a token."""

    user_obj: Annotated[dict[str, object], msgspec.Meta(title="User")]


class TokenView(msgspec.Struct):
    """The key."""

    key: str


class TokenSetKeyRequest(msgspec.Struct):
    """Another key."""

    key: Annotated[str, msgspec.Meta(min_length=1)]


def _keyed(state: State, token: Token, key: str) -> Token:
    return msgspec.structs.replace(
        token, key_digest=fingerprint(key), key_sealed=state.vault.seal(key, f"{_CONTEXT}/{token.pk}")
    )


def _drawn(state: State) -> str:
    """A new key, of letters and digits: 60 of them hold 357 bits."""
    return rand.alphanumeric(installation.current(state.settings).default_token_length)


def issue(
    state: State,
    *,
    identifier: str,
    user: int,
    intent: IntentEnum,
    description: str = "",
    expires: datetime | None = None,
    key: str = "",
) -> tuple[Token, Secret]:
    """A new token (not written yet) and its key, drawn here unless given."""
    key = key or _drawn(state)
    token = Token(
        pk=rand.uuid4(),
        identifier=identifier,
        intent=intent,
        user=user,
        description=description,
        expires=expires,
        expiring=expires is not None,
    )
    return _keyed(state, token, key), Secret(key)


def alive(token: Token, at: datetime) -> bool:
    """Whether the token counts at this instant."""
    return not token.expiring or token.expires is None or token.expires > at


async def by_key(state: State, key: str, at: datetime) -> Token | None:
    """The live token with this key."""
    if not key or len(key) > _LONGEST:
        return None
    found = await records.load(state.store, TOKEN, "key_digest", [fingerprint(key)])
    return found[0] if found and alive(found[0], at) else None


async def api_actor(state: State, key: str, at: datetime) -> tuple[bool, Actor | None]:
    """Whether there is a live token with this key, and its user, if the token is one for the API."""
    if not key or len(key) > _LONGEST:
        return False, None
    found = await bearer(state, fingerprint(key))
    if found is None or (found.expires is not None and found.expires <= micros(at)):
        return False, None
    return True, found.actor if found.intent == IntentEnum.API else None


_END_ALL: Final = Statement("token.end_all", "DELETE FROM tokens WHERE user_id = $1")


def end_all(user: int) -> Write:
    """The write that removes every token of ``user``."""
    return Write(_END_ALL, (user,))


async def rules(call: Call, state: State, old: Token | None, new: Token) -> Token:
    """Whose token it is, how long it lives, and its key at the start."""
    if not call.actor.is_superuser:
        if new.managed != (old.managed if old else None):
            raise invalid({"managed": ["Only superusers say what manages a token."]})
        if old is not None and old.user != call.actor.pk:
            raise denied("You may only change tokens of your own.")
        if new.user not in {0, call.actor.pk}:
            raise invalid({"user": ["You may only make tokens of your own."]})
    if new.user == 0:
        new = msgspec.structs.replace(new, user=call.actor.pk)
    if old is None or (old.expiring, old.expires) != (new.expiring, new.expires):
        new = _limited(call, new)
    return new if old else _keyed(state, new, _drawn(state))


def _limited(call: Call, token: Token) -> Token:
    """``token`` with an end: as asked, but soon for tokens of people who are no superusers, and none if it has none."""
    if call.actor.is_superuser and (token.expires is not None or not token.expiring):
        return msgspec.structs.replace(token, expires=token.expires if token.expiring else None)
    latest = call.at + duration.parse(installation.current(call.settings).default_token_duration)
    asked = token.expires if token.expiring else None
    return msgspec.structs.replace(token, expiring=True, expires=min(asked or latest, latest))


async def view(
    call: Call, state: State, tokens: Sequence[Token], _query: Mapping[str, Sequence[str]]
) -> list[TokenShown]:
    """The users behind the tokens, in full."""
    users = await whole_users(call, state, [token.user for token in tokens])
    return [TokenShown(users.get(token.user, {})) for token in tokens]


async def _check_key(call: Call, state: State, token: Token, permission: str) -> None:
    """Let the owner to the key, and who holds ``permission`` and is no weaker than the owner, whose power the key is.

    :raises Problem: ``DENIED``; ``NOT_FOUND`` where the caller may not even see the token.
    """
    if token.user != call.actor.pk:
        require(call, TOKEN, "view", token)
        if not permitted(call, TOKEN, permission, token):
            raise denied()
        await check_reach(call, state, token.user, "handle this key")


async def view_key(call: Call, state: State, token: Token, _body: None) -> Answer:
    """Show the key to those who may, and write down that it was shown."""
    await _check_key(call, state, token, VIEW_KEY)
    changes = Changes()
    changes.event(call, "secret_view", TOKEN.app, {"secret": {"pk": token.pk.replace("-", "")}}, about=(TOKEN, token))
    return Answer({"key": state.vault.open(token.key_sealed, f"{_CONTEXT}/{token.pk}")}, changes=changes)


_SET_KEY: Final = Statement("token.set_key", "UPDATE tokens SET key_digest = $2, key_sealed = $3 WHERE id = $1")


async def set_key(call: Call, state: State, token: Token, body: TokenSetKeyRequest) -> Answer:
    """Give the token the key that the caller names."""
    await _check_key(call, state, token, SET_KEY)
    changed = _keyed(state, token, body.key)
    changes = Changes()
    changes.write(Write(_SET_KEY, (token.pk, changed.key_digest, changed.key_sealed), expect=1, guard="row"))
    changes.event(call, "secret_rotate", TOKEN.app, {}, about=(TOKEN, token))
    return Answer(status=204, changes=changes)


TOKEN = Kind(
    model="authentik_core.token",
    struct=Token,
    path="core/tokens",
    title=("Token", "Tokens"),
    key="identifier",
    key_name="identifier",
    table=Table("tokens", owner="user_id", self_made=True),
    shown=TokenShown,
    view=view,
    rules=rules,
    permissions=(
        ("view_token_key", "Can view the keys of other people's tokens"),
        ("set_token_key", "Can set the keys of other people's tokens"),
    ),
    search=("identifier", "description"),
    order=("identifier",),
    filters=(
        "identifier",
        "intent",
        "description",
        "expiring",
        "managed",
        Filter("expires", datetime, sql="t.expires = {}"),
        Filter("user__username", str, sql="t.user_id IN (SELECT u.id FROM users u WHERE u.username = {})"),
    ),
)
ACTIONS = (
    Action(TOKEN, "GET", "{key}/view_key/", view_key, "view_key_retrieve", permission="", response=TokenView),
    Action(
        TOKEN,
        "POST",
        "{key}/set_key/",
        set_key,
        "set_key_create",
        permission="",
        request=TokenSetKeyRequest,
        status=204,
    ),
)
