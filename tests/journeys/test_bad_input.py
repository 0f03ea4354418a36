"""What no client should send: every door answers in its own words, nothing breaks, and nothing is left behind."""

import contextlib
import json
import re
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal

import pytest

from keystead.store.postgres import Address
from tests import engines
from tests.engines import Place
from tests.journeys import raw
from tests.journeys.raw import Told, request
from tests.journeys.server import TOKEN, Node

Words = Literal["members", "detail", "oauth", "page", "none"]
"""How a door says no: by member, as one sentence, as RFC 6749 §5.2 has it, as a page, or with the status alone."""

LARGE: Final = b"a" * 2_000_000
UNKNOWN: Final = "8f14e45f-ceea-467a-9a36-dedd4bea2543"
ADMIN: Final = ("Authorization", f"Bearer {TOKEN}")
JSON: Final = ("Content-Type", "application/json")
FORM: Final = ("Content-Type", "application/x-www-form-urlencoded")
TEXT: Final = ("Content-Type", "text/plain")
API: Final = "/api/v3/"
USERS: Final = f"{API}core/users/"
EXECUTOR: Final = f"{API}flows/executor/default-authentication-flow/"
TOKENS: Final = "/application/o/token/"
AUTHORIZE: Final = "/application/o/authorize/"
LOGIN: Final = "/if/flow/default-authentication-flow/"


@dataclass(frozen=True, slots=True)
class Bad:
    """A request, and how it is refused.

    :param member: a member that the refusal names, where it speaks by member.
    """

    sent: bytes
    status: int
    words: Words = "members"
    member: str = "non_field_errors"


def create(body: bytes, path: str = USERS) -> bytes:
    """A body for the API."""
    return request("POST", path, ADMIN, JSON, body=body)


def get(path: str) -> bytes:
    """A page of the API, asked for by the administrator."""
    return request("GET", path, ADMIN)


def answer(body: bytes) -> bytes:
    """A body for the flow executor."""
    return request("POST", EXECUTOR, JSON, body=body)


def redeem(body: bytes, *headers: tuple[str, str]) -> bytes:
    """A form for the token endpoint."""
    return request("POST", TOKENS, FORM, *headers, body=body)


BODIES: Final = {
    "cut off": b'{"username": ',
    "an array": b"[]",
    "null": b"null",
    "no number": b'{"username": "x", "name": NaN}',
    "a number beyond all": b'{"username": "x", "name": "x", "attributes": {"a": 1e400}}',
    "too deep": b'{"a":' * 100_000,
    "a member twice": b'{"username": "x", "username": "y"}',
    "broken UTF-8": b'{"username": "\xff\xfe", "name": "x"}',
    "half a character": b'{"username": "x", "name": "\\ud800"}',
}
"""Bodies that are no JSON object, for whoever reads one."""

