"""Run the workloads and print a table: workload, figure, limit, ratio, CPU seconds for 1,000 requests."""

import argparse
import asyncio
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench import limits, lists, people, settings, workloads
from bench.load import Seen
from bench.server import LOAD_CORE, Server, database, running
from bench.settings import APPLICATIONS

GOALS = (
    "start",
    "token",
    "code",
    "read",
    "login",
    "list",
    "directory",
    "members",
    "settings",
    "applications",
    "readback",
)
FILLED = ("list", "directory", "members")
"""What is measured on a million users."""


class Line(NamedTuple):
    """One line of the table."""

    workload: str
    figure: str
    limit: str = ""
    ratio: str = ""
    cpu: str = ""
    goal: str = ""


def table(lines: Sequence[Line]) -> str:
    """The lines as aligned columns."""
    head = Line("workload", "figure", "limit in this run", "ratio", "CPU s / 1,000", "goal")
    every = [head, *lines]
    widths = [max(len(line[column]) for line in every) for column in range(len(head))]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in every)


def begin(data: Path, address: str) -> list[Line]:
    """Cold start and idle memory, with a database that exists: the medians of three starts."""
    started, memory = [], []
    for _ in range(3):
        with running(data, address) as server:
            started.append(server.started)
            time.sleep(2.0)
            memory.append(server.memory())
    return [
        Line("cold start to ready", f"{statistics.median(started):.2f} s", goal="<= 1.0 s"),
        Line("resident memory, idle", f"{statistics.median(memory):.0f} MiB", goal="<= 80 MiB"),
    ]


async def measure(server: Server, only: Sequence[str], bare: dict[str, float]) -> list[Line]:
    """Every workload on one running server."""
    bench = await workloads.prepare(server)
    lines: list[Line] = []
    least = await workloads.hello(bench)
    lines.append(Line("liveness page", f"{least.rate:,.0f}/s", cpu=f"{least.cpu:.3f}"))
    if "token" in only:
        before = limits.rs256()
        one = await workloads.client_credentials(bench, "RS256")
        signatures = (before + limits.rs256()) / 2
        lines.append(_against("client_credentials RS256", one.rate, signatures, one.cpu, ">= 0.6 of the bare rate"))
        one = await workloads.client_credentials(bench, "ES256")
        lines.append(_against("client_credentials ES256", one.rate, bare["ES256"], one.cpu, ">= 1,500/s"))
    if "code" in only:
        for alg, goal in (("RS256", ">= 250/s"), ("ES256", "")):
            one = await workloads.code_exchange(bench, alg)
            limit = bare[alg] / 2
            lines.append(_against(f"code exchange, PKCE, {alg} (2 signatures)", one.rate, limit, one.cpu, goal))
    if "read" in only:
        for name, work in (("userinfo", workloads.userinfo), ("introspection", workloads.introspection)):
            one = await work(bench)
            lines.append(_against(name, one.rate, least.rate, one.cpu, ">= 2,500/s"))
        one = await workloads.key_set(bench)
        lines.append(_against("key set", one.rate, least.rate, one.cpu, ""))
    if "login" in only:
        for name, pages in (("password login, two pages", 2), ("password login, one page", 1)):
            before = limits.argon2()
            logins, keys = await workloads.password_login(bench, pages=pages)
            # Hashing lives on memory, whose speed others on the machine change by the minute.
            least_hashes = (before + limits.argon2()) / 2
            lines.append(_against(name, logins.rate, least_hashes, logins.cpu, ">= 0.9 of the bare rate"))
            lines.append(Line("  key set meanwhile", f"p99 {keys.p99:.1f} ms", goal="p99 < 10 ms"))
    if "list" in only:
        one = await workloads.list_users(bench)
        lines.append(
            Line(
                f"list 20 of {people.USERS:,} users", f"p95 {one.p95:.1f} ms", "", "", f"{one.cpu:.3f}", "p95 <= 20 ms"
            )
        )
    return lines + await at_scale(server, only, least)


async def at_scale(server: Server, only: Sequence[str], least: Seen) -> list[Line]:
    """Lists of the large directory and of settings."""
    lines: list[Line] = []
    if "directory" in only:
        lines += await _directory(server)
    if "members" in only:
        lines += _waits("5,000 in a group: ", await lists.members(server.url), "p95 <= 30 ms")
        lines += _waits("", {"create a user beside a million": await lists.creating(server.url)}, "")
    if "settings" in only:
        for name, one in (await settings.listed(server)).items():
            lines.append(_against(f"list 20 settings: {name}", one.rate, least.rate, one.cpu, ">= 4,000/s"))
    return lines


