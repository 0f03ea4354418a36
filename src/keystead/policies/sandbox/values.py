"""What may go into an expression and what may come out.

Inside, only these exist: plain data, dates and addresses, views, functions. Whatever else a caller hands in becomes a
:class:`View` without attributes, which is good for nothing but being handed back.
"""

import datetime as dt
import ipaddress
import operator
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from types import BuiltinFunctionType, FunctionType, MappingProxyType, MethodType
from typing import Any, ClassVar, Final, NoReturn, cast

from keystead.policies.sandbox.budget import DICT_VIEWS, MAX_NESTING, MAX_TEXT, Budget
from keystead.policies.sandbox.errors import ExpressionError

ADDRESSES: Final = frozenset({ipaddress.IPv4Address, ipaddress.IPv6Address})
NETWORKS: Final = frozenset({ipaddress.IPv4Network, ipaddress.IPv6Network})
TIMES: Final = frozenset({dt.datetime, dt.date, dt.time, dt.timedelta, dt.timezone})
ATOMS: Final[frozenset[type]] = frozenset(
    {type(None), bool, int, float, str, bytes, range, uuid.UUID} | ADDRESSES | NETWORKS | TIMES
)
"""Types whose values cannot change and hold nothing of ours."""

FUNCTIONS: Final[frozenset[type]] = frozenset({FunctionType, MethodType, BuiltinFunctionType, partial})
LIST_ITERATOR: Final[type] = type(iter([]))
MAX_RESULT_ITEMS: Final = 100_000
_MAX_RESULT_LETTERS: Final = 4 * MAX_TEXT
_SEQUENCES: Final = frozenset({list, tuple, set, frozenset})

Getter = Callable[[Any], object]


class View:
    """A read-only window on an object of the server: an expression sees the attributes declared, and no others.

    Made by :func:`make_view`. Python code reads the same attributes; :func:`subject` gives the object behind it.
    """

    __slots__ = ("_subject",)

    view_name: ClassVar[str] = "object"
    view_fields: ClassVar[Mapping[str, Getter]] = MappingProxyType({})
    view_items: ClassVar[Callable[[Any], Sequence[object]] | None] = None
    view_text: ClassVar[Callable[[Any], str] | None] = None
    view_key: ClassVar[Getter | None] = None

    def __init__(self, subject: object) -> None:
        object.__setattr__(self, "_subject", subject)

    def __getattr__(self, name: str) -> object:
        # A slot that is not filled yet lands here too: looking into the subject then would never end.
        return field(self, name)(subject(self))

    def __setattr__(self, name: str, _value: object) -> NoReturn:
        raise AttributeError(f"{self.view_name}.{name} cannot be set: a {self.view_name} is read-only here")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{self.view_name}.{name} cannot be deleted: a {self.view_name} is read-only here")

    def __str__(self) -> str:
        shown = type(self).view_text
        return self.view_name if shown is None else shown(subject(self))

    def __repr__(self) -> str:
        shown = type(self).view_text
        return f"<{self.view_name}>" if shown is None else f"<{self.view_name} {shown(subject(self))}>"

    def __format__(self, _spec: str, /) -> str:
        return str(self)

    def __bool__(self) -> bool:
        items = type(self).view_items
        return items is None or bool(items(subject(self)))

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash((self.view_name, self._identity()))

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a view of a {self.view_name} is not pickled or copied")

    def _identity(self) -> object:
        key = type(self).view_key
        return id(subject(self)) if key is None else key(subject(self))


def make_view(
    name: str,
    attributes: Mapping[str, str | Getter],
    *,
    items: Callable[[Any], Sequence[object]] | None = None,
    text: Callable[[Any], str] | None = None,
    key: Getter | None = None,
) -> type[View]:
    """A class of views; call it with an object to get that object's view.

    :param name: what administrators call such a thing (``user``), for messages.
    :param attributes: attribute name -> where from: a dotted path in the object, or a function of the object. Lists
        and dicts it gives are copied for each run; a function it gives can be called.
    :param items: the members, if an expression may loop over the thing, count or index it.
    :param text: its text for ``str`` and f-strings; by default ``name``.
    :param key: what makes two of them equal; by default being the same object.
    :raises ValueError: an attribute's name is no identifier, or starts with an underscore.
    """
    for attribute in attributes:
        if not attribute.isidentifier() or attribute.startswith("_"):
            raise ValueError(f"{attribute!r} cannot be an attribute of a view")
    fields = {one: operator.attrgetter(way) if isinstance(way, str) else way for one, way in attributes.items()}
    body = {
        "__slots__": (),
        "view_name": name,
        "view_fields": MappingProxyType(fields),
        "view_items": None if items is None else staticmethod(items),
        "view_text": None if text is None else staticmethod(text),
        "view_key": None if key is None else staticmethod(key),
    }
    return type(f"{name.title().replace(' ', '')}View", (View,), body)


Opaque: Final = make_view("object", {})


