"""Duo, as far as tests need it: its documentation carried out on a real server, signatures included."""

import hashlib
import hmac
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote

import msgspec

from keystead.base.outbound import Outbound
from tests.strangers import LOCAL, Asked, Authority, answering, listening

HOST = "api-1234abcd.duo.example"
AUTH = ("DIAUTH", "the secret of the Auth API")
ADMIN = ("DIADMIN", "the secret of the Admin API")
END = 4_102_444_800  # 2100


class _No(Exception):  # noqa: N818 - what Duo says, and no error of the test
    def __init__(self, status: int, code: int, message: str, detail: str = "") -> None:
        super().__init__(message)
        told = {"stat": "FAIL", "code": code, "message": message, "message_detail": detail or None}
        self.answer = (status, {"Content-Type": "application/json"}, msgspec.json.encode(told))


@dataclass
class Duo:
    """One customer of Duo.

    :param users: what the Admin API tells.
    :param accounts: user names -> ids, of which the Auth API knows.
    :param how_far: how far enrolments are.
    :param verdict: what people say to requests on their telephones.
    :param page: the most users that one answer holds.
    :param silent: answers with what no documentation says.
    """

    users: list[dict[str, Any]] = field(default_factory=list)
    accounts: dict[str, str] = field(default_factory=dict)
    how_far: str = "waiting"
    expiration: int = END
    verdict: str = "deny"
    page: int = 300
    silent: bytes = b""
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    port: int = 0

    @property
    def host(self) -> str:
        """What a stage calls ``api_hostname``."""
        return f"{HOST}:{self.port}"

    def answer(self, asked: Asked) -> tuple[int, Mapping[str, str], bytes]:
        """What Duo says to a request."""
        if self.silent:
            return 200, {}, self.silent
        try:
            path, _, query = asked.path.partition("?")
            params = dict(parse_qsl(query if asked.method == "GET" else asked.body.decode(), strict_parsing=True))
            _check(asked, path, params, ADMIN if path.startswith("/admin/") else AUTH)
            self.asked.append((path, params))
            said = getattr(self, "_" + path.strip("/").replace("/", "_"))(params)
        except _No as exc:
            return exc.answer
        return 200, {"Content-Type": "application/json"}, msgspec.json.encode({"stat": "OK", **said})

    def _auth_v2_enroll(self, params: Mapping[str, str]) -> dict[str, Any]:
        name = params["username"]
        if name in self.accounts:
            raise _No(400, 40002, "Invalid request parameters", "username already exists")
        assert params["valid_secs"].isdigit()
        self.accounts[name] = f"DU{len(self.accounts):018}"
        made = {
            "activation_barcode": f"https://{HOST}/frame/qr?value={name}",
            "activation_code": f"duo://{name}",
            "expiration": self.expiration,
            "user_id": self.accounts[name],
            "username": name,
        }
        return {"response": made}

    def _auth_v2_enroll_status(self, params: Mapping[str, str]) -> dict[str, Any]:
        known = {user_id: f"duo://{name}" for name, user_id in self.accounts.items()}
        right = known.get(params["user_id"]) == params["activation_code"]
        return {"response": self.how_far if right else "invalid"}

    def _auth_v2_auth(self, params: Mapping[str, str]) -> dict[str, Any]:
        assert (params["factor"], params["device"]) == ("push", "auto")
        if params["user_id"] not in self.accounts.values():
            raise _No(400, 40002, "Invalid request parameters", "user_id")
        return {"response": {"result": self.verdict, "status": self.verdict, "status_msg": "Said on the telephone."}}

    def _admin_v1_users(self, params: Mapping[str, str]) -> dict[str, Any]:
        first = int(params["offset"])
        last = first + min(int(params["limit"]), self.page)
        onward = {"next_offset": last} if last < len(self.users) else {}
        return {"response": self.users[first:last], "metadata": {**onward, "total_objects": len(self.users)}}


def _check(asked: Asked, path: str, params: Mapping[str, str], keys: Sequence[str]) -> None:
    """Let through what is signed as Duo's documentation says."""
    args = "&".join(f"{quote(key, '~')}={quote(params[key], '~')}" for key in sorted(params))
    signed = "\n".join([asked.headers["date"], asked.method, asked.headers["host"], path, args])
    right = hmac.new(keys[1].encode(), signed.encode(), hashlib.sha512).hexdigest()
    scheme, _, credentials = asked.headers["authorization"].partition(" ")
    key, _, given = b64decode(credentials).decode().partition(":")
    if scheme != "Basic" or key != keys[0]:
        raise _No(401, 40102, "Invalid integration key in request credentials")
    if not hmac.compare_digest(given, right):
        raise _No(401, 40103, "Invalid signature in request credentials")


@asynccontextmanager
async def serving(authority: Authority) -> AsyncIterator[tuple[Duo, Outbound]]:
    """Duo on this machine, and a way out that trusts its certificate and leads there."""
    duo = Duo()

    async def resolve(host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.1"] if host == HOST else []

    async with listening(answering(duo.answer), authority.serving(HOST)) as port:
        duo.port = port
        yield duo, Outbound((LOCAL,), tls=authority.trusting(), resolve=resolve)
