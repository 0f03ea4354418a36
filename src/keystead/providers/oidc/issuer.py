"""Addresses: the issuer of a provider and where its endpoints are (oauth2.md §1, §3)."""

from typing import NamedTuple

from keystead.providers.application import Application
from keystead.providers.oidc.provider import IssuerModeEnum, OAuth2Provider


class Addresses(NamedTuple):
    """Absolute addresses under one root."""

    issuer: str
    discovery: str
    authorize: str
    token: str
    userinfo: str
    introspect: str
    revoke: str
    jwks: str
    end_session: str


def addresses(provider: OAuth2Provider, application: Application, root: str) -> Addresses:
    """Where everything of ``provider`` is.

    :param root: scheme, host and path prefix under which the caller reaches us, without a slash at the end.
    """
    return below(application.slug, root)._replace(issuer=issuer(provider, application, root))


def below(slug: str, root: str) -> Addresses:
    """Where everything of an application's provider is that has an issuer of its own."""
    common = f"{root}/application/o"
    own = f"{common}/{slug}"
    return Addresses(
        issuer=f"{own}/",
        discovery=f"{own}/.well-known/openid-configuration",
        authorize=f"{common}/authorize/",
        token=f"{common}/token/",
        userinfo=f"{common}/userinfo/",
        introspect=f"{common}/introspect/",
        revoke=f"{common}/revoke/",
        jwks=f"{own}/jwks/",
        end_session=f"{own}/end-session/",
    )


def issuer(provider: OAuth2Provider, application: Application, root: str) -> str:
    """The issuer that discovery, tokens and answers name."""
    if provider.issuer_mode is IssuerModeEnum.GLOBAL:
        return f"{root}/"
    return f"{root}/application/o/{application.slug}/"
