"""Entra ID, as far as tests need it: token endpoint and Microsoft Graph, as their documentation has them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import msgspec

from tests.strangers import Asked

TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT, SECRET = "the-client", "canary-of-entra"
NEEDED = {
    "users": ("accountEnabled", "displayName", "mailNickname", "userPrincipalName", "passwordProfile"),
    "groups": ("displayName", "mailEnabled", "mailNickname", "securityEnabled"),
}
Answer = tuple[int, Mapping[str, str], bytes]


class _No(Exception):  # noqa: N818 - what Graph says, and no error of the test
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.answer = status, {"content-type": "application/json"}, _json({"error": {"code": code, "message": message}})


def _json(value: object) -> bytes:
    return msgspec.json.encode(value)


@dataclass
class Entra:
    """One tenant.

    :param page: the most members that one answer holds.
    :param onward: where the next page is, if not here.
    """

    port: int = 0
    page: int = 100
    onward: str = ""
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    passwords: list[str] = field(default_factory=list)
    issued: int = 0
    verbs: list[str] = field(default_factory=list)

    @property
    def login_at(self) -> str:
        """The token endpoints of all tenants."""
        return f"https://127.0.0.1:{self.port}/login"

    @property
    def graph_at(self) -> str:
        """Microsoft Graph."""
        return f"https://127.0.0.1:{self.port}/v1.0"

    def answer(self, asked: Asked) -> Answer:
        """What Microsoft says to a request."""
        try:
            parts = urlsplit(asked.path)
            if parts.path.startswith("/login/"):
                form = dict(parse_qsl(asked.body.decode(), strict_parsing=True))
                return 200, {}, _json(self._token(parts.path, form))
            if asked.headers.get("authorization") != f"Bearer eyJ.canary.{self.port}.{self.issued}":
                raise _No(401, "InvalidAuthenticationToken", "Access token is empty.")  # noqa: TRY301 - one place tells of every no
            path = [unquote(part) for part in parts.path.removeprefix("/v1.0/").split("/")]
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            body = msgspec.json.decode(asked.body) if asked.body else {}
            self.verbs.append(f"{asked.method} {'/'.join(path)}")
            status, found = self._graph(asked.method, path, body, query)
        except _No as exc:
            return exc.answer
        return (status, {}, b"") if found is None else (status, {}, _json(found))

    def _token(self, path: str, form: Mapping[str, str]) -> object:
        assert path == f"/login/{TENANT}/oauth2/v2.0/token"
        assert (form["grant_type"], form["scope"]) == ("client_credentials", "https://graph.microsoft.com/.default")
        if (form["client_id"], form["client_secret"]) != (CLIENT, SECRET):
            told = {"error": "invalid_client", "error_description": f"Invalid: {form['client_secret']}"}
            no = _No(401, "", "")
            no.answer = 401, {}, _json(told)
            raise no
        self.issued += 1
        return {"token_type": "Bearer", "expires_in": 3599, "access_token": f"eyJ.canary.{self.port}.{self.issued}"}

    def _graph(
        self, method: str, path: list[str], body: dict[str, Any], query: Mapping[str, str]
    ) -> tuple[int, object]:
        kept = getattr(self, path[0])
        if len(path) == 1:
            return self._collection(method, path[0], body, query)
        if path[1] not in kept:
            raise _No(404, "Request_ResourceNotFound", f"Resource '{path[1]}' does not exist.")
        if len(path) > 2:
            return self._membership(method, self.members.setdefault(path[1], []), path[3:], body, query)
        if method == "DELETE":
            del kept[path[1]]
        else:
            assert method == "PATCH"
            assert body
            assert not body.keys() & {"id", "members"}
            kept[path[1]] |= body
        return 204, None

    def _collection(self, method: str, sort: str, body: dict[str, Any], query: Mapping[str, str]) -> tuple[int, object]:
        kept = getattr(self, sort)
        if method == "GET":
            found = re.fullmatch(r"(\w+) eq '((?:[^']|'')*)'", query["$filter"])
            assert found
            name, value = found[1], found[2].replace("''", "'")
            return 200, {"value": [one for one in kept.values() if one[name].lower() == value.lower()]}
        assert all(member in body for member in NEEDED[sort]), body
        body = dict(body)
        if sort == "users":
            self.passwords.append(body.pop("passwordProfile")["password"])
            if any(one["userPrincipalName"] == body["userPrincipalName"] for one in kept.values()):
                text = "Another object with the same value for property userPrincipalName already exists."
                raise _No(400, "Request_BadRequest", text)
        key = f"{sort}-{len(kept) + 1:04}"
        kept[key] = {"id": key, **body}
        return 201, {"@odata.context": f"{self.graph_at}/$metadata#{sort}/$entity", **kept[key]}

    def _membership(
        self, method: str, there: list[str], path: list[str], body: dict[str, Any], query: Mapping[str, str]
    ) -> tuple[int, object]:
        if method == "GET":
            first = int(query.get("$skiptoken", "0"))
            onward = self.onward or f"{self.graph_at}/groups/groups-0001/members?$skiptoken={first + self.page}"
            page: dict[str, object] = {"value": [{"id": key} for key in there[first : first + self.page]]}
            return 200, page | ({"@odata.nextLink": onward} if first + self.page < len(there) else {})
        if method == "DELETE":
            assert path[1:] == ["$ref"]
            if path[0] not in there:
                raise _No(404, "Request_ResourceNotFound", "Resource does not exist.")
            there.remove(path[0])
            return 204, None
        assert path == ["$ref"]
        key = str(body["@odata.id"]).removeprefix(f"{self.graph_at}/directoryObjects/")
        if key in there:
            raise _No(400, "Request_BadRequest", "One or more added object references already exist for 'members'.")
        if key not in self.users:
            raise _No(404, "Request_ResourceNotFound", f"Resource '{key}' does not exist.")
        there.append(key)
        return 204, None
