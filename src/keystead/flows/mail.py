"""What stages that send mail share: the server's settings, and the templates that come with Keystead."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, Final, TypeVar

import msgspec

from keystead.base.errors import invalid
from keystead.kinds.action import Answer
from keystead.kinds.call import Call
from keystead.kinds.state import State
from keystead.people.event import TypeCreate

T = TypeVar("T", bound=msgspec.Struct)
HOST: Final = "localhost"
FROM: Final = "keystead@localhost"
_LAST_PORT: Final = 65535


async def check(_call: Call, _state: State, _old: T | None, new: T) -> T:
    """A server that can be reached: some port, some time, and at most one way of encryption."""
    mail: Any = new
    wrong: dict[str, list[str]] = {}
    if mail.use_tls and mail.use_ssl:
        wrong["use_ssl"] = [
            "Choose one: use_tls turns a plain connection into an encrypted one, use_ssl begins with it."
        ]
    if not 0 < mail.port <= _LAST_PORT:
        wrong["port"] = [f"A port is a number from 1 to {_LAST_PORT}."]
    if mail.timeout < 1:
        wrong["timeout"] = ["Wait at least one second."]
    if "\n" in mail.subject or "\r" in mail.subject:
        wrong["subject"] = ["A subject is one line."]
    if wrong:
        raise invalid(wrong)
    return new


@cache
def built_in() -> tuple[TypeCreate, ...]:
    """The templates that come with Keystead, by name; the first line of each says what it is for."""
    found = []
    for entry in resources.files("keystead.flows").joinpath("templates", "email").iterdir():
        if entry.name.endswith(".html"):
            first = entry.read_text("utf-8").partition("\n")[0]
            about = first.removeprefix("{#").removesuffix("#}").strip()
            found.append(TypeCreate(f"email/{entry.name}", about, component="", model_name=""))
    return tuple(sorted(found, key=lambda one: one.name))


async def templates(_call: Call, _state: State, _obj: None, _query: Mapping[str, Sequence[str]]) -> Answer:
    """The templates that a message can be made of."""
    return Answer(list(built_in()))
