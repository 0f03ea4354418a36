"""The authorization endpoint: who is there, may they, do they agree - then a code (RFC 6749 §4.1, OIDC Core §3.1.2)."""

from dataclasses import replace
from typing import Final
from urllib.parse import urlencode

import msgspec

from keystead.base import log
from keystead.base.clock import micros, unix
from keystead.base.errors import Kind as Fault
from keystead.base.errors import Problem
from keystead.flows.binding import bindings_of
from keystead.flows.challenge import flow_path
from keystead.flows.entry import REAUTHENTICATE
from keystead.flows.flow import FLOW, AuthenticationEnum, Flow, prefix
from keystead.flows.ports import ConsentRequest, Visitor
from keystead.kinds.call import Call
from keystead.kinds.state import State
from keystead.people.person import person_of
from keystead.people.user import User
from keystead.policies import binding as policies
from keystead.providers.access import judge
from keystead.providers.oidc.agreement import insists, permissions, undisturbed
from keystead.providers.oidc.claims import subject
from keystead.providers.oidc.finish import FINISHER, NAME, Data, sent
from keystead.providers.oidc.grant import Parts
from keystead.providers.oidc.request import AGAIN, Asked, Untrusted, read, target
from keystead.providers.oidc.tokens import read_id
from keystead.providers.oidc.wire import OidcRequest, Refusal, Reply
from keystead.providers.pages import Asking, ErrorPage, Redirect
from keystead.providers.sign_in import authentication_flow
from keystead.wire.form import Form
from keystead.wire.jws import JoseError

_LOG = log.get("providers.oidc.authorize")
SINCE: Final = "ks_since"
"""The parameter of ours with which a request comes back from signing in again: since when, and that we said so."""
_SINCE_LIFE: Final = 3_600_000_000  # microseconds
_DIGITS: Final = 17
_OPEN: Final = frozenset(
    {AuthenticationEnum.NONE, AuthenticationEnum.REQUIRE_AUTHENTICATED, AuthenticationEnum.REQUIRE_REDIRECT}
)
"""Requirements that somebody signed in who was sent by a client meets."""


class _Visit(msgspec.Struct, frozen=True):
    """One visit to the endpoint.

    :param form: the request's parameters, without ours.
    :param since: our own parameter, or empty.
    """

    request: OidcRequest
    call: Call
    state: State
    parts: Parts
    visitor: Visitor
    form: Form
    since: str
    asked: Asked

    @property
    def quiet(self) -> bool:
        """Whether the person must not be disturbed."""
        return "none" in self.asked.prompt


async def handle(request: OidcRequest, call: Call, state: State, parts: Parts) -> Reply:
    """Answer an authorization request, which comes as a query or as a form.

    :raises Problem: ``BUSY``.
    """
    if request.visitor is None:
        raise Problem(Fault.INTERNAL, "The door sent no visitor.")
    form = request.form if request.form is not None else request.query
    try:
        to = target(call, form, request.root)
    except Untrusted as exc:
        _LOG.warning("an authorization request was refused", reason=str(exc), request_id=call.request_id)
        return exc.page
    try:
        theirs = Form(tuple((name, value) for name, value in form if name != SINCE))
        asked = read(call, theirs, to)
        return await _authorize(
            _Visit(request, call, state, parts, request.visitor, theirs, form.get(SINCE, ""), asked)
        )
    except Refusal as refusal:
        _LOG.info("no authorization", error=refusal.error, reason=refusal.reason, request_id=call.request_id)
        return to.refusal(refusal)


async def _authorize(visit: _Visit) -> Reply:
    user = visit.visitor.user
    again = user is not None and await _again(visit, user)
    if user is None or again:
        if visit.quiet:
            raise Refusal("login_required", "Nobody is signed in, or not recently enough.")
        return await _sign_in(visit, again=again)
    return await _denied(visit, user) or await _agree(visit, user)


async def _again(visit: _Visit, user: User) -> bool:
    """Whether the person has to sign in, though somebody is signed in."""
    asked = visit.asked
    if asked.id_token_hint and not await _hinted(visit, user):
        return True
    insisted = bool(asked.prompt & AGAIN)
    if (not insisted and asked.max_age is None) or _signed_in_since(visit):
        return False
    session = visit.visitor.session
    auth_time = session.auth.get("auth_time") if session else None
    if insisted or not isinstance(auth_time, int):
        return True
    return asked.max_age is not None and unix(visit.call.at) - auth_time >= asked.max_age


async def _hinted(visit: _Visit, user: User) -> bool:
    """Whether ``user`` is the one that the client's hint is about.

    :raises Refusal: ``invalid_request``: the hint is none of ours.
    """
    to = visit.asked.target
    try:
        hint = read_id(visit.call, to.provider, to.application, visit.asked.id_token_hint, visit.request.root)
    except JoseError as exc:
        raise Refusal("invalid_request", "id_token_hint is not an ID token of this client.", reason=str(exc)) from None
    return hint.text("sub") == subject(to.provider, await person_of(visit.state, user))


