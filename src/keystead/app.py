"""The composition root: the only file that sees the whole house. Plain lists; a new variant is one line here."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Final, Union

import msgspec

from keystead.doors.http.cookies import Jar
from keystead.doors.http.message import Request, Response
from keystead.doors.http.routes import Endpoint, Handler, Routes
from keystead.doors.http.server import Application
from keystead.doors.http.site import Site
from keystead.doors.rest import (
    blueprints,
    endpoints,
    files,
    narrow,
    openapi,
    outpost_providers,
    outposts,
    own,
    rbac,
    reviews,
    root,
    system,
    tasks,
    tenants,
    transactional,
    trials,
)
from keystead.doors.rest import errors as api_errors
from keystead.doors.rest.families import Family
from keystead.doors.rest.operation import Operation, add_operations
from keystead.doors.rest.routes import add_all
from keystead.doors.rest.verbs import Narrow
from keystead.doors.web import files as files_door
from keystead.doors.web import oidc as oidc_door
from keystead.doors.web import pages
from keystead.doors.web import portal as portal_door
from keystead.doors.web.flow import FlowDoor
from keystead.doors.web.oidc import OidcDoor
from keystead.doors.web.portal import Portal
from keystead.doors.worker import timetable
from keystead.flows import binding as flow_binding
from keystead.flows import diagram, flow, outside
from keystead.flows.executor import Executor
from keystead.flows.inspector import FlowInspection
from keystead.flows.ports import Ports
from keystead.flows.stage import Stage
from keystead.flows.stages import (
    account_lockdown,
    authenticator_duo,
    authenticator_email,
    authenticator_endpoint_gdtc,
    authenticator_sms,
    authenticator_static,
    authenticator_totp,
    authenticator_validate,
    authenticator_webauthn,
    captcha,
    consent,
    deny,
    email,
    identification,
    invitation,
    mtls,
    password,
    prompt,
    redirect,
    user_delete,
    user_login,
    user_logout,
    user_write,
)
from keystead.flows.stages import dummy as dummy_stage
from keystead.flows.stages import endpoints as endpoints_stage
from keystead.flows.stages import source as source_stage
from keystead.kinds.action import Action
from keystead.kinds.kind import Filter, Kind
from keystead.notify import dispatch, letters, notification, rule, transport
from keystead.notify import mapping as webhook_mapping
from keystead.people import (
    agent,
    brand,
    event,
    event_more,
    export,
    group,
    impersonation,
    initial,
    object_attribute,
    role,
    session,
    token,
    user,
    user_actions,
    user_later,
)
from keystead.people.devices import every as devices
from keystead.people.devices import webauthn_type
from keystead.people.installation import blueprint, task, tenant
from keystead.people.installation import license as licence
from keystead.people.installation import settings as installation
from keystead.people.lifecycle import iteration, offboarding
from keystead.people.lifecycle import rule as lifecycle_rule
from keystead.policies import binding as policy_binding
from keystead.policies import (
    dummy,
    event_matcher,
    expiry,
    expression,
    geoip,
    reputation,
    unique_password,
)
from keystead.policies import password as password_policy
from keystead.policies.engine import Engine
from keystead.policies.judge import PolicyKind
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
from keystead.providers.google_workspace import links as google_links
from keystead.providers.google_workspace import mapping as google_mapping
from keystead.providers.google_workspace import provider as google_provider
from keystead.providers.ldap import provider as ldap_provider
from keystead.providers.microsoft_entra import links as entra_links
from keystead.providers.microsoft_entra import mapping as entra_mapping
from keystead.providers.microsoft_entra import provider as entra_provider
from keystead.providers.oidc import dcr, mapping, provider, routes, setup
from keystead.providers.oidc.grant import Grant, Parts
from keystead.providers.oidc.grants import client_credentials, code, refresh
from keystead.providers.oidc.issued import code as issued_code
from keystead.providers.oidc.issued import grant as issued_grant
from keystead.providers.oidc.issued import refresh as issued_refresh
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
from keystead.providers.scim import links as scim_links
from keystead.providers.scim import mapping as scim_mapping
from keystead.providers.scim import provider as scim_provider
from keystead.providers.ssf import provider as ssf_provider
from keystead.providers.ssf import stream as ssf_stream
from keystead.providers.wsfed import provider as wsfed_provider
from keystead.sources import connection, kerberos, ldap, plex, saml, source, telegram
from keystead.sources.oauth import source as oauth
from keystead.sources.oauth import vendors
from keystead.sources.scim import linked as scim_linked
from keystead.sources.scim import source as scim
from keystead.trust import keypair

STAGES: Final[tuple[Stage[Any], ...]] = (
    identification.STAGE,
    password.STAGE,
    user_login.STAGE,
    user_logout.STAGE,
    consent.STAGE,
    prompt.STAGE,
    user_write.STAGE,
    deny.STAGE,
    dummy_stage.STAGE,
    redirect.STAGE,
    invitation.STAGE,
    user_delete.STAGE,
    email.STAGE,
    captcha.STAGE,
    source_stage.STAGE,
    endpoints_stage.STAGE,
    mtls.STAGE,
    account_lockdown.STAGE,
    authenticator_validate.STAGE,
    authenticator_totp.STAGE,
    authenticator_static.STAGE,
    authenticator_webauthn.STAGE,
    authenticator_email.STAGE,
    authenticator_sms.STAGE,
    authenticator_duo.STAGE,
    authenticator_endpoint_gdtc.STAGE,
)

POLICIES: Final[tuple[PolicyKind, ...]] = (
    expression.POLICY,
    dummy.POLICY,
    event_matcher.POLICY,
    expiry.POLICY,
    geoip.POLICY,
    password_policy.POLICY,
    reputation.POLICY,
    unique_password.POLICY,
)

GRANTS: Final[tuple[Grant, ...]] = (code.GRANT, refresh.GRANT, client_credentials.GRANT)

KINDS: Final[tuple[Kind[Any], ...]] = (
    user.USER,
    agent.AGENT,
    group.GROUP,
    role.ROLE,
    initial.INITIAL_PERMISSIONS,
    token.TOKEN,
    session.SESSION,
    event.EVENT,
    brand.BRAND,
    installation.SETTINGS,
    object_attribute.OBJECT_ATTRIBUTE,
    licence.LICENSE,
    *tenant.KINDS,
    blueprint.BLUEPRINT,
    *task.KINDS,
    keypair.KEYPAIR,
    policy_binding.POLICY_BINDING,
    *(one.kind for one in POLICIES),
    reputation.SCORE,
    flow.FLOW,
    flow_binding.FLOW_STAGE_BINDING,
    *(one.kind for one in STAGES),
    prompt.PROMPT,
    source.BUILT_IN,
    *ldap.KINDS,
    *oauth.KINDS,
    *saml.KINDS,
    *plex.KINDS,
    *kerberos.KINDS,
    *telegram.KINDS,
    scim.SCIM_SOURCE,
    scim.MAPPING,
    scim_linked.SCIM_SOURCE_USER,
    scim_linked.SCIM_SOURCE_GROUP,
    connection.USER_CONNECTION,
    connection.GROUP_CONNECTION,
    invitation.INVITATION,
    webauthn_type.WEBAUTHN_DEVICE_TYPE,
    *devices.KINDS,
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
    export.DATA_EXPORT,
    lifecycle_rule.LIFECYCLE_RULE,
    iteration.LIFECYCLE_ITERATION,
    iteration.REVIEW,
    offboarding.USER_OFFBOARDING,
    notification.NOTIFICATION,
    webhook_mapping.NOTIFICATION_WEBHOOK_MAPPING,
    transport.NOTIFICATION_TRANSPORT,
    rule.NOTIFICATION_RULE,
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

TWINS: Final[tuple[Kind[Any], ...]] = (*devices.TWINS,)
"""Second paths to objects of kinds above."""

BACKCHANNEL: Final = (
    ldap_provider.LDAP_PROVIDER,
    scim_provider.SCIM_PROVIDER,
    google_provider.GOOGLE_WORKSPACE_PROVIDER,
    entra_provider.MICROSOFT_ENTRA_PROVIDER,
    ssf_provider.SSF_PROVIDER,
)
"""Providers that work behind an application, without a browser."""

FAMILIES: Final = (
    Family("stages", "stages/all", "stage_uuid", "Stage", filters=(narrow.NAME,)),
    Family("policies", "policies/all", "policy_uuid", "Policy", filters=(narrow.UNBOUND, narrow.NOT_VALIDATING)),
    Family(
        "providers", "providers/all", "id", "Provider", filters=(narrow.UNASSIGNED, narrow.backchannel(BACKCHANNEL))
    ),
    Family(
        "propertymappings",
        "propertymappings/all",
        "pm_uuid",
        "PropertyMapping",
        filters=(narrow.NAME, *narrow.MANAGED),
    ),
    Family(
        "sources",
        "sources/all",
        "slug",
        "Source",
        filters=narrow.SOURCES,
        variants={oauth.OAUTH_SOURCE.model: vendors.VARIANTS},
    ),
    Family(
        "service_connections",
        "outposts/service_connections/all",
        "uuid",
        "ServiceConnection",
        filters=(narrow.NAME,),
    ),
    Family("connectors", "endpoints/connectors", "connector_uuid", "Connector"),
)

ENGINE: Final = Engine({one.kind.model: one.evaluate for one in POLICIES})
PORTS: Final = Ports(
    engine=ENGINE,
    finishers=routes.FINISHERS,
    consents=user_consent.Consents(),
    destination=routes.destination,
)
EXECUTOR: Final = Executor({one.kind.model: one for one in STAGES}, PORTS)

LINKED: Final[tuple[Kind[Any], ...]] = (
    oauth.OAUTH_SOURCE,
    saml.SAML_SOURCE,
    plex.PLEX_SOURCE,
    kerberos.KERBEROS_SOURCE,
    telegram.TELEGRAM_SOURCE,
)
"""Sources that people can connect their own account with."""

ACTIONS: Final[tuple[Action, ...]] = (
    *user_actions.ACTIONS,
    *impersonation.ACTIONS,
    *user_later.ACTIONS,
    *agent.ACTIONS,
    *group.ACTIONS,
    *role.ACTIONS,
    *token.ACTIONS,
    *session.ACTIONS,
    *event.ACTIONS,
    *brand.ACTIONS,
    *keypair.ACTIONS,
    *flow.ACTIONS,
    *diagram.ACTIONS,
    *prompt.ACTIONS,
    *source.actions(ENGINE, LINKED),
    *ldap.ACTIONS,
    *oauth.ACTIONS,
    *saml.ACTIONS,
    *plex.ACTIONS,
    *kerberos.ACTIONS,
    *telegram.ACTIONS,
    *email.ACTIONS,
    *letters.ACTIONS,
    *authenticator_duo.ACTIONS,
    *access.actions(ENGINE),
    *setup.ACTIONS,
    *saml_setup.ACTIONS,
    *wsfed_provider.ACTIONS,
    *scim_provider.ACTIONS,
    *google_provider.ACTIONS,
    *entra_provider.ACTIONS,
    *event_more.ACTIONS,
    *export.ACTIONS,
    *iteration.ACTIONS,
    *grant.ACTIONS,
    *requestable.actions(ENGINE),
    *notification.ACTIONS,
    *transport.ACTIONS,
    *outpost.ACTIONS,
    *agent_connector.ACTIONS,
    *enrollment.ACTIONS,
    *device.ACTIONS,
    *licence.ACTIONS,
    *tenant.ACTIONS,
    *blueprint.ACTIONS,
    *task.ACTIONS,
)

JOBS: Final = (*timetable.JOBS, timetable.Job("notify", 5.0, partial(dispatch.tell, ENGINE)))

OPERATIONS: Final[tuple[Operation, ...]] = (
    *root.OPERATIONS,
    *rbac.OPERATIONS,
    *own.OPERATIONS,
    *outpost_providers.operations(ENGINE),
    *trials.operations(ENGINE),
    *reviews.OPERATIONS,
    *system.OPERATIONS,
    *files.OPERATIONS,
    *outposts.OPERATIONS,
    *endpoints.OPERATIONS,
    *blueprints.OPERATIONS,
    *tasks.OPERATIONS,
    *transactional.OPERATIONS,
)

PICTURED: Final = (
    (application.APPLICATION, "icon", "meta_icon"),
    (flow.FLOW, "background", "background"),
)
"""Kinds whose picture older clients set by a call of its own, and the member that holds it."""

OPENED: Final = {kind.model: tenants.keyed for kind in tenant.KINDS}
"""Kinds whose callers prove themselves otherwise than by session or token."""

MORE: Final = {application.APPLICATION.model: transactional.policy_bindings}
"""What else the bodies of some creates ask for."""

NARROWED: Final[Mapping[str, Narrow]] = {
    application.APPLICATION.model: partial(access.narrow, ENGINE),
    rac_endpoint.ENDPOINT.model: partial(rac_endpoint.narrow, ENGINE),
    outpost.OUTPOST.model: outpost.narrow,
}
"""Lists that every signed-in person may ask for: what concerns them is picked."""


def build(site: Site) -> Application:
    """Everything that is served over HTTP, as one ASGI application."""
    jar = Jar.of(site.vault, domain=site.cookie_domain, path=f"{site.root_path}/")
    table = Routes()
    add_all(table, (*KINDS, *TWINS), FAMILIES, ACTIONS, NARROWED, OPENED, MORE)
    add_operations(table, OPERATIONS)
    files.add_older(table, PICTURED)
    door = FlowDoor(jar, EXECUTOR)
    told = (*OPERATIONS, *flow_operations(door))
    openapi.add(table, (*KINDS, *TWINS), FAMILIES, ACTIONS, told, root_path=site.root_path)
    _pages(table, door)
    for one in flow_operations(door):
        # Outposts answer with a session they have just been given and no cross-site token (flows.md §1).
        table.add(one.method, f"/api/v3/{one.path}", Endpoint(one.run, api_errors.answer, fresh=False))
    parts = Parts(EXECUTOR, {one.type: one for one in GRANTS})
    for entry in routes.routes(parts):
        run = OidcDoor(door, entry.handle, visits=entry.visits).run
        failed = pages.failed if entry.visits else oidc_door.failed
        endpoint = Endpoint(run, failed, identify=entry.visits, max_body=64 * 1024, fresh=False)
        table.add(entry.method, entry.path, endpoint)
    return Application(site, table, jar, _unknown)


def flow_operations(door: FlowDoor) -> tuple[Operation, ...]:
    """The executor as JSON, and the inspector."""
    of, query = "{flow_slug}/", (Filter("query", str, note="The page's own query string, escaped as a whole."),)
    asks: Any = Annotated[
        Union[(*outside.CHALLENGES, *(one.challenge for one in STAGES if one.challenge))],
        msgspec.Meta(title="ChallengeTypes"),
    ]
    answers: Any = Annotated[
        Union[(*outside.RESPONSES, *(one.response for one in STAGES if one.response))],
        msgspec.Meta(title="FlowChallengeResponse"),
    ]
    run, look = f"flows/executor/{of}", f"flows/inspector/{of}"
    return (
        Operation("GET", run, door.json, "flows_executor_get", response=asks, query=query, anonymous=True),
        Operation("POST", run, door.json, "flows_executor_solve", answers, asks, query=query, anonymous=True),
        Operation("GET", look, door.inspect, "flows_inspector_get", response=FlowInspection),
    )


def _unknown(request: Request, site: Site, exc: BaseException) -> Response:
    """Failures where nothing answers, in the words of whoever asks there."""
    speaks_json = request.path.startswith(("/api/", "/application/o/"))
    return (api_errors.answer if speaks_json else pages.failed)(request, site, exc)


def _pages(table: Routes, door: FlowDoor) -> None:
    """What browsers open, and the executor's JSON."""
    portal = Portal(door)

    def page(method: str, path: str, run: Handler, *, identify: bool = True, fresh: bool = True) -> None:
        table.add(method, path, Endpoint(run, pages.failed, identify=identify, fresh=fresh))

    for method in ("GET", "POST"):
        page(method, "/recovery/use-token/{key}/", portal.recover)
    page("GET", "/if/flow/{flow_slug}/", door.show, fresh=False)
    page("POST", "/if/flow/{flow_slug}/", door.answer, fresh=False)
    page("GET", "/", portal.start)
    page("GET", "/if/user/", portal.applications)
    page("GET", "/if/admin/", portal.admin)
    page("GET", "/application/launch/{slug}/", portal.launch)
    page("GET", "/flows/-/cancel/", portal.cancel)
    page("GET", "/flows/-/configure/{stage_uuid}/", portal.configure)
    page("GET", "/flows/-/default/{designation}/", portal.default)
    page("POST", "/flows/-/default/invalidation/", portal.sign_out)
    page("POST", "/-/impersonation/end", portal.be_oneself)
    page("GET", "/-/brand/{file}", portal.brand_css)
    page("GET", "/static/{*path}", portal_door.static, identify=False)
    page("GET", "/files/media/public/{*path}", files_door.media, identify=False)
    page("GET", "/media/public/{*path}", files_door.media, identify=False)
