"""What the installation tells of itself: version, capabilities, parts and models, and what stands below a path."""

import enum
from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec

from keystead import __version__
from keystead.base.config.settings import Config as Settings
from keystead.doors.http.message import Request, Response
from keystead.doors.http.site import Site
from keystead.doors.rest import verbs
from keystead.doors.rest.operation import PAGING, Operation
from keystead.doors.rest.routes import ROOT
from keystead.doors.rest.verbs import json, query_of
from keystead.kinds import listing
from keystead.kinds.access import signed_in
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind, Verb
from keystead.kinds.permissions import app_name, app_title
from keystead.people.installation import settings as installation
from keystead.people.session import SESSION
from keystead.policies.event_words import AppEnum

_NAMES: Final = {one.label: one.value for one in reversed(AppEnum)}
"""An app's label -> its dotted name; of two with one label, the one the contract names first."""
_ELSEWHERE: Final = {
    "authentik_tasks_schedules": "authentik.tasks.schedules",
    "authentik_endpoints_connectors_fleet": "authentik.enterprise.endpoints.connectors.fleet",
    "authentik_endpoints_connectors_google_chrome": "authentik.enterprise.endpoints.connectors.google_chrome",
}
"""Apps whose dotted name does not follow from their label."""
_BY_ATTRIBUTES: Final = Filter(
    "filter_has_attributes", bool, note="Only models whose objects have `attributes`, or only others."
)


class CapabilitiesEnum(enum.StrEnum):
    """What an installation may be able to do."""

    CAN_SAVE_MEDIA = "can_save_media"
    CAN_SAVE_REPORTS = "can_save_reports"
    CAN_GEO_IP = "can_geo_ip"
    CAN_ASN = "can_asn"
    CAN_IMPERSONATE = "can_impersonate"
    CAN_DEBUG = "can_debug"
    IS_ENTERPRISE = "is_enterprise"
    CAN_REQUEST = "can_request"
    CAN_AGENT_SELF_SERVICE = "can_agent_self_service"


class ErrorReportingConfig(msgspec.Struct):
    """Whether clients report their errors, and where to."""

    enabled: bool
    sentry_dsn: str
    environment: str
    send_pii: bool
    traces_sample_rate: float


class Config(msgspec.Struct):
    """What a client asks before anything else.

    :param capabilities: what this installation can do now; what is not built, or not set up, is not among them.
    :param cache_timeout: seconds that values may be kept.
    """

    error_reporting: ErrorReportingConfig
    capabilities: list[CapabilitiesEnum]
    cache_timeout: int
    cache_timeout_flows: int
    cache_timeout_policies: int


class Version(msgspec.Struct):
    """Which version runs.

    :param version_latest: the newest version known; the running one, because nothing is asked outside.
    :param version_latest_valid: whether the newest version was really looked up.
    """

    version_current: str
    version_latest: str
    version_latest_valid: bool
    build_hash: str
    outdated: bool
    outpost_outdated: bool


class App(msgspec.Struct):
    """A part, or a model, by name."""

    name: str
    label: str


def _settings(site: Site) -> Settings:
    """The process's settings, where ``app.py`` handed them in; else their defaults."""
    found = site.extras.get("config")
    return found if isinstance(found, Settings) else Settings()


async def config(_request: Request, call: Call, site: Site, _params: dict[str, str]) -> Response:
    """What this installation can do. Nothing is ever reported to anybody outside."""
    settings = _settings(site)
    able = [CapabilitiesEnum.CAN_SAVE_MEDIA, CapabilitiesEnum.IS_ENTERPRISE]
    if installation.current(call.settings).impersonation:
        able.append(CapabilitiesEnum.CAN_IMPERSONATE)
    if site.debug:
        able.append(CapabilitiesEnum.CAN_DEBUG)
    return json(
        Config(
            error_reporting=ErrorReportingConfig(
                enabled=False,
                sentry_dsn="",
                environment=settings.error_reporting.environment,
                send_pii=False,
                traces_sample_rate=0.0,
            ),
            capabilities=able,
            cache_timeout=settings.cache.timeout,
            cache_timeout_flows=settings.cache.timeout_flows,
            cache_timeout_policies=settings.cache.timeout_policies,
        )
    )


async def version(_request: Request, call: Call, _site: Site, _params: dict[str, str]) -> Response:
    """Which version runs."""
    signed_in(call)
    return json(
        Version(
            version_current=__version__,
            version_latest=__version__,
            version_latest_valid=False,
            build_hash="",
            outdated=False,
            outpost_outdated=False,
        )
    )


def named(label: str) -> str:
    """The dotted name of an app, as the contract has it: ``authentik_reports`` -> ``authentik.enterprise.reports``."""
    return _ELSEWHERE.get(label) or _NAMES.get(label) or app_name(label)


async def apps(_request: Request, call: Call, site: Site, _params: dict[str, str]) -> Response:
    """The parts that objects and events belong to."""
    signed_in(call)
    labels = {named(kind.app): kind.app for kind in site.state.kinds.values()}
    return json([App(name, app_title(label)) for name, label in sorted(labels.items())])


async def models(request: Request, call: Call, site: Site, _params: dict[str, str]) -> Response:
    """The models of all objects."""
    signed_in(call)
    wanted = listing.asked_for(_BY_ATTRIBUTES, query_of(request))
    found = [kind for kind in site.state.kinds.values() if wanted is None or ("attributes" in kind.fields) is wanted]
    return json([App(kind.model, kind.title[0]) for kind in sorted(found, key=lambda kind: kind.model)])


async def sessions(request: Request, call: Call, site: Site, _params: dict[str, str]) -> Response:
    """A page of the sessions the caller may see: the same as `core/authenticated_sessions/`."""
    return await verbs.list_(request, call, site, SESSION)


async def outposts(_request: Request, call: Call, site: Site, _params: dict[str, str]) -> Response:
    """What stands below this path: name -> address of its list."""
    signed_in(call)
    return json(_below(call, "outposts/", list(site.state.kinds.values())))


def _below(call: Call, path: str, kinds: Sequence[Kind[Any]]) -> dict[str, str]:
    return {
        kind.path.removeprefix(path): f"{call.origin.root}{ROOT}{kind.path}/"
        for kind in sorted(kinds, key=lambda kind: kind.path)
        if kind.path.startswith(path) and Verb.LIST in kind.verbs
    }


OPERATIONS: Final = (
    Operation("GET", "root/config/", config, "root_config_retrieve", response=Config, anonymous=True),
    Operation("GET", "admin/version/", version, "admin_version_retrieve", response=Version),
    Operation("GET", "admin/apps/", apps, "admin_apps_list", response=list[App]),
    Operation("GET", "admin/models/", models, "admin_models_list", response=list[App], query=(_BY_ATTRIBUTES,)),
    Operation("GET", "outposts/", outposts, "outposts_list", response=dict[str, str]),
    Operation(
        "GET",
        "core/sessions/",
        sessions,
        "core_sessions_list",
        response=Annotated[dict[str, object], msgspec.Meta(title="PaginatedAuthenticatedSessionList")],
        query=(*(item for item in SESSION.filters if isinstance(item, Filter)), *PAGING),
    ),
)
