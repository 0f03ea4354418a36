"""Lists at scale: every filter of users and groups, from the first page to the last, and a group of 5,000 members."""

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from bench import people
from bench.client import Connection
from bench.load import Seen, seen
from bench.workloads import API, wanted
from keystead.base import rand

ASKED: Final = 24
"""How often each page is asked for."""
PAUSE: Final = 0.05
"""Seconds between looks at what others see."""
GOAL: Final = 50.0
"""Milliseconds a page may take."""


@dataclass(frozen=True)
class Case:
    """A list that is asked for.

    :param query: what narrows and orders it.
    """

    path: str
    name: str
    query: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Pages:
    """How long the pages of a list took, milliseconds.

    :param cold: each page (the first, the middle, the last) asked for the first time; what is told as the last page
        then may be an estimate.
    :param p50: each page, asked for again and again.
    """

    count: int
    cold: tuple[float, ...]
    p50: tuple[float, ...]
    p95: tuple[float, ...]


def users(role: str, role_name: str) -> Iterator[Case]:
    """Every parameter of the list of users that the contract declares, matching many, few and none."""
    middle = "2020-09-13T12:26:40Z"
    late = "2026-02-20T00:00:00Z"
    first = people.FIRST
    some = people.username(first + 4711)
    yield from _cases(
        "core/users/",
        {},
        {"search": "e"},
        {"search": "zq"},
        {"search": "än"},
        {"search": "example"},
        {"search": "schmidt"},
        {"search": "zoe"},
        {"search": "123456"},
        {"search": "no such person"},
        {"search": some},
        {"search": "MÜLLER"},
        {"attributes": '{"department": "department 7"}'},
        {"attributes": '{"employee__number": 5000}'},
        {"attributes": '{"employee": {"remote": true}}'},
        {"attributes": '{"tags": ["tag3"]}'},
        {"attributes": '{"no": "such"}'},
        {"date_joined__gt": "2023-01-01T00:00:00Z"},
        {"date_joined__gt": late},
        {"date_joined__lt": middle},
        {"date_joined": "2023-01-01T00:00:00Z"},
        {"last_login__gt": "2023-01-01T00:00:00Z"},
        {"last_login__gt": late},
        {"last_login__lt": middle},
        {"last_login": "2023-01-01T00:00:00Z"},
        {"last_login__isnull": "true"},
        {"last_login__isnull": "false"},
        {"last_updated__gt": "2023-01-01T00:00:00Z"},
        {"last_updated__lt": middle},
        {"last_updated": "2023-01-01T00:00:00Z"},
        {"email": f"{some}@example.org"},
        {"username": some},
        {"uuid": people.user_uuid(first + 4711)},
        {"name": "Anna Becker"},
        {"name": "Nobody"},
        {"path": "users"},
        {"path": "users/city07"},
        {"path": "nowhere"},
        {"path_startswith": "users"},
        {"path_startswith": "goauthentik.io/"},
        {"path_startswith": "no/"},
        {"is_active": "true"},
        {"is_active": "false"},
        {"is_superuser": "true"},
        {"is_superuser": "false"},
        {"type": "internal"},
        {"type": "internal_service_account"},
        {"type": "external&service_account"},
        {"groups_by_pk": people.group_uuid(people.FIVE_THOUSAND)},
        {"groups_by_pk": people.group_uuid(people.MANY)},
        {"groups_by_pk": people.group_uuid(people.NAMED + 5)},
        {"groups_by_name": people.group_name(people.FIVE_THOUSAND)},
        {"groups_by_name": "no such group"},
        {"roles_by_pk": role},
        {"roles_by_name": role_name},
        {"include_groups": "false", "include_roles": "false"},
        {"search": "becker", "is_active": "true", "type": "internal"},
        {"path_startswith": "users/city1", "is_active": "false"},
        *({"ordering": f"{sign}{name}"} for name in ORDERS for sign in ("", "-")),
        {"is_active": "true", "ordering": "-date_joined"},
    )


ORDERS = (
    "pk", "username", "name", "is_active", "last_login", "date_joined", "email", "path", "type", "uuid",
    "password_change_date", "last_updated",
)  # fmt: skip  # a list of names


def groups() -> Iterator[Case]:
    """Every parameter of the list of groups that the contract declares."""
    quiet = {"include_users": "false"}
    yield from _cases(
        "core/groups/",
        {},
        quiet,
        {**quiet, "search": "city07"},
        {**quiet, "search": "group"},
        {**quiet, "search": "g"},
        {**quiet, "search": "4711"},
        {**quiet, "search": "nothing"},
        {**quiet, "name": people.group_name(4711)},
        {**quiet, "is_superuser": "true"},
        {**quiet, "is_superuser": "false"},
        {**quiet, "members_by_pk": str(people.FIRST + 1)},
        {**quiet, "members_by_username": people.username(people.FIRST + 37)},
        {**quiet, "attributes": '{"region": "city03"}'},
        {**quiet, "attributes": '{"cost__center": 77}'},
        {**quiet, "attributes": '{"no": "such"}'},
        {**quiet, "include_parents": "true", "include_children": "true", "include_inherited_roles": "true"},
        *(
            {**quiet, "ordering": f"{sign}{name}"}
            for name in ("pk", "name", "num_pk", "is_superuser")
            for sign in ("", "-")
        ),
    )


def _cases(path: str, *queries: dict[str, str]) -> Iterator[Case]:
    for query in queries:
        pairs = tuple(
            (name, one) for name, text in query.items() for one in (text.split("&") if name == "type" else [text])
        )
        told = "&".join(f"{name}={text}" for name, text in pairs if (name, text) != ("include_users", "false"))
        yield Case(path, f"{path.split('/')[1]} {told}", pairs)


