"""Discovery and key set: bytes made once for each provider and root, with an ETag (OIDC Discovery §3, RFC 8414)."""

import hashlib
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from keystead.kinds.call import Call
from keystead.kinds.snapshot import Snapshot
from keystead.providers.application import APPLICATION, Application
from keystead.providers.oidc.claims import OPENID, mappings
from keystead.providers.oidc.grant import Parts
from keystead.providers.oidc.issuer import addresses
from keystead.providers.oidc.keys import jwks, keys_of
from keystead.providers.oidc.mapping import PROTECTED, literal_claims
from keystead.providers.oidc.provider import OAUTH2_PROVIDER, OAuth2Provider
from keystead.providers.oidc.tokens import ACR
from keystead.providers.oidc.wire import Json, OidcRequest
from keystead.providers.pages import Redirect

CORS: Final = (("Access-Control-Allow-Origin", "*"),)
_BASE_CLAIMS: Final = ("sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "amr", "nonce")
_MAX_ROOTS: Final = 64
"""Documents kept for as many names of ours; strangers can send any Host there is."""
_MISSING: Final = Json(404, b'{"detail":"Not found."}', CORS)


class Document(NamedTuple):
    """A document ready to send."""

    body: bytes
    etag: str


def speaker(settings: Snapshot, slug: str) -> tuple[OAuth2Provider, Application] | None:
    """The provider that speaks for the application with this slug, if it speaks OAuth."""
    application = settings.by(APPLICATION, "slug", slug)
    if application is None or application.provider is None:
        return None
    provider = settings.get(OAUTH2_PROVIDER, application.provider)
    return (provider, application) if provider else None


def _document(body: bytes) -> Document:
    return Document(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def described(
    settings: Snapshot, provider: OAuth2Provider, application: Application, root: str, parts: Parts
) -> dict[str, object]:
    """The discovery document's members: what this provider really does, and nothing else."""
    where = addresses(provider, application, root)
    scopes = dict.fromkeys((OPENID, *mappings(settings, provider)))
    told = {
        claim
        for group in mappings(settings, provider).values()
        for mapping in group
        for claim in literal_claims(mapping.expression)
    }
    return {
        "issuer": where.issuer,
        "authorization_endpoint": where.authorize,
        "token_endpoint": where.token,
        "userinfo_endpoint": where.userinfo,
        "introspection_endpoint": where.introspect,
        "revocation_endpoint": where.revoke,
        "end_session_endpoint": where.end_session,
        "jwks_uri": where.jwks,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "grant_types_supported": [one.value for one in provider.grant_types if one.value in parts.grants],
        "id_token_signing_alg_values_supported": [keys_of(settings, provider).signer.alg],
        "subject_types_supported": ["public"],
        "token_endpoint_auth_methods_supported": auth_methods(provider),
        "introspection_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "revocation_endpoint_auth_methods_supported": auth_methods(provider),
        "acr_values_supported": [ACR],
        "scopes_supported": list(scopes),
        "claims_supported": [*_BASE_CLAIMS, *sorted(told - PROTECTED - set(_BASE_CLAIMS))],
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "claims_parameter_supported": False,
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "code_challenge_methods_supported": ["S256"] if provider.public else ["plain", "S256"],
        "authorization_response_iss_parameter_supported": True,
    }


def auth_methods(provider: OAuth2Provider) -> list[str]:
    """How the client may authenticate."""
    return ["none"] if provider.public else ["client_secret_post", "client_secret_basic"]


async def configuration(request: OidcRequest, call: Call, parts: Parts) -> Json:
    """Answer ``/application/o/<slug>/.well-known/openid-configuration``."""
    found = speaker(call.settings, request.slug)
    if found is None:
        return _MISSING
    most = _MAX_ROOTS + len(call.settings.all(OAUTH2_PROVIDER))
    kept: dict[tuple[str, str], Document] = call.settings.kept("oidc.discovery", most)
    key = (request.slug, request.root)
    document = kept.get(key)
    if document is None:
        document = _document(msgspec.json.encode(described(call.settings, *found, request.root, parts)))
        kept[key] = document
    return _sent(request, document)


async def key_set(request: OidcRequest, call: Call) -> Json:
    """Answer ``/application/o/<slug>/jwks/``."""
    found = speaker(call.settings, request.slug)
    if found is None:
        return _MISSING
    provider = found[0]
    document = call.settings.memo(("oidc.jwks", provider.pk), lambda: _document(jwks(call.settings, provider)))
    return _sent(request, document)


def _sent(request: OidcRequest, document: Document) -> Json:
    headers = (*CORS, ("ETag", document.etag), ("Cache-Control", "public, max-age=60"))
    if document.etag in _tags(request.if_none_match):
        return Json(304, b"", headers)
    return Json(200, document.body, headers)


def _tags(header: str) -> Iterable[str]:
    """The entity tags in an If-None-Match header (RFC 9110 §13.1.2, weak comparison)."""
    return (tag.strip().removeprefix("W/") for tag in header.split(","))


async def home(request: OidcRequest, call: Call) -> Json | Redirect:
    """Answer the issuer's own address: send on to discovery."""
    found = speaker(call.settings, request.slug)
    if found is None:
        return _MISSING
    return Redirect(addresses(*found, request.root).discovery)
