"""What a field's annotation may say beyond its Python type: ``Annotated[str, Unique, ...]``.

Types that recur have names here (:data:`Uuid`, :data:`Text`, :data:`Slug`, :data:`Duration`); marks are tiny values
that :mod:`keystead.kinds.field` reads once, at start.
"""

import enum
import re
import uuid
from collections.abc import Callable
from typing import Annotated, Final, TypeAlias

import msgspec

from keystead.base import duration


class Mark(enum.Enum):
    """Marks without a value."""

    READ_ONLY = "shown, never taken from a request"
    UNIQUE = "no two objects of the family share it"
    HIDDEN = "kept, but no member of the API"
    SECRET_SHOWN = "a secret that those who may change the object may read"  # noqa: S105 - words, not a secret
    WRITE_ONLY = "taken, never shown"
    VERBATIM = "taken as it is: white space at the ends is kept"


READ_ONLY: Final = Mark.READ_ONLY
UNIQUE: Final = Mark.UNIQUE
HIDDEN: Final = Mark.HIDDEN
SECRET_SHOWN: Final = Mark.SECRET_SHOWN
WRITE_ONLY: Final = Mark.WRITE_ONLY
VERBATIM: Final = Mark.VERBATIM


class OnDelete(enum.StrEnum):
    """What happens to the holder of a reference when its target goes; the words of ``used_by`` (rest.md §6)."""

    CASCADE = "cascade"
    """The holder goes too."""
    CASCADE_MANY = "cascade_many"
    """The target leaves the holder's list."""
    SET_NULL = "set_null"
    """The reference becomes null."""
    SET_DEFAULT = "set_default"
    """The reference takes its default."""
    LEFT_DANGLING = "left_dangling"
    """The reference stays and leads nowhere."""


class Ref(msgspec.Struct, frozen=True):
    """The field holds the ``pk`` of another object (or, in a tuple, of several).

    :param target: a model (``authentik_flows.flow``) or a family (``stages``).
    :param gives: whether who makes a reference to a user, group or role could come by what that may do. Where not - it
        only tells about whom a rule is, or the kind's own rules look closer - the door does not ask for as much power.
    :param part: the object is a part of its target: who makes, changes or removes it must be able to change the target.
    """

    target: str
    on_delete: OnDelete = OnDelete.CASCADE
    gives: bool = True
    part: bool = False


class Link(msgspec.Struct, frozen=True):
    """The field is a set of other rows, kept in a table of pairs.

    :param table: the table of pairs.
    :param own: its column that holds this record's key.
    :param other: its column that holds the other key.
    :param revision: a column of the record that rises whenever they change; for those that may be very many.
    """

    table: str
    own: str
    other: str
    revision: str = ""


class Column(msgspec.Struct, frozen=True):
    """The field's column where it is not called like the field."""

    name: str


class Format(msgspec.Struct, frozen=True):
    """A form a text must have.

    :param name: OpenAPI's ``format``, or empty.
    :param check: gives the text back in its normal form, or raises ValueError with a sentence for the person.
    """

    name: str
    check: Callable[[str], str]
    pattern: str = ""


_SLUG: Final = re.compile(r"[-a-zA-Z0-9_]+")
_EMAIL: Final = re.compile(r"[^@\s\"<>\\,;:()\[\]]+@[^@\s\"<>\\,;:()\[\]]+")


def _uuid(value: str) -> str:
    try:
        return str(uuid.UUID(value))
    except ValueError:
        raise ValueError(f"“{value}” is not a valid UUID.") from None


def _slug(value: str) -> str:
    if not _SLUG.fullmatch(value):
        raise ValueError("Enter a slug consisting of letters, numbers, underscores or hyphens.")
    return value


def _duration(value: str) -> str:
    duration.parse(value)
    return value


def _email(value: str) -> str:
    if value and not _EMAIL.fullmatch(value):
        raise ValueError(f"“{value}” is not an e-mail address: write it like name@example.org.")
    return value


MAX_LINE: Final = 512
"""Characters in a text that stands in an index: PostgreSQL's index rows hold a third of a page, 2,704 bytes."""


def _line(value: str) -> str:
    if len(value) > MAX_LINE:
        raise ValueError(f"May have at most {MAX_LINE} characters.")
    return value


LINE: Final = Format("", _line)
"""A text of one line's length, as everything that is indexed must be."""
UUID_FORMAT: Final = Format("uuid", _uuid)
Uuid: TypeAlias = Annotated[str, UUID_FORMAT]
"""A UUID in canonical text form."""
Text: TypeAlias = Annotated[str, msgspec.Meta(min_length=1)]
"""A text that is not blank."""
Slug: TypeAlias = Annotated[str, msgspec.Meta(min_length=1), Format("", _slug, "^[-a-zA-Z0-9_]+$")]
"""Letters, digits, ``-`` and ``_``; safe in a URL."""
Duration: TypeAlias = Annotated[str, msgspec.Meta(min_length=1), Format("", _duration)]
"""A length of time as the contract writes it, such as ``hours=8``."""
EMAIL_FORMAT: Final = Format("email", _email)
Email: TypeAlias = Annotated[str, msgspec.Meta(max_length=254), EMAIL_FORMAT]
"""An e-mail address, or blank."""
Json: TypeAlias = dict[str, object]
"""Any JSON object."""
Int32: TypeAlias = Annotated[int, msgspec.Meta(ge=-2147483648, le=2147483647)]
"""A whole number that fits 32 bits with a sign."""
