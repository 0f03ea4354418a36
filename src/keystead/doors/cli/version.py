"""``keystead version``."""

import click

from keystead import __version__


@click.command
def version() -> None:
    """Show the version."""
    click.echo(f"Keystead {__version__}")
