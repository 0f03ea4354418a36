"""Flows in a browser and over JSON: two doors to one executor (flows.md §1)."""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec.structs import replace

from keystead.base.errors import Kind, Problem, invalid, not_found
from keystead.doors.http.cookies import Jar
from keystead.doors.http.identity import check_csrf
from keystead.doors.http.json_body import json_object
from keystead.doors.http.message import Request, Response, redirect
from keystead.doors.http.site import Site
from keystead.doors.http.visitor import remembered, visitor_of
from keystead.doors.web import render
from keystead.doors.web.pages import look, page
from keystead.doors.web.starts import startable
from keystead.flows.executor import Executor
from keystead.flows.flow import FLOW, Flow
from keystead.flows.inspector import inspect
from keystead.flows.ports import Reply, Visitor
from keystead.kinds.call import Call
from keystead.wire import form

_TRUE: Final = frozenset({"true", "on", "1", "yes"})
Params = dict[str, str]


class FlowDoor(msgspec.Struct, frozen=True):
    """The handlers of both doors.

    :param executor: runs the flows.
    """

    jar: Jar
    executor: Executor

    async def visitor(self, request: Request, call: Call, site: Site, query: Mapping[str, str]) -> tuple[Call, Visitor]:
        """Who goes through the flow, and the call as that visitor makes it."""
        return await visitor_of(request, call, site, self.jar, query)

    @staticmethod
    async def flow(call: Call, site: Site, slug: str) -> tuple[Call, Flow]:
        """The flow with this slug, and the call with settings that know it.

        :raises Problem: ``NOT_FOUND``, once the newest settings do not have it either.
        """
        found = call.settings.by(FLOW, "slug", slug)
        if found is None:
            call = replace(call, settings=await site.state.refresh())
            found = call.settings.by(FLOW, "slug", slug)
        if found is None:
            raise not_found()
        return call, found

    def cookies(self, request: Request, site: Site, reply: Reply, response: Response) -> Response:
        """``response`` with the session cookie, where it is not the one the browser has."""
        return self.remembered(request, site, reply.visitor, response)

    def remembered(self, request: Request, site: Site, visitor: Visitor, response: Response) -> Response:
        """The same for ``visitor``."""
        return remembered(request, site, self.jar, visitor, response)

    # JSON

    async def json(self, request: Request, call: Call, site: Site, params: Params) -> Response:
        """GET and POST of the executor: a challenge, or 302 to itself when the next one waits."""
        call, flow = await self.flow(call, site, params["flow_slug"])
        call, visitor = await self.visitor(request, call, site, _inner_query(request))
        if request.method == "POST":
            body = json_object(request)
            reply = await self.executor.answer(call, site.state, flow, visitor, body)
        else:
            reply = await self.executor.show(call, site.state, flow, visitor)
        if reply.to == "":
            text = request.scope["query_string"].decode("latin-1")
            at = f"{site.root_path}{request.path}" + (f"?{text}" if text else "")
            return self.cookies(request, site, reply, redirect(at))
        response = Response(200, msgspec.json.encode(reply.challenge), headers=[(b"cache-control", b"no-store")])
        return self.cookies(request, site, reply, response)

    async def inspect(self, request: Request, call: Call, site: Site, params: Params) -> Response:
        """Where the caller's own run of the flow stands and what it knows, for those who may inspect flows."""
        call, flow = await self.flow(call, site, params["flow_slug"])
        call, visitor = await self.visitor(request, call, site, _inner_query(request))
        found = await inspect(call, site.state, self.executor.ports, flow, visitor)
        return Response(200, msgspec.json.encode(found), headers=[(b"cache-control", b"no-store")])

    # Pages

    async def show(self, request: Request, call: Call, site: Site, params: Params) -> Response:
        """The page of the flow's present step."""
        call, flow = await self.flow(call, site, params["flow_slug"])
        call, visitor = await self.visitor(request, call, site, dict(iter(request.query)))
        reply = await self.executor.show(call, site.state, flow, visitor)
        return self.page(request, call, site, reply)

    async def answer(self, request: Request, call: Call, site: Site, params: Params) -> Response:
        """A step's form, posted; what follows is fetched again, so that reloading repeats nothing."""
        call, flow = await self.flow(call, site, params["flow_slug"])
        sent = request.form
        sid = self.jar.read(request.cookies)
        if not sid:
            raise invalid(detail="Your browser sent no cookie. Allow cookies for this site, then open the page again.")
        check_csrf(self.jar, sid, sent.get("_csrf", ""))
        call, visitor = await self.visitor(request, call, site, dict(iter(request.query)))
        reply = await self.executor.answer(call, site.state, flow, visitor, _answer(sent))
        if reply.to == "":
            text = request.scope["query_string"].decode("latin-1")
            again = f"{site.root_path}{request.path}" + (f"?{text}" if text else "")
            return self.cookies(request, site, reply, redirect(again, 303))
        return self.page(request, call, site, reply, posted=True)

    def page(
        self, request: Request, call: Call, site: Site, reply: Reply, *, posted: bool = False, action: str = ""
    ) -> Response:
        """``reply`` as a page, or as the redirect it is.

        :param action: where its form is posted; by default to the page's own address.
        """
        challenge = startable(dict(reply.challenge or {}), request.query.get("next", ""), site.root_path)
        leaves = challenge.get("component") == "xak-flow-redirect"
        if leaves and not (posted and _may_lead_away(str(challenge["to"]))):
            to = self.place(site, str(challenge["to"]))
            return self.cookies(request, site, reply, redirect(to, 303 if posted else 302))
        if leaves:
            # form-action covers every redirect after a form's post: the way to another site is a page, no redirect.
            challenge["to"] = self.place(site, str(challenge["to"]))
        members = look(request, site, call.settings, csrf=self.jar.csrf(reply.visitor.sid))
        text = request.scope["query_string"].decode("latin-1")
        shown = render.FlowPage(
            action=action or f"{site.root_path}{request.path}" + (f"?{text}" if text else ""),
            application_name=str(challenge.get("application_pre") or ""),
            **members,  # type: ignore[arg-type]  # members of Page
        )
        target = (str(challenge["url"]),) if challenge.get("component") == "ak-stage-autosubmit" else ()
        response = page(render.flow_page(challenge, shown), str(members["nonce"]), form_action=target)
        return self.cookies(request, site, reply, response)

    @staticmethod
    def place(site: Site, to: str) -> str:
        """A path of ours below the sub-path we live under; anything else as it is."""
        ours = to.startswith("/") and not to.startswith(("//", f"{site.root_path}/"))
        return f"{site.root_path}{to}" if ours else to


def _may_lead_away(to: str) -> bool:
    """Whether a place may redirect to another site: everything but our own plain pages."""
    return not to.startswith(("/if/", "/?")) and to != "/"


def _inner_query(request: Request) -> dict[str, str]:
    """The flow's own query: the whole query string of the page, carried in ``query`` (flows.md §1)."""
    text = request.query.get("query", "")
    try:
        return dict(iter(form.parse(text))) if text else {}
    except form.FormError:
        raise Problem(Kind.INVALID, "The query parameter does not hold a query string.") from None


def _answer(sent: form.Form) -> dict[str, object]:
    """A posted form as the answer it stands for."""
    body: dict[str, object] = {name: value for name, value in sent if name != "_csrf"}
    if "remember_me" in body:
        body["remember_me"] = str(body["remember_me"]).lower() in _TRUE
    return body
