"""Speaking to Google Workspace: the Directory API v1, as a service account in the name of an administrator.

Sources: developers.google.com/admin-sdk/directory/reference/rest/v1 (users, groups, members) and
developers.google.com/identity/protocols/oauth2/service-account, "HTTP/REST" (the assertion, RFC 7523 §2.1).
"""

import re
from collections.abc import Collection, Sequence
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from keystead.base import rand
from keystead.base.clock import unix
from keystead.base.secret import Secret
from keystead.kinds.call import Call
from keystead.kinds.state import State
from keystead.providers.google_workspace import links
from keystead.providers.google_workspace.provider import GOOGLE_WORKSPACE_PROVIDER, GoogleWorkspaceProvider
from keystead.providers.outgoing.api import Api, bearer, checked_id, segment
from keystead.providers.outgoing.room import Room
from keystead.providers.outgoing.roster import enrolled
from keystead.providers.outgoing.system import Body, Members, Missing, Refused, Remote, System, Taken, What, Written
from keystead.trust import keys
from keystead.trust.signer import Signer

TOKEN_AT: Final = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
DIRECTORY_AT: Final = "https://admin.googleapis.com/admin/directory/v1"
WHERE: Final = "Google Workspace"
_PATH: Final = {What.USER: "users", What.GROUP: "groups"}
_NAME: Final = {What.USER: "primaryEmail", What.GROUP: "email"}
_LIFE: Final = 3600
"""Seconds that an assertion is good for; more is not allowed."""
_PAGE: Final = 200
"""Members in one answer; more is not allowed."""
_PAGES: Final = 500
_UNFIT: Final = re.compile(r"[^a-z0-9._-]+")


class KeyFile(msgspec.Struct, frozen=True):
    """What counts of a service account's key file."""

    client_email: str
    private_key: str
    private_key_id: str = ""


class Google:
    """One Google Workspace. See :class:`~keystead.providers.outgoing.system.System`."""

    def __init__(self, api: Api, provider: GoogleWorkspaceProvider) -> None:
        self._api = api
        self._domain = provider.default_group_email_domain

    def _url(self, what: What, key: str = "", *more: str) -> str:
        return "/".join([DIRECTORY_AT, _PATH[what], *([segment(key)] if key else []), *more])

    def name_of(self, what: What, body: Body) -> str:
        """The address; a group's is made of its name where the mappings give none."""
        email = body.get(_NAME[what])
        if what is What.GROUP and email is None:
            slug = _UNFIT.sub("-", str(body.get("name") or "").lower()).strip("-.")
            if slug and self._domain:
                return f"{slug}@{self._domain}"
        if not isinstance(email, str) or "@" not in email:
            raise Refused(f"The mappings give no {_NAME[what]}, without which there is no {what} in {WHERE}.")
        return email

    def _resource(self, what: What, body: Body) -> dict[str, object]:
        said = {name: value for name, value in body.items() if name not in {"id", "etag", "kind"}}
        return {**said, _NAME[what]: self.name_of(what, body)}

    async def find(self, what: What, body: Body) -> Remote | None:
        """By its address."""
        name = self.name_of(what, body)
        try:
            told = await self._api.ask("GET", self._url(what, name))
        except Missing:
            return None
        known = [told.get(_NAME[what]), *(told.get("aliases") or [])]
        if name.lower() not in {str(one).lower() for one in known}:
            raise Refused(f"{WHERE} answers the question for {name} with another {what}.")
        return _remote(told)

    async def create(self, what: What, body: Body, members: Members) -> Written:
        """``insert``. A user has to have a password: where mappings give none, one that nobody learns."""
        resource = self._resource(what, body)
        if what is What.USER and not resource.get("password"):
            resource["password"] = rand.token()
        made = _remote(await self._api.ask("POST", self._url(what), resource))
        return await enrolled(WHERE, self, made, members) if what is What.GROUP else Written(made)

    async def update(self, what: What, known: Remote, body: Body, members: Members) -> Written:
        """``update``: what is not said stays as it is."""
        told = await self._api.ask("PUT", self._url(what, known.id), self._resource(what, body))
        if told.get("id") != known.id:
            raise Refused(f"{WHERE} answers with another object than the one that was asked for.")
        now = _remote(told)
        return await enrolled(WHERE, self, now, members) if what is What.GROUP else Written(now)

    async def remove(self, what: What, remote_id: str) -> None:
        """``delete``."""
        await self._api.ask("DELETE", self._url(what, remote_id))

    async def suspend(self, what: What, remote_id: str) -> Body | None:
        """Users only."""
        if what is What.GROUP:
            return None
        await self._api.ask("PUT", self._url(what, remote_id), {"suspended": True})
        return {"suspended": True}

    async def enlisted(self, group: str) -> tuple[Collection[str], Collection[str]]:
        """Whoever runs the group stays in it. See :class:`~keystead.providers.outgoing.roster.Roster`, also below."""
        found: dict[str, str] = {}
        page = ""
        for _ in range(_PAGES):
            query = urlencode({"maxResults": _PAGE, **({"pageToken": page} if page else {})})
            told = await self._api.ask("GET", f"{self._url(What.GROUP, group, 'members')}?{query}")
            listed = told.get("members") or []
            if not isinstance(listed, list):
                break
            found |= {str(one.get("id")): str(one.get("role")) for one in listed if isinstance(one, dict)}
            onward = told.get("nextPageToken")
            if not onward:
                return found, [key for key, role in found.items() if role == "MEMBER"]
            if not isinstance(onward, str) or onward == page:
                break
            page = onward
        raise Refused(f"{WHERE} answers with a list of members that is none, or does not end.")

    async def join(self, group: str, member: Remote) -> bool:
        """By their address, as far as it is known."""
        email = member.attributes.get("primaryEmail")
        who = {"email": email} if isinstance(email, str) else {"id": member.id}
        try:
            await self._api.ask("POST", self._url(What.GROUP, group, "members"), {**who, "role": "MEMBER"})
        except Taken:
            return True
        except Missing:
            return False
        return True

    async def part(self, group: str, member: str) -> None:
        """By their id."""
        try:
            await self._api.ask("DELETE", self._url(What.GROUP, group, "members", segment(member)))
        except Missing:
            return  # they are out of it


