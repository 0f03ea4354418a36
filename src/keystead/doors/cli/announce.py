"""The lines a person reads when a process is ready: where it is, and how to begin."""

import socket
from collections.abc import Sequence

import click

from keystead import __version__
from keystead.base.addresses import ListenAddress
from keystead.base.config import Config
from keystead.doors.cli.process import Announce
from keystead.doors.cli.sockets import Sockets
from keystead.doors.http.runtime import port_of
from keystead.flows import setup
from keystead.kinds.state import State
from keystead.store import StoreDown


def announcer(config: Config, sockets: Sockets) -> Announce:
    """Tells the addresses, and while nobody has set the installation up, how to begin."""
    path = config.web.path
    pages = [
        *_urls("http", config.listen.http, sockets.http, path),
        *_urls("https", config.listen.https, sockets.https, path),
    ]
    numbers = _urls("http", config.listen.metrics, sockets.metrics, "/metrics")

    async def announce(state: State) -> None:
        if pages:
            metrics = f" (metrics: {numbers[0]})" if numbers else ""
            click.echo(f"Keystead {__version__} is ready: {' and '.join(pages)}{metrics}")
            if await _first_run(state):
                root = config.web.base_url or pages[0].rstrip("/")
                click.echo(f"To begin, open {root}/if/flow/{setup.SLUG}/ and choose the administrator's password.")
        else:
            click.echo(f"Keystead {__version__} is ready{f': metrics on {numbers[0]}' if numbers else ''}")

    return announce


async def _first_run(state: State) -> bool:
    try:
        return await setup.setup_open(state)
    except StoreDown:  # it went away just now: not saying how to begin does no harm, and ending for it would
        return False


def _urls(scheme: str, addresses: Sequence[ListenAddress], bound: Sequence[socket.socket], path: str) -> list[str]:
    """The addresses as they may be opened on this machine; of a name with several addresses, the first."""
    ports = {address.port: address for address in addresses}
    found: dict[str, None] = {}
    for one in bound:
        port = port_of(one)
        address = ports.get(port) or ports.get(0) or addresses[0]
        host = "localhost" if address.everywhere else str(address).rpartition(":")[0]
        found[f"{scheme}://{host}:{port}{path}"] = None
    return list(found)
