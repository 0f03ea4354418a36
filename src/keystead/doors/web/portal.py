"""The portal and the small addresses around it: start page, launching, signing out, default flows, recovery links."""

from datetime import timedelta
from typing import Final
from urllib.parse import quote

import msgspec

from keystead.base.errors import Kind, Problem, not_found
from keystead.doors.http.cookies import fresh
from keystead.doors.http.identity import check_csrf
from keystead.doors.http.message import Request, Response, redirect
from keystead.doors.http.site import Site
from keystead.doors.web import assets, render
from keystead.doors.web.flow import FlowDoor
from keystead.doors.web.pages import look, page, picture
from keystead.flows.challenge import stays_here
from keystead.flows.choice import configuring
from keystead.flows.flow import FLOW, Flow
from keystead.flows.setup import setup_open
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.snapshot import Snapshot
from keystead.people import session as sessions
from keystead.people import token
from keystead.people.brand import BRAND, Brand, brand_for
from keystead.people.finding import by_pk
from keystead.people.impersonation import impersonate_end
from keystead.people.person import person_by_pk
from keystead.people.user import avatar, uid
from keystead.providers.application import APPLICATION, Application, icon_url, launch_url
from keystead.store import Statement, Write

Params = dict[str, str]
DESIGNATIONS: Final = (
    "authentication",
    "invalidation",
    "recovery",
    "enrollment",
    "unenrollment",
    "stage_configuration",
)
_BRAND_FLOW: Final = {
    "authentication": "flow_authentication",
    "invalidation": "flow_invalidation",
    "recovery": "flow_recovery",
    "unenrollment": "flow_unenrollment",
}
_PORTAL: Final = "/if/user/"
_RECOVERED: Final = timedelta(hours=1)
"""How long somebody who came by a recovery link stays signed in."""
_USED: Final = Statement("token.used", "DELETE FROM tokens WHERE id = $1")


def default_flow(settings: Snapshot, brand: Brand, designation: str) -> Flow | None:
    """The brand's flow of a designation, else the first there is by slug."""
    chosen = getattr(brand, _BRAND_FLOW[designation], None) if designation in _BRAND_FLOW else None
    if chosen and (found := settings.get(FLOW, chosen)):
        return found
    return next((flow for flow in settings.all(FLOW) if flow.designation == designation), None)


def sign_in(site: Site, request: Request) -> Response:
    """A redirect to sign in and come back here."""
    text = request.scope["query_string"].decode("latin-1")
    back = request.path + (f"?{text}" if text else "")
    return redirect(f"{site.root_path}/flows/-/default/authentication/?next={quote(back, safe='')}")


