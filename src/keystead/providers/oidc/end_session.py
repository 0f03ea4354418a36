"""End session: a client asks that a person be signed out (OIDC RP-Initiated Logout 1.0).

Only a valid ``id_token_hint`` about the person at this browser counts as their own wish; without it they are asked, so
no other site can sign them out. What happens then is the provider's invalidation flow; afterwards the tokens that this
client got in this session are worthless, and the browser goes to a registered address or to a page that says what is
left.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import msgspec

from keystead.base import log
from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem
from keystead.base.secret import Secret
from keystead.flows.challenge import flow_path
from keystead.flows.flow import FLOW, prefix
from keystead.flows.ports import Finish, Visitor
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.state import State
from keystead.people.brand import brand_for
from keystead.people.person import person_of
from keystead.people.shown import avatar
from keystead.providers.application import APPLICATION, Application, launch_url
from keystead.providers.oidc import family, redirects
from keystead.providers.oidc.claims import subject
from keystead.providers.oidc.discovery import speaker
from keystead.providers.oidc.grant import Parts
from keystead.providers.oidc.provider import OAuth2Provider
from keystead.providers.oidc.tokens import Read, read_id
from keystead.providers.oidc.wire import OidcRequest, Refusal, Reply, bad, one
from keystead.providers.pages import Asking, Confirm, ErrorPage, Redirect
from keystead.providers.redirect_uri import RedirectURITypeEnum
from keystead.wire.form import Form
from keystead.wire.jws import JoseError

_LOG = log.get("providers.oidc.end_session")
NAME: Final = "oauth2_logout"
"""Under which name flows know this finisher."""
CONFIRMED: Final = "ks_confirmed"
"""The parameter of ours that only our own page can fill in."""
_FORWARDED: Final = ("id_token_hint", "post_logout_redirect_uri", "state", "client_id")
_SESSION_END: Final = "ak-stage-session-end"


class Ending(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a run keeps of the request it answers, on the server.

    :param session: the session's uuid, or empty.
    :param to: where the browser goes, or empty.
    """

    provider: int
    application: str
    session: str = ""
    to: str = ""
    username: str = ""
    name: str = ""


async def handle(request: OidcRequest, call: Call, state: State, parts: Parts) -> Reply:
    """Answer a request to sign out.

    :raises Problem: ``BUSY``.
    """
    found, visitor = speaker(call.settings, request.slug), request.visitor
    if found is None:
        return ErrorPage(404, "Not found", "There is no such application here.")
    if visitor is None:
        raise Problem(Fault.INTERNAL, "The door sent no visitor.")
    provider, application = found
    form = request.form if request.form is not None else request.query
    try:
        hint = _hint(request, call, provider, application, form)
        to = _destination(provider, form)
    except Refusal as refusal:
        _LOG.warning("a logout request was refused", reason=refusal.reason, request_id=call.request_id)
        return ErrorPage(400, "This request cannot be answered", refusal.description, refusal.error)
    if visitor.session is None and to:
        return Redirect(to)
    wanted = hint is not None and await _about(state, provider, visitor, hint)
    proof = _proof(state, visitor, application, to)
    if visitor.user is not None and not wanted and not _confirmed(request, proof):
        return Confirm(
            url=f"{prefix(call)}{request.path}",
            title="Sign out?",
            message=f"{application.name} asks to sign you out. You are signed in as {visitor.user.username}.",
            button="Sign out",
            fields={**{name: form.get(name, "") for name in _FORWARDED if form.get(name)}, CONFIRMED: proof},
        )
    return await _end(call, state, parts, visitor, provider, application, to)


def _hint(
    request: OidcRequest, call: Call, provider: OAuth2Provider, application: Application, form: Form
) -> Read | None:
    """The hint, checked; it may have run out.

    :raises Refusal: ``invalid_request``: it is none of ours, or speaks for another client than the request.
    """
    client_id, text = one(form, "client_id"), one(form, "id_token_hint")
    if client_id and client_id != provider.client_id:
        bad("client_id is not the client of this address.")
    if not text:
        return None
    try:
        return read_id(call, provider, application, text, request.root)
    except JoseError as exc:
        raise Refusal("invalid_request", "id_token_hint is not an ID token of this client.", reason=str(exc)) from None


