"""Bearer tokens at our own endpoints: taken from where they may stand, read, and looked up (RFC 6750 §2, §3)."""

from typing import Final, NamedTuple, NoReturn

from keystead.kinds.call import Actor, Call
from keystead.kinds.state import State
from keystead.people.actor import actor_of
from keystead.providers.oidc import family
from keystead.providers.oidc.claims import granted_scopes
from keystead.providers.oidc.standing import Standing
from keystead.providers.oidc.tokens import Read, read_access
from keystead.providers.oidc.wire import OidcRequest, Refusal, one
from keystead.wire.jws import JoseError

API_SCOPE: Final = "goauthentik.io/api"
"""The scope that makes an access token good for our own API."""


class Bearer(NamedTuple):
    """A live access token and the grant behind it.

    :param scope: what the token may: of what it says of itself, what its grant says too. A client that knows the key
        (its secret, with HS256) can write what it likes into a token, but not into the grant.
    """

    read: Read
    standing: Standing
    scope: tuple[str, ...]


def taken(request: OidcRequest) -> str:
    """The token that a request brings in its Authorization header or form; never in its address (RFC 6750 §2.3).

    :raises Refusal: none, several, or in another scheme.
    """
    scheme, _, rest = request.authorization.partition(" ")
    given = one(request.form, "access_token") if request.form is not None else ""
    if request.query.get("access_token") is not None:
        refuse("invalid_request", "A token may not stand in the address; send it in the Authorization header.", 400)
    if request.authorization and given:
        refuse("invalid_request", "The request brings a token in two ways.", 400)
    if request.authorization:
        if scheme.lower() != "bearer" or not rest.strip():
            refuse("invalid_token", "Send the access token as a bearer token.", 401)
        return rest.strip()
    if not given:
        # RFC 6750 §3.1: who did not try to authenticate is told the scheme and nothing else.
        raise Refusal("invalid_token", "No token.", status=401, headers=(("WWW-Authenticate", "Bearer"),))
    return given


async def live(call: Call, state: State, token: str) -> Bearer | None:
    """The token, if it is ours and counts at this instant; one indexed read."""
    try:
        read = read_access(call, token)
    except JoseError:
        return None
    standing = await family.live(call, state, read.text("uid"), read.text("jti"))
    if standing is None or standing.provider != read.provider.pk:
        return None
    scope = granted_scopes(call.settings, read.provider, read.scope) if read.scope else ()
    if not standing.machine:
        scope = tuple(one for one in scope if one in standing.scope)
    return Bearer(read, standing, scope)


def refuse(error: str, description: str, status: int) -> NoReturn:
    """Refuse a bearer token.

    :raises Refusal: with the challenge of RFC 6750 §3.
    """
    challenge = f'Bearer error="{error}", error_description="{description}"'
    raise Refusal(error, description, status=status, headers=(("WWW-Authenticate", challenge),))


async def api_actor(call: Call, state: State, token: str) -> Actor | None:
    """Who calls our API with an access token of the scope for it (rest.md §2); None if the token does not count."""
    found = await live(call, state, token)
    if found is None or API_SCOPE not in found.scope:
        return None
    return await actor_of(state, found.standing.user.pk, means="oauth")
