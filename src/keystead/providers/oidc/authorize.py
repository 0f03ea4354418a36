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
from keystead.flows.executor import REAUTHENTICATE
from keystead.flows.flow import FLOW, AuthenticationEnum, Flow, FlowDesignationEnum, prefix
from keystead.flows.ports import ConsentRequest, Permission, Visitor
from keystead.flows.stages.consent import CONSENT_STAGE, ConsentModeEnum
from keystead.kinds.call import Call
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State
from keystead.people.brand import brand_for
from keystead.people.person import person_of
from keystead.people.user import User
from keystead.policies import binding as policies
from keystead.providers.access import judge
from keystead.providers.consent import ONCE
from keystead.providers.oidc.claims import mappings, subject
from keystead.providers.oidc.finish import NAME, Data, finish, sent
from keystead.providers.oidc.grant import Parts
from keystead.providers.oidc.request import AGAIN, Asked, Untrusted, read, target
from keystead.providers.oidc.tokens import read_id
from keystead.providers.oidc.wire import Asking, ErrorPage, OidcRequest, Redirect, Refusal, Reply
from keystead.wire.form import Form
from keystead.wire.jws import JoseError

_LOG = log.get("providers.oidc.authorize")
SINCE: Final = "ks_since"
"""The parameter of ours with which a request comes back from signing in again: since when, and that we said so."""
_SINCE_LIFE: Final = 3_600_000_000  # microseconds
_OPEN: Final = frozenset(
    {AuthenticationEnum.NONE, AuthenticationEnum.REQUIRE_AUTHENTICATED, AuthenticationEnum.REQUIRE_REDIRECT}
)
"""Requirements that somebody signed in who was sent by a client meets."""


async def handle(request: OidcRequest, call: Call, state: State, parts: Parts) -> Reply:
    """Answer an authorization request, which comes as a query or as a form.

    :raises Problem: ``BUSY``.
    """
    form = request.form if request.form is not None else request.query
    try:
        to = target(call, form, request.root)
    except Untrusted as exc:
        _LOG.warning("an authorization request was refused", reason=str(exc), request_id=call.request_id)
        return exc.page
    try:
        return await _authorize(request, call, state, parts, read(call, _without(form, SINCE), to), form)
    except Refusal as refusal:
        _LOG.info(
            "an authorization was refused", error=refusal.error, reason=refusal.reason, request_id=call.request_id
        )
        return to.refusal(refusal)


def _without(form: Form, name: str) -> Form:
    return Form(tuple((key, value) for key, value in form if key != name))


async def _authorize(
    request: OidcRequest, call: Call, state: State, parts: Parts, asked: Asked, form: Form
) -> Reply:
    visitor = request.visitor
    if visitor is None:
        raise Problem(Fault.INTERNAL, "The door sent no visitor.")
    user = visitor.user
    again = user is not None and await _again(call, state, request, visitor, user, asked, form)
    if user is None or again:
        if "none" in asked.prompt:
            raise Refusal("login_required", "Nobody is signed in, or not recently enough.")
        return await _sign_in(request, call, state, parts, visitor, asked, form, again=again)
    denied = await _denied(call, state, parts, asked, user)
    if denied is not None:
        return denied
    return await _agree(call, state, parts, visitor, user, asked)


async def _again(
    call: Call, state: State, request: OidcRequest, visitor: Visitor, user: User, asked: Asked, form: Form
) -> bool:
    """Whether the person has to sign in, though somebody is signed in."""
    if asked.id_token_hint and not await _hinted(call, state, request, user, asked):
        return True
    if not (asked.prompt & AGAIN) and asked.max_age is None:
        return False
    if _since(call, state, visitor, form):
        return False
    if asked.prompt & AGAIN:
        return True
    auth_time = visitor.session.auth.get("auth_time") if visitor.session else None
    age = unix(call.at) - auth_time if isinstance(auth_time, int) else None
    return age is None or asked.max_age is None or age >= asked.max_age


