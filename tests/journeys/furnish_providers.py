"""A provider of every type, with what hangs on it, as an administrator's script makes them through the API."""

from typing import Any

from tests.journeys.furnish import Client, flow, signing_key
from tests.journeys.server import Api

NAME = "everything"


async def providers(api: Api, client: Client) -> None:
    """One of each; the client may register others like itself."""
    flows = {
        "authorization_flow": await flow(api, "default-provider-authorization-implicit-consent"),
        "invalidation_flow": await flow(api, "default-provider-invalidation-flow"),
    }
    pair = await signing_key(api, "ES256")
    me = (await api.get("core/users/me/"))["user"]["pk"]
    group = (await api.get("core/groups/"))["results"][0]["pk"]

    async def provider(room: str, *, flowing: bool = True, **members: object) -> Any:  # noqa: ANN401 - a key
        given = flows if flowing else {}
        return (await api.make(f"providers/{room}/", name=f"{NAME} {room}", **given, **members))["pk"]

    await provider("saml", acs_url="https://sp.example.org/acs")
    await provider("wsfed", reply_url="https://rp.example.org/", wtrealm="urn:everything")
    await provider("ldap")
    await provider("radius")
    await provider("proxy", external_host="https://app.example.org", mode="forward_single")
    desk = await provider("rac")
    await api.make("rac/endpoints/", name=NAME, provider=desk, protocol="ssh", host="desk.internal", auth_mode="prompt")
    await provider("ssf", flowing=False, signing_key=pair)
    linked = {
        "scim": await provider("scim", flowing=False, url="https://scim.example.org/v2"),
        "google_workspace": await provider(
            "google_workspace",
            flowing=False,
            delegated_subject="admin@example.org",
            credentials={"type": "service_account"},
            default_group_email_domain="example.org",
        ),
        "microsoft_entra": await provider(
            "microsoft_entra", flowing=False, client_id="c", client_secret="s", tenant_id="t"
        ),
    }
    for room, pk in linked.items():
        there = {f"{room.partition('_')[0]}_id": "there"}
        await api.make(f"providers/{room}_users/", user=me, provider=pk, **there)
        await api.make(f"providers/{room}_groups/", group=group, provider=pk, **there)
    await api.make("propertymappings/provider/radius/", name=f"{NAME} radius", expression="return None")
    await api.make("providers/oauth2-dcr/", provider=client.provider)
