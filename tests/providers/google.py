"""Google, as far as tests need it: token endpoint and Directory API, as their documentation has them."""

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import msgspec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.strangers import Asked

ADMIN = "admin@example.org"
ACCOUNT = "robot@project.iam.gserviceaccount.com"
USERS = ("primaryEmail", "name", "password")
Answer = tuple[int, Mapping[str, str], bytes]


class _No(Exception):  # noqa: N818 - what Google says, and no error of the test
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.answer = (
            status,
            {"content-type": "application/json"},
            _json({"error": {"code": status, "message": message}}),
        )


def _json(value: object) -> bytes:
    return msgspec.json.encode(value)


def _part(text: str) -> Any:  # noqa: ANN401 - JSON
    return msgspec.json.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)))


@dataclass
class Google:
    """One Workspace.

    :param page: the most members that one answer holds.
    :param verbs: what was asked, beside tokens.
    """

    at: int
    port: int = 0
    page: int = 200
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: dict[str, dict[str, str]] = field(default_factory=dict)
    passwords: list[str] = field(default_factory=list)
    claims: list[dict[str, Any]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    verbs: list[str] = field(default_factory=list)
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    @property
    def token_at(self) -> str:
        """The token endpoint."""
        return f"https://127.0.0.1:{self.port}/token"

    @property
    def directory_at(self) -> str:
        """The Directory API."""
        return f"https://127.0.0.1:{self.port}/admin/directory/v1"

    @property
    def credentials(self) -> dict[str, str]:
        """The key file of a service account."""
        pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        named = {"type": "service_account", "client_email": ACCOUNT, "private_key_id": "key-1"}
        return {**named, "private_key": pem.decode(), "token_uri": "https://elsewhere.example/token"}

    def answer(self, asked: Asked) -> Answer:
        """What Google says to a request."""
        try:
            path = urlsplit(asked.path).path
            if path == "/token":
                return 200, {}, _json(self._token(dict(parse_qsl(asked.body.decode(), strict_parsing=True))))
            if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
                raise _No(401, "Invalid Credentials")  # noqa: TRY301 - one place tells of every no
            parts = [unquote(part) for part in path.removeprefix("/admin/directory/v1/").split("/")]
            query = {name: values[0] for name, values in parse_qs(urlsplit(asked.path).query).items()}
            body = msgspec.json.decode(asked.body) if asked.body else {}
            self.verbs.append(f"{asked.method} {'/'.join(parts)}")
            found = self._directory(asked.method, parts, body, query)
        except _No as exc:
            return exc.answer
        return (204, {}, b"") if found is None else (200, {}, _json(found))

    def _token(self, form: Mapping[str, str]) -> object:
        assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        signed, _, signature = form["assertion"].rpartition(".")
        header, claims = (_part(one) for one in signed.split("."))
        assert (header["alg"], header["typ"], header["kid"]) == ("RS256", "JWT", "key-1")
        raw = urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
        self.key.public_key().verify(raw, signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        assert (claims["iss"], claims["aud"]) == (ACCOUNT, self.token_at)
        assert claims["exp"] - claims["iat"] <= 3600
        assert claims.keys() == {"iss", "sub", "scope", "aud", "iat", "exp"}
        self.claims.append(claims)
        token = f"ya29.canary-{self.port}-{len(self.claims)}"
        self.tokens.add(token)
        return {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}

    def _directory(self, method: str, parts: list[str], body: dict[str, Any], query: Mapping[str, str]) -> object:
        if len(parts) >= 3:
            return self._membership(method, self._one("groups", parts[1])["id"], parts[3:], body, query)
        kept = getattr(self, parts[0])
        name = "primaryEmail" if parts[0] == "users" else "email"
        if method == "POST":
            return self._insert(parts[0], name, body)
        one = self._one(parts[0], parts[1])
        if method == "DELETE":
            del kept[one["id"]]
            return None
        if method == "PUT":
            one |= {key: value for key, value in body.items() if key != "password"}
        return one

    def _insert(self, sort: str, name: str, body: dict[str, Any]) -> object:
        kept = getattr(self, sort)
        if sort == "users":
            assert all(body.get(member) for member in USERS), body
            assert all(body["name"].get(member) for member in ("givenName", "familyName"))
            self.passwords.append(body.pop("password"))
            assert 8 <= len(self.passwords[-1]) <= 100
        if any(one[name].lower() == body[name].lower() for one in kept.values()):
            raise _No(409, "Entity already exists.")
        key = f"{sort[0]}{len(kept) + 1:020}"
        kept[key] = {"kind": f"admin#directory#{sort[:-1]}", "id": key, **body}
        return kept[key]

    def _one(self, sort: str, key: str) -> dict[str, Any]:
        for one in getattr(self, sort).values():
            if key in {one["id"], one.get("primaryEmail"), one.get("email")}:
                found: dict[str, Any] = one
                return found
        raise _No(404, f"Resource Not Found: {key}")

    def _membership(
        self, method: str, group: str, parts: list[str], body: dict[str, Any], query: Mapping[str, str]
    ) -> object:
        there = self.members.setdefault(group, {})
        if method == "GET":
            assert 0 < int(query["maxResults"]) <= 200
            first = int(query.get("pageToken", "0"))
            page = [{"id": key, "role": role} for key, role in there.items()][first : first + self.page]
            onward = {"nextPageToken": str(first + self.page)} if first + self.page < len(there) else {}
            return {"members": page, **onward}
        if method == "POST":
            key = self._one("users", body.get("email") or body["id"])["id"]
            if key in there:
                raise _No(409, "Member already exists.")
            there[key] = body["role"]
            return {"id": key, "role": body["role"]}
        if there.pop(parts[0], None) is None:
            raise _No(404, "Resource Not Found: memberKey")
        return None
