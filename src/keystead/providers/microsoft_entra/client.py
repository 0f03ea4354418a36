"""Speaking to Entra ID: Microsoft Graph v1.0, as an application of the tenant.

Sources: learn.microsoft.com/graph/api (user, group: list, create, update, delete; group: list, add, remove members),
learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow.
"""

import re
from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from keystead.base import rand
from keystead.base.secret import Secret
from keystead.kinds.call import Call
from keystead.kinds.state import State
from keystead.providers.microsoft_entra import links
from keystead.providers.microsoft_entra.provider import MICROSOFT_ENTRA_PROVIDER, MicrosoftEntraProvider
from keystead.providers.outgoing.api import Api, bearer, checked_id, segment
from keystead.providers.outgoing.room import Room
from keystead.providers.outgoing.roster import enrolled
from keystead.providers.outgoing.system import Body, Members, Missing, Refused, Remote, System, Taken, What, Written

LOGIN_AT: Final = "https://login.microsoftonline.com"
GRAPH_AT: Final = "https://graph.microsoft.com/v1.0"
SCOPE: Final = "https://graph.microsoft.com/.default"
WHERE: Final = "Entra ID"
_PATH: Final = {What.USER: "users", What.GROUP: "groups"}
_NAME: Final = {What.USER: "userPrincipalName", What.GROUP: "displayName"}
_TENANT: Final = re.compile(r"[A-Za-z0-9.-]{1,255}")
_PAGES: Final = 500
_EXISTS: Final = re.compile(r"already exists?\b|same value for property", re.IGNORECASE)
"""How Graph says it, with status 400."""


def filtered(attribute: str, value: str) -> str:
    """A filter that finds what has exactly this value (OData 4.01 §5.1.1.6.1: quotes in a text are doubled)."""
    return "{} eq '{}'".format(attribute, value.replace("'", "''"))


