"""Values as text: ``str``, ``repr``, f-strings, ``str.format`` and ``%``.

Python's own would walk attributes (``"{0.__class__}"``), pad to any width, and print whatever hides in a container.
Ours knows data and views, and looks at widths before it uses them.
"""

import datetime as dt
import re
import string
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import count
from types import MappingProxyType
from typing import Final, cast

from keystead.policies.sandbox.budget import CONTAINERS, MAX_TEXT, Budget
from keystead.policies.sandbox.values import ATOMS, View, kind_name

_SPEC: Final = re.compile(
    r"(?:.?[<>=^])?[-+ ]?z?#?0?(?P<width>\d{0,4})[,_]?(?:\.(?P<precision>\d{1,3}))?[a-zA-Z%]?", re.DOTALL
)
# The C library takes widths and flags here and pads without bound; a letter after the sign is all there is to be had.
_DATE_SPEC: Final = re.compile(r"(?:[^%]|%-?[a-zA-Z%]){0,100}", re.DOTALL)
_PERCENT: Final = re.compile(
    r"%(?:\((?P<name>[^()]*)\))?(?P<flags>[-+ #0]*)(?P<width>\d{0,4})(?:\.(?P<precision>\d{0,3}))?(?P<type>.)?",
    re.DOTALL,
)
_MAX_WIDTH: Final = 1000
_MAX_PRECISION: Final = 100
_NUMBERS: Final = frozenset({int, float, bool})
_LOOKED_UP: Final = frozenset({dict, list, bytes, range})
_DATES: Final = frozenset({dt.datetime, dt.date, dt.time})
_BRACKETS: Final[Mapping[type, tuple[str, str]]] = MappingProxyType(
    {list: ("[", "]"), tuple: ("(", ")"), set: ("{", "}")}
)


def show(budget: Budget, value: object) -> str:
    """``str(value)``, bounded, and silent about what is neither data nor a view."""
    kind = type(value)
    if kind is str:
        return cast("str", value)
    if kind in ATOMS or isinstance(value, View):
        return str(value)
    if isinstance(value, BaseException):
        return explain(value)
    return quote(budget, value)


def quote(budget: Budget, value: object) -> str:
    """``repr(value)``, likewise."""
    if type(value) not in ATOMS:
        budget.weigh(value)
    made = _Text(budget)
    made.quote(value)
    return made.whole()


