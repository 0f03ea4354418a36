"""Configuration: what a process is told at its start, typed, checked and immutable.

``load`` reads ``AUTHENTIK_*`` and ``KEYSTEAD_*`` variables, a YAML file and flags into one :class:`Config`; an unknown
name or a value that is not accepted raises :class:`ConfigError`, which lists all of them. The settings are declared in
``settings.py`` and the section files beside it; everything else here derives from those declarations.

What administrators change while the server runs (flows, providers, brands …) is no configuration: see ``kinds``.
"""

from keystead.base.config.catalogue import Setting, describe
from keystead.base.config.loading import ConfigError, load
from keystead.base.config.secretkey import secret_key
from keystead.base.config.settings import Config
from keystead.base.config.showing import dump

__all__ = ["Config", "ConfigError", "Setting", "describe", "dump", "load", "secret_key"]
