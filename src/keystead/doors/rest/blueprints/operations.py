"""Blueprints over HTTP: what can be applied, applying it, one that is sent to be applied once; flows as files."""

import asyncio
from typing import Final
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from keystead.base.errors import denied, invalid, not_found
from keystead.doors.http.message import Request, Response
from keystead.doors.http.site import Site
from keystead.doors.rest.files import form_of, text_of
from keystead.doors.rest.operation import Operation
from keystead.doors.rest.verbs import NO_STORE, json, seen
from keystead.flows.flow import FLOW
from keystead.kinds.access import may, permitted, require
from keystead.kinds.call import Call
from keystead.kinds.kind import Verb
from keystead.kinds.marks import Uuid
from keystead.kinds.render import render
from keystead.people.installation.blueprint import (
    BLUEPRINT,
    REGISTRY,
    BlueprintFile,
    BlueprintImport,
    BlueprintImportResult,
    BlueprintInstance,
)


class FlowUpload(msgspec.Struct):
    """An exported flow.

    :param clear: taken, and of no effect: a file is sent each time.
    """

    file: bytes = b""
    clear: bool = False


# YAML and all that applies blueprints load slowly: each operation imports them when it is asked for.


async def available(_request: Request, _call: Call, site: Site, _params: dict[str, str]) -> Response:
    """The blueprints in the folder of blueprints."""
    from keystead.doors.rest.blueprints.folder import Folder  # noqa: PLC0415 - as above

    return json(await asyncio.to_thread(Folder.of(site).available))


async def apply(_request: Request, call: Call, site: Site, params: dict[str, str]) -> Response:
    """Apply a blueprint now, with the caller's own power; all of it, or nothing and the status tells so.

    Needs the permission to change the blueprint, and those to do by hand what it does.
    """
    from keystead.doors.rest.blueprints.applying import failed, one_instance  # noqa: PLC0415 - as above
    from keystead.doors.rest.blueprints.folder import Folder  # noqa: PLC0415 - as above
    from keystead.doors.rest.blueprints.registry import pulled  # noqa: PLC0415 - as above
    from keystead.doors.rest.blueprints.told import Failed, Log  # noqa: PLC0415 - as above

    (key,) = params.values()
    call, instance = await seen(call, site.state, BLUEPRINT, key)
    require(call, BLUEPRINT, Verb.UPDATE, instance)
    fetched: dict[str, str] = {}
    try:
        if instance.path.startswith(REGISTRY):
            try:
                fetched[instance.path] = await pulled(site.state.outbound, instance.path, whole=call.actor.is_superuser)
            except ValueError as exc:
                raise Log(call.at).failed(str(exc)) from None
        done = await one_instance(call, site.state, Folder.of(site, fetched), instance.pk)
    except Failed as exc:
        if exc.denied:
            raise denied(str(exc)) from None
        done = await failed(call, site.state, instance.pk, exc)
    return json((await render(replace(call, settings=site.state.settings), site.state, BLUEPRINT, [done], {}))[0])


async def import_(request: Request, call: Call, site: Site, _params: dict[str, str]) -> Response:
    """Apply a blueprint once, with the caller's own power: one that is sent, or a file of the folder of blueprints.

    All of it, or nothing. Needs the permission `authentik_blueprints.add_blueprintinstance`, and those to do by hand
    what it does.
    """
    from keystead.doors.rest.blueprints.applying import one_text  # noqa: PLC0415 - as above
    from keystead.doors.rest.blueprints.folder import Folder  # noqa: PLC0415 - as above
    from keystead.doors.rest.blueprints.told import Failed  # noqa: PLC0415 - as above

    form = form_of(request)
    path, given = text_of(form, "path"), text_of(form, "context")
    if path and "file" in form:
        raise invalid({"path": ["Send a file or name one, not both."]})
    text: str | None = text_of(form, "file")
    folder = Folder.of(site)
    if path:
        try:
            text = await asyncio.to_thread(folder.text, path)
        except ValueError as exc:
            raise invalid({"path": [str(exc)]}) from None
    if not text:
        raise invalid({"path": ["There is no such file."]} if path else {"file": ["Send a file, or name a path."]})
    try:
        context = msgspec.json.decode(given or "{}", type=dict[str, object])
    except (msgspec.DecodeError, RecursionError):
        raise invalid({"context": ["Write a JSON object."]}) from None
    try:
        logs = await one_text(call, site.state, folder, text, context)
    except Failed as exc:
        return json(BlueprintImportResult(exc.logs.lines, success=False))
    return json(BlueprintImportResult(logs.lines, success=True))


