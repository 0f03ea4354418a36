"""Flags that several commands share, and the configuration they make together with the environment and the file."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

import click

from keystead.base.config import Config, ConfigError, load

P = ParamSpec("P")
R = TypeVar("R")
Decorator = Callable[[Callable[P, R]], Callable[P, R]]

_SETTINGS: Final = {
    "data": "data",
    "database": "database_url",
    "http": "listen.http",
    "https": "listen.https",
    "metrics": "listen.metrics",
    "base_url": "web.base_url",
    "log_level": "log_level",
    "workers": "web.workers",
}
"""Parameter -> the setting it gives."""


def _all(*options: Callable[[Callable[P, R]], Callable[P, R]]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    def decorate(command: Callable[P, R]) -> Callable[P, R]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def place_options(command: Callable[P, R]) -> Callable[P, R]:
    """Where the installation is: ``--data``, ``--database``, ``--config``, ``--set``."""
    return _all(
        click.option("--data", metavar="DIR", help="Folder of the embedded database and its secret key."),
        click.option("--database", metavar="URL", help="postgresql://user:password@host/name, or sqlite:///file."),
        click.option(
            "--config",
            "file",
            metavar="FILE",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="YAML file of settings.",
        ),
        click.option(
            "--set", "settings", metavar="NAME=VALUE", multiple=True, help="Any setting, such as log_level=debug."
        ),
    )(command)


def listen_options(command: Callable[P, R]) -> Callable[P, R]:
    """Where a process listens."""
    return _all(
        click.option("--http", metavar="HOST:PORT", help="HTTP; default [::]:9000, empty for none."),
        click.option("--https", metavar="HOST:PORT", help="HTTPS; default [::]:9443, empty for none."),
        click.option("--metrics", metavar="HOST:PORT", help="Prometheus; default [::]:9300, empty for none."),
        click.option("--log-level", metavar="LEVEL", help="trace, debug, info, warning, error or critical."),
    )(command)


def address_option(command: Callable[P, R]) -> Callable[P, R]:
    """Under which address people reach the installation."""
    return click.option("--base-url", metavar="URL", help="Address people reach Keystead at, for links and issuers.")(
        command
    )


def configuration(*, file: Path | None = None, settings: Sequence[str] = (), **flags: Any) -> Config:  # noqa: ANN401 - what click read
    """The configuration that the shared flags, the environment and the file make.

    :raises ConfigError: names everything that is wrong.
    """
    given: dict[str, object] = {_SETTINGS[name]: value for name, value in flags.items()}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise ConfigError([f"--set {setting}: there is no value. Accepted: NAME=VALUE, such as log_level=debug."])
        given[name.strip()] = value
    return load(os.environ, file=file, flags=given)
