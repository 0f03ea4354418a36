"""Applications, as an administrator's script makes them through the API."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.journeys.server import Api

CONSENT: Final = {
    True: "default-provider-authorization-explicit-consent",
    False: "default-provider-authorization-implicit-consent",
}
SCOPES: Final = ("openid", "email", "profile", "offline_access")
KEYS: Final = {"RS256": "rsa", "ES256": "ecdsa", "EdDSA": "ed25519"}
"""Algorithm -> the sort of key that signs with it; HS256 needs none."""


@dataclass(frozen=True, slots=True)
class Client:
    """An application as its developer knows it."""

    slug: str
    client_id: str
    client_secret: str
    redirect_uri: str
    provider: int
    issuer: str


async def signing_key(api: Api, alg: str) -> str | None:
    """The key of a new pair for ``alg``; None for HS256."""
    if alg not in KEYS:
        return None
    name = f"signs-{alg.lower()}"
    for found in (await api.get(f"crypto/certificatekeypairs/?name={name}"))["results"]:
        return str(found["pk"])
    body = {"common_name": name, "validity_days": 30, "alg": KEYS[alg]}
    return str((await api.ask("POST", "crypto/certificatekeypairs/generate/", body))["pk"])


async def flow(api: Api, slug: str) -> str:
    """The key of a flow."""
    return str((await api.get(f"flows/instances/{slug}/"))["pk"])


async def mappings(api: Api, scopes: Sequence[str] = SCOPES) -> list[str]:
    """The keys of the mappings of scopes."""
    found = await api.get("propertymappings/provider/scope/?page_size=100")
    return [one["pk"] for one in found["results"] if one["scope_name"] in scopes]


async def application(
    api: Api,
    slug: str,
    redirect_uri: str,
    *,
    alg: str = "ES256",
    consent: bool = False,
    name: str = "",
    logout_uri: str = "",
    **members: Any,  # noqa: ANN401 - members of the provider
) -> Client:
    """A new application with an OpenID Connect provider."""
    redirects = [{"matching_mode": "strict", "url": redirect_uri}]
    if logout_uri:
        redirects.append({"matching_mode": "strict", "url": logout_uri, "redirect_uri_type": "logout"})
    provider = await api.make(
        "providers/oauth2/",
        name=slug,
        authorization_flow=await flow(api, CONSENT[consent]),
        invalidation_flow=await flow(api, "default-provider-invalidation-flow"),
        property_mappings=await mappings(api),
        redirect_uris=redirects,
        signing_key=await signing_key(api, alg),
        **members,
    )
    await api.make("core/applications/", name=name or slug.title(), slug=slug, provider=provider["pk"])
    urls = await api.get(f"providers/oauth2/{provider['pk']}/setup_urls/")
    return Client(slug, provider["client_id"], provider["client_secret"], redirect_uri, provider["pk"], urls["issuer"])
