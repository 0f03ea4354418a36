"""``admin/``: the installation's settings, what it runs on, and which versions it has run."""

import os
import platform
import re
import ssl
from datetime import datetime
from typing import Annotated, Final

import msgspec

from keystead import __version__
from keystead.base.config.settings import Config
from keystead.base.errors import denied, not_found
from keystead.doors.http.json_body import json_object
from keystead.doors.http.message import Request, Response
from keystead.doors.http.site import Site
from keystead.doors.rest.body import taken
from keystead.doors.rest.operation import PAGING, Operation
from keystead.doors.rest.verbs import json, query_of
from keystead.kinds.access import holds, signed_in, system
from keystead.kinds.asked import last, needle
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Filter
from keystead.kinds.ledger import MASK
from keystead.people.brand import brand_for
from keystead.people.installation import version
from keystead.people.installation.settings import DEFAULT, ONLY, SETTINGS, Settings, current
from keystead.people.installation.version import VersionHistory

SEE_SETTINGS: Final = "authentik_rbac.view_system_settings"
EDIT_SETTINGS: Final = "authentik_rbac.edit_system_settings"
SEE_SYSTEM: Final = "authentik_rbac.view_system_info"
_HIDDEN: Final = re.compile(r"authorization|cookie|token|csrf|secret|api-?key", re.IGNORECASE)
_EMBEDDED: Final = "goauthentik.io/outposts/embedded"


class SystemInfoRuntime(msgspec.Struct):
    """What the installation runs on."""

    python_version: str
    environment: str
    architecture: str
    platform: str
    uname: str
    openssl_version: str
    openssl_fips_enabled: bool | None
    authentik_version: str


class SystemInfo(msgspec.Struct):
    """What the installation is like as this request sees it.

    :param http_headers: the request's header fields; what authenticates is left out.
    :param brand: the domain of the brand that answers.
    """

    http_headers: dict[str, str]
    http_host: str
    http_is_secure: bool
    runtime: SystemInfoRuntime
    brand: str
    server_time: datetime
    embedded_outpost_disabled: bool
    embedded_outpost_host: str
    base_url: str


def _need(call: Call, permission: str) -> None:
    signed_in(call)
    if not holds(call, permission):
        raise denied()


def config_of(site: Site) -> Config:
    """The process's configuration, where it was handed in; else the defaults."""
    found = site.extras.get("config")
    return found if isinstance(found, Config) else Config()


def _shown(found: Settings) -> Response:
    return json({name: getattr(found, name) for name in SETTINGS.readable})


async def settings(_request: Request, call: Call, _site: Site, _params: dict[str, str]) -> Response:
    """The settings of the whole installation.

    Needs the permission `authentik_rbac.view_system_settings` or `authentik_rbac.edit_system_settings`.
    """
    signed_in(call)
    if not holds(call, EDIT_SETTINGS):
        _need(call, SEE_SETTINGS)
    return _shown(current(call.settings))


async def _change(request: Request, call: Call, site: Site, *, partial: bool) -> Response:
    _need(call, EDIT_SETTINGS)
    body = json_object(request)
    state = site.state

    async def decide(call: Call) -> tuple[Changes, Settings]:
        old = call.settings.get(SETTINGS, ONLY)
        new = await taken(call, state, SETTINGS, body, old or DEFAULT, partial=partial, pk=ONLY)
        new = await SETTINGS.rules(call, state, old, new) if SETTINGS.rules else new
        changes = Changes()
        # The permission to edit the settings was asked for above; it is one of its own.
        if old is None:
            changes.create(system(call, SETTINGS, "add"), new)
        else:
            changes.update(system(call, SETTINGS, "change"), old, new)
        return changes, new

    return _shown(await state.change(call, decide))


async def update(request: Request, call: Call, site: Site, _params: dict[str, str]) -> Response:
    """Change the settings; `flags` must come, other members left out keep their value.

    Needs the permission `authentik_rbac.edit_system_settings`.
    """
    return await _change(request, call, site, partial=False)


async def partial_update(request: Request, call: Call, site: Site, _params: dict[str, str]) -> Response:
    """Change the settings that come.

    Needs the permission `authentik_rbac.edit_system_settings`.
    """
    return await _change(request, call, site, partial=True)


def _headers(request: Request) -> dict[str, str]:
    return {
        name.decode("latin-1"): MASK if _HIDDEN.search(name.decode("latin-1")) else value.decode("latin-1")
        for name, value in sorted(request.headers.items())
    }


