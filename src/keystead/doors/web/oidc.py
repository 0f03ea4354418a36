"""The OAuth and OpenID endpoints in HTTP's words: requests parsed once, replies as JSON, redirects and pages."""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from msgspec.structs import replace

from keystead.base.errors import Kind, Problem
from keystead.doors.http.message import Request, Response, redirect
from keystead.doors.http.site import Site
from keystead.doors.web import render
from keystead.doors.web.flow import FlowDoor
from keystead.doors.web.pages import look, page
from keystead.flows.ports import Reply as FlowReply
from keystead.flows.ports import Visitor
from keystead.kinds.call import Call
from keystead.kinds.state import State
from keystead.providers.oidc.wire import Json, OidcRequest, Reply
from keystead.providers.pages import Asking, Confirm, ErrorPage, FormPost, Redirect
from keystead.wire.form import Form

_FORM: Final = "application/x-www-form-urlencoded"
_CODES: Final = {Kind.INVALID: "invalid_request", Kind.BUSY: "temporarily_unavailable", Kind.INTERNAL: "server_error"}
_STATUS: Final = {
    Kind.INVALID: 400,
    Kind.NOT_FOUND: 404,
    Kind.METHOD: 405,
    Kind.TOO_LARGE: 413,
    Kind.MEDIA: 415,
    Kind.BUSY: 503,
    Kind.INTERNAL: 500,
}
Handle = Callable[[OidcRequest, Call, State], Awaitable[Reply]]


def failed(request: Request, _site: Site, exc: BaseException) -> Response:
    """A failure as RFC 6749 §5.2 says it."""
    problem = exc if isinstance(exc, Problem) else Problem(Kind.INTERNAL)
    body = {
        "error": _CODES.get(problem.kind, "invalid_request"),
        "error_description": problem.detail,
        "request_id": request.id,
    }
    response = Response(
        _STATUS.get(problem.kind, 400), msgspec.json.encode(body), headers=[(b"cache-control", b"no-store")]
    )
    if problem.retry_after:
        response.header(b"retry-after", str(problem.retry_after).encode())
    return response


def _unknown(reply: Reply) -> bool:
    """Whether a reply says that there is no such client or application."""
    return isinstance(reply, Json) and (reply.status == 404 or b'"invalid_client"' in reply.body)  # noqa: PLR2004 - HTTP


class OidcDoor(msgspec.Struct, frozen=True):
    """One endpoint.

    :param door: the one flows go through; it knows the visitor and sends cookies.
    :param handle: decides.
    :param visits: whether browsers visit it, so that the visitor's session is looked up.
    """

    door: FlowDoor
    handle: Handle
    visits: bool = False

    async def run(self, request: Request, call: Call, site: Site, params: dict[str, str]) -> Response:
        """Parse, decide, answer."""
        visitor: Visitor | None = None
        if self.visits:
            call, visitor = await self.door.visitor(request, call, site, dict(iter(request.query)))
        form: Form | None = None
        if request.method == "POST" and request.content_type == _FORM:
            form = request.form
        asked = OidcRequest(
            method=request.method,
            path=request.path,
            root=request.root,
            query=request.query,
            form=form,
            authorization=request.header(b"authorization"),
            origin=request.header(b"origin"),
            if_none_match=request.header(b"if-none-match"),
            slug=params.get("slug", ""),
            visitor=visitor,
        )
        reply = await self.handle(asked, call, site.state)
        if _unknown(reply) and (newest := await site.state.refresh()) is not call.settings:
            # The hot lanes do not look for newer settings first: what another node has just made is not refused for it.
            reply = await self.handle(asked, replace(call, settings=newest), site.state)
        return self.sent(request, call, site, visitor, reply)

    def sent(self, request: Request, call: Call, site: Site, visitor: Visitor | None, reply: Reply) -> Response:
        """``reply`` as HTTP."""
        if isinstance(reply, Json):
            headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in reply.headers]
            return Response(reply.status, reply.body, headers=headers)
        if isinstance(reply, Redirect):
            return self._cookie(request, site, reply.visitor or visitor, redirect(self.door.place(site, reply.url)))
        if isinstance(reply, Asking):
            action = f"{site.root_path}/if/flow/{reply.flow.slug}/"
            return self.door.page(request, call, site, reply.shown, action=action)
        members = look(request, site, call.settings, csrf=self.door.jar.csrf(visitor.sid if visitor else ""))
        nonce = str(members["nonce"])
        if isinstance(reply, FormPost):
            challenge = {
                "component": "ak-stage-autosubmit",
                "url": reply.url,
                "attrs": reply.fields,
                "title": reply.title,
                "flow_info": {"title": reply.title},
            }
            shown = render.FlowPage(action="", **members)  # type: ignore[arg-type]  # members of Page
            response = page(render.flow_page(challenge, shown), nonce, form_action=(reply.url,))
            return self._cookie(request, site, reply.visitor or visitor, response)
        plain = render.Page(**members)  # type: ignore[arg-type]  # as above
        if isinstance(reply, ErrorPage):
            hint = f"What the protocol calls it: {reply.code}." if reply.code else "Go back to where you came from."
            return page(
                render.error_page(reply.status, reply.title, reply.message, hint, plain), nonce, status=reply.status
            )
        return self._cookie(request, site, visitor, self._confirm(reply, plain, nonce))

    @staticmethod
    def _confirm(reply: Confirm, plain: render.Page, nonce: str) -> Response:
        body = render.confirm_page(reply.title, reply.message, reply.button, reply.url, plain, fields=reply.fields)
        return page(body, nonce)

    def _cookie(self, request: Request, site: Site, visitor: Visitor | None, response: Response) -> Response:
        if visitor is None:
            return response
        return self.door.cookies(request, site, FlowReply(None, "", visitor), response)
