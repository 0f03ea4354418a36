"""How we prove to a SCIM system who we are: its own bearer token, or one from the token endpoint of an OAuth source."""

import base64
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote_plus

import msgspec

from keystead.base.secret import Secret
from keystead.kinds.call import Call
from keystead.kinds.state import State
from keystead.providers.outgoing.api import Api, bearer
from keystead.providers.outgoing.system import Refused
from keystead.providers.scim.provider import SCIMAuthenticationModeEnum, SCIMProvider
from keystead.sources.oauth.source import OAUTH_SOURCE, AuthorizationCodeAuthMethodEnum, OAuthSource

WHERE: Final = "The SCIM system"
_SERVER: Final = "The token endpoint"


def api(call: Call, state: State, provider: SCIMProvider) -> Api:
    """The system's interface.

    Plain HTTP is spoken where the administrator wrote the address so.

    :raises Refused: the provider does not say how we prove who we are.
    """
    mode = provider.auth_mode
    if mode is SCIMAuthenticationModeEnum.OAUTH_INTERACTIVE:
        raise Refused("Tokens that somebody gets by signing in there (oauth_interactive) are not built yet.")
    secrets = [provider.token, *_confidential(provider.auth_oauth_params)]
    source = _source(call, provider) if mode is SCIMAuthenticationModeEnum.OAUTH else None

    async def token(_api: Api, again: bool) -> Secret:  # noqa: FBT001 - as Api calls it
        return provider.token if source is None else await _fetched(call, state, provider, source, again=again)

    return Api(
        state.outbound,
        WHERE,
        token,
        secrets=[*secrets, *([source.consumer_secret] if source else [])],
        renews=source is not None,
        plain=provider.url.lower().startswith("http://"),
        verify=provider.verify_certificates,
    )


def _confidential(params: Mapping[str, object]) -> list[Secret]:
    """Parameters that are nobody's business: all texts but the names of what is asked for."""
    return [Secret(str(value)) for name, value in params.items() if name not in {"grant_type", "scope", "audience"}]


def _source(call: Call, provider: SCIMProvider) -> OAuthSource:
    source = call.settings.get(OAUTH_SOURCE, provider.auth_oauth) if provider.auth_oauth else None
    if source is None:
        raise Refused("No OAuth source is named whose client could get a token (auth_oauth).")
    return source


async def _fetched(call: Call, state: State, provider: SCIMProvider, source: OAuthSource, *, again: bool) -> Secret:
    """A token for the source's client: its own (RFC 6749 §4.4), unless ``auth_oauth_params`` say otherwise."""
    url = source.access_token_url or source.vendor.access_token_url
    if not url:
        raise Refused(f"The source {source.name} names no token endpoint (access_token_url).")
    form = {"grant_type": "client_credentials"}
    if source.additional_scopes:
        form["scope"] = source.additional_scopes
    headers = {}
    secret = source.consumer_secret.reveal()
    if source.authorization_code_auth_method is AuthorizationCodeAuthMethodEnum.BASIC_AUTH:
        pair = f"{quote_plus(source.consumer_key)}:{quote_plus(secret)}"  # RFC 6749 §2.3.1
        headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        form |= {"client_id": source.consumer_key, "client_secret": secret}
    form |= {
        name: value if isinstance(value, str) else _json(value) for name, value in provider.auth_oauth_params.items()
    }

    async def no_token(_api: Api, _again: bool) -> Secret:  # noqa: FBT001 - as Api calls it
        return Secret("")

    async def fetch() -> dict[str, Any]:
        secrets = [source.consumer_secret, *_confidential(provider.auth_oauth_params)]
        return await Api(state.outbound, _SERVER, no_token, secrets=secrets, renews=False).form(url, form, headers)

    key = _json(["scim", url, sorted(form.items()), sorted(headers.items())])
    return await bearer(key, call.at, fetch, _SERVER, again=again)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