def subject(view: View) -> object:
    """The object behind a view, for functions of the server that are handed one by an expression."""
    return object.__getattribute__(view, "_subject")


def field(view: View, name: str) -> Getter:
    """How ``view`` comes by the attribute ``name``.

    :raises AttributeError: it has no such attribute; the text names those it has.
    """
    try:
        return type(view).view_fields[name]
    except KeyError:
        have = ", ".join(type(view).view_fields)
        raise AttributeError(f"{view.view_name} has no attribute {name!r}; it has: {have or 'none'}") from None


class Owned:
    """Marks a dict or list that is the expression's to change: it goes in as it is, not as a copy.

    The caller makes the copy, and after the run reads it with :meth:`taken` (``context``, ``prompt_data``).
    """

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def taken(self) -> object:
        """A copy of what it holds now, fit like a result of a run; objects that went in without a view are themselves.

        :raises ExpressionError: the expression put something into it that cannot leave it, or too much.
        """
        try:
            return _reopened(settle(self.value))
        except ValueError as exc:
            raise ExpressionError(str(exc)) from None


def _reopened(value: object) -> object:
    kind = type(value)
    if kind is Opaque:
        return subject(cast("View", value))
    if isinstance(value, dict):
        return {_reopened(key): _reopened(item) for key, item in value.items()}
    if kind in _SEQUENCES:
        return kind([_reopened(item) for item in cast("Collection[object]", value)])  # type: ignore[call-arg]  # each of them takes a list
    return value


def _close(budget: Budget, value: object) -> object:
    """What an ``Owned`` holds; in it, all that is no data and no view is closed in place."""
    if type(value) is not dict and type(value) is not list:
        return own(budget, value)
    holders: list[object] = [value]
    while holders:
        holder = cast("dict[object, object]", holders.pop())
        places = list(holder.items() if type(holder) is dict else enumerate(holder))
        budget.items(len(places), 0)
        for key, item in places:
            if type(item) is dict or type(item) is list:
                holders.append(item)
            elif type(item) not in ATOMS:
                holder[key] = own(budget, item)
    return value


def own(budget: Budget, value: object, depth: int = 0) -> object:
    """``value`` as an expression may have it: containers copied all the way down, subclasses made plain.

    :raises Stop: nested too deeply, or too large.
    """
    kind = type(value)
    if kind in ATOMS or kind in FUNCTIONS or isinstance(value, View):
        return value
    if isinstance(value, Owned):
        return _close(budget, value.value)
    if depth > MAX_NESTING:
        budget.stop(f"it is given a value that nests more than {MAX_NESTING} deep")
    if isinstance(value, dict | Mapping):
        budget.items(len(value), 64)
        return {own(budget, k, depth + 1): own(budget, v, depth + 1) for k, v in value.items()}
    for plain in (list, tuple, set, frozenset):
        if isinstance(value, plain):
            budget.items(len(value), 16)
            return plain([own(budget, item, depth + 1) for item in value])
    return _plain(value)


def _plain(value: object) -> object:
    """A value of no known type: made plain if it is a kind of text or number, closed otherwise."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bytes):
        return bytes(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, type) and issubclass(value, Exception):
        return value
    return Opaque(value)


def settle(value: object) -> object:
    """``value`` if it is fit to leave a run: data and views, of bounded size and depth. An iterator becomes a list.

    :raises ValueError: it is or holds something else (a function, an exception), or too much.
    """
    if type(value) is LIST_ITERATOR or type(value) in DICT_VIEWS:
        value = list(cast("Collection[object]", value))
    level: list[object] = [value]
    count = letters = 0
    for _ in range(MAX_NESTING):
        deeper: list[object] = []
        for item in level:
            if type(item) is str or type(item) is bytes:
                letters += len(item)
            else:
                deeper.extend(_within(item))
            if count + len(deeper) > MAX_RESULT_ITEMS or letters > _MAX_RESULT_LETTERS:
                raise ValueError("the result is too large")
        if not deeper:
            return value
        count += len(deeper)
        level = deeper
    raise ValueError(f"the result nests collections more than {MAX_NESTING} deep")


def _within(item: object) -> Collection[object]:
    """What part of a result holds.

    :raises ValueError: it is nothing that may be part of one.
    """
    kind = type(item)
    if kind is dict:
        pairs = cast("dict[object, object]", item)
        return [*pairs, *pairs.values()]
    if kind in _SEQUENCES:
        return cast("Collection[object]", item)
    if kind is range or kind is LIST_ITERATOR or kind in DICT_VIEWS:
        raise ValueError(f"the result is or holds a {kind.__name__}: put list(...) around it")
    if kind in ATOMS or isinstance(item, View):
        return ()
    raise ValueError(f"the result is or holds a {kind_name(item)}, which cannot leave an expression")


def kind_name(value: object) -> str:
    """What a message calls a value of this type."""
    if isinstance(value, View):
        return value.view_name
    if type(value) in FUNCTIONS:
        return "function"
    return "type" if isinstance(value, type) else type(value).__name__
