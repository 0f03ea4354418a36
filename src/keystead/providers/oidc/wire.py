"""What the OAuth endpoints take and give, free of HTTP: the door fills in the one and sends the other."""

from typing import Final, NoReturn, TypeAlias

import msgspec

from keystead.flows.ports import Visitor
from keystead.providers.pages import Asking, Confirm, ErrorPage, FormPost, Redirect
from keystead.wire.form import Form, RepeatedFieldError

NO_STORE: Final = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))
"""Headers of everything that holds a token (RFC 6749 §5.1)."""
EMPTY: Final = Form()


class Refusal(Exception):  # noqa: N818 - the protocol's own word would be "error response"; none is a defect
    """A request is refused in the protocol's words (RFC 6749 §5.2).

    :param error: the code, such as ``invalid_grant``.
    :param description: one sentence for the client's developer.
    :param reason: for the log only, where it says more than the client may know.
    """

    def __init__(
        self,
        error: str,
        description: str,
        *,
        status: int = 400,
        headers: tuple[tuple[str, str], ...] = (),
        reason: str = "",
    ) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status
        self.headers = headers
        self.reason = reason or description


class OidcRequest(msgspec.Struct, frozen=True):
    """One request, parsed once.

    :param path: below the root, as the browser asked for it.
    :param query: the query's parameters.
    :param form: the body's, or None when the request has no form.
    :param authorization: the Authorization header, or empty.
    :param root: scheme, host and path prefix under which the caller reaches us, without a slash at the end.
    :param origin: the Origin header, or empty.
    :param if_none_match: the If-None-Match header, or empty.
    :param slug: the application's slug where the path names one.
    :param visitor: the browser's session, for the endpoints that browsers visit.
    """

    method: str
    path: str
    root: str
    query: Form = EMPTY
    form: Form | None = None
    authorization: str = ""
    origin: str = ""
    if_none_match: str = ""
    slug: str = ""
    visitor: Visitor | None = None


class Json(msgspec.Struct, frozen=True):
    """An answer for programs.

    :param body: JSON, or empty.
    """

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


Reply: TypeAlias = Json | Redirect | FormPost | Asking | ErrorPage | Confirm


def reply(body: object, *, status: int = 200, headers: tuple[tuple[str, str], ...] = NO_STORE) -> Json:
    """``body`` as a JSON answer."""
    return Json(status, msgspec.json.encode(body), headers)


def refused(refusal: Refusal, request_id: str, headers: tuple[tuple[str, str], ...] = ()) -> Json:
    """A refusal as the JSON answer of RFC 6749 §5.2."""
    body = {"error": refusal.error, "error_description": refusal.description, "request_id": request_id}
    return Json(refusal.status, msgspec.json.encode(body), (*NO_STORE, *refusal.headers, *headers))


def bad(description: str) -> NoReturn:
    """Refuse a malformed request.

    :raises Refusal: ``invalid_request``.
    """
    raise Refusal("invalid_request", description)


def one(form: Form, name: str) -> str:
    """A parameter that may come once; empty when it did not come.

    :raises Refusal: ``invalid_request``: it came several times, which first-or-last readers disagree about.
    """
    try:
        return form.one(name) or ""
    except RepeatedFieldError as exc:
        raise Refusal("invalid_request", str(exc)) from None


def body_of(request: OidcRequest) -> Form:
    """The form of a request whose parameters must come in its body (RFC 6749 §3.2).

    :raises Refusal: ``invalid_request``: there is none, or parameters of the protocol stand in the address, where they
        end up in logs.
    """
    if request.form is None:
        bad("Send the parameters as application/x-www-form-urlencoded in the body of a POST.")
    if len(request.query) and (misplaced := sorted({name for name, _ in request.query} & _BODY_ONLY)):
        bad(f"The parameter {misplaced[0]!r} may not stand in the address; send it in the body.")
    return request.form


_BODY_ONLY: Final = frozenset(
    {
        "access_token",
        "client_assertion",
        "client_assertion_type",
        "client_id",
        "client_secret",
        "code",
        "code_verifier",
        "grant_type",
        "password",
        "refresh_token",
        "token",
        "username",
    }
)


def scopes(text: str) -> tuple[str, ...]:
    """The scopes in a ``scope`` parameter, each once, in the order they came (RFC 6749 §3.3)."""
    return tuple(dict.fromkeys(text.split()))
