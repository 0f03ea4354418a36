"""``keystead blueprint``: objects described in a file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec

from keystead.doors.cli.acting import act, tell
from keystead.doors.cli.house import House
from keystead.doors.cli.options import configuration, place_options
from keystead.kinds.call import Call
from keystead.kinds.logged import LogEvent
from keystead.kinds.state import State


@click.group
def blueprint() -> None:
    """Make, change and remove objects that are described in a file."""


@blueprint.command
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--context", default="{}", help="Values for the blueprint's !Context, as a JSON object.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be done.")
@place_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def apply(
    house: Callable[[], House],
    /,
    path: Path,
    context: str,
    *,
    dry_run: bool,
    as_json: bool,
    **flags: Any,  # noqa: ANN401 - what click read
) -> None:
    """Apply the blueprint in FILE: all of it, or nothing."""
    from keystead.doors.rest.blueprints.applying import one_text  # noqa: PLC0415 - YAML loads slowly, help should not
    from keystead.doors.rest.blueprints.folder import Folder  # noqa: PLC0415 - as above
    from keystead.doors.rest.blueprints.told import Failed  # noqa: PLC0415 - as above

    config = configuration(**flags)
    try:
        values = msgspec.json.decode(context, type=dict[str, object])
        text = path.read_text("utf-8")
    except (ValueError, OSError) as exc:
        raise click.UsageError(f"{path}: {exc}") from None

    async def work(call: Call, state: State) -> tuple[list[LogEvent], bool]:
        # On the authority of whoever runs commands on this machine: the database and its key are theirs.
        try:
            log = await one_text(call, state, Folder(config.blueprints_path), text, values, rehearse=dry_run)
        except Failed as exc:
            return exc.logs.lines, False
        return log.lines, True

    lines, success = act(house(), config, work)
    if as_json:
        tell({"success": success, "dry_run": dry_run, "logs": msgspec.to_builtins(lines)}, as_json=True)
    else:
        for line in lines:
            about = line.attributes
            where = f"entry {about['entry']} {about.get('model', '')} " if "entry" in about else ""
            name = f" {about['name']}" if about.get("name") else f" {about['member']}" if about.get("member") else ""
            click.echo(f"{where}{line.log_level.value}:{name} {line.event}")
        click.echo(_end(success=success, dry_run=dry_run))
    if not success:
        raise SystemExit(1)


def _end(*, success: bool, dry_run: bool) -> str:
    if not success:
        return "It cannot be applied; nothing was changed."
    return "A dry run; nothing was changed." if dry_run else "Applied."