def _remote(told: dict[str, Any]) -> Remote:
    return Remote(checked_id(told.get("id")), told)


def _signer(provider: GoogleWorkspaceProvider) -> tuple[str, Signer]:
    """Who we are there, and with which key we say so.

    :raises Refused: the key file is none.
    """
    try:
        file = msgspec.json.decode(provider.credentials_text.reveal(), type=KeyFile)
        key = keys.load_private_key(file.private_key)
        return file.client_email, Signer.from_key(key, kid=file.private_key_id, alg="RS256")
    except (msgspec.MsgspecError, keys.BadKeyError):
        raise Refused(
            "The credentials are no key file of a service account (client_email; private_key, RSA in PEM form)."
        ) from None


async def _assertion(call: Call, provider: GoogleWorkspaceProvider) -> str:
    name, signer = _signer(provider)
    begin = unix(call.at)
    claims = {
        "iss": name,
        "sub": provider.delegated_subject,
        "scope": " ".join(part.strip() for part in provider.scopes.split(",") if part.strip()),
        "aud": TOKEN_AT,
        "iat": begin,
        "exp": begin + _LIFE,
    }
    return await signer.sign_async(claims)


def opened(call: Call, state: State, provider: GoogleWorkspaceProvider) -> System:
    """The Workspace of a provider."""
    _signer(provider)

    async def token(api: Api, again: bool) -> Secret:  # noqa: FBT001 - as Api calls it
        async def fetch() -> dict[str, Any]:
            grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
            return await api.form(TOKEN_AT, {"grant_type": grant, "assertion": await _assertion(call, provider)})

        parts: Sequence[str] = (provider.credentials_text.reveal(), provider.delegated_subject, provider.scopes)
        return await bearer("\n".join(["google", TOKEN_AT, *parts]), call.at, fetch, WHERE, again=again)

    return Google(Api(state.outbound, WHERE, token, secrets=[provider.credentials_text]), provider)


ROOM: Final = Room(
    where=WHERE,
    kind=GOOGLE_WORKSPACE_PROVIDER,
    users=links.GOOGLE_WORKSPACE_USER,
    groups=links.GOOGLE_WORKSPACE_GROUP,
    remote="google_id",
    opened=opened,
    only=lambda provider: (provider.filter_group,) if provider.filter_group else (),
    narrows=What.USER,
    leaving=lambda provider, what: provider.user_delete_action if what is What.USER else provider.group_delete_action,
)
