"""client_credentials: a machine asks for itself, or as a user whose application password it holds (oauth2.md §6).

Three ways: with the client secret, as the client's own service account, which is made at first use; with ``username``
and an application password as ``password``; or with both in ``client_secret``, as base64 of ``user:password``.
"""

from typing import Final

from keystead.base import rand
from keystead.base.secret import fingerprint
from keystead.kinds.access import system
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.state import State
from keystead.people import token as tokens
from keystead.people.person import Person
from keystead.people.user import USER, User, UserTypeEnum
from keystead.providers.oidc import family
from keystead.providers.oidc.claims import OFFLINE, granted_scopes
from keystead.providers.oidc.client import Client, unauthenticated
from keystead.providers.oidc.grant import Grant, Granted, TokenRequest
from keystead.providers.oidc.provider import OAuth2Provider
from keystead.providers.oidc.standing import FOREVER, Proof
from keystead.providers.oidc.wire import Refusal
from keystead.store import Statement, Write
from keystead.wire import basic

_MAX_USERNAME: Final = 150
_PATH: Final = "goauthentik.io/service-accounts"
_MACHINES: Final = frozenset({UserTypeEnum.SERVICE_ACCOUNT, UserTypeEnum.INTERNAL_SERVICE_ACCOUNT})
"""Whom the client's own service account may be; a person who took its name is not it."""


async def redeem(asked: TokenRequest, client: Client, call: Call, state: State) -> Granted:
    """Find out for whom the machine asks, and give it what the provider offers of what it asks for."""
    if asked.username or asked.password:
        if not client.means and client.presented:
            raise unauthenticated(client, "wrong client secret beside username and password")
        return await _as_user(asked, client, call, state, asked.username, asked.password)
    if client.means == "secret":
        return await _as_itself(asked, client, call, state)
    for presented in client.presented:
        try:
            pair = basic.pair(presented)
        except basic.BasicError:
            continue
        return await _as_user(asked, client, call, state, pair.user, pair.password)
    raise unauthenticated(client, "neither a client secret nor an application password")


def username_of(provider: OAuth2Provider) -> str:
    """The name of a client's own service account, cut to what a user name may be."""
    name = f"ak-{provider.name}-client_credentials"
    if len(name) <= _MAX_USERNAME:
        return name
    return f"ak-{provider.name[:80]}-{fingerprint(provider.name)[:16]}-client_credentials"


def _scope(asked: TokenRequest, client: Client, call: Call) -> tuple[str, ...]:
    """What is granted. Nobody is away from a machine, so it gets no refresh token and needs no ``offline_access``.

    :raises Refusal: ``invalid_scope``: nothing of what was asked for is there.
    """
    found = tuple(one for one in granted_scopes(call.settings, client.provider, asked.scope) if one != OFFLINE)
    if asked.scope and not found:
        raise Refusal("invalid_scope", "The provider offers none of these scopes.")
    return found


async def _as_itself(asked: TokenRequest, client: Client, call: Call, state: State) -> Granted:
    provider = client.provider
    scope = _scope(asked, client, call)
    name = username_of(provider)
    grant_id = call.settings.memo(
        ("oauth2.machine", provider.pk), lambda: state.vault.sign("oauth2/machine", f"{provider.pk}/{name}")
    )
    found = await family.machine(state, name, grant_id)
    changes = Changes()
    if found is None:
        made = await _made(call, state, provider, name, changes)
        return _granted(call, client, made, scope, grant_id, changes)
    person, stands = found
    if person.user.type not in _MACHINES:
        raise Refusal(
            "invalid_grant", "The client's service account cannot be used.", reason=f"{name} is not a service account"
        )
    return _granted(call, client, person.user, scope, grant_id, changes, person=person, stands=stands)


async def _made(call: Call, state: State, provider: OAuth2Provider, name: str, changes: Changes) -> User:
    """A new service account, its writes and event in ``changes``; of several requests at once the first makes it."""
    user = User(
        pk=await state.store.reserve("users", 1),
        uuid=rand.uuid4(),
        username=name,
        name=f"Service account of {provider.name}",
        type=UserTypeEnum.SERVICE_ACCOUNT,
        path=_PATH,
        date_joined=call.at,
        password_change_date=call.at,
        last_updated=call.at,
    )
    made = Changes()
    # On the provider's authority: an administrator allowed this client to ask for itself.
    made.create(system(call, USER, "add"), user)
    first, *rest = made.writes
    once = Statement("oauth.service_account", f"{first.statement.text} ON CONFLICT (username) DO NOTHING")
    changes.write(Write(once, first.args, expect=1, guard="machine"), *rest)
    return user


async def _as_user(
    asked: TokenRequest, client: Client, call: Call, state: State, username: str, password: str
) -> Granted:
    held = await tokens.by_key(state, password, call.at)
    if held is None or held.intent is not tokens.IntentEnum.APP_PASSWORD:
        raise Refusal("invalid_grant", "User name or password is wrong.", reason="no such application password")
    grant_id = state.vault.sign("oauth2/machine", f"{client.provider.pk}/{held.user}")
    found = await family.machine(state, username, grant_id)
    if found is None or found[0].user.pk != held.user or not found[0].user.is_active:
        raise Refusal(
            "invalid_grant", "User name or password is wrong.", reason="the application password is another user's"
        )
    scope = _scope(asked, client, call)
    person, stands = found
    return _granted(call, client, person.user, scope, grant_id, Changes(), person=person, stands=stands)


def _granted(
    call: Call,
    client: Client,
    user: User,
    scope: tuple[str, ...],
    grant_id: str,
    changes: Changes,
    *,
    person: Person | None = None,
    stands: bool = False,
) -> Granted:
    """The standing grant of one machine: made once, so that its tokens can be looked up like everybody's."""
    if not stands:
        changes.write(
            family.new_grant(
                call,
                grant_id,
                provider=client.provider.pk,
                user=user.pk,
                session=None,
                scope=(),  # each token says its own
                proof=Proof(),
                expires=FOREVER,
            )
        )
    return Granted(
        user=user,
        grant_id=grant_id,
        scope=scope,
        proof=Proof(),
        changes=changes,
        lost=_again,
        person=person,
    )


async def _again(_guard: str) -> Refusal | None:
    """Another request made the account first; the next attempt finds it."""
    return None


GRANT: Final = Grant("client_credentials", redeem, vouches=True)
