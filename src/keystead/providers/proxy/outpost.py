"""What an outpost is told of a proxy provider (outposts.md §6)."""

from collections.abc import Sequence
from typing import Annotated, TypeAlias

import msgspec

from keystead.base import duration
from keystead.kinds.marks import Uuid
from keystead.kinds.snapshot import Snapshot
from keystead.providers.outposts import application_of
from keystead.providers.proxy.provider import ProxyMode, ProxyProvider

_Short: TypeAlias = Annotated[str, msgspec.Meta(max_length=255)]


class OpenIDConnectConfiguration(msgspec.Struct):
    """Where and how the proxy signs people in, in the words of OIDC Discovery."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    end_session_endpoint: str
    introspection_endpoint: str
    jwks_uri: str
    response_types_supported: list[str]
    id_token_signing_alg_values_supported: list[str]
    subject_types_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]


class ProxyOutpostConfig(msgspec.Struct):
    """How to stand in front of an application.

    :param cookie_secret: what the proxy's own state is signed with.
    :param access_token_validity: seconds.
    """

    pk: int
    name: str
    internal_host: str
    external_host: str
    internal_host_ssl_validation: bool
    client_id: _Short
    client_secret: _Short
    oidc_configuration: OpenIDConnectConfiguration
    cookie_secret: str
    certificate: Uuid | None
    skip_path_regex: str
    basic_auth_enabled: bool
    basic_auth_password_attribute: str
    basic_auth_user_attribute: str
    mode: ProxyMode
    cookie_domain: str
    access_token_validity: float | None
    intercept_header_auth: bool
    scopes_to_request: list[str]
    assigned_application_slug: str
    assigned_application_name: str


def config(
    settings: Snapshot, provider: ProxyProvider, oidc: OpenIDConnectConfiguration, scopes: Sequence[str]
) -> ProxyOutpostConfig | None:
    """What an outpost is told of ``provider``; None while it speaks for no application.

    :param oidc: where and how its client signs people in.
    :param scopes: what its client asks for.
    """
    application = application_of(settings, provider.pk)
    if application is None:
        return None
    return ProxyOutpostConfig(
        pk=provider.pk,
        name=provider.name,
        internal_host=provider.internal_host,
        external_host=provider.external_host,
        internal_host_ssl_validation=provider.internal_host_ssl_validation,
        client_id=provider.client_id,
        client_secret=provider.client_secret.reveal(),
        oidc_configuration=oidc,
        cookie_secret=provider.cookie_secret.reveal(),
        certificate=provider.certificate,
        skip_path_regex=provider.skip_path_regex,
        basic_auth_enabled=provider.basic_auth_enabled,
        basic_auth_password_attribute=provider.basic_auth_password_attribute,
        basic_auth_user_attribute=provider.basic_auth_user_attribute,
        mode=provider.mode,
        cookie_domain=provider.cookie_domain,
        access_token_validity=duration.parse(provider.access_token_validity).total_seconds(),
        intercept_header_auth=provider.intercept_header_auth,
        scopes_to_request=list(scopes),
        assigned_application_slug=application.slug,
        assigned_application_name=application.name,
    )
