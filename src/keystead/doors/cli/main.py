"""The commands by name. Each lives in a file of its own, imported when it is asked for, so that help is quick."""

import importlib
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple, cast

import click

if TYPE_CHECKING:
    from keystead.doors.cli.house import House


class Place(NamedTuple):
    """Where a command is, and what it does.

    :param module: the file beside this one that holds it, under its own name.
    :param line: one line for the list of commands.
    """

    module: str
    line: str


COMMANDS: Final = {
    "up": Place("up", "Run everything in one process, database included."),
    "server": Place("server", "Serve HTTP in several processes; background work runs elsewhere."),
    "worker": Place("worker", "Do background work only."),
    "migrate": Place("migrate", "Bring the database to the schema of this version."),
    "user": Place("user", "Create people and machines that sign in."),
    "app": Place("app", "Create applications that people sign in to."),
    "blueprint": Place("blueprint", "Apply objects described in a file."),
    "recovery": Place("recovery", "Let somebody back in who is locked out."),
    "config": Place("config", "Show the settings as they are understood."),
    "version": Place("version", "Show the version."),
}
_HELP: Final = "Keystead, an identity provider for people who host their own."
_EPILOG: Final = """\
\b
Begin:
  keystead up --data /var/lib/keystead
  keystead app create Wiki --slug wiki --redirect-uri https://wiki.example.org/callback

Settings come from flags, from AUTHENTIK_* and KEYSTEAD_* variables and from a YAML file (--config): of two, the first
counts. "keystead config" shows them all.

Exit codes: 0 done, 1 failed, 2 wrong settings or wrong use.
"""


class Commands(click.Group):
    """The group of all commands, which knows what they do before it has imported any."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order a newcomer meets them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command with this name."""
        del ctx
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module = importlib.import_module(f"keystead.doors.cli.{place.module}")
        return cast("click.Command", getattr(module, cmd_name))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that ``args`` begin with.

        :raises click.NoSuchCommand: there is none; it names those that are meant perhaps.
        """
        if not args[0].startswith("-") and args[0] not in COMMANDS:
            raise click.NoSuchCommand(args[0], possibilities=list(COMMANDS), ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.line) for name, place in COMMANDS.items()])


def run(house: "Callable[[], House]") -> int:
    """Do what the command line says; the exit code.

    :param house: makes the whole house, for commands that need it.
    """
    # The database, its key and its certificate are nobody else's to read, whoever makes the files.
    os.umask(0o077)
    group = Commands("keystead", help=_HELP, epilog=_EPILOG, no_args_is_help=True)
    try:
        code = group.main(prog_name="keystead", obj=house, standalone_mode=False)
    except click.ClickException as exc:
        exc.show()
        return exc.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return 130
    except Exception as exc:
        from keystead.doors.cli.failures import told  # noqa: PLC0415 - only what fails needs to know how

        failure = told(exc)
        if failure is None:
            raise
        click.echo(failure.text, err=True)
        return failure.code
    finally:
        sys.stdout.flush()
    return code if isinstance(code, int) else 0
