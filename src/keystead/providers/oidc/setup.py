"""What administrators ask of a provider: its addresses, and what it would tell about somebody."""

from collections.abc import Mapping, Sequence

import msgspec

from keystead.base.errors import not_found
from keystead.kinds.action import Action, Answer
from keystead.kinds.call import Call
from keystead.kinds.state import State
from keystead.people.person import Person
from keystead.policies.judge import Request
from keystead.policies.plain import plain
from keystead.policies.sandbox import ExpressionError
from keystead.policies.values import evaluate_mapping, names_for_mapping
from keystead.providers import application as applications
from keystead.providers.mapping import FOR_USER, PropertyMappingPreview, previewed
from keystead.providers.oidc.claims import mappings, subject, tell
from keystead.providers.oidc.issuer import addresses
from keystead.providers.oidc.mapping import ScopeMapping
from keystead.providers.oidc.provider import OAUTH2_PROVIDER, OAuth2Provider
from keystead.providers.oidc.tokens import ACR


class OAuth2ProviderSetupURLs(msgspec.Struct):
    """Where everything of a provider is."""

    issuer: str
    authorize: str
    token: str
    user_info: str
    provider_info: str
    logout: str
    jwks: str
    dcr_registration: str | None


async def setup_urls(
    call: Call, _state: State, provider: OAuth2Provider, _query: Mapping[str, Sequence[str]]
) -> Answer:
    """The addresses, under the name the caller reaches us by.

    :raises Problem: ``NOT_FOUND``: the provider speaks for no application, so it has none.
    """
    application = applications.of_provider(call.settings, provider.pk)
    if application is None:
        raise not_found()
    where = addresses(provider, application, call.origin.root)
    return Answer(
        OAuth2ProviderSetupURLs(
            issuer=where.issuer,
            authorize=where.authorize,
            token=where.token,
            user_info=where.userinfo,
            provider_info=where.discovery,
            logout=where.end_session,
            jwks=where.jwks,
            dcr_registration=None,
        )
    )


async def preview_user(
    call: Call, state: State, provider: OAuth2Provider, query: Mapping[str, Sequence[str]]
) -> Answer:
    """What tokens with every scope would say of the caller, or of ``for_user``."""
    person = await previewed(call, state, query)
    told = tell(call, provider, person, tuple(mappings(call.settings, provider)))
    ours = {"sub": subject(provider, person), "aud": told.claims.get("aud", provider.client_id), "acr": ACR}
    application = applications.of_provider(call.settings, provider.pk)
    if application is not None:
        ours["iss"] = addresses(provider, application, call.origin.root).issuer
    return Answer(PropertyMappingPreview({**told.claims, **ours}))


def try_mapping(
    call: Call, mapping: ScopeMapping, person: Person | None, context: dict[str, object]
) -> tuple[str, bool]:
    """What a mapping gives for somebody, as JSON text or as the complaint of its expression, and whether it worked."""
    names = names_for_mapping(Request(call, person, context), **context)
    try:
        result = evaluate_mapping(mapping.expression, mapping.name, names)
    except ExpressionError as exc:
        return str(exc), False
    return msgspec.json.format(msgspec.json.encode(plain(result))).decode(), True


ACTIONS = (
    Action(
        OAUTH2_PROVIDER,
        "GET",
        "{key}/setup_urls/",
        setup_urls,
        "setup_urls_retrieve",
        permission="view",
        response=OAuth2ProviderSetupURLs,
    ),
    Action(
        OAUTH2_PROVIDER,
        "GET",
        "{key}/preview_user/",
        preview_user,
        "preview_user_retrieve",
        permission="change",  # it runs mappings, and to look is not to run
        response=PropertyMappingPreview,
        query=(FOR_USER,),
    ),
)
