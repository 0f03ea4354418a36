"""What the API tells of itself: an OpenAPI document and pages to read it, both made from the declarations.

``app.py`` calls :func:`add` with the same lists it makes the routes from. What makes the document and the pages is
loaded when somebody first asks: most processes never need it.
"""

from collections.abc import Sequence
from typing import Any

from keystead.doors.http.message import Request, Response
from keystead.doors.http.routes import Endpoint, Routes
from keystead.doors.http.site import Site
from keystead.doors.rest import errors
from keystead.doors.rest.families import Family
from keystead.doors.rest.openapi.serve import Description
from keystead.doors.rest.operation import Operation
from keystead.doors.rest.routes import ROOT
from keystead.kinds.action import Action
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind


def add(
    routes: Routes,
    kinds: Sequence[Kind[Any]],
    families: Sequence[Family],
    actions: Sequence[Action],
    extra: Sequence[Operation] = (),
    *,
    root_path: str = "",
) -> None:
    """Answer ``/api/v3/schema/`` and ``/api/v3/``, for everybody; nothing is made before somebody asks.

    :param root_path: the path prefix under which we are mounted, without a slash at the end.
    """

    def make() -> dict[str, Any]:
        from keystead.doors.rest.openapi.document import document  # noqa: PLC0415 - see the head of this file

        found = document(kinds, families, actions, (*extra, schema))
        return {**found, "servers": [{"url": f"{root_path}{ROOT.rstrip('/')}"}]}

    description = Description(make)
    schema = description.operation()

    async def browse(request: Request, _call: Call, site: Site, _params: dict[str, str]) -> Response:
        from keystead.doors.rest.openapi.browser import show  # noqa: PLC0415 - as above

        return await show(request, site, description)

    # Both tell nothing of who asks, so nobody is looked up, and a stale token does no harm.
    routes.add("GET", ROOT + schema.path, Endpoint(schema.run, errors.answer, identify=False))
    routes.add("GET", ROOT, Endpoint(browse, errors.answer, identify=False))
