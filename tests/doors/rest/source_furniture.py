"""One source of every type, with a mapping, a connected user and a connected group of each."""

from typing import Final

from tests.client import Client

API: Final = "/api/v3"
OWN: Final[dict[str, dict[str, object]]] = {
    "kerberos": {"realm": "EXAMPLE.ORG"},
    "ldap": {"server_uri": "ldaps://dc.example.org", "base_dn": "DC=example,DC=org"},
    "oauth": {"provider_type": "github", "consumer_key": "k", "consumer_secret": "s"},
    "plex": {"plex_token": "t"},
    "saml": {"sso_url": "https://idp.example.org/sso", "slo_url": "https://idp.example.org/slo"},
    "scim": {},
    "telegram": {"bot_username": "b", "bot_token": "t"},
}
"""Type -> the members its sources must have beyond the common ones."""
BEFORE: Final = ("saml", "telegram")
"""Types with a flow that runs first."""


async def furnish_sources(client: Client, *, flow: object, pair: object, user: object, group: object) -> None:
    """Something of every sort that belongs to sources."""

    async def made(path: str, **body: object) -> object:
        answered = await client.post(f"{API}/{path}/", body)
        assert answered.status == 201, (path, answered.text)
        return answered.json["pk"]

    for type_, members in OWN.items():
        first = {"pre_authentication_flow": flow} if type_ in BEFORE else {}
        keys = {"signing_kp": pair} if type_ == "saml" else {}
        pk = await made(f"sources/{type_}", name=type_, slug=f"a-{type_}", **members, **first, **keys)
        await made(f"propertymappings/source/{type_}", name=f"of {type_}", expression="return {}")
        if type_ == "scim":
            await made("sources/scim_users", external_id="u", user=user, source=pk)
            await made("sources/scim_groups", external_id="g", group=group, source=pk)
            continue
        token = {"plex_token": "t"} if type_ == "plex" else {}
        await made(f"sources/user_connections/{type_}", identifier="u", user=user, source=pk, **token)
        await made(f"sources/group_connections/{type_}", identifier="g", group=group, source=pk)
