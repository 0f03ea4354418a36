"""``keystead recovery``: ways back in."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import click

from keystead.base.clock import unix
from keystead.doors.cli.acting import act, root_of, tell
from keystead.doors.cli.house import House
from keystead.doors.cli.options import address_option, configuration, place_options
from keystead.kinds.call import Call
from keystead.kinds.state import State
from keystead.people.finding import by_username
from keystead.people.user_actions import recovery_link


@click.group
def recovery() -> None:
    """Let somebody back in who is locked out."""


@recovery.command
@click.argument("username")
@click.option(
    "--valid", type=click.FloatRange(min=0, max=24 * 365, min_open=True), default=1.0, help="Hours; default 1."
)
@address_option
@place_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def link(house: Callable[[], House], /, username: str, valid: float, *, as_json: bool, **flags: Any) -> None:  # noqa: ANN401 - what click read
    """Make a link with which USERNAME signs in without a password.

    Whoever holds the link signs in as that user: hand it over in person. It works once.
    """
    config = configuration(**flags)

    async def work(call: Call, state: State) -> dict[str, object]:
        found = await by_username(state, username)
        if found is None:
            raise click.ClickException(f"There is no user called {username}.")
        if not found.is_active:
            raise click.ClickException(f"{username} is deactivated; a link would not let them in.")
        life = timedelta(hours=valid)
        # On the authority of whoever runs commands on this machine: the database and its key are theirs.
        changes, path = recovery_link(call, state, found, life)
        await state.commit(changes, call.at)
        return {"link": root_of(config) + path, "username": username, "expires": unix(call.at + life)}

    made = act(house(), config, work)
    if as_json:
        tell(made, as_json=True)
    else:
        click.echo(made["link"])
