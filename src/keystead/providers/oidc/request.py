"""An authorization request, read once: first whether there is anywhere to answer to, then everything else.

Until client and redirect URI are known to belong together nothing is ever sent anywhere (RFC 9700 §4.11). Afterwards
every refusal goes back to the client, with ``state`` and ``iss``.
"""

from typing import Final

import msgspec

from keystead.kinds.call import Call
from keystead.providers import application as applications
from keystead.providers.application import Application
from keystead.providers.oidc import redirects
from keystead.providers.oidc.claims import granted_scopes
from keystead.providers.oidc.issuer import issuer
from keystead.providers.oidc.provider import GrantTypeEnum, OAuth2Provider, by_client_id
from keystead.providers.oidc.wire import Refusal, bad, one, scopes
from keystead.providers.pages import ErrorPage, FormPost, Redirect
from keystead.providers.redirect_uri import RedirectURITypeEnum
from keystead.wire import pkce
from keystead.wire.form import Form

MODES: Final = ("query", "fragment", "form_post")
PROMPTS: Final = frozenset({"none", "login", "consent", "select_account"})
AGAIN: Final = frozenset({"login", "select_account"})
"""Prompts that want the person to sign in again, or as somebody else."""
_MAX_AGE: Final = 10
"""Digits of a ``max_age``; ten are three centuries."""
_MAX_VALUE: Final = 4096
"""Characters of a ``state`` or ``nonce``, which we keep or send back."""
_UNSUPPORTED: Final = {
    "request": "request_not_supported",
    "request_uri": "request_uri_not_supported",
    "registration": "registration_not_supported",
}


class Untrusted(Exception):  # noqa: N818 - as Refusal
    """There is nowhere to answer to: the person is told, and the browser stays."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.page = ErrorPage(400, "This request cannot be answered", message, code)


class Target(msgspec.Struct, frozen=True):
    """Where answers go, and what goes with each of them.

    :param state: the client's own, or empty.
    :param issuer: ``iss``, so that no client takes our answer for another server's (RFC 9207).
    """

    provider: OAuth2Provider
    application: Application
    redirect_uri: str
    mode: str
    state: str
    issuer: str

    def answer(self, **parameters: str) -> Redirect | FormPost:
        """The client's answer in its response mode; empty parameters are left out."""
        fields = {name: value for name, value in parameters.items() if value}
        if self.state:
            fields["state"] = self.state
        fields["iss"] = self.issuer
        if self.mode == "form_post":
            return FormPost(self.redirect_uri, fields, title=self.application.name)
        fragment = self.mode == "fragment"
        return Redirect(redirects.with_parameters(self.redirect_uri, fields.items(), fragment=fragment))

    def refusal(self, refusal: Refusal) -> Redirect | FormPost:
        """A refusal, sent to the client."""
        return self.answer(error=refusal.error, error_description=refusal.description)


class Asked(msgspec.Struct, frozen=True):
    """A whole and proper request.

    :param scope: what of the scopes asked for there is.
    :param max_age: seconds since the last sign-in, at most; None: whatever.
    """

    target: Target
    scope: tuple[str, ...]
    nonce: str
    challenge: str
    method: str
    prompt: frozenset[str]
    max_age: int | None
    login_hint: str
    id_token_hint: str


def target(call: Call, form: Form, root: str) -> Target:
    """Where the request may be answered.

    :raises Untrusted: nowhere.
    """
    try:
        client_id, redirect_uri = one(form, "client_id"), one(form, "redirect_uri")
    except Refusal as refusal:
        raise Untrusted(refusal.description, refusal.error) from None
    provider = by_client_id(call.settings, client_id)
    application = applications.of_provider(call.settings, provider.pk) if provider else None
    if provider is None or application is None:
        raise Untrusted("The application that sent you here is not known (client_id).", "invalid_client")
    if not redirects.registered(provider.redirect_uris, redirect_uri, RedirectURITypeEnum.AUTHORIZATION):
        raise Untrusted(
            f"{application.name} wants to be answered at an address that is not registered for it (redirect_uri).",
            "invalid_request",
        )
    mode, states = form.all("response_mode"), form.all("state")
    return Target(
        provider=provider,
        application=application,
        redirect_uri=redirect_uri,
        mode=mode[0] if len(mode) == 1 and mode[0] in MODES else "query",
        state=states[0] if len(states) == 1 and len(states[0]) <= _MAX_VALUE else "",
        issuer=issuer(provider, application, root),
    )


def read(call: Call, form: Form, to: Target) -> Asked:
    """The rest of the request.

    :raises Refusal: with the code that the standards have for what is wrong.
    """
    names = [name for name, _ in form]
    if len(set(names)) != len(names):
        bad("A parameter is given more than once.")
    if unsupported := next((name for name in _UNSUPPORTED if one(form, name)), None):
        raise Refusal(_UNSUPPORTED[unsupported], f"The parameter {unsupported!r} is not supported.")
    if (mode := one(form, "response_mode")) and mode not in MODES:
        bad(f"response_mode must be one of {', '.join(MODES)}.")
    response_type = one(form, "response_type")
    if not response_type:
        bad("The parameter 'response_type' is missing.")
    if response_type != "code":
        raise Refusal("unsupported_response_type", "The only response_type here is code.")
    if GrantTypeEnum.AUTHORIZATION_CODE not in to.provider.grant_types:
        raise Refusal("unauthorized_client", "The client may not use authorization codes.")
    nonce = one(form, "nonce")
    if len(nonce) > _MAX_VALUE or len(one(form, "state")) > _MAX_VALUE:
        bad(f"state and nonce have at most {_MAX_VALUE} characters.")
    challenge, method = _pkce(form, to.provider)
    asked = scopes(one(form, "scope"))
    scope = granted_scopes(call.settings, to.provider, asked)
    if asked and not scope:
        raise Refusal("invalid_scope", "The provider offers none of these scopes.")
    return Asked(
        target=to,
        scope=scope,
        nonce=nonce,
        challenge=challenge,
        method=method,
        prompt=_prompt(form),
        max_age=_max_age(form),
        login_hint=one(form, "login_hint")[:255],
        id_token_hint=one(form, "id_token_hint"),
    )


def _pkce(form: Form, provider: OAuth2Provider) -> tuple[str, str]:
    """The challenge and its method; a public client must bring one, hashed (RFC 9700 §2.1.1)."""
    challenge, method = one(form, "code_challenge"), one(form, "code_challenge_method")
    if not challenge:
        if method:
            bad("code_challenge_method came without a code_challenge.")
        if provider.public:
            bad("A public client must send a code_challenge (PKCE).")
        return "", ""
    method = method or "plain"  # RFC 7636 §4.3
    if provider.public and method != "S256":
        bad("A public client must use code_challenge_method S256.")
    try:
        pkce.check_challenge(challenge, method=method)
    except pkce.PkceError as exc:
        bad(str(exc))
    return challenge, method


def _prompt(form: Form) -> frozenset[str]:
    prompt = frozenset(one(form, "prompt").split())
    if "none" in prompt and len(prompt) > 1:
        bad("prompt none stands alone.")
    return prompt & PROMPTS


def _max_age(form: Form) -> int | None:
    text = one(form, "max_age")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_AGE):
        bad("max_age is a number of seconds.")
    return int(text)
