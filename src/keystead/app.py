"""The composition root: the only file that sees the whole house. Plain lists, put together from those of the floors."""

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
    duo,
    endpoints,
    files,
    narrow,
    openapi,
    outpost_providers,
    outposts,
    own,
    rbac,
    redeem,
    reviews,
    root,
    saml_metadata,
    switch,
    system,
    tasks,
    tenants,
    transactional,
    trials,
)
from keystead.doors.rest import errors as api_errors
from keystead.doors.rest.blueprints import operations as blueprints
from keystead.doors.rest.families import Family
from keystead.doors.rest.operation import Operation, add_operations
from keystead.doors.rest.routes import add_all
from keystead.doors.rest.verbs import Narrow
from keystead.doors.web import exports, federation, pages
from keystead.doors.web import files as files_door
from keystead.doors.web import oidc as oidc_door
from keystead.doors.web import portal as portal_door
from keystead.doors.web.flow import FlowDoor
from keystead.doors.web.oidc import OidcDoor
from keystead.doors.web.portal import Portal
from keystead.doors.web.sources import SourceDoor
from keystead.doors.worker import timetable
from keystead.flows import flow, outside
from keystead.flows import register as flows
from keystead.flows.executor import Executor
from keystead.flows.inspector import FlowInspection
from keystead.flows.ports import Ports
from keystead.flows.stage import Stage
from keystead.kinds.action import Action
from keystead.kinds.kind import Filter, Kind
from keystead.notify import dispatch
from keystead.notify import register as notify
from keystead.people import register as people
from keystead.policies import register as policies
from keystead.policies.engine import Engine
from keystead.policies.judge import PolicyKind
from keystead.providers import access, application
from keystead.providers import consent as user_consent
from keystead.providers import register as providers
from keystead.providers.oidc import family, routes
from keystead.providers.oidc.grant import Grant, Parts
from keystead.providers.outpost import instance as outpost
from keystead.providers.rac import endpoint as rac_endpoint
from keystead.sources import register as sources
from keystead.trust import keypair, keypair_operations

STAGES: Final[tuple[Stage[Any], ...]] = flows.STAGES
POLICIES: Final[tuple[PolicyKind, ...]] = policies.POLICIES
GRANTS: Final[tuple[Grant, ...]] = providers.GRANTS

KINDS: Final[tuple[Kind[Any], ...]] = (
    *people.KINDS,
    keypair.KEYPAIR,
    *policies.KINDS,
    *flows.KINDS,
    *sources.KINDS,
    *providers.KINDS,
    *notify.KINDS,
)

TWINS: Final[tuple[Kind[Any], ...]] = people.TWINS
"""Second paths to objects of kinds above."""

FAMILIES: Final = (
    Family("stages", "stages/all", "stage_uuid", "Stage", filters=(narrow.NAME,)),
    Family("policies", "policies/all", "policy_uuid", "Policy", filters=(narrow.UNBOUND, narrow.NOT_VALIDATING)),
    Family(
        "providers",
        "providers/all",
        "id",
        "Provider",
        filters=(narrow.UNASSIGNED, narrow.backchannel(providers.BACKCHANNEL)),
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
        variants=sources.VARIANTS,
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
    options=sources.OPTIONS,
    keep=sources.KEEP,
    destination=routes.destination,
    revoke=family.forget,
)
EXECUTOR: Final = Executor({one.kind.model: one for one in STAGES}, PORTS)

ACTIONS: Final[tuple[Action, ...]] = (
    *people.ACTIONS,
    *keypair_operations.ACTIONS,
    *flows.ACTIONS,
    *sources.actions(ENGINE),
    *providers.actions(ENGINE),
    *notify.ACTIONS,
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
    *switch.operations(EXECUTOR),
    *redeem.operations(EXECUTOR),
    *duo.OPERATIONS,
    *saml_metadata.OPERATIONS,
)

PICTURED: Final = (
    (application.APPLICATION, "icon", "meta_icon"),
    (flow.FLOW, "background", "background"),
    (next(one for one in FAMILIES if one.name == "sources"), "icon", "icon"),
)
"""Kinds and families whose picture older clients set by a call of its own, and the member that holds it."""

OPENED: Final = {kind.model: tenants.keyed for kind in people.OPENED}
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
    jar = Jar.at(site)
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
    portal, coming = Portal(door), SourceDoor(door)

    def page(method: str, path: str, run: Handler, *, identify: bool = True, fresh: bool = True) -> None:
        table.add(method, path, Endpoint(run, pages.failed, identify=identify, fresh=fresh))

    for method in ("GET", "POST"):
        page(method, "/recovery/use-token/{key}/", portal.recover)
    page("GET", "/if/flow/{flow_slug}/", door.show, fresh=False)
    page("POST", "/if/flow/{flow_slug}/", door.answer, fresh=False)
    page("GET", "/source/plex/{slug}/", coming.plex)
    page("GET", "/source/plex/{slug}/callback/", coming.plex_back)
    for method, path, run in federation.ROUTES:
        page(method, path, run)
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
    page("GET", "/files/exports/{id}/", exports.export)
    page("GET", "/files/media/public/{*path}", files_door.media, identify=False)
    page("GET", "/media/public/{*path}", files_door.media, identify=False)
