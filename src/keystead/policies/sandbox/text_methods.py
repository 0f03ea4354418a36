"""The methods of ``str`` and ``bytes`` that expressions have, each bounded by what it reads and what it makes."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, cast

from keystead.policies.sandbox.budget import MAX_ITEMS, MAX_TEXT, Budget
from keystead.policies.sandbox.iterate import gather
from keystead.policies.sandbox.render import fill
from keystead.policies.sandbox.values import kind_name

Method = Callable[..., object]

_CODECS: Final = frozenset({"ascii", "latin-1", "utf-8", "utf-16-le"})
"""Any other name would have Python import a module of that name."""


def _reading(method: Method) -> Method:
    """A method that reads its text once and makes one no longer than three times as long."""

    def run(budget: Budget, text: str, /, *args: object, **named: object) -> object:
        budget.text(len(text))
        for arg in args:
            if type(arg) is str:
                budget.text(len(arg))
            elif type(arg) is tuple:
                budget.weigh(arg)
        made = method(text, *args, **named)
        if type(made) is str and len(made) > len(text):
            budget.text(len(made))
        return made

    return run


def _from_the_right(method: Method) -> Method:
    """A search from the right, for which Python has no linear algorithm: each place is compared with each letter."""

    def run(budget: Budget, text: str, part: str, /, *args: object) -> object:
        if type(part) is str and len(part) > 1:
            budget.spend((len(text) * len(part)) >> 8)
        return _reading(method)(budget, text, part, *args)

    return run


def _stripping(method: Method) -> Method:
    """Each letter that may go is looked up in the letters given."""

    def run(budget: Budget, text: str, letters: str | None = None, /) -> object:
        if type(letters) is str:
            budget.spend((len(text) * len(letters)) >> 8)
        return _reading(method)(budget, text, letters)

    return run


def _splitting(method: Method) -> Method:
    def run(budget: Budget, text: str, sep: str | None = None, maxsplit: int = -1) -> object:
        budget.text(len(text))
        if type(sep) is str and method is str.rsplit:
            budget.spend((len(text) * len(sep)) >> 8)
        most = maxsplit if 0 <= maxsplit <= MAX_ITEMS else MAX_ITEMS
        made = cast("list[str]", method(text, sep, most))
        # One cut more than asked for would have been made: then the list would be too long.
        budget.items(MAX_ITEMS + 1 if most != maxsplit and len(made) > MAX_ITEMS else len(made), 64)
        return made

    return run


def _splitlines(budget: Budget, text: str, keepends: object = False) -> object:  # noqa: FBT002 - as Python has it
    budget.text(len(text))
    if len(text) > MAX_ITEMS:
        budget.items(sum(text.count(end) for end in "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"), 64)
    return text.splitlines(bool(keepends))


def _padding(method: Method) -> Method:
    def run(budget: Budget, text: str, width: int, /, *letter: str) -> object:
        if type(width) is int and width > len(text):
            budget.text(min(width, MAX_TEXT + 1))
        return method(text, width, *letter)

    return run


def _join(budget: Budget, text: str, parts: object, /) -> str:
    items = gather(budget, parts)
    for item in items:
        if type(item) is not str:
            raise TypeError(f"join: all items must be text, and one is a {kind_name(item)}")
    texts = cast("list[str]", items)
    budget.text(sum(map(len, texts)) + len(text) * len(texts))
    return text.join(texts)


def _replace(budget: Budget, text: str, old: str, new: str, count: int = -1, /) -> str:
    if not type(old) is type(new) is str:
        raise TypeError("replace: what to replace and what with must be text")
    budget.text(len(text))
    found = text.count(old)
    times = found if count < 0 else min(found, count)
    budget.text(max(len(text) + times * (len(new) - len(old)), len(text)))
    return text.replace(old, new, count)


def _codec(name: object) -> str:
    known = name.lower().replace("_", "-") if type(name) is str else ""
    known = {"utf8": "utf-8", "latin1": "latin-1", "iso-8859-1": "latin-1"}.get(known, known)
    if known not in _CODECS:
        raise LookupError(f"this encoding is not available; these are: {', '.join(sorted(_CODECS))}")
    return known


def _errors(name: object) -> str:
    if name not in {"strict", "ignore", "replace"}:
        raise LookupError("errors must be 'strict', 'ignore' or 'replace'")
    return str(name)


def _encode(budget: Budget, text: str, encoding: object = "utf-8", errors: object = "strict") -> bytes:
    budget.text(2 * len(text))
    return text.encode(_codec(encoding), _errors(errors))


def _decode(budget: Budget, octets: bytes, encoding: object = "utf-8", errors: object = "strict") -> str:
    budget.text(len(octets))
    return octets.decode(_codec(encoding), _errors(errors))


def _hex(budget: Budget, octets: bytes) -> str:
    budget.text(2 * len(octets))
    return octets.hex()


TEXT_METHODS: Final[Mapping[str, Method]] = MappingProxyType(
    {
        method.__name__: _reading(method)
        for method in (
            str.capitalize,
            str.casefold,
            str.count,
            str.endswith,
            str.find,
            str.index,
            str.isalnum,
            str.isalpha,
            str.isascii,
            str.isdecimal,
            str.isdigit,
            str.isidentifier,
            str.islower,
            str.isnumeric,
            str.isprintable,
            str.isspace,
            str.istitle,
            str.isupper,
            str.lower,
            str.partition,
            str.removeprefix,
            str.removesuffix,
            str.startswith,
            str.swapcase,
            str.title,
            str.upper,
        )
    }
    | {method.__name__: _from_the_right(method) for method in (str.rfind, str.rindex, str.rpartition)}
    | {method.__name__: _stripping(method) for method in (str.strip, str.lstrip, str.rstrip)}
    | {method.__name__: _splitting(method) for method in (str.split, str.rsplit)}
    | {method.__name__: _padding(method) for method in (str.center, str.ljust, str.rjust, str.zfill)}
    | {"encode": _encode, "format": fill, "join": _join, "replace": _replace, "splitlines": _splitlines}
)

OCTET_METHODS: Final[Mapping[str, Method]] = MappingProxyType(
    {
        "decode": _decode,
        "endswith": _reading(bytes.endswith),
        "find": _reading(bytes.find),
        "hex": _hex,
        "startswith": _reading(bytes.startswith),
    }
)
