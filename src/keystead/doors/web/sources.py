"""Sources whose own page people sign in on: the way there, and back."""

import msgspec

from keystead.doors.http.message import Request, Response, redirect
from keystead.doors.http.site import Site
from keystead.doors.web.flow import FlowDoor, Params
from keystead.flows.challenge import stays_here
from keystead.kinds.call import Call
from keystead.sources.plex import own_page as plex


class SourceDoor(msgspec.Struct, frozen=True):
    """The handlers."""

    door: FlowDoor

    async def plex(self, request: Request, call: Call, site: Site, params: Params) -> Response:
        """To Plex's page."""
        onward = request.query.get("next", "")
        query = {"next": onward} if stays_here(onward) else {}
        call, visitor = await self.door.visitor(request, call, site, query)
        to = await plex.there(call, site.state, visitor, params["slug"])
        return self.door.remembered(request, site, visitor, redirect(to))

    async def plex_back(self, request: Request, call: Call, site: Site, params: Params) -> Response:
        """Back from there, into a flow."""
        call, visitor = await self.door.visitor(request, call, site, {})
        sealed = request.query.get("state", "")
        to, visitor = await plex.back(self.door.executor, call, site.state, visitor, params["slug"], sealed)
        return self.door.remembered(request, site, visitor, redirect(self.door.place(site, to)))