class Entra:
    """One tenant. See :class:`~keystead.providers.outgoing.system.System`."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def _url(self, what: What, key: str = "", *more: str) -> str:
        return "/".join([GRAPH_AT, _PATH[what], *([segment(key)] if key else []), *more])

    def name_of(self, what: What, body: Body) -> str:
        """``userPrincipalName`` or ``displayName``."""
        name = body.get(_NAME[what])
        if not isinstance(name, str) or not name.strip():
            raise Refused(f"The mappings give no {_NAME[what]}, without which there is no {what} in {WHERE}.")
        return name

    async def find(self, what: What, body: Body) -> Remote | None:
        """What bears that name; of several groups the one that has our ``mailNickname``, too."""
        attribute, name = _NAME[what], self.name_of(what, body)
        told = await self._api.ask("GET", f"{self._url(what)}?$filter={quote(filtered(attribute, name), safe='')}")
        listed = told.get("value")
        if not isinstance(listed, list):
            raise Refused(f"{WHERE} answers a search with something that is no list.")
        found = [one for one in listed if isinstance(one, dict) and str(one.get(attribute)).lower() == name.lower()]
        if listed and not found:
            raise Refused(f"{WHERE} answers a search for a {attribute} with others.")
        if len(found) > 1:
            found = [one for one in found if one.get("mailNickname") == body.get("mailNickname")] or found
        if len(found) > 1:
            raise Refused(f"{WHERE} has {len(found)} of that name; which one is meant, nobody can say.")
        return _remote(found[0]) if found else None

    async def create(self, what: What, body: Body, members: Members) -> Written:
        """POST. A user has to have a password: where mappings give none, one that nobody learns."""
        resource = _resource(body)
        if what is What.USER and not resource.get("passwordProfile"):
            resource["passwordProfile"] = {"forceChangePasswordNextSignIn": False, "password": f"Aa1-{rand.token()}"}
        made = _remote(await self._done("POST", self._url(what), resource))
        return await enrolled(WHERE, self, made, members) if what is What.GROUP else Written(made)

    async def update(self, what: What, known: Remote, body: Body, members: Members) -> Written:
        """PATCH, which answers with nothing: what we said is then what is known."""
        told = await self._done("PATCH", self._url(what, known.id), _resource(body))
        if told.get("id", known.id) != known.id:
            raise Refused(f"{WHERE} answers with another object than the one that was asked for.")
        said = {name: value for name, value in _resource(body).items() if name != "passwordProfile"}
        now = _remote({**known.attributes, **said, **told, "id": known.id})
        return await enrolled(WHERE, self, now, members) if what is What.GROUP else Written(now)

    async def remove(self, what: What, remote_id: str) -> None:
        """DELETE; the tenant keeps what is deleted for 30 days."""
        await self._api.ask("DELETE", self._url(what, remote_id))

    async def suspend(self, what: What, remote_id: str) -> Body | None:
        """Users only."""
        if what is What.GROUP:
            return None
        await self._api.ask("PATCH", self._url(what, remote_id), {"accountEnabled": False})
        return {"accountEnabled": False}

    async def _done(self, method: str, url: str, body: Mapping[str, object]) -> dict[str, Any]:
        try:
            return await self._api.ask(method, url, body)
        except Refused as exc:
            if exc.status == HTTPStatus.BAD_REQUEST and _EXISTS.search(str(exc)):
                raise Taken(str(exc), exc.status) from None
            raise

    async def enlisted(self, group: str) -> tuple[Collection[str], Collection[str]]:
        """See :class:`~keystead.providers.outgoing.roster.Roster`, also below."""
        found: set[str] = set()
        url = f"{self._url(What.GROUP, group, 'members')}?$select=id&$top=999"
        for _ in range(_PAGES):
            told = await self._api.ask("GET", url)
            listed, onward = told.get("value"), told.get("@odata.nextLink")
            if not isinstance(listed, list):
                break
            found |= {str(one.get("id")) for one in listed if isinstance(one, dict)}
            if onward is None:
                return found, found
            # The next page is an address; our token goes to no other place than where it is meant for.
            if not isinstance(onward, str) or not onward.startswith(f"{GRAPH_AT}/") or onward == url:
                break
            url = onward
        raise Refused(f"{WHERE} answers with a list of members that is none, does not end, or leads elsewhere.")

    async def join(self, group: str, member: Remote) -> bool:
        """By their id."""
        try:
            reference = {"@odata.id": f"{GRAPH_AT}/directoryObjects/{segment(member.id)}"}
            await self._done("POST", self._url(What.GROUP, group, "members", "$ref"), reference)
        except Taken:
            return True
        except Missing:
            return False
        return True

    async def part(self, group: str, member: str) -> None:
        """By their id."""
        try:
            await self._api.ask("DELETE", self._url(What.GROUP, group, "members", segment(member), "$ref"))
        except Missing:
            return  # they are out of it


def _resource(body: Body) -> dict[str, object]:
    return {name: value for name, value in body.items() if name not in {"id", "members", "owners"}}


def _remote(told: Mapping[str, Any]) -> Remote:
    return Remote(checked_id(told.get("id")), {name: value for name, value in told.items() if name[:1] != "@"})


def opened(call: Call, state: State, provider: MicrosoftEntraProvider) -> System:
    """The tenant of a provider."""
    if not _TENANT.fullmatch(provider.tenant_id):
        raise Refused("The tenant's id is neither a UUID nor a domain.")
    url = f"{LOGIN_AT}/{provider.tenant_id}/oauth2/v2.0/token"
    form = {
        "grant_type": "client_credentials",
        "client_id": provider.client_id,
        "client_secret": provider.client_secret.reveal(),
        "scope": SCOPE,
    }

    async def token(api: Api, again: bool) -> Secret:  # noqa: FBT001 - as Api calls it
        key = "\n".join(["entra", url, *form.values()])
        return await bearer(key, call.at, lambda: api.form(url, form), WHERE, again=again)

    return Entra(Api(state.outbound, WHERE, token, secrets=[provider.client_secret]))


ROOM: Final = Room(
    where=WHERE,
    kind=MICROSOFT_ENTRA_PROVIDER,
    users=links.MICROSOFT_ENTRA_USER,
    groups=links.MICROSOFT_ENTRA_GROUP,
    remote="microsoft_id",
    opened=opened,
    only=lambda provider: (provider.filter_group,) if provider.filter_group else (),
    narrows=What.USER,
    leaving=lambda provider, what: provider.user_delete_action if what is What.USER else provider.group_delete_action,
)
