"""ProxyProvider: what a proxy in front of an application needs to know; towards us it is an OAuth2 client."""

import enum
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec

from keystead.base import rand
from keystead.base.errors import invalid
from keystead.base.secret import Secret
from keystead.kinds.call import Call
from keystead.kinds.kind import Filter, Kind, steady
from keystead.kinds.marks import HIDDEN, READ_ONLY, UNIQUE, Duration, OnDelete, Ref, Text, Uuid
from keystead.kinds.state import State
from keystead.providers import filters
from keystead.providers.application import assigned
from keystead.providers.forms import WebAddress
from keystead.providers.outposts import Served, outpost_names
from keystead.providers.redirect_uri import MatchingModeEnum, RedirectURI

_FLOW: Final = "authentik_flows.flow"
_KEYPAIR: Final = "authentik_crypto.certificatekeypair"
_OAUTH2: Final = "authentik_providers_oauth2.oauth2provider"
_SIGNED_IN: Final = "?X-authentik-auth-callback=true"
"""How an answer that comes back to a proxy is known for one, on whatever path."""


class ProxyMode(enum.StrEnum):
    """Where the proxy stands."""

    PROXY = "proxy"
    FORWARD_SINGLE = "forward_single"
    FORWARD_DOMAIN = "forward_domain"


def _secret(length: int) -> Secret:
    return Secret(rand.alphanumeric(length))


class ProxyProvider(msgspec.Struct, frozen=True, kw_only=True):
    """A proxy in front of an application.

    :param client_id: the proxy's own name as an OAuth2 client, drawn here; so are its secret and that of its cookies.
    :param internal_host: where the application is; demanded where the proxy passes requests on itself.
    :param external_host: where people reach the application.
    :param skip_path_regex: regular expressions, one a line; requests for what they match pass without signing in.
    :param basic_auth_enabled: tell the application a name and a password from two attributes of the person.
    :param mode: whether the proxy passes requests on, or only answers another proxy's questions, for one host or a
        whole domain.
    :param intercept_header_auth: the ``Authorization`` header of a request is for the proxy.
    :param cookie_domain: the domain whose hosts share a session.
    """

    pk: Annotated[int, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    authentication_flow: Annotated[Uuid, Ref(_FLOW, OnDelete.SET_NULL)] | None = None
    authorization_flow: Annotated[Uuid, Ref(_FLOW)]
    invalidation_flow: Annotated[Uuid, Ref(_FLOW)]
    property_mappings: tuple[Annotated[Uuid, Ref("propertymappings", OnDelete.CASCADE_MANY)], ...] = ()
    client_id: Annotated[str, READ_ONLY, UNIQUE] = msgspec.field(default_factory=lambda: rand.alphanumeric(40))
    client_secret: Annotated[Secret, HIDDEN] = msgspec.field(default_factory=lambda: _secret(128))
    cookie_secret: Annotated[Secret, HIDDEN] = msgspec.field(default_factory=lambda: _secret(32))
    internal_host: WebAddress = ""
    external_host: Annotated[WebAddress, msgspec.Meta(min_length=1)]
    internal_host_ssl_validation: bool = True
    certificate: Annotated[Uuid, Ref(_KEYPAIR, OnDelete.SET_NULL)] | None = None
    skip_path_regex: str = ""
    basic_auth_enabled: bool = False
    basic_auth_password_attribute: str = ""
    basic_auth_user_attribute: str = ""
    mode: ProxyMode = ProxyMode.PROXY
    intercept_header_auth: bool = True
    cookie_domain: str = ""
    jwt_federation_sources: tuple[Annotated[Uuid, Ref("sources", OnDelete.CASCADE_MANY)], ...] = ()
    jwt_federation_providers: tuple[Annotated[int, Ref(_OAUTH2, OnDelete.CASCADE_MANY)], ...] = ()
    access_token_validity: Duration = "hours=1"  # noqa: S105 - a length of time
    refresh_token_validity: Duration = "days=30"  # noqa: S105 - as above

    @property
    def launch_url(self) -> str:
        """Where the application is opened when it says nothing itself."""
        return self.external_host


class ProxyShown(Served):
    """The computed members of a proxy provider.

    :param redirect_uris: where answers to the proxy may go, made from ``external_host``.
    """

    redirect_uris: list[RedirectURI]


def redirect_uris(provider: ProxyProvider) -> list[RedirectURI]:
    """Where answers to the proxy may go (outposts.md §6)."""
    host = provider.external_host.rstrip("/")
    paths = ("/outpost.goauthentik.io/callback", "")
    return [RedirectURI(matching_mode=MatchingModeEnum.STRICT, url=host + path + _SIGNED_IN) for path in paths]


@steady
async def view(
    call: Call, _state: State, providers: Sequence[ProxyProvider], _query: Mapping[str, Sequence[str]]
) -> list[ProxyShown]:
    """For whom they speak, which outposts work for them, and where their answers go."""
    return [
        ProxyShown(
            **msgspec.structs.asdict(assigned(call.settings, one.pk)),
            outpost_set=outpost_names(call.settings, PROXY_PROVIDER, one.pk),
            redirect_uris=redirect_uris(one),
        )
        for one in providers
    ]


async def rules(_call: Call, _state: State, _old: ProxyProvider | None, new: ProxyProvider) -> ProxyProvider:
    """Each mode has what it needs (rest.md §11)."""
    if new.mode is ProxyMode.PROXY and not new.internal_host:
        raise invalid({"internal_host": ["In the mode “proxy”, tell where the application is."]})
    if new.basic_auth_enabled:
        names = ("basic_auth_user_attribute", "basic_auth_password_attribute")
        told = "Basic authentication needs the name of this attribute."
        if missing := {name: [told] for name in names if not getattr(new, name)}:
            raise invalid(missing)
    for line in new.skip_path_regex.splitlines():
        try:
            with warnings.catch_warnings(action="ignore"):  # of what Go, which will read it, reads as we do
                re.compile(line)
        except (re.error, OverflowError, RecursionError) as exc:
            raise invalid({"skip_path_regex": [f"{line[:100]!r} is not a regular expression: {exc}."]}) from None
    return new


PROXY_PROVIDER: Kind[ProxyProvider] = Kind(
    model="authentik_providers_proxy.proxyprovider",
    struct=ProxyProvider,
    path="providers/proxy",
    title=("Proxy Provider", "Proxy Providers"),
    key_name="id",
    family="providers",
    component="ak-provider-proxy-form",
    shown=ProxyShown,
    view=view,
    rules=rules,
    filters=(
        filters.UNASSIGNED,
        filters.FLOW_SLUG,
        filters.iexact("basic_auth_enabled", bool),
        filters.iexact("basic_auth_password_attribute"),
        filters.iexact("basic_auth_user_attribute"),
        *filters.certificate(),
        filters.iexact("cookie_domain"),
        filters.iexact("external_host"),
        filters.iexact("internal_host"),
        filters.iexact("internal_host_ssl_validation", bool),
        filters.iexact("mode"),
        filters.iexact("name"),
        Filter(
            "property_mappings__iexact",
            Uuid,
            many=True,
            test=lambda one, values: any(value in one.property_mappings for value in values),
        ),
        filters.iexact("skip_path_regex"),
    ),
    stored_only="Keystead is no proxy itself yet, and proxies cannot sign people in here.",
)
