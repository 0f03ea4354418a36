"""The composition root: the only file that sees the whole house. Plain lists; a new variant is one line here."""

from functools import partial
from typing import Any, Final

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
    outposts,
    root,
    system,
    tasks,
    tenants,
    transactional,
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
from keystead.flows import binding as flow_binding
from keystead.flows import flow
from keystead.flows.executor import Executor
from keystead.flows.ports import Ports
from keystead.flows.stage import Stage
from keystead.flows.stages import (
    consent,
    deny,
    identification,
    password,
    prompt,
    user_login,
    user_logout,
    user_write,
)
from keystead.kinds.action import Action
from keystead.kinds.kind import Kind
from keystead.people import (
    agent,
    brand,
    event,
    group,
    impersonation,
    object_attribute,
    role,
    session,
    token,
    user,
    user_actions,
    user_later,
)
from keystead.people.installation import blueprint, task, tenant
from keystead.people.installation import license as licence
from keystead.people.installation import settings as installation
from keystead.policies import binding as policy_binding
from keystead.policies import expression
from keystead.policies.engine import Engine
from keystead.policies.judge import PolicyKind
from keystead.providers import access, application, entitlement
from keystead.providers import consent as user_consent
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
from keystead.providers.oidc import mapping, provider, routes, setup
from keystead.providers.oidc.grant import Grant, Parts
from keystead.providers.oidc.grants import client_credentials, code, refresh
from keystead.providers.outpost import docker, kubernetes
from keystead.providers.outpost import instance as outpost
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
)

POLICIES: Final[tuple[PolicyKind, ...]] = (expression.POLICY,)

GRANTS: Final[tuple[Grant, ...]] = (code.GRANT, refresh.GRANT, client_credentials.GRANT)

KINDS: Final[tuple[Kind[Any], ...]] = (
    user.USER,
    agent.AGENT,
    group.GROUP,
    role.ROLE,
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
    flow.FLOW,
    flow_binding.FLOW_STAGE_BINDING,
    *(one.kind for one in STAGES),
    prompt.PROMPT,
    application.APPLICATION,
    provider.OAUTH2_PROVIDER,
    mapping.SCOPE_MAPPING,
    user_consent.USER_CONSENT,
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

FAMILIES: Final = (
    Family("stages", "stages/all", "stage_uuid", "Stage", filters=(narrow.NAME,)),
    Family("policies", "policies/all", "policy_uuid", "Policy", filters=(narrow.UNBOUND, narrow.NOT_VALIDATING)),
    Family("providers", "providers/all", "id", "Provider", filters=(narrow.UNASSIGNED,)),
    Family(
        "propertymappings",
        "propertymappings/all",
        "pm_uuid",
        "PropertyMapping",
        filters=(narrow.NAME, *narrow.MANAGED),
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
    *prompt.ACTIONS,
    *access.actions(ENGINE),
    *setup.ACTIONS,
    *entitlement.ACTIONS,
    *outpost.ACTIONS,
    *agent_connector.ACTIONS,
    *enrollment.ACTIONS,
    *device.ACTIONS,
    *licence.ACTIONS,
    *tenant.ACTIONS,
    *blueprint.ACTIONS,
    *task.ACTIONS,
)

OPERATIONS: Final[tuple[Operation, ...]] = (
    *root.OPERATIONS,
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

NARROWED: Final[dict[str, Narrow]] = {
    application.APPLICATION.model: partial(access.narrow, ENGINE),
    outpost.OUTPOST.model: outpost.narrow,
}
"""Lists that every signed-in person may ask for: what concerns them is picked."""


def build(site: Site) -> Application:
    """Everything that is served over HTTP, as one ASGI application."""
    jar = Jar.of(site.vault, domain=site.cookie_domain, path=f"{site.root_path}/")
    table = Routes()
    add_all(table, KINDS, FAMILIES, ACTIONS, NARROWED, OPENED, MORE)
    add_operations(table, OPERATIONS)
    files.add_older(table, PICTURED)
    openapi.add(table, KINDS, FAMILIES, ACTIONS, OPERATIONS, root_path=site.root_path)
    door = FlowDoor(jar, EXECUTOR)
    _pages(table, door)
    parts = Parts(EXECUTOR, {one.type: one for one in GRANTS})
    for entry in routes.routes(parts):
        run = OidcDoor(door, entry.handle, visits=entry.visits).run
        failed = pages.failed if entry.visits else oidc_door.failed
        table.add(entry.method, entry.path, Endpoint(run, failed, identify=entry.visits, max_body=64 * 1024))
    return Application(site, table, jar, _unknown)


def _unknown(request: Request, site: Site, exc: BaseException) -> Response:
    """Failures where nothing answers, in the words of whoever asks there."""
    speaks_json = request.path.startswith(("/api/", "/application/o/"))
    return (api_errors.answer if speaks_json else pages.failed)(request, site, exc)


def _pages(table: Routes, door: FlowDoor) -> None:
    """What browsers open, and the executor's JSON."""
    portal = Portal(door)

    def page(method: str, path: str, run: Handler, *, identify: bool = True) -> None:
        table.add(method, path, Endpoint(run, pages.failed, identify=identify))

    for method in ("GET", "POST"):
        table.add(method, "/api/v3/flows/executor/{flow_slug}/", Endpoint(door.json, api_errors.answer))
        page(method, "/recovery/use-token/{key}/", portal.recover)
    page("GET", "/if/flow/{flow_slug}/", door.show)
    page("POST", "/if/flow/{flow_slug}/", door.answer)
    page("GET", "/", portal.start)
    page("GET", "/if/user/", portal.applications)
    page("GET", "/if/admin/", portal.admin)
    page("GET", "/application/launch/{slug}/", portal.launch)
    page("GET", "/flows/-/cancel/", portal.cancel)
    page("GET", "/flows/-/default/{designation}/", portal.default)
    page("POST", "/flows/-/default/invalidation/", portal.sign_out)
    page("POST", "/-/impersonation/end", portal.be_oneself)
    page("GET", "/-/brand/{file}", portal.brand_css)
    page("GET", "/static/{*path}", portal_door.static, identify=False)
    page("GET", "/files/media/public/{*path}", files_door.media, identify=False)
    page("GET", "/media/public/{*path}", files_door.media, identify=False)
