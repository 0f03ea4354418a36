"""From texts to a :class:`Config`: check, merge the sources, build the structs; list all that is wrong at once."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from keystead.base.config.catalogue import Key, Leaf, Open, Section, catalogue, members
from keystead.base.config.database import parse_url
from keystead.base.config.reading import Given, Reader
from keystead.base.config.settings import Config

S = TypeVar("S", bound=Struct)

_NO_FLAGS: Final[Mapping[str, object]] = MappingProxyType({})
_SHOWN_MAX: Final = 80
_KEY_MIN: Final = 32
_CREDENTIALS_IN_URL: Final = re.compile(r"//[^/\s]*@")
_NEEDS_HOST: Final = ("port", "name", "user", "password", "direct", "read_replicas")


class ConfigError(Exception):
    """The settings do not allow a start.

    :ivar problems: one sentence for each thing that is wrong, naming it and saying what is accepted; no secret in them.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        count = f"{len(self.problems)} settings are" if len(self.problems) != 1 else "1 setting is"
        super().__init__("\n".join((f"Keystead does not start: {count} wrong.", *(f"- {p}" for p in self.problems))))


class _Value(Struct, frozen=True):
    value: object
    given: Given


def load(env: Mapping[str, str], *, file: Path | None = None, flags: Mapping[str, object] = _NO_FLAGS) -> Config:
    """The settings of this process. Flags override the environment, which overrides the file, which overrides defaults.

    :param env: the environment; variables without one of our prefixes are ignored.
    :param file: a YAML file of nested settings.
    :param flags: dotted key to text or typed value; None for a flag not given.
    :raises ConfigError: names every unknown setting and every value that is not accepted, in all sources.
    """
    reader = Reader(env)
    sources = (reader.file(file) if file is not None else [], reader.environment(), reader.flags(flags))
    problems = reader.problems
    found: dict[Key, _Value] = {}
    for source in sources:
        found |= _checked(source, problems)
    problems.extend(_without_host(found))
    if problems:
        raise ConfigError(problems)
    values = {place: entry.value for place, entry in found.items()}
    values.setdefault(("storage", "file", "path"), values.get(("data",), Config().data))
    config = _build(Config, (), values)
    return replace(config, warnings=tuple(_warnings(config, found)))


def _checked(source: Iterable[Given], problems: list[str]) -> dict[Key, _Value]:
    """The values of one source by their place; whatever is wrong goes to ``problems``."""
    found: dict[Key, _Value] = {}
    for given in source:
        try:
            value = given.setting.form.parse(given.text)
        except ValueError as exc:
            problems.append(_refusal(given, str(exc)))
            continue
        said = [(given.path, _Value(value, given))]
        if given.path == ("database_url",) and given.text:
            said += [(place, _Value(value, given)) for place, value in _from_url(given.text)]
        for place, entry in said:
            other = found.setdefault(place, entry)
            if other.value != entry.value:
                both = f"{other.given.origin} and {entry.given.origin}"
                problems.append(f"{both} both set {'.'.join(place)}, and differ. Keep one of them.")
    return found


def _from_url(url: str) -> Iterable[tuple[Key, object]]:
    for name, text in parse_url(url).items():
        setting = catalogue()["postgresql", name]
        yield ("postgresql", name), setting.form.parse(text)


def _refusal(given: Given, reason: str) -> str:
    form = given.setting.form
    shown = ""
    if not (form.secret or given.hidden or _CREDENTIALS_IN_URL.search(given.text)):
        text = given.text if len(given.text) <= _SHOWN_MAX else given.text[:_SHOWN_MAX] + "…"
        shown = f" {text!r}"
    # Reasons quote the text, except those of secret forms, which are made not to.
    fits = 0 < len(reason) <= 2 * _SHOWN_MAX and bool(shown or form.secret)
    because = f", because {reason.rstrip('.')}" if fits else ""
    hint = " (its text was fetched from elsewhere and is not shown)" if given.hidden else ""
    return f"{given.origin}: the value{shown}{hint} is not accepted{because}. Accepted: {form.accepted}."


def _without_host(found: Mapping[Key, _Value]) -> Iterable[str]:
    """Settings of a server without its host would start on SQLite, where nobody's data is: refuse instead."""
    if ("postgresql", "host") not in found:
        for place, entry in found.items():
            if place[0] == "postgresql" and place[1] in _NEEDS_HOST and entry.value:
                yield (
                    f"{entry.given.origin} is set, but AUTHENTIK_POSTGRESQL__HOST is not. "
                    "Name the PostgreSQL server there, or set it empty on purpose for the embedded SQLite."
                )


def _build(struct: type[S], above: Key, values: Mapping[Key, object], around: Struct | None = None) -> S:
    """``struct`` from the values at and below ``above``; what is not there comes from ``around``, else is default."""
    built: dict[str, object] = {}
    later: list[Section] = []
    for member in members(struct):
        place = (*above, member.attribute)
        match member:
            case Leaf(attribute=name):
                if place in values:
                    built[name] = values[place]
                elif around is not None:
                    built[name] = getattr(around, name)
            case Open(attribute=name):
                below = {key[-1]: text for key, text in values.items() if key[:-1] == place}
                built[name] = MappingProxyType(below)
            case Section(attribute=name, inherits=True):
                later.append(member)
            case Section(attribute=name):
                built[name] = _build(member.struct, place, values, getattr(around, name, None))
    whole = struct(**built)
    for member in later:
        place = (*above, member.attribute)
        if member.numbered:
            numbers = sorted({int(key[len(place)]) for key in values if key[: len(place)] == place})
            inner: object = tuple(_build(member.struct, (*place, str(n)), values, whole) for n in numbers)
        else:
            inner = _build(member.struct, place, values, whole)
        whole = replace(whole, **{member.attribute: inner})
    return whole


def _warnings(config: Config, found: Mapping[Key, _Value]) -> Iterable[str]:
    key = config.secret_key.reveal()
    if key and len(key) < _KEY_MIN:
        yield f"{found[('secret_key',)].given.origin} has {len(key)} characters; use at least {_KEY_MIN} random ones."
    if any(network.prefixlen == 0 for network in config.listen.trusted_proxy_cidrs):
        origin = found["listen", "trusted_proxy_cidrs"].given.origin
        yield f"{origin} trusts every peer: anybody may then pretend to come from any address."
    idle = sorted({entry.given.origin for entry in found.values() if not entry.given.setting.acts})
    if idle:
        yield f"Known, checked and without effect in this version: {'; '.join(idle)}."
