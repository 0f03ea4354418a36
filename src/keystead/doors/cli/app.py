"""``keystead app``: applications."""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import click
import msgspec

from keystead.base import rand
from keystead.base.errors import invalid
from keystead.doors.cli.acting import act, checked, root_of, tell
from keystead.doors.cli.house import House
from keystead.doors.cli.options import address_option, configuration, place_options
from keystead.flows.flow import FLOW
from keystead.kinds.access import system
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.snapshot import Snapshot
from keystead.kinds.state import State
from keystead.providers.application import APPLICATION, Application
from keystead.providers.oidc.issuer import addresses
from keystead.providers.oidc.mapping import SCOPE_MAPPING
from keystead.providers.oidc.provider import OAUTH2_PROVIDER, OAuth2Provider
from keystead.trust.keypair import KEYPAIR

SIGNING_KEY: Final = "authentik Self-signed Certificate"
"""The pair that came with the installation, under the name clients of the contract look it up by."""
SCOPES: Final = ("openid", "email", "profile")
_MANAGED: Final = "goauthentik.io/providers/oauth2/scope-"
_CONSENT: Final = {
    False: "default-provider-authorization-implicit-consent",
    True: "default-provider-authorization-explicit-consent",
}
_INVALIDATION: Final = "default-provider-invalidation-flow"


class Wanted(NamedTuple):
    """The application to be made."""

    name: str
    slug: str
    redirects: Sequence[str]
    public: bool
    consent: bool
    scopes: Sequence[str]
    signing_key: str


@click.group
def app() -> None:
    """Create applications that people sign in to."""


@app.command
@click.argument("name")
@click.option("--slug", required=True, help="Short name in addresses; becomes part of the issuer.")
@click.option(
    "--redirect-uri",
    "redirects",
    metavar="URI",
    multiple=True,
    required=True,
    help="Where answers may go, exactly; may be repeated.",
)
@click.option("--public", is_flag=True, help="The application cannot keep a secret (browser, mobile): PKCE instead.")
@click.option("--ask-consent", is_flag=True, help="Ask people before the application learns about them.")
@click.option("--scope", "scopes", metavar="NAME", multiple=True, help="A scope beside openid, email and profile.")
@click.option("--signing-key", metavar="NAME", default=SIGNING_KEY, help="Certificate-key pair that signs tokens.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@address_option
@place_options
@click.pass_obj
def create(  # noqa: PLR0913 - one parameter for each flag
    house: Callable[[], House],
    /,
    name: str,
    slug: str,
    redirects: tuple[str, ...],
    *,
    public: bool,
    ask_consent: bool,
    scopes: tuple[str, ...],
    signing_key: str,
    as_json: bool,
    **flags: Any,  # noqa: ANN401 - what click read
) -> None:
    """Create an application called NAME with an OpenID Connect provider, and print what it needs to know."""
    config = configuration(**flags)
    wanted = Wanted(name, slug, redirects, public, ask_consent, (*SCOPES, *scopes), signing_key)
    root = root_of(config)
    made = act(house(), config, lambda call, state: _create(call, state, wanted, root))
    notes = () if config.web.base_url else (f"The addresses are for {root}; if people use another, give --base-url.",)
    tell(made, as_json=as_json, heading=f"Created {name}. The application needs:", notes=notes)


async def _create(call: Call, state: State, wanted: Wanted, root: str) -> dict[str, object]:
    key, application_key = await state.store.reserve("providers", 1), rand.uuid4()

    async def decide(call: Call) -> tuple[Changes, tuple[OAuth2Provider, Application]]:
        provider: OAuth2Provider = await checked(call, state, OAUTH2_PROVIDER, _provider(call.settings, wanted), key)
        body = {"name": wanted.name, "slug": wanted.slug}
        application: Application = await checked(call, state, APPLICATION, body, application_key)
        application = msgspec.structs.replace(application, provider=provider.pk)
        changes = Changes()
        # On the authority of whoever runs commands on this machine: the database and its key are theirs.
        changes.create(system(call, OAUTH2_PROVIDER, "add"), provider)
        changes.create(system(call, APPLICATION, "add"), application)
        return changes, (provider, application)

    return _needed(*await state.change(call, decide), wanted, root)


def _provider(settings: Snapshot, wanted: Wanted) -> dict[str, object]:
    """The provider as somebody would send it to the API."""
    pair = settings.by(KEYPAIR, "name", wanted.signing_key)
    if pair is None:
        names = ", ".join(sorted(one.name for one in settings.all(KEYPAIR) if one.key_data))
        raise invalid({"signing_key": [f"There is no pair called {wanted.signing_key}. There are: {names or 'none'}."]})
    return {
        "name": wanted.name,
        "authorization_flow": _flow(settings, _CONSENT[wanted.consent]),
        "invalidation_flow": _flow(settings, _INVALIDATION),
        "property_mappings": [_mapping(settings, scope) for scope in dict.fromkeys(wanted.scopes)],
        "client_type": "public" if wanted.public else "confidential",
        "redirect_uris": [{"matching_mode": "strict", "url": url} for url in wanted.redirects],
        "signing_key": pair.pk,
    }


def _flow(settings: Snapshot, slug: str) -> str:
    found = settings.by(FLOW, "slug", slug)
    if found is None:
        raise invalid({"flow": [f"The default flow {slug} is gone; make the provider through the API instead."]})
    return found.pk


def _mapping(settings: Snapshot, scope: str) -> str:
    """The mapping that came with the installation for a scope, else any other for it."""
    found = settings.by(SCOPE_MAPPING, "managed", _MANAGED + scope) or settings.by(SCOPE_MAPPING, "scope_name", scope)
    if found is None:
        raise invalid({"scope": [f"No scope mapping tells what the scope {scope} means."]})
    return found.pk


def _needed(provider: OAuth2Provider, application: Application, wanted: Wanted, root: str) -> dict[str, object]:
    places = addresses(provider, application, root)
    found: dict[str, object] = {"issuer": places.issuer, "client_id": provider.client_id}
    if not wanted.public:
        found["client_secret"] = provider.client_secret.reveal()
    return found | {
        "redirect_uris": list(wanted.redirects),
        "scopes": " ".join(dict.fromkeys(wanted.scopes)),
        "discovery": places.discovery,
        "authorization_endpoint": places.authorize,
        "token_endpoint": places.token,
        "userinfo_endpoint": places.userinfo,
        "jwks_uri": places.jwks,
        "end_session_endpoint": places.end_session,
    }