def _embedded(call: Call) -> tuple[bool, str]:
    """Whether there is no embedded outpost, and the address it was told."""
    found = next(
        (
            one
            for kind in call.settings.kinds("authentik_outposts.outpost")
            for one in call.settings.all(kind)
            if getattr(one, "managed", None) == _EMBEDDED
        ),
        None,
    )
    told = getattr(found, "config", {})
    return found is None, str(told.get("authentik_host", "")) if isinstance(told, dict) else ""


async def info(request: Request, call: Call, site: Site, _params: dict[str, str]) -> Response:
    """What the installation runs on, and how this request reached it.

    Needs the permission `authentik_rbac.view_system_info`.
    """
    _need(call, SEE_SYSTEM)
    absent, host = _embedded(call)
    fips = getattr(ssl, "FIPS_mode", None)
    machine = platform.uname()
    return json(
        SystemInfo(
            http_headers=_headers(request),
            http_host=request.host,
            http_is_secure=request.secure,
            runtime=SystemInfoRuntime(
                python_version=platform.python_version(),
                environment="kubernetes" if os.environ.get("KUBERNETES_SERVICE_HOST") else "custom",
                architecture=machine.machine,
                platform=platform.platform(),
                uname=f"{machine.system} {machine.release} {machine.machine}",
                openssl_version=ssl.OPENSSL_VERSION,
                openssl_fips_enabled=fips() == 1 if fips else None,
                authentik_version=__version__,
            ),
            brand=brand_for(call.settings, request.host).domain,
            server_time=call.at,
            embedded_outpost_disabled=absent or config_of(site).outposts.disable_embedded_outpost,
            embedded_outpost_host=host,
            base_url=site.base_url or current(call.settings).base_url,
        )
    )


async def look_again(request: Request, call: Call, site: Site, params: dict[str, str]) -> Response:
    """The same as by GET, for clients that ask by POST; it changes nothing.

    Needs the permission `authentik_rbac.view_system_info`.
    """
    return await info(request, call, site, params)


async def history(request: Request, call: Call, site: Site, _params: dict[str, str]) -> Response:
    """The versions this installation has run, the newest first.

    Needs the permission `authentik_rbac.view_system_info`.
    """
    _need(call, SEE_SYSTEM)
    query = query_of(request)
    found = [
        one
        for one in await version.history(site.state)
        if last(query, "version") in {"", one.version}
        and last(query, "build") in {"", one.build}
        and needle(query) in f"{one.version} {one.build}".lower()
    ]
    ordering = last(query, "ordering")
    if ordering.removeprefix("-") in VersionHistory.__struct_fields__:
        found.sort(key=lambda one: getattr(one, ordering.removeprefix("-")), reverse=ordering.startswith("-"))
    return json(found)


async def history_one(_request: Request, call: Call, site: Site, params: dict[str, str]) -> Response:
    """One of the versions this installation has run.

    Needs the permission `authentik_rbac.view_system_info`.
    """
    _need(call, SEE_SYSTEM)
    for one in await version.history(site.state):
        if str(one.id) == params["id"]:
            return json(one)
    raise not_found()


OPERATIONS: Final = (
    Operation("GET", "admin/settings/", settings, "admin_settings_retrieve", response=Settings),
    Operation(
        "PUT",
        "admin/settings/",
        update,
        "admin_settings_update",
        request=Annotated[dict[str, object], msgspec.Meta(title="SettingsRequest")],
        response=Settings,
    ),
    Operation(
        "PATCH",
        "admin/settings/",
        partial_update,
        "admin_settings_partial_update",
        request=Annotated[dict[str, object], msgspec.Meta(title="PatchedSettingsRequest")],
        response=Settings,
    ),
    Operation("GET", "admin/system/", info, "admin_system_retrieve", response=SystemInfo),
    Operation(
        "POST",
        "admin/system/",
        look_again,
        "admin_system_create",
        permission=SEE_SYSTEM,
        response=SystemInfo,
    ),
    Operation(
        "GET",
        "admin/version/history/",
        history,
        "admin_version_history_list",
        response=list[VersionHistory],
        query=(
            Filter("build", str),
            Filter("version", str),
            *(item for item in PAGING if item.name in {"ordering", "search"}),
        ),
    ),
    Operation(
        "GET",
        "admin/version/history/{id}/",
        history_one,
        "admin_version_history_retrieve",
        response=VersionHistory,
        params=(("id", int),),
    ),
)
