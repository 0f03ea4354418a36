"""plex.tv as its documentation has it, on this machine: accounts, what they see, whom they share with."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from keystead.base.outbound import Outbound
from keystead.doors.worker.defaults.flows import flows
from keystead.sources.plex import tv
from tests.client import Answered, Client
from tests.house import House
from tests.strangers import LOCAL, Asked, Authority, answering, listening

API = "/api/v3"
REDEEM = f"{API}/sources/plex/redeem_token/?slug=plex"
CONNECT = f"{API}/sources/plex/redeem_token_authenticated/?slug=plex"
OWNER = "token-of-the-owner"
JSON = {"content-type": "application/json"}


@dataclass
class Plex:
    """What plex.tv knows.

    :param accounts: token -> account.
    :param resources: token -> what the account sees.
    :param friends: token -> ids of accounts.
    :param status: answered instead, whatever is asked.
    """

    house: House
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    resources: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    friends: dict[str, list[int]] = field(default_factory=dict)
    pins: list[dict[str, Any]] = field(default_factory=list)
    status: int = 0
    asked: list[Asked] = field(default_factory=list)

    def account(self, token: str, number: int, name: str, **more: Any) -> str:  # noqa: ANN401 - members of an account
        """An account, with a token of its own."""
        self.accounts[token] = {
            "id": number,
            "uuid": f"{number:016x}",
            "username": name,
            "title": name,
            "friendlyName": name.title(),
            "email": f"{name}@example.org",
            "confirmed": True,
            "guest": False,
            "anonymous": None,
            "authToken": token,
            "subscription": {"active": True},
            **more,
        }
        return token

    def friend(self, name: str = "anna", number: int = 7, **more: Any) -> str:  # noqa: ANN401 - as above
        """A friend of the owner; their token."""
        self.friends[OWNER].append(number)
        return self.account(f"token-of-{name}", number, name, **more)

    def answer(self, asked: Asked) -> tuple[int, Mapping[str, str], bytes]:
        """What plex.tv says."""
        self.asked.append(asked)
        if self.status:
            return self.status, {}, b""
        pins = self.pinned(asked)
        token = asked.headers.get("x-plex-token", "")
        if pins is None and (token not in self.accounts or not asked.headers.get("x-plex-client-identifier")):
            return 401, JSON, b'{"errors": [{"code": 1001, "message": "User could not be authenticated"}]}'
        if asked.path == "/api/users":
            users = "".join(f'<User id="{one}" title="x" home="0" restricted="0"/>' for one in self.friends[token])
            return 200, {"content-type": "application/xml"}, f"<MediaContainer>{users}</MediaContainer>".encode()
        told: object = pins
        if asked.path == "/api/v2/user":
            told = self.accounts[token]
        elif asked.path == "/api/v2/resources":
            told = self.resources.get(token, [])
        return (404, {}, b"") if told is None else (200, JSON, msgspec.json.encode(told))

    def pinned(self, asked: Asked) -> dict[str, Any] | None:
        """A pin that is asked for, or after."""
        if asked.method == "POST" and asked.path == "/api/v2/pins?strong=true":
            number = 1000 + len(self.pins)
            self.pins.append({"id": number, "code": f"c{number}", "expiresIn": 1800, "authToken": None})
            return self.pins[-1]
        paths = {f"/api/v2/pins/{one['id']}?code={one['code']}": one for one in self.pins}
        return paths.get(asked.path)

    async def redeem(self, token: str, browser: Client | None = None, **more: Any) -> Answered:  # noqa: ANN401 - handed on
        """A browser brings a token."""
        return await (browser or Client(self.house.app)).post(REDEEM, {"plex_token": token}, **more)

    async def source(self, **members: Any) -> dict[str, Any]:  # noqa: ANN401 - members of a source
        """The source, with the flows that a new installation has."""
        await self.house.put(*flows())
        listed = (await self.house.admin.get(f"{API}/flows/instances/", query={"page_size": "100"})).json["results"]
        slugs = {one["slug"]: one["pk"] for one in listed}
        body = {
            "name": "Plex",
            "slug": "plex",
            "plex_token": OWNER,
            "client_id": "the-client",
            "authentication_flow": slugs["default-source-authentication"],
            "enrollment_flow": slugs["default-source-enrollment"],
            **members,
        }
        made = await self.house.admin.post(f"{API}/sources/plex/", body)
        assert made.status == 201, made.text
        found: dict[str, Any] = made.json
        return found

    async def change(self, **members: Any) -> None:  # noqa: ANN401 - as above
        """Change the source."""
        done = await self.house.admin.patch(f"{API}/sources/plex/plex/", members)
        assert done.status == 200, done.text

    async def connections(self) -> list[dict[str, Any]]:
        """Who is connected."""
        listed = await self.house.admin.get(f"{API}/sources/user_connections/plex/")
        found: list[dict[str, Any]] = listed.json["results"]
        return found

    async def events(self, action: str) -> list[dict[str, Any]]:
        """The events of this action."""
        listed = await self.house.admin.get(f"{API}/events/events/", query={"action": action})
        found: list[dict[str, Any]] = listed.json["results"]
        return found


async def me(browser: Client) -> str:
    """Who is signed in in a browser; empty for nobody."""
    answered = await browser.get(f"{API}/core/users/me/")
    return str(answered.json["user"]["username"]) if answered.status == 200 else ""


@asynccontextmanager
async def plex_tv(house: House, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Plex]:
    """plex.tv, which ``house`` asks instead of the real one."""
    plex = Plex(house)
    plex.account(OWNER, 1, "owner")
    plex.friends[OWNER] = []
    async with listening(answering(plex.answer), authority.serving("127.0.0.1")) as port:
        monkeypatch.setattr(tv, "AT", f"https://127.0.0.1:{port}")
        house.state.outbound = Outbound((LOCAL,), tls=authority.trusting())
        yield plex
