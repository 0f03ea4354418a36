"""Forms and query strings (``application/x-www-form-urlencoded``), strictly (WHATWG URL §5, RFC 6749 appendix B)."""

import re
from collections.abc import Iterator
from typing import Final, overload
from urllib.parse import unquote_to_bytes

MAX_FIELDS: Final = 256
"""Fields a form may have unless the caller says otherwise."""

_BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


class FormError(ValueError):
    """The text is not a form we accept; the message is safe to show."""


class RepeatedFieldError(FormError):
    """A field that may be given once was given several times.

    :param name: the field's name.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"The parameter {name[:64]!r} is given more than once.")
        self.name = name


class Form:
    """The fields of a form in the order they came; names may repeat. Immutable.

    :param pairs: name and value of each field.
    """

    __slots__ = ("_first", "_pairs", "_repeats")

    def __init__(self, pairs: tuple[tuple[str, str], ...] = ()) -> None:
        self._pairs = pairs
        first = dict(pairs)
        self._repeats = len(first) != len(pairs)
        if self._repeats:
            first = dict(reversed(pairs))
        self._first = first

    @overload
    def get(self, name: str) -> str | None: ...
    @overload
    def get(self, name: str, default: str) -> str: ...
    def get(self, name: str, default: str | None = None) -> str | None:
        """The first value of ``name``, or ``default``. Where a repetition would matter, use :meth:`one`."""
        return self._first.get(name, default)

    def one(self, name: str) -> str | None:
        """The value of a parameter that may come once; an empty value counts as not given (RFC 6749 §3.1, §3.2).

        :raises RepeatedFieldError: it came more than once, whatever the values.
        """
        if self._repeats and len(self.all(name)) > 1:
            raise RepeatedFieldError(name)
        return self._first.get(name) or None

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of ``name`` in order."""
        return tuple(value for key, value in self._pairs if key == name)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Name and value of each field in order."""
        return iter(self._pairs)

    def __len__(self) -> int:
        """How many fields there are, repeated ones counted each time."""
        return len(self._pairs)

    def __contains__(self, name: object) -> bool:
        return name in self._first

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Form) and self._pairs == other._pairs

    def __hash__(self) -> int:
        return hash(self._pairs)

    def __repr__(self) -> str:
        # Values may be passwords.
        return f"Form({', '.join(self._first)})"


_EMPTY: Final = Form()


def parse(data: bytes | str, *, max_fields: int = MAX_FIELDS) -> Form:
    """The fields of a form body or of a query string (without its ``?``).

    Only ``&`` separates: ``;`` is a character like others. Fields of no length are passed over; one without ``=`` has
    an empty value.

    :param max_fields: more separators than this are refused before anything is decoded.
    :raises FormError: not UTF-8 (before or after decoding), ``%`` without two hexadecimal digits, a NUL, or too many
        fields.
    """
    if not data:
        return _EMPTY
    text = _text(data)
    if text.count("&") >= max_fields:
        raise FormError(f"The form has more than {max_fields} fields.")
    if "+" in text:
        text = text.replace("+", " ")
    fields = (field.partition("=") for field in text.split("&") if field)
    if "%" not in text:
        return Form(tuple([(name, value) for name, _, value in fields]))
    _check_escapes(text)
    try:
        return Form(tuple([(_unescape(name), _unescape(value)) for name, _, value in fields]))
    except UnicodeDecodeError:
        raise FormError("The form is not UTF-8.") from None


def component(text: str) -> str:
    """One name or value decoded by the same rules as :func:`parse`.

    :raises FormError: as :func:`parse`.
    """
    text = _text(text).replace("+", " ")
    _check_escapes(text)
    try:
        return _unescape(text)
    except UnicodeDecodeError:
        raise FormError("The text is not UTF-8.") from None


def _text(data: bytes | str) -> str:
    try:
        if isinstance(data, bytes):
            text = data.decode()
        else:
            text = data
            data.encode()
    except UnicodeError:
        raise FormError("The form is not UTF-8.") from None
    if "\0" in text:
        raise FormError("The form has a NUL character.")
    return text


def _check_escapes(text: str) -> None:
    if _BROKEN_ESCAPE.search(text):
        raise FormError("The form has a % that is not followed by two hexadecimal digits.")
    if "%00" in text:
        raise FormError("The form has a NUL character.")


def _unescape(text: str) -> str:
    return unquote_to_bytes(text).decode() if "%" in text else text