async def pages(connection: Connection, case: Case, *, asked: int = ASKED) -> Pages:
    """Ask for the first page, the middle one and the last: once each, as somebody who jumps; then over and over."""
    first, body = await _page(connection, case, 1)
    colds = [first * 1000]
    last = body["pagination"]["total_pages"]
    for number in ((last + 1) // 2, last) if last > 1 else ():
        # A long count may have been told as an estimate: the page it ends at may not be there.
        took, _ = await _page(connection, case, number, {200, 404})
        colds.append(took * 1000)
    _, body = await _page(connection, case, 1)
    found = body["pagination"]
    last = found["total_pages"]
    p50, p95 = [], []
    for number in sorted({1, (last + 1) // 2, last}):
        took_each = []
        for _ in range(asked):
            one, body = await _page(connection, case, number)
            took_each.append(one)
        told = seen(took_each, 1.0, 0.0)
        p50.append(told.p50)
        p95.append(told.p95)
        size = len(body["results"])
        if size != min(20, max(0, body["pagination"]["count"] - (number - 1) * 20)):
            raise SystemExit(f"{case.name}: page {number} of {body['pagination']} has {size} objects")
    return Pages(found["count"], tuple(colds), tuple(p50), tuple(p95))


def _path(case: Case, number: int) -> str:
    query = urlencode([*case.query, ("page", str(number)), ("page_size", "20")])
    return f"/api/v3/{case.path}?{query}"


async def _page(
    connection: Connection, case: Case, number: int, status: Collection[int] = (200,)
) -> tuple[float, dict[str, Any]]:
    began = time.perf_counter()
    reply = await connection.ask("GET", _path(case, number), b"", API)
    took = time.perf_counter() - began
    return took, json.loads((reply if reply.status in status else wanted(reply, 200)).body)


async def directory(url: str, tell: Callable[[Case, Pages], None]) -> tuple[Seen, Seen]:
    """All lists of users and groups; and what others see meanwhile: the liveness page, and one user looked up."""
    connection, other = await Connection.to(url), await Connection.to(url)
    role, role_name = await role_of(connection)
    done = asyncio.Event()
    meanwhile = asyncio.create_task(_others(other, done))
    for case in (*users(role, role_name), *groups()):
        tell(case, await pages(connection, case))
    done.set()
    live, one = await meanwhile
    connection.close()
    other.close()
    return seen(live, 1.0, 0.0), seen(one, 1.0, 0.0)


async def _others(connection: Connection, done: asyncio.Event) -> tuple[list[float], list[float]]:
    took: tuple[list[float], list[float]] = ([], [])
    paths = ("/-/health/live/", f"/api/v3/core/users/{people.FIRST + 1}/")
    while not done.is_set():
        for path, each in zip(paths, took, strict=True):
            began = time.perf_counter()
            await connection.ask("GET", path, b"", API)
            each.append(time.perf_counter() - began)
        await asyncio.sleep(PAUSE)
    return took


async def role(url: str) -> tuple[str, str]:
    """Key and name of the role that the directory's users have; made if it is not there."""
    connection = await Connection.to(url)
    found = await role_of(connection)
    connection.close()
    return found


async def role_of(connection: Connection) -> tuple[str, str]:
    """The role that the directory's users have."""
    reply = wanted(await connection.ask("GET", "/api/v3/rbac/roles/?name=bench", b"", API), 200)
    found = json.loads(reply.body)["results"]
    if not found:
        body = json.dumps({"name": "bench"}).encode()
        found = [json.loads(wanted(await connection.ask("POST", "/api/v3/rbac/roles/", body, API), 201).body)]
    return found[0]["pk"], found[0]["name"]


async def members(url: str, asked: int = 60) -> dict[str, Seen]:
    """Add to, remove from and list a group of 5,000."""
    connection = await Connection.to(url)
    pk = people.group_uuid(people.FIVE_THOUSAND)
    strangers = itertools.cycle(range(people.FIRST + 1, people.FIRST + 150))
    each: dict[str, list[float]] = {}

    async def ask(name: str, method: str, path: str, body: object = None, status: int = 200) -> None:
        sent = json.dumps(body).encode() if body is not None else b""
        began = time.perf_counter()
        reply = await connection.ask(method, f"/api/v3/{path}", sent, API)
        each.setdefault(name, []).append(time.perf_counter() - began)
        wanted(reply, status)

    for _ in range(asked):
        body = {"pk": next(strangers)}
        await ask("add", "POST", f"core/groups/{pk}/add_user/", body, 204)
        await ask("users of the group", "GET", f"core/users/?groups_by_pk={pk}&page_size=20")
        await ask("its last page", "GET", f"core/users/?groups_by_pk={pk}&page_size=20&page=250")
        await ask("groups of a member", "GET", f"core/groups/?members_by_pk={people.FIRST + 1}&include_users=false")
        await ask("the group itself", "GET", f"core/groups/{pk}/?include_users=false")
        await ask("the group with its members", "GET", f"core/groups/{pk}/")
        await ask("remove", "POST", f"core/groups/{pk}/remove_user/", body, 204)
    connection.close()
    return {name: seen(took, 1.0, 0.0) for name, took in each.items()}


async def creating(url: str, asked: int = 200) -> Seen:
    """Make users beside a million others."""
    connection = await Connection.to(url)
    took = []
    mark = rand.hex128()
    for number in range(asked):
        body = json.dumps({"username": f"made.{mark}.{number}", "name": "Made Lately", "path": "users"}).encode()
        began = time.perf_counter()
        wanted(await connection.ask("POST", "/api/v3/core/users/", body, API), 201)
        took.append(time.perf_counter() - began)
    connection.close()
    return seen(took, sum(took), 0.0)
