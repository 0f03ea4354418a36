"""``keystead config``: the settings as they are understood, secrets masked."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import click

from keystead.base.config import Setting, describe, dump
from keystead.doors.cli.options import configuration, listen_options, place_options


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
    values = dict(_flat(shown, ""))
    known = {".".join(setting.path): setting for setting in describe()}
    lines = [
        (place, value, known.get(place))
        for place, value in values.items()
        if not changed or known.get(place) is None or value != known[place].default
    ]
    width = max((len(place) for place, _, _ in lines), default=0)
    for place, value, setting in lines:
        click.echo(f"{place:<{width}}  {value}{_remark(setting, value)}".rstrip())
    for warning in found.warnings:
        click.echo(f"\n{warning}", err=True)


def _remark(setting: Setting | None, value: str) -> str:
    if setting is None or setting.acts:
        return ""
    return "  (no effect in this version)" if value != setting.default else ""


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
