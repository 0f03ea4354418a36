"""One source of every type, with a mapping, a connected user and a connected group of each."""

from collections.abc import Coroutine
from typing import Any, Final, Protocol

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


class Make(Protocol):
    """Makes an object by a POST and gives it back."""

    def __call__(self, path: str, **members: Any) -> Coroutine[Any, Any, Any]:  # noqa: ANN401 - members of every kind
        """The new object of the kind at ``path`` (``sources/ldap/``)."""
        ...


async def furnish_sources(make: Make, *, flow: object, pair: object, user: object, group: object) -> None:
    """Something of every sort that belongs to sources."""
    for type_, members in OWN.items():
        first = {"pre_authentication_flow": flow} if type_ in BEFORE else {}
        keys = {"signing_kp": pair} if type_ == "saml" else {}
        pk = (await make(f"sources/{type_}/", name=type_, slug=f"a-{type_}", **members, **first, **keys))["pk"]
        await make(f"propertymappings/source/{type_}/", name=f"of {type_}", expression="return {}")
        if type_ == "scim":
            await make("sources/scim_users/", external_id="u", user=user, source=pk)
            await make("sources/scim_groups/", external_id="g", group=group, source=pk)
            continue
        token = {"plex_token": "t"} if type_ == "plex" else {}
        await make(f"sources/user_connections/{type_}/", identifier="u", user=user, source=pk, **token)
        await make(f"sources/group_connections/{type_}/", identifier="g", group=group, source=pk)


def by(client: Client) -> Make:
    """Makes objects through the API of a house."""

    async def make(path: str, **members: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
        answered = await client.post(f"{API}/{path}", members)
        assert answered.status == 201, (path, answered.text)
        found: dict[str, Any] = answered.json
        return found

    return make
