"""What a fresh installation has of this floor: scope mappings, under the names clients look up (defaults.md §6)."""

from typing import Final, NamedTuple

from keystead.base import rand
from keystead.providers.oidc.mapping import ScopeMapping

_PREFIX: Final = "authentik default OAuth Mapping: "
_MANAGED: Final = "goauthentik.io/providers/"
_EMAIL: Final = """\
# Nothing here has checked the address, so it does not count as verified. Where you know better, return True.
return {"email": request.user.email, "email_verified": False}
"""
_PROFILE: Final = """\
# There is one field for the whole name; the parts of it are not guessed.
return {
    "name": request.user.name,
    "given_name": request.user.name,
    "preferred_username": request.user.username,
    "nickname": request.user.username,
    "groups": [group.name for group in request.user.groups.all()],
}
"""
_ENTITLEMENTS: Final = """\
names = [one.name for one in getattr(request.user, "entitlements", [])]
return {"entitlements": names, "roles": names}
"""
_PROXY: Final = """\
# What a proxy in front of an application needs to know; "sid" is in every token anyway.
return {
    "ak_proxy": {
        "user_attributes": request.user.group_attributes(request),
        "is_superuser": request.user.is_superuser,
    }
}
"""


class _Default(NamedTuple):
    name: str
    managed: str
    scope: str
    description: str
    expression: str


_SCOPES: Final = (
    _Default(
        "OpenID 'openid'",
        "oauth2/scope-openid",
        "openid",
        "",
        "# The scope says that this is OpenID Connect; who it is about, every token says.\nreturn {}",
    ),
    _Default("OpenID 'email'", "oauth2/scope-email", "email", "Your e-mail address", _EMAIL),
    _Default("OpenID 'profile'", "oauth2/scope-profile", "profile", "Your name, user name and groups", _PROFILE),
    _Default(
        "Application Entitlements",
        "oauth2/scope-entitlements",
        "entitlements",
        "What you may do in this application",
        _ENTITLEMENTS,
    ),
    _Default(
        "OpenID 'offline_access'",
        "oauth2/scope-offline_access",
        "offline_access",
        "Access while you are away",
        "# The scope allows refresh tokens; it tells nothing about the person.\nreturn {}",
    ),
    _Default(
        "authentik API access",
        "oauth2/scope-authentik_api",
        "goauthentik.io/api",
        "Use of this server's API in your name",
        "# The scope makes the access token good for the API, with the rights of its user.\nreturn {}",
    ),
    _Default(
        "Proxy outpost",
        "proxy/scope-proxy",
        "ak_proxy",
        "Your attributes, for the proxy in front of the application",
        _PROXY,
    ),
)


def defaults() -> tuple[ScopeMapping, ...]:
    """The scope mappings, with fresh keys; look for ``managed`` before keeping one."""
    return tuple(
        ScopeMapping(
            pk=rand.uuid4(),
            managed=_MANAGED + one.managed,
            name=_PREFIX + one.name,
            expression=one.expression.strip(),
            scope_name=one.scope,
            description=one.description,
        )
        for one in _SCOPES
    )