async def _hinted(call: Call, state: State, request: OidcRequest, user: User, asked: Asked) -> bool:
    """Whether ``user`` is the one that the client's hint is about.

    :raises Refusal: ``invalid_request``: the hint is none of ours.
    """
    to = asked.target
    try:
        hint = read_id(call, to.provider, to.application, asked.id_token_hint, request.root)
    except JoseError as exc:
        raise Refusal("invalid_request", "id_token_hint is not an ID token of this client.", reason=str(exc)) from None
    return hint.text("sub") == subject(to.provider, await person_of(state, user))


def _stamp(state: State, at: int, form: Form) -> str:
    about = msgspec.json.encode(sorted(_without(form, SINCE))).decode()
    return f"{at}.{state.vault.sign('oauth2/since', f'{at}/{about}')}"


def _since(call: Call, state: State, visitor: Visitor, form: Form) -> bool:
    """Whether the person signed in since we sent them to, for this very request."""
    text = form.get(SINCE, "")
    number = text.partition(".")[0]
    at = int(number) if number.isascii() and number.isdigit() and len(number) < 18 else 0  # noqa: PLR2004 - microseconds
    if text != _stamp(state, at, form) or not micros(call.at) - _SINCE_LIFE < at <= micros(call.at):
        return False
    return visitor.session is not None and micros(visitor.session.created) >= at


async def _sign_in(
    request: OidcRequest,
    call: Call,
    state: State,
    parts: Parts,
    visitor: Visitor,
    asked: Asked,
    form: Form,
    *,
    again: bool,
) -> Reply:
    """Send the browser to sign in, and from there back to this request."""
    pairs = list(_without(form, SINCE))
    if asked.prompt & AGAIN or asked.max_age is not None:
        pairs.append((SINCE, _stamp(state, micros(call.at), form)))
    back = f"{prefix(call)}{request.path}?{urlencode(pairs)}"
    flow = _authentication_flow(call, asked)
    if flow is None:
        raise Refusal("server_error", "There is no flow in which to sign in.")
    if not again and not asked.login_hint:
        # The page of the flow plans the run itself; nothing is kept for people who only look.
        return Redirect(f"{prefix(call)}/if/flow/{flow.slug}/?{urlencode({'next': back})}")
    context: dict[str, object] = {
        "application": asked.target.application.pk,
        "redirect": back,
        "is_redirected": True,
        REAUTHENTICATE: True,
    }
    if asked.login_hint:
        context["pending_user_identifier"] = asked.login_hint
    return await _begin(call, state, parts, flow, visitor, context, back)


def _authentication_flow(call: Call, asked: Asked) -> Flow | None:
    """The provider's own, else the brand's, else the first there is."""
    brand = brand_for(call.settings, call.origin.host)
    for pk in (asked.target.provider.authentication_flow, brand.flow_authentication):
        if pk is not None and (flow := call.settings.get(FLOW, pk)) is not None:
            return flow
    every = call.settings.all(FLOW)
    return next((one for one in every if one.designation is FlowDesignationEnum.AUTHENTICATION), None)


async def _begin(
    call: Call,
    state: State,
    parts: Parts,
    flow: Flow,
    visitor: Visitor,
    context: dict[str, object],
    back: str = "",
) -> Reply:
    """Start ``flow`` and send the browser where it stands."""
    shown = await parts.executor.begin(call, state, flow, replace(visitor, query={}), context)
    if not shown.ended:
        query = f"?{urlencode({'next': back})}" if back else ""
        return Redirect(f"{prefix(call)}/if/flow/{flow.slug}/{query}", shown.visitor)
    return Redirect(shown.to, shown.visitor) if shown.to else Asking(flow, shown)


