"""``keystead server``: pages and protocols in several processes."""

import sys
from collections.abc import Callable
from typing import Any

import click

from keystead.base import log
from keystead.doors.cli.announce import announcer
from keystead.doors.cli.board import Board
from keystead.doors.cli.house import House
from keystead.doors.cli.options import address_option, configuration, listen_options, place_options
from keystead.doors.cli.process import Part, run
from keystead.doors.cli.sockets import listening
from keystead.doors.cli.supervisor import Supervisor


@click.command
@place_options
@listen_options
@address_option
@click.option("--workers", type=int, metavar="N", help="Processes; default 2 (AUTHENTIK_WEB__WORKERS).")
@click.pass_obj
def server(house: Callable[[], House], /, **flags: Any) -> int:  # noqa: ANN401 - what click read
    """Serve HTTP, HTTPS and metrics in several processes that share the addresses.

    A process that dies is started again. Background work is not done here: run "keystead worker" beside it. On the
    embedded SQLite several processes work too, but write through one file: PostgreSQL is made for that.
    """
    config = configuration(**flags)
    log.configure(config.log_level, human=sys.stderr.isatty())
    sockets = listening(config)
    whole = house()
    count = config.web.workers
    if count == 1:
        return run(whole, config, sockets, Part(works=False, announce=announcer(config, sockets)))
    board = Board(count)
    shares = sockets.shared(count)

    def child(place: int, leash: int, *, first: bool) -> int:
        board.take(place)
        announce = announcer(config, shares[place]) if place == 0 and first else None
        return run(whole, config, shares[place], Part(works=False, announce=announce, board=board, leash=leash))

    return Supervisor(count, child).run()
