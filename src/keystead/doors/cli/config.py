"""``keystead config``: the settings as they are understood, secrets masked."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import click

from keystead.base.config import describe, dump, load
from keystead.doors.cli.options import configuration, listen_options, place_options

_NUMBER: Final = re.compile(r"(?<=\.)\d+(?=\.)")


@click.command
@place_options
@listen_options
@click.option("--json", "as_json", is_flag=True, help="As JSON, in the form a settings file has.")
@click.option("--changed", is_flag=True, help="Only those that differ from their defaults.")
def config(*, as_json: bool, changed: bool, **flags: Any) -> None:  # noqa: ANN401 - what click read
    """Show the settings as they are understood, secrets masked.

    The settings are checked as at a start: whatever is wrong is named, and the exit code is 2.
    """
    found = configuration(**flags)
    shown = dump(found)
    if as_json:
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
        return
    usual = dict(_flat(dump(load({})), ""))
    acting = {place for setting in describe() if setting.acts for place in [_place(setting.path)]}
    lines = []
    for place, value in _flat(shown, ""):
        differs = usual.get(place) != value
        if differs or not changed:
            idle = differs and _NUMBER.sub("<n>", place) not in acting
            lines.append((place, f"{value}  (no effect in this version)" if idle else value))
    width = max((len(place) for place, _ in lines), default=0)
    for place, value in lines:
        click.echo(f"{place:<{width}}  {value}".rstrip())


def _place(path: tuple[str, ...]) -> str:
    return ".".join(part.rstrip("_") for part in path)


def _flat(group: Mapping[str, Any], above: str) -> Iterator[tuple[str, str]]:
    for name, value in group.items():
        place = f"{above}{name}"
        if isinstance(value, dict):
            yield from _flat(value, f"{place}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for number, item in enumerate(value):
                yield from _flat(item, f"{place}.{number}.")
        elif isinstance(value, list):
            yield place, ",".join(str(item) for item in value)
        elif isinstance(value, bool):
            yield place, "true" if value else "false"
        else:
            yield place, str(value)