THE_API: Final = {
    **{f"body: {name}": Bad(create(body), 400) for name, body in BODIES.items()},
    "body: empty": Bad(request("POST", USERS, ADMIN, JSON, ("Content-Length", "0")), 400, member="username"),
    "body: large": Bad(create(b'{"username":"' + LARGE + b'"}'), 413, "detail"),
    "body: text": Bad(request("POST", USERS, ADMIN, TEXT, body=b"{}"), 415, "detail"),
    "body: form": Bad(request("POST", USERS, ADMIN, FORM, body=b"username=x"), 415, "detail"),
    "body: of no type": Bad(request("POST", USERS, ADMIN, body=b"{}"), 415, "detail"),
    "member: numbers for text": Bad(create(b'{"username": 5, "name": "x"}'), 400, member="username"),
    "member: text for a truth": Bad(
        create(b'{"username": "x", "name": "x", "is_active": "no"}'), 400, member="is_active"
    ),
    "member: text for a list": Bad(create(b'{"username": "x", "name": "x", "groups": "y"}'), 400, member="groups"),
    "member: array for an object": Bad(
        create(b'{"username": "x", "name": "x", "attributes": []}'), 400, member="attributes"
    ),
    "member: null character": Bad(create(b'{"username": "x", "name": "\\u0000"}'), 400, member="name"),
    "member: null character in JSON": Bad(
        create(b'{"username": "x", "name": "x", "attributes": {"\\u0000": 1}}'), 400, member="attributes"
    ),
    "member: unknown object": Bad(
        create(json.dumps({"username": "x", "name": "x", "groups": [UNKNOWN]}).encode()), 400, member="groups"
    ),
    "member: huge number": Bad(
        create(b'{"name": "x", "slug": "x", "provider": 1' + b"0" * 30 + b"}", f"{API}core/applications/"),
        400,
        member="provider",
    ),
    "member: unfit slug": Bad(create(b'{"name": "x", "slug": "a b"}', f"{API}core/applications/"), 400, member="slug"),
    "path: unknown": Bad(get(f"{API}core/nothing/"), 404, "detail"),
    "path: unknown object": Bad(get(f"{API}core/groups/{UNKNOWN}/"), 404, "detail"),
    "path: no key": Bad(get(f"{API}core/groups/nobody/"), 404, "detail"),
    "path: huge number": Bad(get(USERS + "9" * 40 + "/"), 404, "detail"),
    "path: broken UTF-8": Bad(get(f"{API}core/applications/%ff/"), 404, "detail"),
    "path: null character of two": Bad(get(f"{API}lifecycle/iterations/latest/a/b%00/"), 404, "detail"),
    "path: null character": Bad(get(f"{API}core/applications/a%00b/"), 404, "detail"),
    "method: not here": Bad(request("PATCH", USERS, ADMIN, JSON, body=b"{}"), 405, "detail"),
    "method: trace": Bad(request("TRACE", USERS, ADMIN), 405, "detail"),
    "query: broken UTF-8": Bad(get(f"{USERS}?search=%ff%fe"), 400),
    "query: null character": Bad(get(f"{USERS}?username=%00"), 400),
    "query: no uuid": Bad(get(f"{USERS}?groups_by_pk=xyz"), 400, member="groups_by_pk"),
    "query: no truth": Bad(get(f"{USERS}?is_active=maybe"), 400, member="is_active"),
    "query: no choice": Bad(get(f"{USERS}?type=alien"), 400, member="type"),
    "query: no date": Bad(get(f"{USERS}?date_joined__gt=yesterday"), 400, member="date_joined__gt"),
    "query: no object": Bad(get(f"{USERS}?attributes=%7B"), 400, member="attributes"),
    "query: no page": Bad(get(f"{USERS}?page=first"), 404, "detail"),
    "query: a page far away": Bad(get(f"{USERS}?page={'9' * 30}"), 404, "detail"),
    "query: pages, the last of which is none": Bad(get(f"{USERS}?page=1&page=2000"), 404, "detail"),
    "host: none": Bad(request("GET", USERS, ADMIN, host=None), 400),
    "host: two": Bad(request("GET", USERS, ADMIN, ("Host", "other.example")), 400),
    "host: no name": Bad(request("GET", USERS, ADMIN, host="a b"), 400),
    "head: large": Bad(request("GET", USERS, ADMIN, ("X-Large", "a" * 100_000)), 431, "none"),
    "head: long target": Bad(get(f"{USERS}?search={'a' * 100_000}"), 431, "none"),
    "caller: no token": Bad(request("GET", USERS, ("Authorization", "Bearer")), 403, "detail"),
    "caller: strange token": Bad(request("GET", USERS, ("Authorization", "Bearer \xff\xfe")), 403, "detail"),
    "caller: other scheme": Bad(request("GET", USERS, ("Authorization", "Basic eDp4")), 403, "detail"),
    "caller: broken cookie": Bad(
        request("GET", USERS, ("Cookie", "authentik_session=\xff.\xfe.x;;=;a=b=c")), 403, "detail"
    ),
    "caller: large cookie": Bad(request("GET", USERS, ("Cookie", "authentik_session=" + "a." * 20_000)), 403, "detail"),
    "HTTP: broken chunks": Bad(
        request("POST", USERS, ADMIN, JSON, ("Transfer-Encoding", "chunked")) + b"zz\r\n{}\r\n", 400, "none"
    ),
    "HTTP: two lengths": Bad(
        request("POST", USERS, ADMIN, ("Transfer-Encoding", "chunked"), body=b"0\r\n\r\n"), 400, "none"
    ),
    "HTTP: TLS": Bad(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400, "none"),
}
THE_EXECUTOR: Final = {
    **{f"body: {name}": Bad(answer(body), 400) for name, body in BODIES.items()},
    "body: large": Bad(answer(b'{"uid_field":"' + LARGE + b'"}'), 413, "detail"),
    "body: text": Bad(request("POST", EXECUTOR, TEXT, body=b"x"), 415, "detail"),
    "body: form": Bad(request("POST", EXECUTOR, FORM, body=b"uid_field=x"), 415, "detail"),
    "flow: unknown": Bad(request("GET", f"{API}flows/executor/nothing/"), 404, "detail"),
    "flow: broken UTF-8": Bad(request("GET", f"{API}flows/executor/%ff/"), 404, "detail"),
    "flow: null character": Bad(request("GET", f"{API}flows/executor/%00/"), 404, "detail"),
    "query: broken UTF-8": Bad(request("GET", f"{EXECUTOR}?query=%ff"), 400),
    "query: broken UTF-8 inside": Bad(request("GET", f"{EXECUTOR}?query=next%3D%25ff"), 400),
    "query: null character inside": Bad(request("GET", f"{EXECUTOR}?query=next%3D%2500"), 400),
    "method: not here": Bad(request("PUT", EXECUTOR, JSON, body=b"{}"), 405, "detail"),
    "host: no name": Bad(request("GET", EXECUTOR, host="a b"), 400),
}
THE_TOKEN_ENDPOINT: Final = {
    "form: empty": Bad(redeem(b""), 400, "oauth", "invalid_request"),
    "form: JSON": Bad(request("POST", TOKENS, JSON, body=b"{}"), 400, "oauth", "invalid_request"),
    "form: large": Bad(redeem(b"grant_type=" + LARGE), 413, "oauth", "invalid_request"),
    "form: broken UTF-8": Bad(redeem(b"grant_type=%ff&client_id=%fe"), 400, "oauth", "invalid_request"),
    "form: bytes": Bad(redeem(b"grant_type=\xff"), 400, "oauth", "invalid_request"),
    "form: null character": Bad(
        redeem(b"grant_type=client_credentials&client_id=%00"), 400, "oauth", "invalid_request"
    ),
    "form: a parameter twice": Bad(redeem(b"grant_type=a&grant_type=b&client_id=x"), 400, "oauth", "invalid_request"),
    "client: unknown": Bad(redeem(b"grant_type=magic&client_id=x"), 400, "oauth", "invalid_client"),
    "client: no credentials": Bad(
        redeem(b"grant_type=magic", ("Authorization", "Basic !!!")), 401, "oauth", "invalid_client"
    ),
    "client: strange credentials": Bad(
        redeem(b"grant_type=magic", ("Authorization", "Basic \xff")), 401, "oauth", "invalid_client"
    ),
    "method: not here": Bad(request("GET", TOKENS), 405, "oauth", "invalid_request"),
    "host: no name": Bad(
        request("POST", TOKENS, FORM, host="a b", body=b"grant_type=x"), 400, "oauth", "invalid_request"
    ),
    "userinfo: strange token": Bad(
        request("GET", "/application/o/userinfo/", ("Authorization", "Bearer \xff")), 401, "oauth", "invalid_token"
    ),
    "introspection: null character": Bad(
        request("POST", "/application/o/introspect/", FORM, body=b"token=%00"), 400, "oauth", "invalid_request"
    ),
    "application: unknown": Bad(request("GET", "/application/o/nothing/jwks/"), 404, "detail"),
    "application: broken UTF-8": Bad(request("GET", "/application/o/%ff/jwks/"), 404, "detail"),
}
PAGES: Final = {
    "path: unknown": Bad(request("GET", "/nowhere/"), 404, "page"),
    "path: broken UTF-8": Bad(request("GET", "/%ff"), 404, "page"),
    "path: climbing": Bad(request("GET", "/static/../../etc/passwd"), 404, "page"),
    "path: climbing in disguise": Bad(request("GET", "/static/%2e%2e/%2e%2e/etc/passwd"), 404, "page"),
    "flow: unknown": Bad(request("GET", "/if/flow/nothing/"), 404, "page"),
    "application: unknown": Bad(request("GET", "/application/launch/%ff/"), 404, "page"),
    "link: unknown": Bad(request("GET", "/recovery/use-token/%00/"), 404, "page"),
    "query: broken UTF-8": Bad(request("GET", f"{LOGIN}?next=%ff"), 400, "page"),
    "form: large": Bad(request("POST", LOGIN, FORM, body=b"uid_field=" + LARGE), 413, "page"),
    "form: of another type": Bad(request("POST", LOGIN, TEXT, body=b"uid_field=x"), 415, "page"),
    "form: broken UTF-8": Bad(request("POST", LOGIN, FORM, body=b"uid_field=%ff"), 400, "page"),
    "form: without a cookie": Bad(request("POST", LOGIN, FORM, body=b"uid_field=x"), 400, "page"),
    "method: not here": Bad(request("DELETE", LOGIN), 405, "page"),
    "host: no name": Bad(request("GET", "/if/user/", host="<script>"), 400, "page"),
    "authorization: nothing": Bad(request("GET", AUTHORIZE), 400, "page"),
    "authorization: unknown client": Bad(request("GET", f"{AUTHORIZE}?client_id=x"), 400, "page"),
    "authorization: a parameter twice": Bad(request("GET", f"{AUTHORIZE}?client_id=a&client_id=b"), 400, "page"),
    "authorization: broken UTF-8": Bad(request("GET", f"{AUTHORIZE}?client_id=%ff"), 400, "page"),
    "authorization: null character": Bad(request("GET", f"{AUTHORIZE}?client_id=%00"), 400, "page"),
}


