"""Who manages tenants: whoever shows the key from the configuration; API tokens and sessions count for nothing here."""

import hmac

from msgspec.structs import replace

from keystead.base.errors import Kind, Problem, not_found
from keystead.doors.http.message import Request, Response
from keystead.doors.http.routes import Endpoint
from keystead.doors.http.site import Site
from keystead.doors.rest import errors
from keystead.doors.rest.routes import Run
from keystead.doors.rest.system import config_of
from keystead.kinds.call import SYSTEM, Call


def keyed(run: Run) -> Endpoint:
    """An endpoint that ``AUTHENTIK_TENANTS__API_KEY`` opens; where it is not configured there is nothing."""

    async def checked(request: Request, call: Call, site: Site, params: dict[str, str]) -> Response:
        tenants = config_of(site).tenants
        if not tenants.enabled or not tenants.api_key:
            raise not_found()
        given = request.every(b"authorization")
        wanted = f"Bearer {tenants.api_key.reveal()}"
        if len(given) != 1 or not hmac.compare_digest(given[0].encode(), wanted.encode()):
            raise Problem(Kind.UNAUTHENTICATED, "Send the key of the tenants' API as a bearer token.")
        settings = await site.state.refresh()
        # The key stands in the configuration, so whoever shows it acts as the installation itself.
        return await run(request, replace(call, actor=SYSTEM, settings=settings, origin=request.origin), site, params)

    return Endpoint(checked, errors.answer, identify=False)
