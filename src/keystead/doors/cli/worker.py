"""``keystead worker``: background work without pages."""

import sys
from collections.abc import Callable
from typing import Any

import click

from keystead.base import log
from keystead.doors.cli.announce import announcer
from keystead.doors.cli.house import House
from keystead.doors.cli.options import configuration, listen_options, place_options
from keystead.doors.cli.process import Part, run
from keystead.doors.cli.sockets import listening


@click.command
@place_options
@listen_options
@click.pass_obj
def worker(house: Callable[[], House], /, **flags: Any) -> int:  # noqa: ANN401 - what click read
    """Do background work only; HTTP answers nothing but health and metrics.

    Several may run: each job is done by one at a time. On a machine that also runs "keystead server", give it other
    ports, or none with --http "" --metrics "".
    """
    config = configuration(**flags)
    log.configure(config.log_level, human=sys.stderr.isatty())
    sockets = listening(config, https=False)
    return run(house(), config, sockets, Part(serves=False, announce=announcer(config, sockets)))
