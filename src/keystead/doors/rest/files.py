"""``admin/file/``: pictures for applications, flows, sources and brands; and the older calls that set one in one go."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem, denied, invalid
from keystead.doors.http.json_body import json_object
from keystead.doors.http.message import Request, Response
from keystead.doors.http.routes import Endpoint, Routes
from keystead.doors.http.site import Site
from keystead.doors.rest import errors
from keystead.doors.rest.families import Family, typed
from keystead.doors.rest.openapi.operations import UsedBy
from keystead.doors.rest.operation import PAGING, Operation
from keystead.doors.rest.routes import ROOT
from keystead.doors.rest.verbs import json, query_of, seen
from keystead.kinds.access import holds, may, require, signed_in
from keystead.kinds.asked import asked_for, last, needle
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.kind import Filter, Kind, Verb
from keystead.kinds.ledger import reference
from keystead.kinds.marks import OnDelete
from keystead.people.brand import ThemedUrls, themed
from keystead.people.installation import files
from keystead.wire import multipart

VIEW, ADD, DELETE = (f"{files.APP}.{word}_file" for word in ("view", "add", "delete"))
PICTURES: Final = (
    "meta_icon",
    "icon",
    "background",
    "branding_logo",
    "branding_favicon",
    "branding_default_flow_background",
)
"""The members, of whatever kind, that may name an uploaded file."""
_MANAGEABLE: Final = Filter("manageable_only", bool, note="Only files that were uploaded one by one.")
_BODY: Final = files.MAX_BYTES + 64 * 1024
_USAGE: Final = Filter("usage", str, note="What the files are for: `media`.")
_NAME: Final = Filter("name", str, note="Which file.")


class FileList(msgspec.Struct):
    """A file.

    :param themed_urls: its address for each theme, where the name stands for one file a theme.
    """

    name: str
    mime_type: str
    url: str
    themed_urls: ThemedUrls | None = None


class Upload(msgspec.Struct):
    """A new file.

    :param name: what to call it; else it is called as the client calls it.
    :param usage: what it is for: `media`.
    """

    file: bytes = b""
    name: str | None = None
    usage: str | None = None


def _need(call: Call, permission: str) -> None:
    signed_in(call)
    if not holds(call, permission):
        raise denied()


def form_of(request: Request) -> dict[str, multipart.Part]:
    """The body's fields by name.

    :raises Problem: ``MEDIA`` for another type of body, ``INVALID`` for a broken form.
    """
    if request.content_type != "multipart/form-data":
        raise Problem(Fault.MEDIA, f'Unsupported media type "{request.content_type}"; send multipart/form-data.')
    try:
        return {part.name: part for part in multipart.parse(request.header(b"content-type"), request.body)}
    except ValueError as exc:
        raise invalid({"non_field_errors": [f"The form cannot be read: {exc}"]}) from exc


def text_of(form: dict[str, multipart.Part], name: str) -> str:
    """A field's value as text, or empty.

    :raises Problem: ``INVALID`` on the field: it is not UTF-8.
    """
    try:
        return form[name].text.strip() if name in form else ""
    except ValueError:
        raise invalid({name: ["Write this in UTF-8."]}) from None


async def list_(request: Request, call: Call, site: Site, _params: dict[str, str]) -> Response:
    """The uploaded files, and the names that stand for one file a theme.

    Needs the permission `authentik_admin_files.view_file`.
    """
    _need(call, VIEW)
    query = query_of(request)
    found = await files.names(site.state, files.check_usage(last(query, "usage")))
    if not asked_for(_MANAGEABLE, query):
        found += files.both_themes(found)
    wanted = needle(query)
    shown = []
    for name, kind in sorted(found):
        if wanted in name.lower():
            url = files.url(site.root_path, name)
            shown.append(FileList(name, kind, url, themed(url)))
    return json(shown)


async def upload(request: Request, call: Call, site: Site, _params: dict[str, str]) -> Response:
    """Keep a new file.

    Needs the permission `authentik_admin_files.add_file`.
    """
    _need(call, ADD)
    form = form_of(request)
    usage = files.check_usage(text_of(form, "usage"))
    part = form.get("file")
    if part is None:
        raise invalid({"file": ["No file was sent."]})
    name = files.named(text_of(form, "name"), part.filename or "")
    await files.add(call, site.state, name, _fitting(part.body), usage)
    return Response(200)


def _fitting(content: bytes) -> bytes:
    if len(content) > files.MAX_BYTES:
        raise invalid({"file": [f"A file may have at most {files.MAX_BYTES // 1024 // 1024} MiB."]})
    return content


async def remove(request: Request, call: Call, site: Site, _params: dict[str, str]) -> Response:
    """Remove a file; what names it shows no picture any more.

    Needs the permission `authentik_admin_files.delete_file`.
    """
    _need(call, DELETE)
    query = query_of(request)
    await files.remove(call, site.state, last(query, "name"), files.check_usage(last(query, "usage")))
    return Response(200)


def _naming(call: Call, site: Site, name: str) -> Iterator[tuple[Kind[Any], Any]]:
    """The settings, among those the caller may see, that name the file."""
    wanted = {name, name.replace("light", "%(theme)s", 1), name.replace("dark", "%(theme)s", 1)}
    for kind in site.state.kinds.values():
        members = [member for member in PICTURES if member in kind.fields]
        if kind.table is None and members and may(call, kind, "view"):
            for obj in call.settings.all(kind):
                if any(getattr(obj, member) in wanted for member in members):
                    yield kind, obj


async def used_by(request: Request, call: Call, site: Site, _params: dict[str, str]) -> Response:
    """What names a file as its picture, as far as the caller may see it.

    Needs the permission `authentik_admin_files.view_file`.
    """
    _need(call, VIEW)
    name = last(query_of(request), "name")
    return json([_user(kind, obj) for kind, obj in _naming(call, site, name)] if name else [])


def _user(kind: Kind[Any], obj: Any) -> UsedBy:  # noqa: ANN401 - objects of every kind
    told = str(reference(kind, obj)["name"])
    return UsedBy(kind.app, kind.name, str(getattr(obj, kind.pk)), told, OnDelete.LEFT_DANGLING)


# The calls of older releases: a picture is set where it is shown.


async def _set(call: Call, site: Site, kind: Kind[Any], key: str, member: str, value: str, file: bytes = b"") -> None:
    state = site.state

    async def decide(call: Call) -> tuple[Changes, None]:
        call, old = await seen(call, state, kind, key)
        power = require(call, kind, Verb.UPDATE, old)
        new = msgspec.structs.replace(old, **{member: value})
        if kind.rules:
            new = await kind.rules(call, state, old, new)
        changes = Changes()
        if file:
            files.keep(call, changes, value, file)
        changes.update(power, old, new)
        return changes, None

    await state.change(call, decide)


def _kind_of(whose: Kind[Any] | Family, call: Call, key: str) -> Kind[Any]:
    """The kind of the object that a key names."""
    return typed(whose, call, key)[0] if isinstance(whose, Family) else whose


def _setters(whose: Kind[Any] | Family, member: str) -> tuple[Endpoint, Endpoint]:
    async def by_file(request: Request, call: Call, site: Site, params: dict[str, str]) -> Response:
        (key,) = params.values()
        signed_in(call)
        kind = _kind_of(whose, call, key)
        call, obj = await seen(call, site.state, kind, key)
        require(call, kind, Verb.UPDATE, obj)
        form = form_of(request)
        if text_of(form, "clear").lower() in {"true", "1", "on"}:
            await _set(call, site, kind, key, member, "")
            return Response(200)
        part = form.get("file")
        if part is None or not part.body:
            raise invalid({"file": ["No file was sent."]})
        # A folder of its own: the same picture may be set again, and nobody else's file is replaced by it.
        given = files.named("", part.filename or "picture").rpartition("/")[2]
        name = files.check_name(f"{kind.name}-{member}/{call.request_id[:12]}-{given}"[-200:])
        await _set(call, site, kind, key, member, name, _fitting(part.body))
        return Response(200)

    async def by_url(request: Request, call: Call, site: Site, params: dict[str, str]) -> Response:
        (key,) = params.values()
        signed_in(call)
        kind = _kind_of(whose, call, key)
        call, obj = await seen(call, site.state, kind, key)
        require(call, kind, Verb.UPDATE, obj)
        url = json_object(request).get("url")
        if not isinstance(url, str):
            raise invalid({"url": ["Write the picture's address as a text."]})
        await _set(call, site, kind, key, member, url.strip())
        return Response(200)

    return (
        Endpoint(by_file, errors.answer, csrf=True, max_body=_BODY),
        Endpoint(by_url, errors.answer, csrf=True),
    )


def add_older(routes: Routes, pictured: Sequence[tuple[Kind[Any] | Family, str, str]]) -> None:
    """Answer ``set_icon`` and its like (rest.md §7).

    :param pictured: kind or family, what the call is named after (``icon``), and the member that it sets.
    """
    for whose, word, member in pictured:
        key = whose.key_name if isinstance(whose, Family) else whose.key_name or whose.key
        one = f"{ROOT}{whose.path}/{{{key}}}/set_{word}"
        by_file, by_url = _setters(whose, member)
        routes.add("POST", f"{one}/", by_file)
        routes.add("POST", f"{one}_url/", by_url)


OPERATIONS: Final = (
    Operation(
        "GET",
        "admin/file/",
        list_,
        "admin_file_list",
        response=list[FileList],
        query=(_MANAGEABLE, _USAGE, *(item for item in PAGING if item.name == "search")),
    ),
    Operation(
        "POST",
        "admin/file/",
        upload,
        "admin_file_create",
        request=Upload,
        takes="multipart/form-data",
        max_body=_BODY,
    ),
    Operation("DELETE", "admin/file/", remove, "admin_file_destroy", query=(_NAME, _USAGE)),
    Operation("GET", "admin/file/used_by/", used_by, "admin_file_used_by_list", response=list[UsedBy], query=(_NAME,)),
)
