"""Uploaded pictures, as browsers get them: never as a page of ours, whatever somebody has put into the file."""

from typing import Final

from keystead.doors.http.message import Request, Response
from keystead.doors.http.site import Site
from keystead.kinds.call import Call
from keystead.people.installation import files

_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"public, no-cache, no-transform"),
)


async def media(request: Request, _call: Call, site: Site, params: dict[str, str]) -> Response:
    """A file of usage ``media``; everybody may see it, because sign-in pages show them."""
    name = params["path"]
    etag = f'"{(await files.tag(site.state, name))[:32]}"'
    headers = [*_HEADERS, (b"etag", etag.encode())]
    if request.header(b"if-none-match") == etag:
        return Response(304, b"", headers=headers)
    found = await files.read(site.state, name)
    if found.mime_type == files.OTHER:
        headers.append((b"content-disposition", b"attachment"))
    return Response(200, found.content, found.mime_type.encode(), headers)
