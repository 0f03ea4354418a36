"""Fields: what the annotations of a kind's struct say, read once, and the taking of values from requests."""

import enum
import types
import typing
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, TypeAlias, cast

import msgspec

from keystead.base.secret import Secret
from keystead.kinds.marks import Column, Format, Link, Mark, Ref

_BLANK: Final = "May not be blank."
_BEYOND: Final = 2**63
Type: TypeAlias = Any
"""A type expression; Python has no better name for one."""
Choices: TypeAlias = type[enum.Enum]
"""An enumeration."""


class Field(msgspec.Struct, frozen=True):
    """One member of a kind.

    :param type: the annotation without our marks, as msgspec reads it.
    :param core: the type of a value that is not null; where the field holds several, of one of them.
    :param default: the default (a fresh one from :meth:`fresh`), or ``msgspec.NODEFAULT``.
    :param json: its column holds JSON text.
    """

    name: str
    type: Type
    core: Type
    default: object
    factory: Type
    nullable: bool
    many: bool
    secret: bool
    marks: frozenset[Mark]
    ref: Ref | None
    link: Link | None
    column: str
    formats: tuple[Format, ...]
    temporal: bool
    json: bool
    boolean: bool
    choices: Choices | None

    @property
    def required(self) -> bool:
        """Whether a create must bring it."""
        return self.default is msgspec.NODEFAULT and self.factory is msgspec.NODEFAULT

    @property
    def writable(self) -> bool:
        """Whether a request may set it."""
        return not self.marks & {Mark.READ_ONLY, Mark.HIDDEN}

    @property
    def readable(self) -> bool:
        """Whether every caller who sees the object sees it. A secret is never among these."""
        return not self.secret and not self.marks & {Mark.HIDDEN, Mark.WRITE_ONLY}

    def fresh(self) -> object:
        """The default value."""
        return self.factory() if self.factory is not msgspec.NODEFAULT else self.default

    def take(self, value: object) -> object:
        """``value``, from a request's JSON, as the struct holds it.

        :raises ValueError: it is of the wrong type or form; the message is for the person who sent it.
        """
        if Mark.VERBATIM not in self.marks and self.core not in {dict, object}:
            value = _trimmed(value)
        if member := unstorable(value):
            raise ValueError(member)
        try:
            taken: object = msgspec.convert(value, self.type, dec_hook=_secret, builtin_types=())
        except msgspec.ValidationError as exc:
            raise ValueError(plain(exc)) from None
        if isinstance(taken, (tuple, list)):
            items = [self._checked(item) for item in taken]
            # A table of pairs keeps a set: told at once in the order in which it will be read.
            return tuple(sorted(set(items), key=_key) if self.link else items)
        return self._checked(taken)

    def _checked(self, value: object) -> object:
        """``value`` of the right type in its normal form.

        :raises ValueError: it has not the right form.
        """
        if isinstance(value, str) and not isinstance(value, enum.Enum):
            text: str = value
            for form in self.formats:
                text = form.check(text)
            return text
        if isinstance(value, datetime):
            return universal(value)
        return whole(value) if isinstance(value, int) else value


def _key(value: object) -> tuple[int, str]:
    return (value, "") if isinstance(value, int) else (0, str(value))


def universal(moment: datetime) -> datetime:
    """``moment`` in UTC; one without a time zone is taken to be in UTC.

    :raises ValueError: the calendar does not reach so far.
    """
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("This instant is out of range.") from None


def whole(number: int) -> int:
    """``number``, which a database can keep.

    :raises ValueError: it has more than 64 bits.
    """
    if not -_BEYOND <= number < _BEYOND:
        raise ValueError("This number is out of range.")
    return number


def unstorable(value: object) -> str:
    """Why no database would keep ``value`` (JSON of whatever shape), or nothing."""
    if isinstance(value, str):
        return "May not contain the null character." if "\x00" in value else ""
    if isinstance(value, dict):
        return next((why for pair in value.items() for part in pair if (why := unstorable(part))), "")
    if isinstance(value, list):
        return next((why for part in value if (why := unstorable(part))), "")
    return ""


