"""Programs that the store's tests run in other processes: ``python -m tests.store.children NAME PLACE ARGUMENTS…``.

They run on uvloop, as the server does. A line they print was true before it was printed.
"""

import asyncio
import contextlib
import dataclasses
import itertools
import json
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final

import uvloop

from keystead.base import log
from keystead.store import GuardFailed, Store, Unit, settings_sql
from keystead.store.migrate import migrate_postgres, migrate_sqlite
from keystead.store.postgres import Address
from keystead.store.unit import Write
from tests.engines import Place, opened
from tests.patience import PATIENCE
from tests.store import writes

_ROOT: Final = Path(__file__).parents[2]


def say(*words: object) -> None:
    """Print a line at once, whatever happens to this process next."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


async def heard() -> str:
    """The next line that the parent says."""
    line: str = await asyncio.to_thread(sys.stdin.readline)
    return line.strip()


# --- what the children do ---------------------------------------------------------------------------------------------


async def write(store: Store, prefix: str, writers: str) -> None:
    """Commit pairs without end and say each name when it is acknowledged."""
    numbers = itertools.count()

    async def one() -> None:
        for n in numbers:
            await store.commit(writes.pair(f"{prefix}{n:06}"))
            say(f"{prefix}{n:06}")

    await asyncio.gather(*(one() for _ in range(int(writers))))


async def race(store: Store, codes: str, racers: str, prefix: str) -> None:
    """Redeem each of the single-use codes ``0 … codes`` by many racers at once; say how often each was won."""
    say("ready")
    await heard()

    async def redeem(code: int, racer: int) -> bool:
        turn = Write(writes.TURN, (f"code{code}", "fresh", f"{prefix}{racer}"), expect=1, guard="fresh")
        return await writes.outcome(store.commit(Unit((turn,)))) == "done"

    for code in range(int(codes)):
        wins = await asyncio.gather(*(redeem(code, racer) for racer in range(int(racers))))
        say(code, sum(wins))


async def reserve(store: Store, times: str, count: str) -> None:
    """Say the first of each block that was reserved."""
    say("ready")
    await heard()
    blocks = await asyncio.gather(*(store.reserve("users", int(count)) for _ in range(int(times))))
    say(*blocks)


async def change(store: Store, name: str, times: str) -> None:
    """Make settings changes, each decided on the newest state; try again when somebody was faster.

    The first is decided before the start: of several children all but one lose it.
    """
    base = await store.head()
    say("ready")
    await heard()
    lost = 0
    for n in range(int(times)):
        while True:
            documents: list[tuple[str, str, str | None]] = [
                ("test.kind", f"{name}/{n}", f'{{"by": "{name}"}}'),
                ("test.kind", "shared", f'{{"n": {n}}}'),
            ]
            if n:
                documents.append(("test.kind", f"{name}/{n - 1}", None))
            unit = Unit(settings_sql.change(base, 0, documents), announce=base + len(documents))
            try:
                await store.commit(unit)
            except GuardFailed:
                lost += 1
            else:
                break
            finally:
                base = await store.head()
    say("done", lost)


async def announce(store: Store) -> None:
    """Whenever told to, make a settings change."""
    say("ready")
    while await heard():
        base = await store.head()
        unit = Unit(settings_sql.change(base, 0, [("test.kind", "x", "{}")]), announce=base + 1)
        await store.commit(unit)
        say("done")


async def hold(store: Store, name: str) -> None:
    """Work exclusively until told to end."""

    async def work() -> None:
        say("held")
        await heard()

    say(await store.exclusively(name, work))


async def fill(store: Store, room: str) -> None:
    """Write until the disk is full (a file may have ``room`` bytes), then get more room and go on."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(room), most))
    together = 8
    for n in itertools.count():
        names = [f"n{n}-{m}" for m in range(together)]
        ends = await asyncio.gather(*(store.commit(writes.pair(name)) for name in names), return_exceptions=True)
        landed = [name for name, end in zip(names, ends, strict=True) if end is None]
        if landed:
            say(*landed)
        if len(landed) < together == 1:
            break  # there is no room for a single one
        if len(landed) < together:
            together = 1
    say("full")
    say("read", len(await writes.names(store)))
    # More than is kept in memory until the commit: the disk fails in the midst of the unit, and others with it.
    large = Unit((writes.note("large", "x" * 20_000_000),))
    ends = await asyncio.gather(*map(store.commit, (writes.pair("beside"), large)), return_exceptions=True)
    say(*(type(end).__name__ for end in ends))
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    await store.commit(writes.pair("more"))
    say("more")


_PROGRAMS: Final[dict[str, Callable[..., Awaitable[None]]]] = {
    program.__name__: program for program in (write, race, reserve, change, announce, hold, fill)
}


async def main(name: str, place: str, *arguments: str) -> None:
    log.configure("critical")  # standard output is for what is said
    where = _place(place)
    if name == "migrate":
        say("ready")
        await heard()
        say(migrate_sqlite(where) if isinstance(where, Path) else await migrate_postgres(where))
        return
    async with opened(where) as store:
        await _PROGRAMS[name](store, *arguments)


# --- for the parent ---------------------------------------------------------------------------------------------------


class Child:
    """A program running in another process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def line(self) -> str:
        """The next line that it says; empty when it ended."""
        if self._process.stdout is None:
            return ""
        async with asyncio.timeout(PATIENCE):
            return (await self._process.stdout.readline()).decode().strip()

    async def lines(self) -> list[str]:
        """All that it says before it ends."""
        said = []
        while line := await self.line():
            said.append(line)
        return said

    async def tell(self, word: str = "go") -> None:
        """Say a line to it."""
        if self._process.stdin is not None:
            self._process.stdin.write(f"{word}\n".encode())
            await self._process.stdin.drain()

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        self._process.kill()

    async def ended(self) -> int:
        """Its exit status, when it has ended."""
        return await self._process.wait()


async def start(*children: Child) -> None:
    """Let children go that wait for a word, as nearly at once as can be."""
    for one in children:
        if await one.line() != "ready":
            raise RuntimeError("a child ended before it was ready")
    for one in children:
        await one.tell()


@contextlib.asynccontextmanager
async def child(name: str, place: Place, *arguments: object) -> AsyncIterator[Child]:
    """A program of this file in another process, killed at the latest in the end."""
    where = {"path": str(place)} if isinstance(place, Path) else dataclasses.asdict(place)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.store.children", name, json.dumps(where), *map(str, arguments)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=_ROOT,
    )
    try:
        yield Child(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _place(text: str) -> Place:
    where = json.loads(text)
    return Path(where["path"]) if "path" in where else Address(**where)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
