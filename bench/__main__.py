"""Run the workloads and print a table: workload, figure, limit, ratio, CPU seconds for 1,000 requests."""

import argparse
import asyncio
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench import limits, people, workloads
from bench.server import LOAD_CORE, Server, database, running

USERS = 1_000_000
GOALS = ("start", "token", "code", "read", "login", "list")


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
        one = await workloads.client_credentials(bench, "RS256")
        lines.append(_against("client_credentials RS256", one.rate, bare["RS256"], one.cpu, ">= 0.6 of the bare rate"))
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
        logins, keys = await workloads.password_login(bench)
        lines.append(_against("password login", logins.rate, bare["argon2"], logins.cpu, ">= 0.9 of the bare rate"))
        lines.append(Line("  key set meanwhile", f"p99 {keys.p99:.1f} ms", goal="p99 < 10 ms"))
    if "list" in only:
        one = await workloads.list_users(bench)
        lines.append(
            Line(f"list 20 of {USERS:,} users", f"p95 {one.p95:.1f} ms", "", "", f"{one.cpu:.3f}", "p95 <= 20 ms")
        )
    return lines


def _against(name: str, rate: float, limit: float, cpu: float, goal: str) -> Line:
    return Line(name, f"{rate:,.0f}/s", f"{limit:,.0f}/s", f"{rate / limit:.2f}" if limit else "", f"{cpu:.3f}", goal)


def on_engine(engine: str, only: Sequence[str], bare: dict[str, float]) -> list[Line]:
    """All lines for one engine."""
    folder = Path(tempfile.mkdtemp(prefix="keystead-bench-"))
    try:
        data = folder / "data"
        with database(engine, folder) as address:
            with running(data, address):
                pass
            lines = begin(data, address) if "start" in only else []
            if "list" in only:
                fill = people.fill_postgres if address else people.fill_sqlite
                fill(address or data, USERS)  # type: ignore[arg-type]  # each takes its own place
            with running(data, address) as server:
                os.sched_setaffinity(0, {LOAD_CORE % (os.cpu_count() or 1)})
                lines += asyncio.run(measure(server, only, bare))
                lines.append(Line("resident memory after the load", f"{server.memory():.0f} MiB"))
            return lines
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--engine", choices=("sqlite", "postgres"), action="append")
    parser.add_argument("--only", choices=GOALS, action="append", help="some workloads only")
    given = parser.parse_args()
    only = given.only or list(GOALS)
    os.sched_setaffinity(0, {LOAD_CORE % (os.cpu_count() or 1)})
    bare = {"RS256": limits.rs256(), "ES256": limits.es256(), "argon2": limits.argon2()}
    told = ", ".join(f"{name} {value:,.0f}/s" for name, value in bare.items())
    print(f"Bare limits of one core in this run: {told}\n")
    for engine in given.engine or ["sqlite", "postgres"]:
        print(f"{engine}\n{table(on_engine(engine, only, bare))}\n", flush=True)


if __name__ == "__main__":
    main()