def _trimmed(value: object) -> object:
    """``value`` with the white space at the ends of its texts taken off (rest.md §4)."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return [_trimmed(item) for item in value]
    if isinstance(value, dict):
        return {name: _trimmed(item) for name, item in value.items()}
    return value


def plain(exc: msgspec.ValidationError) -> str:
    """Msgspec's complaint in a sentence without its dialect."""
    message, _, path = str(exc).partition(" - at `")
    where = path.removesuffix("`").removeprefix("$").removeprefix(".")
    if message.startswith("Expected `str` of length >= 1"):
        message = _BLANK
    message = message.replace("Invalid enum value ", "Not one of the accepted choices: ").replace("`", "")
    message = message.rstrip(".") + "."
    return f"{message} (at {where})" if where else message


def _secret(type_: type, value: object) -> object:
    if type_ is Secret:
        if not isinstance(value, str):
            raise ValueError("Expected str.")
        return Secret(value)
    if type_ is object:  # any JSON value: msgspec asks us about it because it knows no such type
        return value
    raise NotImplementedError(type_)


@cache
def fields(struct: type[msgspec.Struct]) -> dict[str, Field]:
    """The fields of ``struct`` by name, in the order of their declaration."""
    hints = typing.get_type_hints(struct, include_extras=True)
    return {info.name: _field(info, hints[info.name]) for info in msgspec.structs.fields(struct)}


def _field(info: msgspec.structs.FieldInfo, hint: Type) -> Field:
    found: list[object] = []
    bare = _strip(hint, found)
    core = _core(bare)
    origin = _origin(core) or core
    many = origin in {tuple, list}
    column = next((mark.name for mark in found if isinstance(mark, Column)), info.name)
    return Field(
        name=info.name,
        type=bare,
        core=_core(typing.get_args(core)[0]) if many and typing.get_args(core) else origin,
        default=info.default,
        factory=info.default_factory,
        nullable=type(None) in typing.get_args(_unannotated(bare)),
        many=many,
        secret=core is Secret,
        marks=frozenset(mark for mark in found if isinstance(mark, Mark)),
        ref=next((mark for mark in found if isinstance(mark, Ref)), None),
        link=next((mark for mark in found if isinstance(mark, Link)), None),
        column=column,
        formats=tuple(mark for mark in found if isinstance(mark, Format)),
        temporal=core is datetime,
        json=origin in {dict, tuple, list, object} or (isinstance(origin, type) and issubclass(origin, msgspec.Struct)),
        boolean=core is bool,
        choices=core if isinstance(core, type) and issubclass(core, enum.Enum) else None,
    )


@cache
def scalar(hint: Type) -> tuple[Type, tuple[Format, ...]]:
    """What one value of a type expression is, and the forms it must have."""
    found: list[object] = []
    return _core(_strip(hint, found)), tuple(mark for mark in found if isinstance(mark, Format))


def _strip(hint: Type, found: list[object]) -> Type:
    """``hint`` without our marks, which are gathered in ``found``, from inside unions and tuples too.

    What msgspec itself reads stays.
    """
    if _origin(hint) is typing.Annotated:
        inner, *extras = typing.get_args(hint)
        found.extend(extra for extra in extras if isinstance(extra, (Mark, Ref, Link, Column, Format)))
        kept = [extra for extra in extras if isinstance(extra, msgspec.Meta)]
        inner = _strip(inner, found)
        for meta in kept:
            inner = typing.Annotated[inner, meta]
        return inner
    origin, args = _origin(hint), typing.get_args(hint)
    if origin in {typing.Union, types.UnionType}:
        return typing.Union[tuple(_strip(arg, found) for arg in args)]  # noqa: UP007 - built from parts at run time
    if origin in {tuple, list} and args:
        return origin[tuple(arg if arg is Ellipsis else _strip(arg, found) for arg in args)]
    return hint


def _origin(hint: Type) -> Type:
    """What a generic or annotated type is made from, or None."""
    return cast("Type", typing.get_origin(hint))


def _unannotated(bare: Type) -> Type:
    while _origin(bare) is typing.Annotated:
        bare = typing.get_args(bare)[0]
    return bare


def _core(bare: Type) -> Type:
    """The type a value has when it is not null."""
    bare = _unannotated(bare)
    if _origin(bare) in {typing.Union, types.UnionType}:
        rest = [arg for arg in typing.get_args(bare) if arg is not type(None)]
        return _core(rest[0]) if len(rest) == 1 else bare
    return bare
