"""The rooms of this floor in lists; a new kind, protocol or grant is one line here."""

from typing import Any, Final

from keystead.kinds.action import Action
from keystead.kinds.kind import Kind
from keystead.policies.engine import Engine
from keystead.providers import access, application, entitlement
from keystead.providers import consent as user_consent
from keystead.providers.assertion import mapping as saml_mapping
from keystead.providers.endpoints import (
    access_group,
    agent_connector,
    device,
    enclave,
    enrollment,
    fleet,
    google_chrome,
)
from keystead.providers.endpoints import binding as device_binding
from keystead.providers.google_workspace import client as google_client
from keystead.providers.google_workspace import links as google_links
from keystead.providers.google_workspace import mapping as google_mapping
from keystead.providers.google_workspace import provider as google_provider
from keystead.providers.ldap import provider as ldap_provider
from keystead.providers.microsoft_entra import client as entra_client
from keystead.providers.microsoft_entra import links as entra_links
from keystead.providers.microsoft_entra import mapping as entra_mapping
from keystead.providers.microsoft_entra import provider as entra_provider
from keystead.providers.oidc import dcr, mapping, provider, setup
from keystead.providers.oidc.grant import Grant
from keystead.providers.oidc.grants import client_credentials, code, refresh
from keystead.providers.oidc.issued import code as issued_code
from keystead.providers.oidc.issued import grant as issued_grant
from keystead.providers.oidc.issued import refresh as issued_refresh
from keystead.providers.outgoing import operations as outgoing
from keystead.providers.outpost import docker, kubernetes
from keystead.providers.outpost import instance as outpost
from keystead.providers.proxy import provider as proxy_provider
from keystead.providers.rac import connection as rac_connection
from keystead.providers.rac import endpoint as rac_endpoint
from keystead.providers.rac import mapping as rac_mapping
from keystead.providers.rac import provider as rac_provider
from keystead.providers.radius import mapping as radius_mapping
from keystead.providers.radius import provider as radius_provider
from keystead.providers.requests import binding as request_binding
from keystead.providers.requests import grant, requestable
from keystead.providers.requests import rule as request_rule
from keystead.providers.saml import provider as saml_provider
from keystead.providers.saml import setup as saml_setup
from keystead.providers.scim import client as scim_client
from keystead.providers.scim import links as scim_links
from keystead.providers.scim import mapping as scim_mapping
from keystead.providers.scim import provider as scim_provider
from keystead.providers.ssf import provider as ssf_provider
from keystead.providers.ssf import stream as ssf_stream
from keystead.providers.wsfed import provider as wsfed_provider
from keystead.providers.wsfed import setup as wsfed_setup

GRANTS: Final[tuple[Grant, ...]] = (code.GRANT, refresh.GRANT, client_credentials.GRANT)
KINDS: Final[tuple[Kind[Any], ...]] = (
    application.APPLICATION,
    provider.OAUTH2_PROVIDER,
    mapping.SCOPE_MAPPING,
    dcr.DCR,
    issued_code.CODE,
    issued_grant.GRANT,
    issued_refresh.REFRESH,
    saml_provider.SAML_PROVIDER,
    saml_mapping.SAML_MAPPING,
    wsfed_provider.WSFED_PROVIDER,
    ldap_provider.LDAP_PROVIDER,
    proxy_provider.PROXY_PROVIDER,
    radius_provider.RADIUS_PROVIDER,
    radius_mapping.RADIUS_MAPPING,
    rac_provider.RAC_PROVIDER,
    rac_mapping.RAC_MAPPING,
    rac_endpoint.ENDPOINT,
    rac_connection.CONNECTION_TOKEN,
    scim_provider.SCIM_PROVIDER,
    scim_mapping.SCIM_MAPPING,
    scim_links.SCIM_USER,
    scim_links.SCIM_GROUP,
    google_provider.GOOGLE_WORKSPACE_PROVIDER,
    google_mapping.GOOGLE_WORKSPACE_MAPPING,
    google_links.GOOGLE_WORKSPACE_USER,
    google_links.GOOGLE_WORKSPACE_GROUP,
    entra_provider.MICROSOFT_ENTRA_PROVIDER,
    entra_mapping.MICROSOFT_ENTRA_MAPPING,
    entra_links.MICROSOFT_ENTRA_USER,
    entra_links.MICROSOFT_ENTRA_GROUP,
    ssf_provider.SSF_PROVIDER,
    ssf_stream.SSF_STREAM,
    user_consent.USER_CONSENT,
    request_rule.REQUEST_RULE,
    request_binding.REQUEST_RULE_BINDING,
    request_binding.REQUEST_RULE_CHILD_BINDING,
    grant.GRANT_REQUEST,
    entitlement.ENTITLEMENT,
    outpost.OUTPOST,
    docker.DOCKER,
    kubernetes.KUBERNETES,
    agent_connector.AGENT_CONNECTOR,
    fleet.FLEET_CONNECTOR,
    google_chrome.GOOGLE_CHROME_CONNECTOR,
    access_group.DEVICE_ACCESS_GROUP,
    enrollment.ENROLLMENT_TOKEN,
    device.ENDPOINT_DEVICE,
    device_binding.DEVICE_BINDING,
    enclave.ENCLAVE,
)
BACKCHANNEL: Final[tuple[Kind[Any], ...]] = (
    ldap_provider.LDAP_PROVIDER,
    scim_provider.SCIM_PROVIDER,
    google_provider.GOOGLE_WORKSPACE_PROVIDER,
    entra_provider.MICROSOFT_ENTRA_PROVIDER,
    ssf_provider.SSF_PROVIDER,
)
"""Providers that work behind an application, without a browser."""
_OUTGOING: Final = (scim_client.ROOM, google_client.ROOM, entra_client.ROOM)
"""Systems that are told of people and groups."""


def actions(engine: Engine) -> tuple[Action, ...]:
    """Operations beside the verbs; ``engine`` says who may use what."""
    return (
        *access.actions(engine),
        *setup.ACTIONS,
        *saml_setup.ACTIONS,
        *wsfed_setup.ACTIONS,
        *(one for room in _OUTGOING for one in outgoing.actions(room, engine)),
        *grant.ACTIONS,
        *requestable.actions(engine),
        *outpost.ACTIONS,
        *agent_connector.ACTIONS,
        *enrollment.ACTIONS,
        *device.ACTIONS,
    )
