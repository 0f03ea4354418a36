"""What the declared structs say, as look-ups: which key means which setting, and what each setting is."""

from collections.abc import Iterator
from functools import cache
from types import MappingProxyType
from typing import Annotated, Final, TypeAlias, cast, get_args, get_origin

from msgspec import NODEFAULT, Struct
from msgspec.structs import fields as struct_fields

from keystead.base.config.forms import TEXT, About, Form, form_of
from keystead.base.config.settings import Config

Key: TypeAlias = tuple[str, ...]

PREFIXES: Final = ("KEYSTEAD_", "AUTHENTIK_")
NUMBER: Final = "<n>"
WORD: Final = "<name>"


class Setting(Struct, frozen=True, kw_only=True):
    """One setting as a table of settings shows it.

    :ivar key: dotted key of files and flags; ``<n>`` stands for a number, ``<name>`` for any name.
    :ivar names: names in the environment, the documented one first.
    :ivar form: how its value is written.
    :ivar default: default in that form.
    :ivar meaning: one sentence.
    :ivar unit: of a bare number, else empty.
    :ivar acts: whether this version does something with it.
    :ivar path: its place in the structs.
    """

    key: str
    names: tuple[str, ...]
    form: Form
    default: str
    meaning: str
    unit: str
    acts: bool
    path: Key

    @property
    def name(self) -> str:
        """Its documented name in the environment."""
        return self.names[0]

    def named(self, prefix: str) -> str:
        """Its first name with ``prefix`` in the environment; without a prefix, its key."""
        return next(name for name in self.names if name.startswith(prefix)) if prefix else self.key


class Leaf(Struct, frozen=True):
    """A field that holds one value."""

    attribute: str
    form: Form
    about: About
    default: object


class Section(Struct, frozen=True):
    """A field that holds a struct of further fields, or with ``numbered`` a tuple of such structs."""

    attribute: str
    struct: type[Struct]
    inherits: bool
    numbered: bool
    acts: bool


class Open(Struct, frozen=True):
    """A field below which any name may stand, holding texts."""

    attribute: str
    about: About


Member: TypeAlias = Leaf | Section | Open


@cache
def members(struct: type[Struct]) -> tuple[Member, ...]:
    """The fields of a settings struct, in order, without those that are no settings."""
    return tuple(_members(struct))


def _members(struct: type[Struct]) -> Iterator[Member]:
    for field in struct_fields(struct):
        kind: object = field.type
        about: About | None = None
        if get_origin(kind) is Annotated:
            kind, about = cast("tuple[object, About]", get_args(kind))
        inherits = about is not None and about.inherits
        acts = about is None or about.acts
        if isinstance(kind, type) and issubclass(kind, Struct):
            yield Section(field.name, kind, inherits, numbered=False, acts=acts)
        elif about is None:
            continue
        elif inherits:
            yield Section(field.name, cast("type[Struct]", get_args(kind)[0]), inherits, numbered=True, acts=acts)
        elif field.default is NODEFAULT:
            yield Open(field.name, about)
        else:
            yield Leaf(field.name, form_of(kind, about), about, field.default)


@cache
def catalogue() -> MappingProxyType[Key, Setting]:
    """Every setting by every key path that names it; numbers stand as :data:`NUMBER`, free names as :data:`WORD`."""
    return MappingProxyType(dict(_settings(Config, ())))


def _settings(
    struct: type[Struct], above: Key, inherited: str = "", *, act: bool = True
) -> Iterator[tuple[Key, Setting]]:
    for member in members(struct):
        path = (*above, member.attribute)
        if isinstance(member, Section):
            path = (*path, NUMBER) if member.numbered else path
            source = ".".join(above) if member.inherits else inherited and f"{inherited}.{member.attribute}"
            yield from _settings(member.struct, path, source, act=act and member.acts)
            continue
        about = member.about
        if isinstance(member, Open):
            path, form, default = (*path, WORD), TEXT, ""
        else:
            form, default = member.form, about.shown or member.form.render(member.default)
        if inherited:
            default = f"that of {_name(PREFIXES[1], (*inherited.split('.'), member.attribute))}"
        keys = [tuple(key.split(".")) for key in about.keys] or [path]
        prefixes = PREFIXES if about.own else PREFIXES[::-1]
        setting = Setting(
            key=".".join(keys[0]),
            names=tuple(_name(prefix, key) for key in keys for prefix in prefixes),
            form=form,
            default=default,
            meaning=about.meaning,
            unit=about.unit,
            acts=act and about.acts,
            path=path,
        )
        for key in keys:
            yield key, setting


def _name(prefix: str, key: Key) -> str:
    return prefix + "__".join(part if part in (NUMBER, WORD) else part.upper() for part in key)


def setting_at(key: Key) -> tuple[Setting, Key] | None:
    """The setting that ``key`` names and its place in the structs with the numbers and names filled in, or None."""
    found = catalogue().get(key)
    if found is not None:
        return found, found.path
    numbered = tuple(NUMBER if part.isascii() and part.isdigit() else part for part in key)
    found = catalogue().get(numbered)
    if found is not None:
        return found, tuple(str(int(part)) if part.isdigit() else part for part in key)
    for end in range(1, len(key)):
        found = catalogue().get((*key[:end], WORD))
        if found is not None:
            return found, (*key[:end], ".".join(key[end:]))
    return None


def is_section(key: Key) -> bool:
    """Whether ``key`` names a group of settings."""
    shape = tuple(NUMBER if part.isascii() and part.isdigit() else part for part in key)
    return any(known[: len(shape)] == shape and len(known) > len(shape) for known in catalogue())


def nearest(key: Key) -> Setting | None:
    """The setting that someone who wrote the unknown ``key`` most likely meant, or None."""
    import difflib  # noqa: PLC0415 - only a start that fails needs it

    plain: dict[str, Setting] = {}
    for known, setting in catalogue().items():
        plain.setdefault("_".join(known), setting)
    written = "_".join(key)
    close = [written] if written in plain else difflib.get_close_matches(written, plain, n=1, cutoff=0.75)
    return plain[close[0]] if close else None


def describe() -> list[Setting]:
    """Every setting, once, in the order of declaration: the rows of the table of settings."""
    return list({id(setting): setting for setting in catalogue().values()}.values())
