"""Settings at scale: lists from memory, ten thousand applications, and reading back what another process wrote."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from bench.client import Connection
from bench.load import Seen, drive, seen
from bench.server import Server
from bench.workloads import API, call, wanted

APPLICATIONS: Final = 10_000
PROMPTS: Final = 40
FLOW: Final = "flows/instances/?slug=default-provider-authorization-implicit-consent"
ENDING: Final = "flows/instances/?slug=default-provider-invalidation-flow"


async def listed(server: Server) -> dict[str, Seen]:
    """Lists of 20 settings objects, of two kinds."""
    connection = await Connection.to(server.url)
    for number in range(PROMPTS):
        expression = {"name": f"bench {number:03d}", "expression": "return True"}
        found = await call(connection, "GET", f"policies/expression/?name={expression['name'].replace(' ', '%20')}")
        if not found["results"]:
            await call(connection, "POST", "policies/expression/", expression)
    connection.close()
    return {
        name: await _rate(server, path)
        for name, path in {
            "policies": "policies/expression/?page_size=20",
            "second page, searched": "policies/expression/?page_size=20&search=bench&page=2",
            "scope mappings and all stages": "stages/all/?page_size=20",
        }.items()
    }


async def _rate(server: Server, path: str, clients: int = 16) -> Seen:
    async def step(connection: Connection) -> None:
        wanted(await connection.ask("GET", f"/api/v3/{path}", b"", API), 200)

    return await drive(server, step, clients=clients)


async def pattern(server: Server) -> None:
    """A provider and its application, made by the API: what the others are made after."""
    connection = await Connection.to(server.url)
    body = {
        "name": f"many {0:05d}",
        "authorization_flow": (await call(connection, "GET", FLOW))["results"][0]["pk"],
        "invalidation_flow": (await call(connection, "GET", ENDING))["results"][0]["pk"],
        "redirect_uris": [{"matching_mode": "strict", "url": "https://many.example.org/callback"}],
    }
    provider = await call(connection, "POST", "providers/oauth2/", body)
    application = {"name": body["name"], "slug": f"many-{0:05d}", "provider": provider["pk"]}
    await call(connection, "POST", "core/applications/", application)
    connection.close()


async def applications(server: Server) -> dict[str, Seen]:
    """Lists and searches among ten thousand applications with a provider each."""
    found = {}
    for name, path in {
        "first page": "core/applications/?page_size=20&superuser_full_list=true",
        "middle page": "core/applications/?page_size=20&page=250&superuser_full_list=true",
        "first page, judged": "core/applications/?page_size=20",
        "search, many": "core/applications/?page_size=20&search=many-0&superuser_full_list=true",
        "search, one": "core/applications/?page_size=20&search=many-04711&superuser_full_list=true",
        "search, none": "core/applications/?page_size=20&search=nothing&superuser_full_list=true",
        "ordered by slug": "core/applications/?page_size=20&ordering=-slug&superuser_full_list=true",
        "by name": "core/applications/?name=many%2004711&superuser_full_list=true",
        "providers": "providers/oauth2/?page_size=20",
        "providers, search": "providers/oauth2/?page_size=20&search=4711",
        "all providers": "providers/all/?page_size=20",
        "all providers, search": "providers/all/?page_size=20&search=4711",
    }.items():
        found[name] = await _rate(server, path, clients=1)
    return found


def copies(number: int, documents: list[tuple[str, str, str]]) -> Iterator[tuple[str, str, str]]:
    """``(id, kind, document)`` of provider and application ``number``, after those of number 0."""
    for kind, id_, text in documents:
        doc = json.loads(text)
        name, key = f"many {number:05d}", id_
        if kind.endswith(".application"):
            key = f"00000000-0000-4000-8000-{number:012d}"
            doc |= {"pk": key, "name": name, "slug": f"many-{number:05d}", "provider": 100_000 + number}
        else:
            key = f"{id_.rpartition('/')[0]}/{100_000 + number}"
            doc |= {"pk": 100_000 + number, "name": name, "client_id": f"client{number:05d}"}
        yield key, kind, json.dumps(doc)


_FIND: Final = "SELECT kind, id, doc FROM settings WHERE doc LIKE '%\"many 00000\"%'"


def multiply_sqlite(data: Path) -> None:
    """Put the copies into the SQLite database below ``data``; no server runs meanwhile."""
    from keystead.store.sqlite_link import connect  # noqa: PLC0415 - as the filling of people

    connection = connect(next(data.glob("*.db")))
    documents = [tuple(row) for row in connection.execute(_FIND)]
    rows = [one for number in range(1, APPLICATIONS) for one in copies(number, documents)]
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO settings (id, kind, doc, seq) VALUES (?, ?, ?, 1)", rows)
    connection.execute("COMMIT")
    connection.close()


def multiply_postgres(database: str) -> None:
    """The same for PostgreSQL."""
    import asyncpg  # noqa: PLC0415 - only where PostgreSQL is measured

    async def fill() -> None:
        parts = urlsplit(database)
        connection = await asyncpg.connect(
            host=parse_qs(parts.query)["host"][0], user=parts.username, database=parts.path.lstrip("/")
        )
        documents = [tuple(row) for row in await connection.fetch(_FIND)]
        rows = [(*one, 1) for number in range(1, APPLICATIONS) for one in copies(number, documents)]
        await connection.copy_records_to_table("settings", records=rows, columns=("id", "kind", "doc", "seq"))
        await connection.close()

    asyncio.run(fill())


async def readback(first: Server, second: Server, *, clients: int = 8, seconds: float = 4.0) -> tuple[Seen, int]:
    """Create on one process, read on the other at once; how often, and how many reads were stale."""
    took: list[float] = []
    stale = 0
    made: list[str] = []
    end = time.perf_counter() + seconds

    async def one(number: int) -> None:
        nonlocal stale
        writes, reads = await Connection.to(first.url), await Connection.to(second.url)
        if number % 2:
            writes, reads = reads, writes
        while time.perf_counter() < end:
            name = f"readback {number} {len(made)} {time.perf_counter_ns()}"
            began = time.perf_counter()
            body = json.dumps({"name": name, "expression": "return True"}).encode()
            reply = wanted(await writes.ask("POST", "/api/v3/policies/expression/", body, API), 201)
            pk = json.loads(reply.body)["pk"]
            found = await reads.ask("GET", f"/api/v3/policies/expression/{pk}/", b"", API)
            took.append(time.perf_counter() - began)
            made.append(pk)
            stale += found.status != 200 or json.loads(found.body)["name"] != name  # noqa: PLR2004 - found
        writes.close()
        reads.close()

    began = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(clients)))
    elapsed = time.perf_counter() - began
    return seen(took, elapsed, 0.0), stale
