"""The addresses of OAuth and OpenID Connect, for the door to answer (oauth2.md §1)."""

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from keystead.flows.flow import prefix
from keystead.flows.ports import Finisher
from keystead.kinds.call import Call
from keystead.kinds.state import State
from keystead.providers import application as applications
from keystead.providers.application import APPLICATION
from keystead.providers.oidc import (
    authorize,
    discovery,
    end_session,
    finish,
    introspect,
    revoke,
    token,
    userinfo,
)
from keystead.providers.oidc.grant import Parts
from keystead.providers.oidc.provider import by_client_id
from keystead.providers.oidc.wire import OidcRequest, Reply
from keystead.wire import form

Handler: TypeAlias = Callable[[OidcRequest, Call, State], Awaitable[Reply]]
_BASE: Final = "/application/o"


class Route(NamedTuple):
    """One address.

    :param path: a template; ``{slug}`` goes into :attr:`OidcRequest.slug`.
    :param visits: browsers visit it, so the request needs :attr:`OidcRequest.visitor`, and answers may be pages.
    """

    method: str
    path: str
    handle: Handler
    visits: bool = False


FINISHERS: Final[dict[str, Finisher]] = {finish.NAME: finish.finish, end_session.NAME: end_session.finish}
"""What flows call at their end, for :class:`keystead.flows.ports.Ports`."""


def routes(parts: Parts) -> tuple[Route, ...]:
    """Every address, bound to what it works with."""

    async def authorize_(request: OidcRequest, call: Call, state: State) -> Reply:
        return await authorize.handle(request, call, state, parts)

    async def token_(request: OidcRequest, call: Call, state: State) -> Reply:
        return await token.handle(request, call, state, parts)

    async def configuration(request: OidcRequest, call: Call, _state: State) -> Reply:
        return await discovery.configuration(request, call, parts)

    async def key_set(request: OidcRequest, call: Call, _state: State) -> Reply:
        return await discovery.key_set(request, call)

    async def home(request: OidcRequest, call: Call, _state: State) -> Reply:
        return await discovery.home(request, call)

    async def end_session_(request: OidcRequest, call: Call, state: State) -> Reply:
        return await end_session.handle(request, call, state, parts)

    async def preflight(request: OidcRequest, call: Call, _state: State) -> Reply:
        return token.preflight(request, call)

    own = f"{_BASE}/{{slug}}"
    return (
        Route("GET", f"{_BASE}/authorize/", authorize_, visits=True),
        Route("POST", f"{_BASE}/authorize/", authorize_, visits=True),
        Route("POST", f"{_BASE}/token/", token_),
        Route("GET", f"{_BASE}/userinfo/", userinfo.handle),
        Route("POST", f"{_BASE}/userinfo/", userinfo.handle),
        Route("POST", f"{_BASE}/introspect/", introspect.handle),
        Route("POST", f"{_BASE}/revoke/", revoke.handle),
        Route("OPTIONS", f"{_BASE}/token/", preflight),
        Route("OPTIONS", f"{_BASE}/userinfo/", preflight),
        Route("OPTIONS", f"{_BASE}/revoke/", preflight),
        Route("GET", f"{own}/", home),
        Route("GET", f"{own}/.well-known/openid-configuration", configuration),
        Route("GET", f"{own}/jwks/", key_set),
        Route("GET", f"{own}/end-session/", end_session_, visits=True),
        Route("POST", f"{own}/end-session/", end_session_, visits=True),
    )


def destination(call: Call, onward: str) -> str | None:
    """Which application (its pk) a path of ours leads to, so that the sign-in page can name it."""
    parts = urlsplit(onward)
    path = parts.path.removeprefix(prefix(call))
    if path == f"{_BASE}/authorize/":
        try:
            client_id = form.parse(parts.query).get("client_id", "")
        except form.FormError:
            return None
        provider = by_client_id(call.settings, client_id)
        application = applications.of_provider(call.settings, provider.pk) if provider else None
        return application.pk if application else None
    for start in (f"{_BASE}/", "/application/launch/"):
        if path.startswith(start):
            found = call.settings.by(APPLICATION, "slug", path.removeprefix(start).partition("/")[0])
            return found.pk if found else None
    return None