async def _directory(server: Server) -> list[Line]:
    """A line for each list: how long the first, the middle and the last page take."""
    lines: list[Line] = []

    def tell(case: lists.Case, seen: lists.Pages) -> None:
        shown = " / ".join(f"{one:.0f}" for one in seen.p95)
        half = " / ".join(f"{one:.0f}" for one in seen.p50)
        first = " / ".join(f"{one:.0f}" for one in seen.cold)
        within = "" if max(seen.p95) <= lists.GOAL else "missed: "
        line = Line(
            f"{case.name} ({seen.count:,})",
            f"p95 {shown} ms",
            f"p50 {half} ms, first time {first} ms",
            goal=f"{within}p95 <= 50 ms",
        )
        lines.append(line)

    before = server.cpu()
    live, one = await lists.directory(server.url, tell)
    told = f"load {os.getloadavg()[0]:.1f}, {server.cpu() - before:.0f} CPU s"
    lines.append(Line("  liveness page meanwhile", f"p99 {live.p99:.1f} ms", f"p50 {live.p50:.1f} ms, {told}"))
    lines.append(Line("  one user meanwhile", f"p99 {one.p99:.1f} ms", f"p50 {one.p50:.1f} ms"))
    return lines


def _waits(before: str, found: Mapping[str, Seen], goal: str) -> list[Line]:
    return [
        Line(f"{before}{name}", f"p95 {one.p95:.1f} ms", f"p50 {one.p50:.1f} ms", goal=goal)
        for name, one in found.items()
    ]


def among_applications(data: Path, address: str) -> list[Line]:
    """Ten thousand applications with a provider each: start, memory, lists and searches."""
    with running(data, address) as server:
        asyncio.run(settings.pattern(server))
    if address:
        settings.multiply_postgres(address)
    else:
        settings.multiply_sqlite(data)
    with running(data, address) as server:
        time.sleep(2.0)
        idle = server.memory()
        found = asyncio.run(settings.applications(server))
        return [
            Line(f"{APPLICATIONS:,} applications: start to ready", f"{server.started:.2f} s", goal="<= 2 s"),
            Line("  resident memory, idle", f"{idle:.0f} MiB", goal="<= 200 MiB"),
            *_waits("  ", found, "p95 <= 15 ms"),
            Line("  resident memory after them", f"{server.memory():.0f} MiB", goal="<= 200 MiB"),
        ]


def read_back(data: Path, address: str) -> list[Line]:
    """Settings created on one process and read on another, both on PostgreSQL and free to use all cores."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    try:
        with running(data, address, pinned=False) as one, running(data, address, pinned=False) as other:
            seen, stale = asyncio.run(settings.readback(one, other))
    finally:
        os.sched_setaffinity(0, cores)
    told = f"{seen.rate:,.0f}/s, {stale} stale"
    return [Line("create and read back, two processes", told, f"p95 {seen.p95:.0f} ms", goal=">= 300/s, none stale")]


def _against(name: str, rate: float, limit: float, cpu: float, goal: str) -> Line:
    return Line(name, f"{rate:,.0f}/s", f"{limit:,.0f}/s", f"{rate / limit:.2f}" if limit else "", f"{cpu:.3f}", goal)


def on_engine(engine: str, only: Sequence[str], bare: dict[str, float], keep: Path | None = None) -> list[Line]:
    """All lines for one engine.

    :param keep: a folder whose database is used and left for the next run.
    """
    folder = keep / engine if keep else Path(tempfile.mkdtemp(prefix="keystead-bench-"))
    (folder / "data").mkdir(parents=True, exist_ok=True)
    try:
        data = folder / "data"
        with database(engine, folder) as address:
            with running(data, address):
                pass
            lines = begin(data, address) if "start" in only else []
            if "readback" in only and address:
                lines += read_back(data, address)
            if set(only) & set(FILLED) and not (folder / "filled").exists():
                lines.append(_filled(data, address))
                (folder / "filled").touch()
            with running(data, address) as server:
                os.sched_setaffinity(0, {LOAD_CORE % (os.cpu_count() or 1)})
                lines += asyncio.run(measure(server, only, bare))
                lines.append(Line("resident memory after the load", f"{server.memory():.0f} MiB"))
            if "applications" in only:
                lines += among_applications(data, address)
            return lines
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _filled(data: Path, address: str) -> Line:
    """The directory, put into the database; how long that took."""
    with running(data, address) as server:
        role, _ = asyncio.run(lists.role(server.url))
    began = time.perf_counter()
    if address:
        people.fill_postgres(address, roles=[role])
    else:
        people.fill_sqlite(data, roles=[role])
    took = time.perf_counter() - began
    return Line(f"fill with {people.USERS:,} users, {people.GROUPS:,} groups", f"{took:.0f} s")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--engine", choices=("sqlite", "postgres"), action="append")
    parser.add_argument("--only", choices=GOALS, action="append", help="some workloads only")
    parser.add_argument("--keep", type=Path, help="a folder for the filled databases, used again by the next run")
    given = parser.parse_args()
    only = given.only or list(GOALS)
    os.sched_setaffinity(0, {LOAD_CORE % (os.cpu_count() or 1)})
    bare = {"RS256": limits.rs256(), "ES256": limits.es256(), "argon2": limits.argon2()}
    told = ", ".join(f"{name} {value:,.0f}/s" for name, value in bare.items())
    print(f"Bare limits of one core in this run: {told}\n")
    for engine in given.engine or ["sqlite", "postgres"]:
        print(f"{engine}\n{table(on_engine(engine, only, bare, given.keep))}\n", flush=True)


if __name__ == "__main__":
    main()
