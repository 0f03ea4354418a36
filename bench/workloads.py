"""The workloads: what a deployment does most, each as one step that a client repeats."""

import asyncio
import base64
import contextlib
import hashlib
import itertools
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from bench.client import FORM, JSON, Connection, Reply, cookie_line
from bench.load import Seen, drive, seen
from bench.server import PASSWORD, TOKEN, Server
from keystead.base import rand

API = f"Authorization: Bearer {TOKEN}\r\n{JSON}"
REDIRECT = "http://localhost:3000/callback"
VERIFIER = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"


class Unexpected(Exception):  # noqa: N818 - an answer that spoils the measurement
    """The server answered otherwise than the workload needs."""


def wanted(reply: Reply, *statuses: int) -> Reply:
    """``reply``, if its status is one of ``statuses``."""
    if reply.status not in statuses:
        raise Unexpected(f"{reply.status}: {reply.body[:300]!r} {reply.headers.get('location', '')}")
    return reply


@dataclass
class Bench:
    """A prepared installation: two applications, one signing with RS256, one with ES256."""

    server: Server
    clients: dict[str, tuple[str, str]]
    slugs: dict[str, str]
    cookies: dict[str, str]

    def basic(self, alg: str) -> str:
        """The client's credentials as a header line."""
        pair = ":".join(quote(part, safe="") for part in self.clients[alg])
        return f"Authorization: Basic {base64.b64encode(pair.encode()).decode()}\r\n"


async def call(connection: Connection, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
    """One call of the API."""
    sent = json.dumps(body).encode() if body is not None else b""
    return json.loads(wanted(await connection.ask(method, f"/api/v3/{path}", sent, API), 200, 201).body)


async def prepare(server: Server) -> Bench:
    """Make applications and sign somebody in."""
    connection = await Connection.to(server.url)

    api = partial(call, connection)

    async def named(path: str) -> str:
        found = await api("GET", path)
        results = found["results"]
        return str(results[0]["pk"]) if isinstance(results, list) else ""

    flow = await named("flows/instances/?slug=default-provider-authorization-implicit-consent")
    ending = await named("flows/instances/?slug=default-provider-invalidation-flow")
    mappings = [
        await named(f"propertymappings/provider/scope/?scope_name={scope}") for scope in ("openid", "email", "profile")
    ]
    clients: dict[str, tuple[str, str]] = {}
    slugs: dict[str, str] = {}
    run = rand.hex128()[:8]  # a database that is kept has those of earlier runs
    for alg, kind in (("RS256", "rsa"), ("ES256", "ecdsa")):
        slug = slugs[alg] = f"bench-{alg.lower()}-{run}"
        body = {"common_name": slug, "validity_days": 30, "alg": kind}
        key = await api("POST", "crypto/certificatekeypairs/generate/", body)
        provider = await api(
            "POST",
            "providers/oauth2/",
            {
                "name": slug,
                "authorization_flow": flow,
                "invalidation_flow": ending,
                "signing_key": key["pk"],
                "property_mappings": mappings,
                "redirect_uris": [{"matching_mode": "strict", "url": REDIRECT}],
                "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
            },
        )
        await api("POST", "core/applications/", {"name": slug, "slug": slug, "provider": provider["pk"]})
        clients[alg] = (str(provider["client_id"]), str(provider["client_secret"]))
    cookies = await sign_in(connection)
    wanted(await connection.ask("GET", "/api/v3/core/users/me/", b"", cookie_line(cookies)), 200)
    connection.close()
    return Bench(server, clients, slugs, cookies)


LOOKED = 0.025
"""Seconds between two looks at how long others wait: enough for a p99, and few enough to be no load of their own."""
TWO_PAGES = ({"uid_field": "akadmin"}, {"password": PASSWORD})
ONE_PAGE = ({"uid_field": "akadmin", "password": PASSWORD},)


async def sign_in(
    connection: Connection,
    flow: str = "default-authentication-flow",
    answers: Sequence[dict[str, str]] = TWO_PAGES,
) -> dict[str, str]:
    """Sign the first administrator in; the cookies to send from now on."""
    path = f"/api/v3/flows/executor/{flow}/"
    reply = wanted(await connection.ask("GET", path), 200)
    cookies = reply.cookies
    for answer in answers:
        reply = await connection.ask("POST", path, json.dumps(answer).encode(), JSON + cookie_line(cookies))
        cookies |= wanted(reply, 200, 302).cookies
        if reply.status == 302:  # noqa: PLR2004 - the next challenge waits
            cookies |= wanted(await connection.ask("GET", path, b"", cookie_line(cookies)), 200).cookies
    if b"xak-flow-redirect" not in reply.body:
        raise Unexpected(reply.body[:300])
    return cookies


async def one_page(server: Server) -> str:
    """The slug of a flow that asks for name and password on one page; made when it is first wanted."""
    slug = "bench-one-page"
    connection = await Connection.to(server.url)

    api = partial(call, connection)
    if not (await api("GET", f"flows/instances/?slug={slug}"))["results"]:
        password, login = [
            (await api("GET", f"stages/{kind}/"))["results"][0]["pk"] for kind in ("password", "user_login")
        ]
        stage = {"name": slug, "user_fields": ["username"], "password_stage": password}
        asked = (await api("POST", "stages/identification/", stage))["pk"]
        made = {"name": slug, "slug": slug, "title": "Sign in", "designation": "authentication"}
        flow = (await api("POST", "flows/instances/", made))["pk"]
        for order, one in enumerate((asked, login)):
            await api("POST", "flows/bindings/", {"target": flow, "stage": one, "order": order})
    connection.close()
    return slug


async def client_credentials(bench: Bench, alg: str) -> Seen:
    """W1: a token for a machine; one signature, as there is nobody to tell of in an ID token."""
    body = b"grant_type=client_credentials&scope=profile"
    headers = FORM + bench.basic(alg)

    async def step(connection: Connection) -> None:
        wanted(await connection.ask("POST", "/application/o/token/", body, headers), 200)

    return await drive(bench.server, step)


async def code_exchange(bench: Bench, alg: str) -> Seen:
    """W2: authorize with a live session, then redeem the code with PKCE."""
    flow = Flow(bench, alg)

    async def step(connection: Connection) -> None:
        await flow.tokens(connection)

    return await drive(bench.server, step, clients=16)


class Flow:
    """The authorization code flow of somebody who is signed in."""

    def __init__(self, bench: Bench, alg: str) -> None:
        client_id, _ = bench.clients[alg]
        challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
        self._query = urlencode(
            {
                "response_type": "code",
                "client_id": client_id,
                "redirect_uri": REDIRECT,
                "scope": "openid email profile",
                "code_challenge": challenge,
                "code_challenge_method": "S256",
            }
        )
        self._cookie = cookie_line(bench.cookies)
        self._token = FORM + bench.basic(alg)
        self._numbers = itertools.count()

    async def tokens(self, connection: Connection) -> dict[str, str]:
        """What the token endpoint gives."""
        path = f"/application/o/authorize/?{self._query}&state=s{next(self._numbers)}&nonce=n"
        reply = wanted(await connection.ask("GET", path, b"", self._cookie), 302)
        code = parse_qs(urlsplit(reply.headers["location"]).query)["code"][0]
        body = urlencode(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": REDIRECT,
                "code_verifier": VERIFIER,
            }
        ).encode()
        reply = wanted(await connection.ask("POST", "/application/o/token/", body, self._token), 200)
        answer: dict[str, str] = json.loads(reply.body)
        return answer


