"""``keystead up``: everything in one process."""

import sys
from collections.abc import Callable
from typing import Any

import click

from keystead.base import log
from keystead.doors.cli.announce import announcer
from keystead.doors.cli.house import House
from keystead.doors.cli.options import address_option, configuration, listen_options, place_options
from keystead.doors.cli.process import Part, run
from keystead.doors.cli.sockets import listening


@click.command
@place_options
@listen_options
@address_option
@click.pass_obj
def up(house: Callable[[], House], /, **flags: Any) -> int:  # noqa: ANN401 - what click read
    """Run everything in one process: HTTP, HTTPS, metrics and background work.

    Without a PostgreSQL server it keeps everything in the data folder, which is made if need be. Stop it with SIGTERM
    or Ctrl-C: requests under way are finished first.
    """
    config = configuration(**flags)
    log.configure(config.log_level, human=sys.stderr.isatty())
    sockets = listening(config)
    return run(house(), config, sockets, Part(announce=announcer(config, sockets)))