async def rows(place: Place) -> dict[str, int]:
    """How many rows each table has, but for those that background work keeps; changes of settings add to a log."""
    if isinstance(place, Address):
        async with engines.past(place) as connection:
            names = await connection.fetch(
                "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
                " AND relname NOT IN ('workers', 'installation')"
            )
            return {name: await connection.fetchval(f"SELECT count(*) FROM {name}") for (name,) in map(tuple, names)}  # noqa: S608 - our own tables
    with contextlib.closing(sqlite3.connect(place)) as connection:
        # An index of parts of words looks like a table and cannot be counted; the tables behind it can.
        found = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL TABLE%'"
            " AND name NOT IN ('workers', 'installation')"
        )
        tables = [name for (name,) in found]
        return {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}  # noqa: S608 - as above


async def leaves_nothing(node: Node, asking: Callable[[], Awaitable[None]]) -> None:
    """No table has more or fewer rows for what is asked.

    Background work may come between, and takes away what has run out. What requests leave is there each time.
    """
    left: list[tuple[dict[str, int], dict[str, int]]] = []
    for _ in range(3):
        before = await rows(node.place)
        await asking()
        after = await rows(node.place)
        if after == before:
            return
        left.append((before, after))
    raise AssertionError(f"rows before and after, each time: {left}")


