"""How a setting's value is written: one form per type, each saying what it accepts, how to read it, how to show it.

A setting is declared as ``name: Annotated[type, About("what it means", …)] = default`` in a struct; its form follows
from the type unless :class:`About` names one.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import UnionType
from typing import Final, Literal, TypeAlias, cast, get_args, get_origin
from urllib.parse import urlsplit

from msgspec import Struct

from keystead.base import duration
from keystead.base.addresses import (
    LISTEN_ACCEPTED,
    NETWORKS_ACCEPTED,
    ListenAddress,
    Network,
    parse_listen_list,
    parse_networks,
)
from keystead.base.secret import Secret

Addresses: TypeAlias = tuple[ListenAddress, ...]
Networks: TypeAlias = tuple[Network, ...]

MASK: Final = "**********"
_TRUE: Final = ("true", "1", "yes", "on")
_FALSE: Final = ("false", "0", "no", "off")
_NULL: Final = ("null", "none")
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_DOMAIN: Final = re.compile(
    r"\.?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII
)
_URL_PATH: Final = re.compile(r"/?([A-Za-z0-9._~-]+/)*([A-Za-z0-9._~-]+)?", re.ASCII)
_MAILBOX: Final = re.compile(r"[^@\x00-\x1f\x7f]+@[^@\x00-\x1f\x7f]+")


class Form(Struct, frozen=True, kw_only=True):
    """A way of writing values.

    :ivar name: what to call it in a table.
    :ivar accepted: what it takes, to stand after "Accepted: ".
    :ivar parse: text to value; raises ``ValueError`` with a reason (or none) where the text is not accepted.
    :ivar render: value to the text that ``parse`` reads (a mask for secrets).
    :ivar blank: whether an empty text is a value; otherwise it counts as not given, because that is what templates
        (Compose, Helm) produce for a variable nobody set.
    :ivar secret: whether neither the text nor the value may ever be shown.
    """

    name: str
    accepted: str
    parse: Callable[[str], object]
    render: Callable[[object], str] = str
    blank: bool = False
    secret: bool = False


class About(Struct, frozen=True):
    """What is known of a setting besides its type and default.

    :ivar meaning: one sentence for the table of settings.
    :ivar acts: whether this version does something with it; what does not act is known, checked and kept, no more. On a
        section, whether its members can act at all.
    :ivar unit: of a bare number, such as ``seconds``.
    :ivar ge: least number accepted.
    :ivar le: greatest number accepted.
    :ivar form: a form other than the type's own.
    :ivar keys: dotted keys that name it, the documented one first; by default its place in the structs.
    :ivar inherits: for a section: members not given there take the values of the section around it.
    :ivar own: Keystead's own, so that documents show the ``KEYSTEAD_`` name.
    :ivar shown: what a table shows as default where the default follows from something else.
    """

    meaning: str
    acts: bool = False
    unit: str = ""
    ge: int | None = None
    le: int | None = None
    form: Form | None = None
    keys: tuple[str, ...] = ()
    inherits: bool = False
    own: bool = False
    shown: str = ""


def duration_text(length: timedelta) -> str:
    """``length`` in the form that :func:`keystead.base.duration.parse` reads, in its largest whole units."""
    minutes, seconds = divmod(length.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = (
        ("days", length.days),
        ("hours", hours),
        ("minutes", minutes),
        ("seconds", seconds),
        ("microseconds", length.microseconds),
    )
    return ";".join(f"{unit}={amount}" for unit, amount in parts if amount) or "seconds=0"


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word not in _TRUE + _FALSE:
        raise ValueError
    return word in _TRUE


def _duration(text: str) -> timedelta:
    length = duration.parse(text)
    if length < timedelta():
        raise ValueError("it is below zero")
    return length


def _domain(text: str) -> str:
    domain = text.strip().lower()
    if domain and not _DOMAIN.fullmatch(domain):
        raise ValueError
    return domain


def _url_path(text: str) -> str:
    path = text.strip()
    if not _URL_PATH.fullmatch(path) or {".", ".."} & set(path.split("/")):
        raise ValueError
    inner = path.strip("/")
    return f"/{inner}/" if inner else "/"


def _base_url(text: str) -> str:
    url = text.strip()
    if not url:
        return ""
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise ValueError("it carries a user name")
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.query
        or parts.fragment
        or re.search(r"\s", url)
    ):
        raise ValueError
    _ = parts.port  # raises ValueError where it is no port
    return url.rstrip("/")


def _mailbox(text: str) -> str:
    if not _MAILBOX.fullmatch(text.strip()):
        raise ValueError
    return text.strip()


def _joined(value: object) -> str:
    return ",".join(str(item) for item in cast("tuple[object, ...]", value))


TEXT: Final = Form(name="text", accepted="any text", parse=str, blank=True)
SECRET: Final = Form(
    name="secret text", accepted="any text", parse=Secret, render=lambda s: MASK if s else "", blank=True, secret=True
)
BOOLEAN: Final = Form(
    name="yes or no",
    accepted="true, 1, yes, on; or false, 0, no, off",
    parse=_boolean,
    render=lambda value: "true" if value else "false",
)
DURATION: Final = Form(
    name="duration",
    accepted=f"a duration such as hours=3;minutes=10 (units: {', '.join(duration.UNITS)}), not below zero",
    parse=_duration,
    render=lambda value: duration_text(cast("timedelta", value)),
)
PATH: Final = Form(name="path", accepted="the path of a file or folder", parse=Path)
ADDRESSES: Final = Form(
    name="listen addresses", accepted=LISTEN_ACCEPTED, parse=parse_listen_list, render=_joined, blank=True
)
NETWORKS: Final = Form(name="networks", accepted=NETWORKS_ACCEPTED, parse=parse_networks, render=_joined, blank=True)
DOMAIN: Final = Form(name="domain", accepted="a domain such as example.com, or empty", parse=_domain, blank=True)
URL_PATH: Final = Form(
    name="URL path",
    accepted="a path such as / or /auth/, of letters, digits and . _ ~ - between slashes",
    parse=_url_path,
)
BASE_URL: Final = Form(
    name="URL",
    accepted="a URL such as https://sso.example.com, without user name, query or fragment; or empty",
    parse=_base_url,
    blank=True,
)
MAILBOX: Final = Form(
    name="mail address", accepted="an address such as sso@example.com or Sign-in <sso@example.com>", parse=_mailbox
)

_OF_TYPE: Final[dict[object, Form]] = {
    str: TEXT,
    bool: BOOLEAN,
    timedelta: DURATION,
    Secret: SECRET,
    Path: PATH,
    Addresses: ADDRESSES,
    Networks: NETWORKS,
}


def integer(ge: int | None, le: int | None, unit: str = "", *, nullable: bool = False) -> Form:
    """The form of whole numbers within bounds; with ``nullable``, ``null`` and ``none`` read as ``None``."""
    bounds = {
        (False, False): f" from {ge} to {le}",
        (False, True): f", {ge} or more",
        (True, False): f", {le} or less",
        (True, True): "",
    }[ge is None, le is None]

    def parse(text: str) -> int | None:
        word = text.strip()
        if nullable and word.lower() in _NULL:
            return None
        if not _INTEGER.fullmatch(word):
            raise ValueError
        number = int(word)
        if (ge is not None and number < ge) or (le is not None and number > le):
            raise ValueError
        return number

    return Form(
        name="whole number",
        accepted=f"a whole number{bounds}{f' ({unit})' if unit else ''}{', or null' if nullable else ''}",
        parse=parse,
        render=lambda value: "null" if value is None else str(value),
    )


def choice(options: tuple[str, ...]) -> Form:
    """The form of one word out of ``options``, in any case."""

    def parse(text: str) -> str:
        word = text.strip().lower()
        if word not in options:
            raise ValueError
        return word

    return Form(name="choice", accepted=f"one of {', '.join(options)}", parse=parse)


def form_of(kind: object, about: About) -> Form:
    """The form of a setting declared with type ``kind``.

    :raises TypeError: no form is known for that type (a mistake in the declaration).
    """
    if about.form is not None:
        return about.form
    found = _OF_TYPE.get(kind)
    if found is not None:
        return found
    if kind is int:
        return integer(about.ge, about.le, about.unit)
    if get_origin(kind) is UnionType and get_args(kind) == (int, type(None)):
        return integer(about.ge, about.le, about.unit, nullable=True)
    if get_origin(kind) is Literal:
        return choice(get_args(kind))
    raise TypeError(f"no form is known for settings of type {kind!r}")
