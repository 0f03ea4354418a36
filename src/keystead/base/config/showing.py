"""Settings as plain values that may be shown: secrets are masked."""

from typing import TypeAlias

from msgspec import Struct

from keystead.base.config.catalogue import Leaf, Open, Section, members
from keystead.base.config.settings import Config

Plain: TypeAlias = "str | int | bool | list[Plain] | dict[str, Plain]"


def dump(config: Config) -> dict[str, Plain]:
    """All settings as nested plain values, in the form a settings file has; a secret is a mask, or empty if not set."""
    return _group(config)


def _group(group: Struct) -> dict[str, Plain]:
    shown: dict[str, Plain] = {}
    for member in members(type(group)):
        value = getattr(group, member.attribute)
        name = member.attribute.rstrip("_")
        match member:
            case Leaf(form=form):
                shown[name] = _plain(value, form.render(value))
            case Open():
                shown[name] = dict(value)
            case Section(numbered=True):
                shown[name] = [_group(item) for item in value]
            case Section():
                shown[name] = _group(value)
    return shown


def _plain(value: object, text: str) -> Plain:
    if isinstance(value, bool | int):
        return value
    if isinstance(value, tuple):
        return [str(item) for item in value]
    return text  # None too is a text, since a bare null in a file says nothing
