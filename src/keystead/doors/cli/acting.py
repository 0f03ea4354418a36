"""What single commands share: they open the installation, act as Keystead itself, and close it again.

A server that runs on the same database sees what they did within a second.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import click

from keystead.base import log
from keystead.base.clock import SystemClock
from keystead.base.config import Config
from keystead.doors.cli.house import House
from keystead.doors.rest.body import taken
from keystead.doors.worker.opening import begin
from keystead.kinds.call import SYSTEM, Call
from keystead.kinds.kind import Kind
from keystead.kinds.state import State

R = TypeVar("R")


def act(house: House, config: Config, work: Callable[[Call, State], Awaitable[R]]) -> R:
    """Run ``work`` on the configured installation.

    :raises ConfigError: the settings do not fit the database.
    :raises StoreDown: the database does not answer.
    """
    log.configure("warning", human=sys.stderr.isatty())

    async def run() -> R:
        clock = SystemClock()
        state = await begin(config, house.kinds, clock)
        try:
            return await work(Call(SYSTEM, clock.now(), state.settings), state)
        finally:
            await state.store.close()

    return asyncio.run(run())


async def checked(call: Call, state: State, kind: Kind[Any], body: Mapping[str, object], pk: object) -> Any:  # noqa: ANN401 - objects of every kind
    """A new object of ``kind`` as the API would make it from ``body``: every member checked, every rule asked.

    :raises Problem: ``INVALID`` with every member's complaint.
    """
    made = await taken(call, state, kind, dict(body), None, partial=False, pk=pk)
    return await kind.rules(call, state, None, made) if kind.rules else made


def root_of(config: Config) -> str:
    """The address people reach the installation at, without a slash at the end, as far as a command can know it."""
    if config.web.base_url:
        return config.web.base_url
    path = config.web.path.rstrip("/")
    for scheme, addresses in (("http", config.listen.http), ("https", config.listen.https)):
        for address in addresses:
            host = "localhost" if address.everywhere else str(address).rpartition(":")[0]
            return f"{scheme}://{host}:{address.port}{path}"
    return f"http://localhost{path}"


def tell(found: Mapping[str, object], *, as_json: bool, heading: str = "", notes: tuple[str, ...] = ()) -> None:
    """Print what a command has made: for a program, or for a person."""
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    if heading:
        click.echo(heading)
    width = max(len(name) for name in found)
    for name, value in found.items():
        shown = "\n".join(str(one) for one in value) if isinstance(value, (list, tuple)) else str(value)
        click.echo(f"  {name.replace('_', ' '):<{width}}  " + shown.replace("\n", "\n" + " " * (width + 4)))
    for note in notes:
        click.echo(f"\n{note}")
