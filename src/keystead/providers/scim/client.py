"""Speaking SCIM 2.0 to a system (RFC 7643, RFC 7644): find, create, replace, remove, and the members of groups.

PUT replaces a resource with its members. Who does not take PUT (405, 501), or of whom it is known, is told by PATCH
what differs (RFC 7644 §3.5.2). AWS replaces no groups by PUT, tells of no members, and takes 100 changes of them at
once: docs.aws.amazon.com/singlesignon/latest/developerguide, "PatchGroup", "CreateGroup", "GetGroup". GitLab replaces
no users: docs.gitlab.com/development/internal_api, "SCIM API".
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlsplit

import msgspec

from keystead.kinds.call import Call
from keystead.kinds.state import State
from keystead.providers.outgoing.api import Api, checked_id, segment
from keystead.providers.outgoing.links import OutgoingSyncDeleteAction
from keystead.providers.outgoing.room import Room
from keystead.providers.outgoing.system import Body, Members, Refused, Remote, System, What, Written
from keystead.providers.scim import links
from keystead.providers.scim.auth import WHERE, api
from keystead.providers.scim.provider import SCIM_PROVIDER, CompatibilityModeEnum, SCIMProvider

_MEDIA: Final = "application/scim+json"
_PATH: Final = {What.USER: "Users", What.GROUP: "Groups"}
_SCHEMA: Final = {
    What.USER: "urn:ietf:params:scim:schemas:core:2.0:User",
    What.GROUP: "urn:ietf:params:scim:schemas:core:2.0:Group",
}
_NAME: Final = {What.USER: "userName", What.GROUP: "displayName"}
_PATCHED: Final = {
    CompatibilityModeEnum.AWS: frozenset({What.GROUP}),
    CompatibilityModeEnum.GITLAB: frozenset({What.USER, What.GROUP}),
}
"""What is changed by PATCH from the start."""
_NO_PUT: Final = frozenset({HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})
_AT_ONCE: Final = 100
"""Members in one request, where it is PATCH or AWS."""
_OURS: Final = frozenset({"id", "meta", "schemas", "members"})
"""Members of a resource that are not for mappings to say."""


def filtered(attribute: str, value: str) -> str:
    """A filter that finds what has exactly this value (RFC 7644 §3.4.2.2: a value is written as in JSON)."""
    return f"{attribute} eq {msgspec.json.encode(value).decode()}"


class Scim:
    """One SCIM system. See :class:`~keystead.providers.outgoing.system.System`."""

    def __init__(self, api: Api, provider: SCIMProvider) -> None:
        parts = urlsplit(provider.url)
        if parts.query or parts.fragment:
            raise Refused("The address of a SCIM system has neither a query nor a fragment.")
        self._api = api
        self._base = provider.url.rstrip("/")
        self._mode = provider.compatibility_mode

    def _url(self, what: What, remote_id: str = "") -> str:
        return f"{self._base}/{_PATH[what]}" + (f"/{segment(remote_id)}" if remote_id else "")

    def name_of(self, what: What, body: Body) -> str:
        """``userName`` or ``displayName``, which have to be there (RFC 7643 §4.1.1, §4.2)."""
        name = body.get(_NAME[what])
        if not isinstance(name, str) or not name.strip():
            raise Refused(f"The mappings give no {_NAME[what]}, without which there is no {what} in SCIM.")
        return name

    async def find(self, what: What, body: Body) -> Remote | None:
        """What bears that name, whatever its upper and lower case; who answers with others is not believed."""
        attribute, name = _NAME[what], self.name_of(what, body)
        query = quote(filtered(attribute, name), safe="")
        told = await self._api.ask("GET", f"{self._url(what)}?filter={query}", media=_MEDIA)
        listed = told.get("Resources", [])
        if not isinstance(listed, list):
            raise Refused(f"{WHERE} answers a search with something that is no list.")
        found = [one for one in listed if isinstance(one, dict) and str(one.get(attribute)).lower() == name.lower()]
        exactly = [one for one in found if one.get(attribute) == name]
        found = exactly or found
        if len(found) > 1:
            raise Refused(f"{WHERE} has {len(found)} of that name; which one is meant, nobody can say.")
        if listed and not found:
            raise Refused(
                f"{WHERE} answers a search for a {attribute} with others. Where it cannot search, switch discovery off."
            )
        return _remote(found[0]) if found else None

    async def create(self, what: What, body: Body, members: Members) -> Written:
        """POST (RFC 7644 §3.3)."""
        wanted = [one.id for one in members.wanted]
        first = wanted[:_AT_ONCE] if self._patches(what) else wanted
        made = _remote(
            await self._api.ask("POST", self._url(what), _resource(what, body, first, self._base), media=_MEDIA)
        )
        if not self._patches(what) or what is What.USER:
            return Written(made)
        return await self._enrolled(made, wanted, first)

    async def update(self, what: What, known: Remote, body: Body, members: Members) -> Written:
        """PUT, or PATCH where there is no PUT (RFC 7644 §3.5)."""
        wanted = [one.id for one in members.wanted]
        if not self._patches(what):
            resource = {**_resource(what, body, wanted, self._base), "id": known.id}
            try:
                return Written(
                    _same(known, await self._api.ask("PUT", self._url(what, known.id), resource, media=_MEDIA))
                )
            except Refused as exc:
                if exc.status not in _NO_PUT:
                    raise
        told = await self._patch(what, known.id, _changes(what, body, self._mode))
        now = _same(known, {**known.attributes, **_said(body), **told})
        return Written(now) if what is What.USER else await self._enrolled(now, wanted, await self._enlisted(known))

    async def remove(self, what: What, remote_id: str) -> None:
        """DELETE (RFC 7644 §3.6)."""
        await self._api.ask("DELETE", self._url(what, remote_id), media=_MEDIA)

    async def suspend(self, what: What, remote_id: str) -> Body | None:
        """Only a user can be inactive (RFC 7643 §4.1.1)."""
        if what is What.GROUP:
            return None
        await self._patch(what, remote_id, [{"op": "replace", "path": "active", "value": False}])
        return {"active": False}

    def _patches(self, what: What) -> bool:
        return what in _PATCHED.get(self._mode, ())

    async def _patch(self, what: What, remote_id: str, operations: Sequence[Body]) -> dict[str, Any]:
        body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": list(operations)}
        return await self._api.ask("PATCH", self._url(what, remote_id), body, media=_MEDIA)

    async def _enlisted(self, group: Remote) -> list[str]:
        """Who belongs to the group there; where the system does not tell, whom we have put into it."""
        told = await self._api.ask("GET", self._url(What.GROUP, group.id), media=_MEDIA)
        listed = told.get("members") or group.attributes.get("members", [])
        values = [one.get("value") for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        return [value for value in values if isinstance(value, str)]

    async def _enrolled(self, group: Remote, wanted: Sequence[str], before: Sequence[str]) -> Written:
        """The group with these members; whom we have put into it is kept with it."""
        have = dict.fromkeys(before)
        come = [one for one in wanted if one not in have]
        gone = [one for one in have if one not in set(wanted)]
        faults = []
        try:
            for part in _parts(come):
                added = {"op": "add", "path": "members", "value": [{"value": one} for one in part]}
                await self._patch(What.GROUP, group.id, [added])
                have |= dict.fromkeys(part)
            for part in _parts(gone):
                await self._patch(What.GROUP, group.id, [*self._without(part)])
                have = {one: None for one in have if one not in set(part)}
        except Refused as exc:
            faults.append(f"Not all members are written. {exc}")
        known = {**group.attributes, "members": [{"value": one} for one in have]}
        return Written(Remote(group.id, known), faults=tuple(faults))

    def _without(self, members: Sequence[str]) -> list[Body]:
        if self._mode is CompatibilityModeEnum.AWS:
            return [{"op": "remove", "path": "members", "value": [{"value": one} for one in members]}]
        return [{"op": "remove", "path": f"members[{filtered('value', one)}]"} for one in members]


def _parts(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[at : at + _AT_ONCE] for at in range(0, len(ids), _AT_ONCE)]


def _said(body: Body) -> dict[str, object]:
    """What the mappings said, without what is not theirs to say; null is the same as nothing (RFC 7643 §2.5)."""
    return {name: value for name, value in body.items() if name not in _OURS and value is not None}


def _resource(what: What, body: Body, members: Sequence[str], base: str) -> dict[str, object]:
    """A resource with the schemas of everything in it (RFC 7643 §3.1, §3.3)."""
    said = _said(body)
    extensions = [name for name in said if name.lower().startswith("urn:")]
    resource: dict[str, object] = {"schemas": [_SCHEMA[what], *extensions], **said}
    if what is What.GROUP:
        resource["members"] = [
            {"value": one, "$ref": f"{base}/Users/{segment(one)}", "type": "User"} for one in members
        ]
    return resource


def _changes(what: What, body: Body, mode: CompatibilityModeEnum) -> list[Body]:
    said = _said(body)
    if what is What.USER:
        return [{"op": "replace", "path": name, "value": value} for name, value in said.items()]
    if mode is CompatibilityModeEnum.AWS:
        said = {name: value for name, value in said.items() if name in {"displayName", "externalId"}}
    return [{"op": "replace", "value": said}]


def _remote(told: Mapping[str, Any]) -> Remote:
    """A resource, without its members: those are kept here already."""
    return Remote(checked_id(told.get("id")), {name: value for name, value in told.items() if name != "members"})


def _same(known: Remote, told: Mapping[str, Any]) -> Remote:
    """What is told of a resource that we know.

    :raises Refused: it is of another one.
    """
    if told and told.get("id", known.id) != known.id:
        raise Refused(f"{WHERE} answers with another object than the one that was asked for.")
    return _remote({**(told or known.attributes), "id": known.id})


def opened(call: Call, state: State, provider: SCIMProvider) -> System:
    """The system of a provider."""
    return Scim(api(call, state, provider), provider)


ROOM: Final = Room(
    where="the SCIM system",
    kind=SCIM_PROVIDER,
    users=links.SCIM_USER,
    groups=links.SCIM_GROUP,
    remote="scim_id",
    opened=opened,
    only=lambda provider: provider.group_filters,
    narrows=What.GROUP,
    leaving=lambda _provider, _what: OutgoingSyncDeleteAction.DELETE,
)