async def _access_token(bench: Bench, alg: str) -> str:
    connection = await Connection.to(bench.server.url)
    tokens = await Flow(bench, alg).tokens(connection)
    connection.close()
    return tokens["access_token"]


async def userinfo(bench: Bench) -> Seen:
    """W6: who the bearer of a token is."""
    headers = f"Authorization: Bearer {await _access_token(bench, 'RS256')}\r\n"

    async def step(connection: Connection) -> None:
        wanted(await connection.ask("GET", "/application/o/userinfo/", b"", headers), 200)

    return await drive(bench.server, step)


async def introspection(bench: Bench) -> Seen:
    """W5: whether a token counts."""
    body = urlencode({"token": await _access_token(bench, "RS256")}).encode()
    headers = FORM + bench.basic("RS256")

    async def step(connection: Connection) -> None:
        reply = wanted(await connection.ask("POST", "/application/o/introspect/", body, headers), 200)
        if b'"active":true' not in reply.body:
            raise Unexpected(reply.body[:200])

    return await drive(bench.server, step)


async def password_login(bench: Bench, *, pages: int = 2) -> tuple[Seen, Seen]:
    """W3: sign-ins by password, and the key set of an application fetched meanwhile.

    :param pages: 2: name and password one after the other, as a fresh installation asks; 1: both together.
    """
    one = (await one_page(bench.server), ONE_PAGE) if pages == 1 else ()
    waits: list[float] = []
    done = asyncio.Event()

    async def keys() -> None:
        connection = await Connection.to(bench.server.url)
        while not done.is_set():
            began = time.perf_counter()
            wanted(await connection.ask("GET", f"/application/o/{bench.slugs['RS256']}/jwks/"), 200)
            waits.append(time.perf_counter() - began)
            await asyncio.sleep(LOOKED)

    async def step(connection: Connection) -> None:
        await sign_in(connection, *one)

    watcher = asyncio.create_task(keys())
    logins = await drive(bench.server, step, clients=8, seconds=6.0)
    done.set()
    await watcher
    return logins, seen(waits, 7.0, 0.0)


async def list_users(bench: Bench) -> Seen:
    """W12: the first page of all users."""

    async def step(connection: Connection) -> None:
        reply = wanted(await connection.ask("GET", "/api/v3/core/users/?page_size=20", b"", API), 200)
        if reply.body.count(b'"username"') < 20:  # noqa: PLR2004 - a whole page
            raise Unexpected(reply.body[:200])

    return await drive(bench.server, step, clients=1, seconds=3.0)


async def key_set(bench: Bench) -> Seen:
    """W7: an application's keys; nothing but HTTP."""
    path = f"/application/o/{bench.slugs['RS256']}/jwks/"

    async def step(connection: Connection) -> None:
        wanted(await connection.ask("GET", path), 200)

    return await drive(bench.server, step)


async def hello(bench: Bench) -> Seen:
    """The least an answer can cost: the liveness page."""

    async def step(connection: Connection) -> None:
        wanted(await connection.ask("GET", "/-/health/live/"), 200)

    with contextlib.suppress(Unexpected):
        return await drive(bench.server, step)
    return Seen(0, 0, 0, 0, 0)
