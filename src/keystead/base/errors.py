"""Errors in two tiers: a small set of kinds inside, one table per door that speaks each protocol's language.

Whatever is not a :class:`Problem` is *internal*: logged whole, shown not at all.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeAlias, Union

FieldErrors: TypeAlias = Mapping[str, Union[Sequence[str], "FieldErrors"]]


class Kind(StrEnum):
    """What went wrong, in the few words every door can translate."""

    INVALID = "invalid"
    """The input breaks a rule; ``Problem.fields`` says which member and why."""
    UNAUTHENTICATED = "unauthenticated"
    """Credentials are missing, malformed, unknown or expired."""
    DENIED = "denied"
    """Who asks is known, and may not."""
    NOT_FOUND = "not_found"
    """No such thing, or none the caller may know of."""
    METHOD = "method_not_allowed"
    """The path exists; this method does not."""
    CONFLICT = "conflict"
    """The object changed meanwhile; read it again."""
    TOO_LARGE = "too_large"
    """More than the limit that the message names."""
    MEDIA = "unsupported_media_type"
    """The body's Content-Type is not one this path reads."""
    NOT_BUILT = "not_built"
    """The contract has this action and this version does not do it."""
    BUSY = "busy"
    """A bounded queue is full; try again after ``Problem.retry_after`` seconds."""
    INTERNAL = "internal"
    """A fault of ours."""


class Problem(Exception):  # noqa: N818 - "Problem" is the word of RFC 9457; not every one is an error of the program
    """A failure with text that is safe to show to whoever asked.

    :param kind: which of the few kinds.
    :param detail: one sentence: what was wrong and what is accepted or what to do.
    :param fields: for ``INVALID``: member name -> messages (nested for nested members).
    :param code: a short machine word, if a client may want to tell cases apart.
    :param retry_after: seconds, for ``BUSY``.
    """

    def __init__(
        self,
        kind: Kind,
        detail: str = "",
        *,
        fields: FieldErrors | None = None,
        code: str = "",
        retry_after: int = 0,
    ) -> None:
        super().__init__(detail or kind.value)
        self.kind = kind
        self.detail = detail
        self.fields = fields
        self.code = code or kind.value
        self.retry_after = retry_after


def invalid(fields: FieldErrors | None = None, detail: str = "") -> Problem:
    """A ``Problem`` about the input; ``fields`` maps member names to messages."""
    return Problem(Kind.INVALID, detail, fields=fields)


def not_found(detail: str = "Not found.") -> Problem:
    """A ``Problem`` that says no such thing exists (or may be known of)."""
    return Problem(Kind.NOT_FOUND, detail)


def denied(detail: str = "You do not have permission to perform this action.") -> Problem:
    """A ``Problem`` that says the caller may not do this."""
    return Problem(Kind.DENIED, detail)
