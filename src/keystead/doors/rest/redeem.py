"""``sources/plex/redeem_token/``: a browser brings a token that Plex gave it, and is led into a flow."""

from typing import cast

from keystead.base.errors import invalid
from keystead.doors.http.cookies import Jar
from keystead.doors.http.identity import check_same_site
from keystead.doors.http.json_body import json_object
from keystead.doors.http.message import Request, Response
from keystead.doors.http.site import Site
from keystead.doors.http.visitor import remembered, visitor_of
from keystead.doors.rest.body import decoded
from keystead.doors.rest.operation import Operation
from keystead.doors.rest.verbs import json
from keystead.flows.challenge import REDIRECT, stays_here
from keystead.flows.executor import Executor
from keystead.flows.redirected import RedirectChallenge
from keystead.kinds.call import Call
from keystead.sources.plex.redeem import SLUG, PlexTokenRedeemRequest
from keystead.sources.plex.redeem import redeem as redeem_plex


def operations(executor: Executor) -> tuple[Operation, ...]:
    """The operation; ``executor`` runs the flow that leads in."""

    async def redeem(request: Request, call: Call, site: Site, _params: dict[str, str]) -> Response:
        """Sign in with an account at Plex, or connect it with whoever is signed in in this browser.

        Answers where the browser goes: into a flow, or where the flow ended at once. `next` says where to go after it.
        """
        # Nobody needs a cross-site token to sign in; but no other site signs a browser in here as somebody.
        check_same_site(request)
        body = cast("PlexTokenRedeemRequest", decoded(json_object(request), PlexTokenRedeemRequest))
        onward = request.query.get("next", "")
        if onward and not stays_here(onward):
            raise invalid({"next": ["Write a path on this server, such as /if/user/."]})
        jar = Jar.at(site)
        call, visitor = await visitor_of(request, call, site, jar, {"next": onward} if onward else {})
        slug = request.query.get("slug", "")
        to, visitor = await redeem_plex(executor, call, site.state, visitor, slug=slug, token=body.plex_token)
        answer = json({"component": REDIRECT, "to": to})
        return remembered(request, site, jar, visitor, answer)

    return (
        Operation(
            "POST",
            "sources/plex/redeem_token/",
            redeem,
            "sources_plex_redeem_token_create",
            request=PlexTokenRedeemRequest,
            response=RedirectChallenge,
            query=SLUG,
            anonymous=True,
        ),
    )