def _destination(provider: OAuth2Provider, form: Form) -> str:
    """Where the client wants the browser sent; empty if it does not say.

    Clients registered before addresses had types have none of type logout; for them any registered one will do.

    :raises Refusal: ``invalid_request``: the address is not registered.
    """
    given, value = one(form, "post_logout_redirect_uri"), one(form, "state")
    if not given:
        return ""
    typed = any(uri.redirect_uri_type is RedirectURITypeEnum.LOGOUT for uri in provider.redirect_uris)
    use = RedirectURITypeEnum.LOGOUT if typed else RedirectURITypeEnum.AUTHORIZATION
    if not redirects.registered(provider.redirect_uris, given, use):
        bad("post_logout_redirect_uri is not registered for this client.")
    return redirects.with_parameters(given, [("state", value)]) if value else given


async def _about(state: State, provider: OAuth2Provider, visitor: Visitor, hint: Read) -> bool:
    """Whether the hint is about the person, or the very session, at this browser."""
    if visitor.session is not None and hint.text("sid") == visitor.session.digest:
        return True
    return visitor.user is not None and hint.text("sub") == subject(provider, await person_of(state, visitor.user))


def _proof(state: State, visitor: Visitor, application: Application, to: str) -> str:
    """What only a page that we showed to this browser, about this very request, can send back."""
    return state.vault.sign("oauth2/logout", msgspec.json.encode([visitor.sid, application.pk, to]).decode())


def _confirmed(request: OidcRequest, proof: str) -> bool:
    return request.form is not None and Secret(proof).matches(request.form.get(CONFIRMED, ""))


async def _end(
    call: Call,
    state: State,
    parts: Parts,
    visitor: Visitor,
    provider: OAuth2Provider,
    application: Application,
    to: str,
) -> Reply:
    """Run the provider's invalidation flow; at its end stands :func:`finish`."""
    user, session = visitor.user, visitor.session
    data = Ending(
        provider=provider.pk,
        application=application.pk,
        session=session.uuid if session else "",
        to=to,
        username=user.username if user else "",
        name=user.name if user else "",
    )
    flow = call.settings.get(FLOW, provider.invalidation_flow)
    if flow is None:
        return ErrorPage(500, "Cannot sign out", "The application has no flow for signing out.", "server_error")
    context: dict[str, object] = {
        "application": application.pk,
        "is_redirected": True,
        "finish": {"by": NAME, **msgspec.to_builtins(data)},
    }
    shown = await parts.executor.begin(call, state, flow, replace(visitor, query={}), context)
    if not shown.ended:
        return Redirect(flow_path(call, flow.slug, {}), shown.visitor)
    return Redirect(shown.to, shown.visitor) if shown.to else Asking(flow, shown)


async def finish(call: Call, _state: State, _visitor: Visitor, data: Mapping[str, object]) -> Finish:
    """End what the client was granted in this session, and say where the browser goes."""
    kept = msgspec.convert({key: value for key, value in data.items() if key != "by"}, Ending)
    changes = Changes()
    if kept.session:
        changes.write(family.revoke_session(call, kept.session, kept.provider))
    if kept.to:
        return Finish(changes, to=kept.to)
    application = call.settings.get(APPLICATION, kept.application)
    brand = brand_for(call.settings, call.origin.host)
    flow = call.settings.get(FLOW, brand.flow_invalidation) if brand.flow_invalidation else None
    members: dict[str, object] = {
        "component": _SESSION_END,
        "pending_user": kept.username,
        "pending_user_avatar": avatar(kept.username, kept.name) if kept.username else "",
        "brand_name": brand.branding_title,
    }
    if application is not None:
        members["application_name"] = application.name
        if url := launch_url(call.settings, application, {"username": kept.username, "name": kept.name}):
            members["application_launch_url"] = url
    if flow is not None:
        members["invalidation_flow_url"] = flow_path(call, flow.slug, {})
    return Finish(changes, to=f"{prefix(call)}/", challenge=members)
