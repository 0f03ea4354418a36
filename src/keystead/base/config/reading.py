"""Where settings come from: the environment, a YAML file, flags; what each says, as texts that know their origin."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from msgspec import Struct

from keystead.base.config.catalogue import PREFIXES, Key, Setting, is_section, nearest, setting_at
from keystead.base.config.forms import duration_text
from keystead.base.secret import Secret

_REFERENCE: Final = re.compile(r"(env|file)://([^?]*)(?:\?(.*))?", re.DOTALL)
_FILE_LIMIT: Final = 1 << 20
# What Kubernetes and Docker put into the environment of every neighbour of a service named "keystead" or "authentik-…".
_NEIGHBOUR: Final = re.compile(
    r"(?:[A-Z0-9_]+_)??(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT_[0-9]+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)"
)
_NEIGHBOUR_PORT: Final = re.compile(r"(?:[A-Z0-9_]+_)??PORT")
_NEIGHBOUR_URL: Final = re.compile(r"(?:tcp|udp|sctp)://")


class Given(Struct, frozen=True, kw_only=True):
    """One setting as somebody wrote it.

    :ivar setting: which one.
    :ivar path: its place in the structs.
    :ivar text: the text, references already followed.
    :ivar origin: who said so, for people: a variable, a line of a file, a flag.
    :ivar hidden: the text must not be shown, because it was fetched from elsewhere.
    """

    setting: Setting
    path: Key
    text: str
    origin: str
    hidden: bool = False

    def __repr__(self) -> str:
        return f"Given({self.origin!r})"  # the text may be a secret


class Reader:
    """Reads sources into :class:`Given` values and collects what is wrong with them.

    :param env: the environment, in which ``env://`` references are looked up.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self.problems: list[str] = []

    def environment(self) -> list[Given]:
        """What the variables with one of :data:`PREFIXES` say; all others are none of our business."""
        found: list[Given] = []
        for name, text in self._env.items():
            prefix = next((prefix for prefix in PREFIXES if name.startswith(prefix)), "")
            if not prefix:
                continue
            key = tuple(name.removeprefix(prefix).lower().split("__"))
            if setting_at(key) is None and _from_neighbour(name.removeprefix(prefix), text):
                continue
            found.extend(self._given(key, text, name, prefix))
        return found

    def flags(self, flags: Mapping[str, object]) -> list[Given]:
        """What flags say: dotted keys with values that are texts, or the typed values themselves; None says nothing."""
        found: list[Given] = []
        for name, value in flags.items():
            if value is not None:
                key = tuple(name.lower().split("."))
                found.extend(self._given(key, _as_text(value), f"flag {name}"))
        return found

    def file(self, file: Path) -> list[Given]:
        """What a YAML file says."""
        text = self._text_of(file, f"{file}: the settings file")
        if text is None:
            return []
        from keystead.base.config.yamlfile import lines  # noqa: PLC0415 - YAML is loaded only where there is a file

        found: list[Given] = []
        for key, value, origin in lines(file, text, self.problems):
            found.extend(self._given(key, value, origin))
        return found

    def _given(self, key: Key, text: str, origin: str, prefix: str = "") -> Sequence[Given]:
        found = setting_at(key)
        if found is None:
            if is_section(key):
                self.problems.append(f"{origin} is a group of settings and takes no value itself.")
            else:
                meant = nearest(key)
                self.problems.append(
                    f"{origin} is not a setting." + (f" Did you mean {meant.named(prefix)}?" if meant else "")
                )
            return ()
        setting, path = found
        followed = self._follow(text, origin)
        if followed is not None and not _is_utf8(followed):
            self.problems.append(f"{origin}: the value is not UTF-8 text.")
            return ()
        if followed is None or (not followed and not setting.form.blank):
            return ()
        return (Given(setting=setting, path=path, text=followed, origin=origin, hidden=followed is not text),)

    def _follow(self, text: str, origin: str) -> str | None:
        reference = _REFERENCE.fullmatch(text)
        if reference is None:
            return text
        place = reference[2]
        default: str | None = reference[3]
        if reference[1] == "env":
            value = self._env.get(place, default)
            if value is None:
                remedy = f"Set it, or give a default: env://{place}?default."
                self.problems.append(f"{origin} refers to the variable {place}, which is not set. {remedy}")
            return value
        value = self._text_of(Path(place), f"{origin} refers to a file ({place}) that", absent=default)
        # Editors and "echo" end a file with a line break that is not part of the secret in it.
        return None if value is None else value.rstrip("\r\n")

    def _text_of(self, file: Path, subject: str, absent: str | None = None) -> str | None:
        try:
            with file.open("rb") as stream:
                raw = stream.read(_FILE_LIMIT + 1)
            if len(raw) > _FILE_LIMIT:
                self.problems.append(f"{subject} is longer than {_FILE_LIMIT} bytes.")
                return None
            return raw.decode("utf-8-sig")
        except OSError as exc:
            if absent is not None and isinstance(exc, FileNotFoundError | NotADirectoryError):
                return absent
            self.problems.append(f"{subject} cannot be read: {exc.strerror or type(exc).__name__}.")
        except ValueError:
            self.problems.append(f"{subject} cannot be read: it is not UTF-8 text, or its name is no file name.")
        return None


def _from_neighbour(name: str, text: str) -> bool:
    if _NEIGHBOUR.fullmatch(name):
        return True
    return bool(_NEIGHBOUR_PORT.fullmatch(name) and _NEIGHBOUR_URL.match(text))


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # bytes of the environment that Python could not decode
        return False
    return True


def _as_text(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, timedelta):
        return duration_text(value)
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return ",".join(str(item) for item in value)
    return str(value)