async def _denied(call: Call, state: State, parts: Parts, asked: Asked, user: User) -> ErrorPage | None:
    """What to tell somebody who may not use the application; None if they may.

    :raises Refusal: ``access_denied``, where no page may be shown.
    """
    application = asked.target.application
    context: dict[str, object] = {"oauth_scopes": list(asked.scope)}
    verdict = await judge(parts.engine, call, state, application, user, context)
    if verdict.passing:
        return None
    _LOG.info("access was denied", user=user.pk, application=application.slug, request_id=call.request_id)
    if "none" in asked.prompt:
        raise Refusal("access_denied", "The user may not use this application.")
    text = " ".join(verdict.messages) or f"You may not use {application.name}."
    return ErrorPage(403, "Access denied", text, "access_denied")


async def _agree(
    call: Call, state: State, parts: Parts, visitor: Visitor, user: User, asked: Asked
) -> Reply:
    """Lead the person through the provider's authorization flow; at its end stands the code."""
    provider, application = asked.target.provider, asked.target.application
    flow = call.settings.get(FLOW, provider.authorization_flow)
    if flow is None:
        raise Refusal("server_error", "The provider has no authorization flow.")
    data = Data.of(asked, user.pk)
    if _silent(call.settings, flow):
        done = await finish(call, state, visitor, msgspec.to_builtins(data))
        await state.commit(done.changes, call.at)
        return sent(done)
    insists = "consent" in asked.prompt or _unsure(asked)
    request = ConsentRequest(application.pk, _permissions(call.settings, asked, insists=insists))
    if "none" in asked.prompt:
        await _undisturbed(call, state, parts, flow, user, request)
    context: dict[str, object] = {
        "application": application.pk,
        "is_redirected": True,
        "consent": msgspec.to_builtins(request),
        "oauth_scopes": list(asked.scope),
        "finish": {"by": NAME, **msgspec.to_builtins(data)},
    }
    reply = await _begin(call, state, parts, flow, visitor, context)
    if "none" in asked.prompt and not (isinstance(reply, Redirect) and reply.url.startswith(asked.target.redirect_uri)):
        await parts.executor.cancel(call, state, visitor)
        raise Refusal("interaction_required", "The authorization flow wants to ask something.")
    return reply


def _silent(settings: Snapshot, flow: Flow) -> bool:
    """Whether ``flow`` asks nothing and refuses nobody, so that it need not be run."""
    return (
        flow.authentication in _OPEN
        and not bindings_of(settings, flow.pk)
        and not policies.bindings_of(settings, flow.pk)
    )


def _unsure(asked: Asked) -> bool:
    """Whether anybody could have sent this request in the client's name, so that a consent of before says nothing.

    A client without a secret is known by its redirect URI alone, and on a person's own machine that is anybody's
    (RFC 8252 §8.6).
    """
    return asked.target.provider.public and not asked.target.redirect_uri.lower().startswith("https://")


def _permissions(settings: Snapshot, asked: Asked, *, insists: bool) -> tuple[Permission, ...]:
    """What the person is asked to allow: the scopes that have something to say about themselves."""
    known = mappings(settings, asked.target.provider)
    found = [
        Permission(scope, mapping.description)
        for scope in asked.scope
        for mapping in known.get(scope, ())
        if mapping.description
    ]
    once = [Permission(ONCE, "To be asked this time, whatever you allowed before")] if insists else []
    return tuple({one.id: one for one in (*found, *once)}.values())


async def _undisturbed(
    call: Call, state: State, parts: Parts, flow: Flow, user: User, request: ConsentRequest
) -> None:
    """Make sure that the flow has nothing to ask of somebody who must not be asked.

    :raises Refusal: ``consent_required`` or ``interaction_required``.
    """
    store = parts.executor.ports.consents
    for binding in bindings_of(call.settings, flow.pk):
        stage = call.settings.get(CONSENT_STAGE, binding.stage)
        if stage is None:
            raise Refusal("interaction_required", "The authorization flow wants to ask something.")
        given = None
        if store is not None and stage.mode is not ConsentModeEnum.ALWAYS_REQUIRE:
            given = await store.load(call, state, user.pk, request.application)
        if given is None or any(one.id not in given for one in request.permissions):
            raise Refusal("consent_required", "The user has not allowed the application this.")
