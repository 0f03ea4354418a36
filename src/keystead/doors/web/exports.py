"""Files of data exports: for whom they were made, and for those who may see every export; only ever to be saved."""

from typing import Final

from keystead.base.errors import not_found
from keystead.doors.http.message import Request, Response
from keystead.doors.http.site import Site
from keystead.kinds import grants, records
from keystead.kinds.access import require, signed_in
from keystead.kinds.call import Call
from keystead.kinds.kind import Verb
from keystead.people import exporting
from keystead.people.export import DATA_EXPORT, DataExport

_CSV: Final = b"text/csv; charset=utf-8; header=present"


async def export(_request: Request, call: Call, site: Site, params: dict[str, str]) -> Response:
    """The file of one export, in parts as the client takes them."""
    signed_in(call)
    one = await _named(call, site, params["id"])
    require(await grants.on(call, site.state.store, DATA_EXPORT, [one]), DATA_EXPORT, Verb.RETRIEVE, one)
    if not one.completed:
        raise not_found("This file is not made yet.")
    parts, size = await exporting.size(site.state, one)
    return Response(
        200,
        content_type=_CSV,
        headers=[
            (b"content-disposition", f'attachment; filename="{one.file}"'.encode()),
            (b"cache-control", b"private, no-store"),
            (b"content-security-policy", b"default-src 'none'; sandbox"),
            (b"cross-origin-resource-policy", b"same-origin"),
        ],
        stream=exporting.content(site.state, one, parts),
        length=size,
    )


async def _named(call: Call, site: Site, text: str) -> DataExport:
    try:
        key = DATA_EXPORT.fields[DATA_EXPORT.key].take(text)
    except ValueError:
        raise not_found() from None
    found = await records.visible(site.state.store, DATA_EXPORT, DATA_EXPORT.key, key, call.at)
    if found is None:
        raise not_found()
    return found