class _Text:
    """A text in the making, stopped when it grows too long."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._parts: list[str] = []
        self._length = 0

    def add(self, part: str) -> None:
        self._parts.append(part)
        self._length += len(part)
        if self._length > MAX_TEXT:
            self._budget.text(self._length)

    def whole(self) -> str:
        self._budget.text(self._length)
        return "".join(self._parts)

    def quote(self, value: object) -> None:
        kind = type(value)
        if kind in ATOMS or isinstance(value, View):
            self.add(repr(value))
        elif kind is dict:
            self.add("{")
            for number, (key, item) in enumerate(cast("dict[object, object]", value).items()):
                self.add(", " if number else "")
                self.quote(key)
                self.add(": ")
                self.quote(item)
            self.add("}")
        elif kind in CONTAINERS:
            items = cast("Collection[object]", value)
            plain = kind in _BRACKETS and bool(items or kind is not set)
            opening, closing = _BRACKETS[kind] if plain else (f"{kind.__name__}(", ")")
            self.add(opening)
            for number, item in enumerate(items):
                self.add(", " if number else "")
                self.quote(item)
            self.add("," + closing if kind is tuple and len(items) == 1 else closing)
        else:
            self.add(f"<{kind_name(value)}>")


def explain(error: BaseException) -> str:
    """The text of an exception, if it holds nothing but plain values; else its kind alone."""
    if all(type(part) in ATOMS for part in error.args):
        return str(error)[:1000]
    return type(error).__name__


def _escaped(budget: Budget, shown: str) -> str:
    """What ``ascii`` makes of a value that ``repr`` shows as ``shown``."""
    if shown.isascii():
        return shown
    budget.text(10 * len(shown))  # \U and eight digits, at worst
    return shown.encode("ascii", "backslashreplace").decode("ascii")


def formatted(budget: Budget, value: object, conversion: int, spec: str) -> str:
    """One field of an f-string or of ``str.format``.

    :param conversion: the code of ``s``, ``r`` or ``a`` after ``!``, or -1.
    :raises ValueError: the format is not one we know to be harmless.
    :raises TypeError: the value takes no format.
    """
    if conversion != -1:
        shown = show(budget, value) if conversion == ord("s") else quote(budget, value)
        value = _escaped(budget, shown) if conversion == ord("a") else shown
    if not spec:
        return show(budget, value)
    kind = type(value)
    if kind in _DATES:
        if not _DATE_SPEC.fullmatch(spec):
            raise ValueError("a date format may have 100 parts, and only a letter after each %")
        return format(value, spec)
    match = _SPEC.fullmatch(spec)
    if match is None or int(match["width"] or 0) > _MAX_WIDTH or int(match["precision"] or 0) > _MAX_PRECISION:
        raise ValueError(f"the format is not known, wider than {_MAX_WIDTH}, or more precise than {_MAX_PRECISION}")
    if kind in _NUMBERS or kind is str:
        return format(value, spec)
    raise TypeError(f"a {kind_name(value)} takes no format")


def join(budget: Budget, *parts: str) -> str:
    """The parts of an f-string in one."""
    budget.text(sum(map(len, parts)))
    return "".join(parts)


def fill(budget: Budget, template: str, /, *args: object, **named: object) -> str:
    """``template.format(*args, **named)`` with fields that are names or numbers, never ways into a value."""
    return _fill(budget, template, args, named, count(), nested=False)


def _fill(
    budget: Budget,
    template: str,
    args: Sequence[object],
    named: Mapping[str, object],
    numbers: Iterator[int],
    *,
    nested: bool,
) -> str:
    made = _Text(budget)
    for literal, name, spec, conversion in string.Formatter().parse(template):
        budget.spend(2)
        made.add(literal)
        if name is None:
            continue
        if name and not name.isdecimal() and (not name.isidentifier() or name.startswith("_")):
            budget.stop(f"the field {{{name}}} of a format looks into a value; name a value instead")
        if nested and "{" in (spec or ""):
            raise ValueError("a format within the format of a format")
        value = named[name] if name.isidentifier() else args[int(name) if name else next(numbers)]
        inner = _fill(budget, spec, args, named, numbers, nested=True) if spec else ""
        made.add(formatted(budget, value, ord(conversion) if conversion else -1, inner))
    return made.whole()


def percent(budget: Budget, template: str, values: object) -> str:
    """``template % values``.

    :raises TypeError: too few or too many values, or of the wrong kind.
    :raises ValueError: a conversion we do not know, or one that is too wide.
    """
    named = cast("dict[object, object]", values) if type(values) is dict else None
    given = iter(values if type(values) is tuple else (values,))
    made = _Text(budget)
    end = 0
    for match in _PERCENT.finditer(template):
        budget.spend(2)
        made.add(template[end : match.start()])
        end = match.end()
        if match["type"] == "%":
            made.add("%")
        elif match["name"] is not None:
            if named is None:
                raise TypeError("format requires a mapping")
            made.add(_percent_field(budget, match, named[match["name"]]))
        else:
            try:
                value = next(given)
            except StopIteration:
                raise TypeError("not enough arguments for format string") from None
            made.add(_percent_field(budget, match, value))
    # As in Python: what could be looked up by a name may go unused.
    if type(values) not in _LOOKED_UP and next(given, made) is not made:
        raise TypeError("not all arguments converted during string formatting")
    made.add(template[end:])
    return made.whole()


def _percent_field(budget: Budget, match: re.Match[str], value: object) -> str:
    kind = match["type"]
    if kind is None or kind not in "sradiufFeEgGxXoc":
        raise ValueError(f"unsupported format character {kind!r}")
    if int(match["width"] or 0) > _MAX_WIDTH or int(match["precision"] or 0) > _MAX_PRECISION:
        raise ValueError(f"the format is wider than {_MAX_WIDTH} or more precise than {_MAX_PRECISION}")
    precision = "" if match["precision"] is None else "." + match["precision"]
    form = f"%{match['flags']}{match['width']}{precision}"
    if kind in "sra":
        shown = show(budget, value) if kind == "s" else quote(budget, value)
        return (form + "s") % (_escaped(budget, shown) if kind == "a" else shown)
    if type(value) not in _NUMBERS and not (kind == "c" and type(value) is str):
        raise TypeError(f"%{kind} format: a number is required, not {kind_name(value)}")
    return (form + kind) % value