class Portal(msgspec.Struct, frozen=True):
    """The handlers; ``door`` is the one flows go through."""

    door: FlowDoor

    async def start(self, _request: Request, _call: Call, site: Site, _params: Params) -> Response:
        """``/``: to the applications, or on a fresh installation to its set-up."""
        first = await setup_open(site.state)
        return redirect(f"{site.root_path}{'/if/flow/initial-setup/' if first else _PORTAL}")

    async def applications(self, request: Request, call: Call, site: Site, _params: Params) -> Response:
        """The person's applications."""
        if not call.actor.pk:
            if await setup_open(site.state):
                return redirect(f"{site.root_path}/if/flow/initial-setup/")
            return sign_in(site, request)
        person = await person_by_pk(site.state, call.actor.pk)
        if person is None:
            return sign_in(site, request)
        needle = request.query.get("search", "").strip()
        facts = {"username": person.user.username, "email": person.user.email, "name": person.user.name}
        groups: dict[str, list[render.Tile]] = {}
        for application in await self.visible(call, site, call.actor.pk):
            url = launch_url(call.settings, application, facts)
            if not url or application.meta_hide or not _matches(application, needle):
                continue
            groups.setdefault(application.group, []).append(
                render.Tile(
                    name=application.name,
                    slug=application.slug,
                    launch_url=f"{site.root_path}/application/launch/{application.slug}/",
                    icon_url=picture(site, icon) if (icon := icon_url(application)) else None,
                    description=application.meta_description,
                    publisher=application.meta_publisher,
                    group=application.group,
                    open_in_new_tab=application.open_in_new_tab,
                )
            )
        members = look(request, site, call.settings, csrf=self.door.jar.csrf(self.door.jar.read(request.cookies)))
        shown = render.PortalPage(
            search=needle,
            action=f"{site.root_path}{_PORTAL}",
            sign_out=f"{site.root_path}/flows/-/default/invalidation/",
            original=call.actor.original.username if call.actor.original else "",
            be_oneself=f"{site.root_path}/-/impersonation/end",
            **members,  # type: ignore[arg-type]  # members of Page
        )
        someone = render.PortalUser(
            username=person.user.username,
            name=person.user.name,
            email=person.user.email,
            avatar=avatar(call.settings, person.user),
        )
        return page(render.portal_page(someone, dict(sorted(groups.items())), shown), str(members["nonce"]))

    async def visible(self, call: Call, site: Site, user: int) -> list[Application]:
        """The applications that policies let this user use."""
        person = await person_by_pk(site.state, user)
        found = []
        for application in call.settings.all(APPLICATION):
            answer = await self.door.executor.ports.engine.judge(
                call, site.state, application.pk, user=person, mode=application.policy_engine_mode.value
            )
            if answer.passing:
                found.append(application)
        return found

    async def launch(self, request: Request, call: Call, site: Site, params: Params) -> Response:
        """Open an application, after signing in where needed."""
        application = call.settings.by(APPLICATION, "slug", params["slug"])
        if application is None:
            raise not_found("There is no such application.")
        user = await by_pk(site.state, call.actor.pk) if call.actor.pk else None
        if user is None:
            return sign_in(site, request)
        answer = await self.door.executor.ports.engine.judge(
            call, site.state, application.pk, user=user, mode=application.policy_engine_mode.value
        )
        if not answer.passing:
            raise Problem(Kind.DENIED, " ".join(answer.messages) or f"You may not use {application.name}.")
        facts = {"username": user.username, "email": user.email, "name": user.name}
        url = launch_url(call.settings, application, facts)
        if not url:
            raise not_found(f"{application.name} has no address to open.")
        return redirect(self.door.place(site, url))

    async def configure(self, request: Request, call: Call, site: Site, params: Params) -> Response:
        """To the flow in which people set up what a stage asks for; afterwards to ``next``, or to the applications."""
        if not call.actor.pk:
            return sign_in(site, request)
        flow = configuring(call.settings, params["stage_uuid"])
        if flow is None:
            raise not_found("There is nothing here that you could set up.")
        onward = request.query.get("next", "")
        back = quote(onward if stays_here(onward) else _PORTAL, safe="")
        return redirect(f"{site.root_path}/if/flow/{flow.slug}/?next={back}")

    async def default(self, request: Request, call: Call, site: Site, params: Params) -> Response:
        """To the default flow of a designation, with the query."""
        designation = params["designation"]
        brand = brand_for(call.settings, call.origin.host)
        flow = default_flow(call.settings, brand, designation) if designation in DESIGNATIONS else None
        if flow is None:
            raise not_found(f"There is no {designation} flow.")
        text = request.scope["query_string"].decode("latin-1")
        return redirect(f"{site.root_path}/if/flow/{flow.slug}/" + (f"?{text}" if text else ""))

    async def sign_out(self, request: Request, call: Call, site: Site, _params: Params) -> Response:
        """The portal's sign-out button, posted: the invalidation flow runs through as far as it asks nothing."""
        sid = self.door.jar.read(request.cookies)
        check_csrf(self.door.jar, sid, request.form.get("_csrf", ""))
        flow = default_flow(call.settings, brand_for(call.settings, call.origin.host), "invalidation")
        if flow is None:
            raise not_found("There is no invalidation flow.")
        call, visitor = await self.door.visitor(request, call, site, {})
        reply = await self.door.executor.show(call, site.state, flow, visitor)
        return self.door.page(request, call, site, reply)

    async def be_oneself(self, request: Request, call: Call, site: Site, _params: Params) -> Response:
        """Stop acting as somebody else, by the button in the portal."""
        check_csrf(self.door.jar, self.door.jar.read(request.cookies), request.form.get("_csrf", ""))
        answer = await impersonate_end(call, site.state, None, {})
        if answer.changes:
            await site.state.commit(answer.changes, call.at)
        return redirect(f"{site.root_path}{_PORTAL}")

    async def cancel(self, request: Request, call: Call, site: Site, _params: Params) -> Response:
        """Drop the flow under way; on to a relative ``next``, else to the start."""
        call, visitor = await self.door.visitor(request, call, site, dict(iter(request.query)))
        await self.door.executor.cancel(call, site.state, visitor)
        onward = request.query.get("next", "")
        return redirect(f"{site.root_path}{onward if stays_here(onward) else '/'}")

    async def recover(self, request: Request, call: Call, site: Site, params: Params) -> Response:
        """A recovery link: opening it changes nothing (mail scanners open links); the button does."""
        found = await token.by_key(site.state, params["key"], request.at)
        user = await by_pk(site.state, found.user) if found and found.intent is token.IntentEnum.RECOVERY else None
        if found is None or user is None or not user.is_active:
            raise not_found("This link was used already, or its time is over. Ask for another one.")
        sid = self.door.jar.read(request.cookies)
        if request.method == "GET":
            key = sid or fresh()
            members = look(request, site, call.settings, csrf=self.door.jar.csrf(key))
            shown = render.Page(**members)  # type: ignore[arg-type]  # members of Page
            body = render.confirm_page(
                "Sign in with this link?",
                f"You will be signed in as {user.username}. The link works only once.",
                "Sign in",
                f"{site.root_path}{request.path}",
                shown,
            )
            response = page(body, str(members["nonce"]))
            if not sid:
                response.headers.extend(self.door.jar.make(key, secure=request.secure, at=request.at))
            return response
        check_csrf(self.door.jar, sid, request.form.get("_csrf", ""))
        new = fresh()
        begun, writes = sessions.start(
            call, user.pk, new, expires=call.at + _RECOVERED, auth={"method": "recovery", "args": {}, "amr": []}
        )
        changes = Changes()
        changes.write(Write(_USED, (found.pk,), expect=1, guard="row"), *writes)
        changes.event(
            call,
            "login",
            "authentik.core.recovery",
            {"auth_method": "recovery"},
            user={"pk": user.pk, "email": user.email, "username": user.username},
        )
        await site.state.commit(changes, call.at)
        response = redirect(f"{site.root_path}{_PORTAL}", 303)
        subject = uid(site.state, user.pk)
        response.headers.extend(
            self.door.jar.make(new, secure=request.secure, at=request.at, subject=subject, expires=begun.expires)
        )
        return response

    async def admin(self, _request: Request, _call: Call, _site: Site, _params: Params) -> Response:
        """The administration pages: not built yet."""
        raise Problem(
            Kind.NOT_BUILT,
            "The administration pages come with a later version. Until then use the API (see /api/v3/) "
            "or the command line.",
        )

    async def brand_css(self, _request: Request, call: Call, _site: Site, params: Params) -> Response:
        """A brand's own style sheet."""
        brand = call.settings.get(BRAND, params["file"].removesuffix(".css"))
        if brand is None or not brand.branding_custom_css:
            raise not_found()
        return Response(
            200, brand.branding_custom_css.encode(), b"text/css; charset=utf-8", [(b"cache-control", b"max-age=60")]
        )


def _matches(application: Application, needle: str) -> bool:
    words = f"{application.name} {application.meta_description} {application.meta_publisher} {application.group}"
    return needle.casefold() in words.casefold()


async def static(request: Request, _call: Call, _site: Site, _params: Params) -> Response:
    """A file of ours: exact look-up, precompressed, with an ETag."""
    asset = assets.lookup(request.path)
    if asset is None:
        raise not_found()
    headers = [
        (b"etag", asset.etag.encode()),
        (b"cache-control", asset.cache_control.encode()),
        (b"vary", b"accept-encoding"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; sandbox"),
    ]
    if request.header(b"if-none-match") == asset.etag:
        return Response(304, b"", headers=headers)
    kind = asset.content_type.encode()
    if "gzip" in request.header(b"accept-encoding") and asset.gzipped:
        return Response(200, asset.gzipped, kind, [*headers, (b"content-encoding", b"gzip")])
    return Response(200, asset.body, kind, headers)