async def export_flow(_request: Request, call: Call, site: Site, params: dict[str, str]) -> Response:
    """A flow with all it consists of, as a blueprint in YAML; secrets are left out.

    Needs the permission `authentik_flows.export_flow`.
    """
    from keystead.doors.rest.blueprints.flow_export import exported  # noqa: PLC0415 - as above

    (key,) = params.values()
    call, flow = await seen(call, site.state, FLOW, key)
    if not permitted(call, FLOW, _EXPORT, flow):
        raise denied() if may(call, FLOW, "view", flow) else not_found()
    text = await exported(call, site.state, flow)
    name = quote(f"flow-{flow.slug}.yaml")
    headers = [*NO_STORE, (b"content-disposition", f'attachment; filename="{name}"'.encode())]
    return Response(200, text.encode(), b"application/yaml", headers)


async def import_flow(request: Request, call: Call, site: Site, _params: dict[str, str]) -> Response:
    """Take over an exported flow, with the caller's own power: all of it, or nothing (400, and why).

    Needs the permission `authentik_flows.import_flow`, and those to make by hand what is in it.
    """
    from keystead.doors.rest.blueprints.applying import one_text  # noqa: PLC0415 - as above
    from keystead.doors.rest.blueprints.folder import Folder  # noqa: PLC0415 - as above
    from keystead.doors.rest.blueprints.told import Failed  # noqa: PLC0415 - as above

    text = text_of(form_of(request), "file")
    if not text:
        raise invalid({"file": ["Send the file of a flow."]})
    try:
        await one_text(call, site.state, Folder.of(site), text, {})
    except Failed as exc:
        if exc.denied:
            raise denied(str(exc)) from None
        raise invalid({"file": exc.logs.complaints}) from None
    return Response(204)


_PATH: Final = "managed/blueprints/"
_FLOWS: Final = "flows/instances/"
_APP: Final = "authentik_blueprints"
_EXPORT: Final = "authentik_flows.export_flow"
OPERATIONS: Final = (
    Operation(
        "GET",
        f"{_PATH}available/",
        available,
        "managed_blueprints_available_list",
        response=list[BlueprintFile],
        permission=f"{_APP}.view_blueprintinstance",
    ),
    Operation(
        "POST",
        f"{_PATH}{{instance_uuid}}/apply/",
        apply,
        "managed_blueprints_apply_create",
        response=BlueprintInstance,
        params=(("instance_uuid", Uuid),),
    ),
    Operation(
        "POST",
        f"{_PATH}import/",
        import_,
        "managed_blueprints_import_create",
        request=BlueprintImport,
        response=BlueprintImportResult,
        takes="multipart/form-data",
        permission=f"{_APP}.add_blueprintinstance",
    ),
    Operation(
        "GET",
        f"{_FLOWS}{{slug}}/export/",
        export_flow,
        "flows_instances_export_retrieve",
        response=bytes,
    ),
    Operation(
        "POST",
        f"{_FLOWS}import/",
        import_flow,
        "flows_instances_import_create",
        request=FlowUpload,
        status=204,
        takes="multipart/form-data",
        permission="authentik_flows.import_flow",
    ),
)
