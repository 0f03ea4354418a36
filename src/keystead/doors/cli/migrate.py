"""``keystead migrate``: the database's schema."""

import asyncio
import sys
from typing import Any

import click

from keystead.base import log
from keystead.base.config import Config
from keystead.doors.cli.options import configuration, place_options
from keystead.doors.worker import opening
from keystead.store.migrate import migrations


@click.command
@place_options
@click.option("--check", is_flag=True, help="Change nothing; exit code 1 if a migration is missing.")
@click.option("--down-to", type=click.IntRange(min=0), metavar="N", help="Go back to version N. Data may be lost.")
@click.option("--yes", is_flag=True, help="Do not ask before going back.")
def migrate(*, check: bool, down_to: int | None, yes: bool, **flags: Any) -> int:  # noqa: ANN401 - what click read
    """Bring the database to the schema of this version; what runs does so by itself at its start.

    A lock keeps two from doing it at once.
    """
    if check and down_to is not None:
        raise click.UsageError("--check changes nothing; it does not go with --down-to.")
    config = configuration(**flags)
    log.configure("warning", human=sys.stderr.isatty())
    newest = migrations()[-1].version
    if check:
        return _check(config, newest)
    if down_to is not None and not yes:
        click.confirm(
            f"Go back to version {down_to}? Tables that came later are dropped with all they hold.", abort=True
        )
    version = asyncio.run(opening.migrate(config, down_to=down_to))
    click.echo(f"The database is at version {version} (this Keystead: {newest}).")
    return 0


def _check(config: Config, newest: int) -> int:
    applied = asyncio.run(opening.applied(config))
    missing = [step for step in migrations() if step.version not in applied]
    for step in missing:
        click.echo(f"missing: {step.version} {step.name}")
    at = max(applied, default=0)
    click.echo(f"The database is at version {at}, this Keystead at {newest}.")
    return 1 if missing or at > newest else 0