def check(told: Told, bad: Bad) -> None:
    """A refusal is the one that was expected, in the words of its door."""
    assert told.status == bad.status, told
    kind = told.headers.get("content-type", "")
    if bad.words == "none":
        assert not told.body
        return
    assert re.fullmatch("[0-9a-f]{32}", told.headers["x-authentik-id"])
    if bad.words == "page":
        assert kind == "text/html; charset=utf-8"
        assert b"<h1>" in told.body
        assert b"<script>" not in told.body
        return
    assert kind == "application/json"
    if bad.words == "members":
        assert bad.member in told.json, told
        assert all(isinstance(text, str) for text in told.json[bad.member])
    elif bad.words == "detail":
        assert isinstance(told.json["detail"], str), told
    else:
        assert told.json["error"] == bad.member, told
        assert isinstance(told.json["error_description"], str)
        assert told.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "cases",
    [
        pytest.param(THE_API, id="api"),
        pytest.param(THE_EXECUTOR, id="executor"),
        pytest.param(THE_TOKEN_ENDPOINT, id="token endpoint"),
        pytest.param(PAGES, id="pages"),
    ],
)
async def test_is_refused_and_leaves_nothing(pair: tuple[Node, Node], cases: dict[str, Bad]) -> None:
    node = pair[0]

    async def asking() -> None:
        wrong = []
        for name, bad in cases.items():
            told = await raw.send(node, bad.sent)
            try:
                check(told, bad)
            except (AssertionError, KeyError) as exc:
                wrong.append(f"{name}: {exc!r}"[:1000])
        assert not wrong, "\n".join(wrong)

    await leaves_nothing(node, asking)
    assert (await raw.send(node, request("GET", "/-/health/ready/"))).status == 200
    assert '"level": "error"' not in node.program.output


@pytest.mark.parametrize(
    "body", [b'{"uid_field": {"a": 1}}', b'{"uid_field": [5]}', b'{"component": 5, "uid_field": 5}']
)
async def test_an_answer_of_the_wrong_shape_is_asked_for_again(pair: tuple[Node, Node], body: bytes) -> None:
    async def asking() -> None:
        told = await raw.send(pair[0], answer(body))
        assert told.status == 200
        assert told.json["component"] == "ak-stage-identification"
        assert set(told.json["response_errors"]) <= {"uid_field", "non_field_errors"}
        assert told.json["response_errors"]

    await leaves_nothing(pair[0], asking)