def _stamp(visit: _Visit, at: int) -> str:
    """An instant, tied to this very request by our signature."""
    about = msgspec.json.encode(sorted(visit.form)).decode()
    return f"{at}.{visit.state.vault.sign('oauth2/since', f'{at}/{about}')}"


def _signed_in_since(visit: _Visit) -> bool:
    """Whether the person signed in since we sent them to, for this very request."""
    number, now = visit.since.partition(".")[0], micros(visit.call.at)
    at = int(number) if number.isascii() and number.isdigit() and len(number) <= _DIGITS else 0
    if visit.since != _stamp(visit, at) or not now - _SINCE_LIFE < at <= now:
        return False
    session = visit.visitor.session
    return session is not None and micros(session.created) >= at


async def _sign_in(visit: _Visit, *, again: bool) -> Reply:
    """Send the browser to sign in, and from there back to this request."""
    call, asked = visit.call, visit.asked
    pairs = list(visit.form)
    if asked.prompt & AGAIN or asked.max_age is not None:
        pairs.append((SINCE, _stamp(visit, micros(call.at))))
    back = f"{prefix(call)}{visit.request.path}?{urlencode(pairs)}"
    flow = authentication_flow(call, asked.target.provider.authentication_flow)
    if flow is None:
        raise Refusal("server_error", "There is no flow in which to sign in.")
    if not again and not asked.login_hint:
        # The page of the flow plans the run itself; nothing is kept for people who only look.
        return Redirect(flow_path(call, flow.slug, {"next": back}))
    context: dict[str, object] = {
        "application": asked.target.application.pk,
        "redirect": back,
        "is_redirected": True,
        REAUTHENTICATE: True,
    }
    if asked.login_hint:
        context["pending_user_identifier"] = asked.login_hint
    return await _begin(visit, flow, context, back)


async def _begin(visit: _Visit, flow: Flow, context: dict[str, object], back: str = "") -> Reply:
    """Start ``flow``, and send the browser to where it stands."""
    visitor = replace(visit.visitor, query={})
    shown = await visit.parts.executor.begin(visit.call, visit.state, flow, visitor, context)
    if not shown.ended:
        return Redirect(flow_path(visit.call, flow.slug, {"next": back} if back else {}), shown.visitor)
    return Redirect(shown.to, shown.visitor) if shown.to else Asking(flow, shown)


async def _denied(visit: _Visit, user: User) -> ErrorPage | None:
    """What to tell somebody who may not use the application; None if they may.

    :raises Refusal: ``access_denied``, where no page may be shown.
    """
    application = visit.asked.target.application
    context: dict[str, object] = {"oauth_scopes": list(visit.asked.scope)}
    verdict = await judge(visit.parts.engine, visit.call, visit.state, application, user, context)
    if verdict.passing:
        return None
    _LOG.info("access denied", user=user.pk, application=application.slug, request_id=visit.call.request_id)
    if visit.quiet:
        raise Refusal("access_denied", "The user may not use this application.")
    text = " ".join(verdict.messages) or f"You may not use {application.name}."
    return ErrorPage(403, "Access denied", text, "access_denied")


async def _agree(visit: _Visit, user: User) -> Reply:
    """Lead the person through the provider's authorization flow; at its end stands the code."""
    call, state, asked, executor = visit.call, visit.state, visit.asked, visit.parts.executor
    provider, application = asked.target.provider, asked.target.application
    flow = call.settings.get(FLOW, provider.authorization_flow)
    if flow is None:
        raise Refusal("server_error", "The provider has no authorization flow.")
    data = msgspec.to_builtins(Data.of(asked, user.pk))
    if _asks_nothing(call, flow):
        done = await FINISHER(call, state, visit.visitor, data)
        await state.commit(done.changes, call.at)
        return sent(done)
    request = ConsentRequest(application.pk, permissions(call.settings, asked, once=insists(asked)))
    if visit.quiet:
        await undisturbed(call, state, executor.ports.consents, flow, user, request)
    context: dict[str, object] = {
        "application": application.pk,
        "is_redirected": True,
        "consent": msgspec.to_builtins(request),
        "oauth_scopes": list(asked.scope),
        "finish": {"by": NAME, **data},
    }
    reply = await _begin(visit, flow, context)
    if visit.quiet and not _is_answer(reply, asked):
        await executor.cancel(call, state, visit.visitor)
        raise Refusal("interaction_required", "The authorization flow wants to ask something.")
    return reply


def _asks_nothing(call: Call, flow: Flow) -> bool:
    """Whether ``flow`` asks nothing and refuses nobody, so that it need not be run."""
    empty = not bindings_of(call.settings, flow.pk) and not policies.bindings_of(call.settings, flow.pk)
    return empty and flow.authentication in _OPEN


def _is_answer(reply: Reply, asked: Asked) -> bool:
    """Whether ``reply`` is the client's answer, and no page."""
    to = asked.target.redirect_uri
    if isinstance(reply, Asking):
        return (reply.shown.challenge or {}).get("url") == to
    return isinstance(reply, Redirect) and reply.url.startswith(to)
