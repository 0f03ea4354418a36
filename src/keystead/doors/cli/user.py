"""``keystead user``: people and machines."""

import sys
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import click
import msgspec

from keystead.base.errors import invalid
from keystead.doors.cli.acting import act, checked, tell
from keystead.doors.cli.house import House
from keystead.doors.cli.options import configuration, place_options
from keystead.doors.worker.first_start import ADMINS
from keystead.kinds import records
from keystead.kinds.access import system
from keystead.kinds.call import Call
from keystead.kinds.changes import Changes
from keystead.kinds.state import State
from keystead.people import password, token
from keystead.people.group import GROUP, Group
from keystead.people.user import USER, User

MACHINES: Final = "goauthentik.io/service-accounts"
"""The folder in which the contract looks for service accounts."""


class Wanted(NamedTuple):
    """The user to be made."""

    username: str
    name: str
    email: str
    groups: Sequence[str]
    superuser: bool
    machine: bool
    password: str


@click.group
def user() -> None:
    """Create people and machines that sign in."""


@user.command
@click.argument("username")
@click.option("--name", default="", help="Full name; default: the user name.")
@click.option("--email", default="", help="Mail address.")
@click.option("--group", "groups", metavar="NAME", multiple=True, help="A group to be in; may be repeated.")
@click.option("--superuser", is_flag=True, help=f"May do everything: put into the group {ADMINS}.")
@click.option("--service-account", is_flag=True, help="A machine: gets a password of its own, which is printed once.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of standard input.")
@click.option("--password-prompt", is_flag=True, help="Ask for the password.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@place_options
@click.pass_obj
def create(  # noqa: PLR0913 - one parameter for each flag
    house: Callable[[], House],
    /,
    username: str,
    name: str,
    email: str,
    groups: tuple[str, ...],
    *,
    superuser: bool,
    service_account: bool,
    password_stdin: bool,
    password_prompt: bool,
    as_json: bool,
    **flags: Any,  # noqa: ANN401 - what click read
) -> None:
    """Create a user called USERNAME.

    Without a password they cannot sign in yet: make a link with "keystead recovery link USERNAME".
    """
    if password_stdin + password_prompt + service_account > 1:
        raise click.UsageError("Choose one of --password-stdin, --password-prompt and --service-account.")
    config = configuration(**flags)
    given = _password(stdin=password_stdin, prompt=password_prompt)
    wanted = Wanted(username, name, email, groups, superuser, service_account, given)
    made = act(house(), config, lambda call, state: _made(call, state, wanted))
    tell(made, as_json=as_json, heading=f"Created {username}.")


def _password(*, stdin: bool, prompt: bool) -> str:
    if prompt:
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    if not stdin:
        return ""
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise click.UsageError("--password-stdin: standard input is empty.")
    return line


async def _made(call: Call, state: State, wanted: Wanted) -> dict[str, object]:
    hashed = await password.hash_password(wanted.password) if wanted.password else ""
    groups = await _groups(state, wanted)
    body: dict[str, object] = {
        "username": wanted.username,
        "name": wanted.name or wanted.username,
        "email": wanted.email,
        "groups": [group.pk for group in groups],
    }
    if wanted.machine:
        body.update(type="service_account", path=MACHINES)
    made: User = await checked(call, state, USER, body, await state.store.reserve("users", 1))
    changes = Changes()
    # On the authority of whoever runs commands on this machine: the database and its key are theirs.
    changes.create(system(call, USER, "add"), msgspec.structs.replace(made, password=hashed))
    found: dict[str, object] = {
        "username": made.username,
        "pk": made.pk,
        "uuid": made.uuid,
        "groups": [group.name for group in groups],
        "password": "set" if hashed else "none yet",
    }
    if wanted.machine:
        key, secret = token.issue(
            state,
            identifier=f"service-account-{made.uuid}-password",
            user=made.pk,
            intent=token.IntentEnum.APP_PASSWORD,
            description=f"Password of {made.username}, made on the command line",
        )
        changes.create(system(call, token.TOKEN, "add"), key)
        found["password"] = secret.reveal()
    await state.commit(changes, call.at)
    return found


async def _groups(state: State, wanted: Wanted) -> list[Group]:
    names = [*wanted.groups, *([ADMINS] if wanted.superuser else [])]
    found = {group.name: group for group in await records.load(state.store, GROUP, "name", names)} if names else {}
    if missing := [name for name in names if name not in found]:
        raise invalid({"group": [f"There is no group called {missing[0]}."]})
    groups = [found[name] for name in dict.fromkeys(names)]
    if wanted.superuser and not any(group.is_superuser for group in groups):
        raise invalid({"superuser": [f"The group {ADMINS} makes no superusers any more; name another with --group."]})
    return groups
