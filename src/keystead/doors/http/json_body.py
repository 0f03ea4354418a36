"""JSON bodies, read strictly; for every door that takes them."""

from keystead.base.errors import Kind, Problem, invalid
from keystead.doors.http.message import Request
from keystead.wire import jsonstrict


def json_object(request: Request) -> dict[str, object]:
    """The body as a JSON object; an empty body is an empty object.

    :raises Problem: ``MEDIA`` for another content type, ``INVALID`` for what is no JSON object.
    """
    if not request.body:
        return {}
    if request.content_type not in {"application/json", "application/merge-patch+json"}:
        raise Problem(Kind.MEDIA, f'Unsupported media type "{request.content_type}" in request; send application/json.')
    try:
        value = jsonstrict.decode(request.body)
    except ValueError as exc:
        raise Problem(Kind.INVALID, f"JSON parse error: {exc}") from None
    if not isinstance(value, dict):
        raise invalid({"non_field_errors": ["Send a JSON object."]})
    return value
