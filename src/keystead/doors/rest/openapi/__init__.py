"""What the API tells of itself: an OpenAPI document and pages to read it, both made from the declarations.

``app.py`` calls :func:`add` with the same lists it makes the routes from.
"""

from collections.abc import Sequence
from typing import Any

from keystead.doors.http.routes import Endpoint, Routes
from keystead.doors.rest import errors
from keystead.doors.rest.families import Family
from keystead.doors.rest.openapi.browser import Browser
from keystead.doors.rest.openapi.document import document
from keystead.doors.rest.openapi.schemas import Schema
from keystead.doors.rest.openapi.serve import Description
from keystead.doors.rest.operation import Operation
from keystead.doors.rest.routes import ROOT
from keystead.kinds.kind import Action, Kind

__all__ = ["add", "document"]


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
    operations = list(extra)

    def make() -> Schema:
        found = document(kinds, families, actions, operations)
        return {**found, "servers": [{"url": f"{root_path}{ROOT.rstrip('/')}"}]}

    description = Description(make)
    schema = description.operation()
    operations.append(schema)
    # Both tell nothing of who asks, so nobody is looked up, and a stale token does no harm.
    routes.add("GET", ROOT + schema.path, Endpoint(schema.run, errors.answer, identify=False))
    routes.add("GET", ROOT, Endpoint(Browser(description).show, errors.answer, identify=False))
