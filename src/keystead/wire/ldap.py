"""Messages of LDAP (RFC 4511): what clients and servers say to each other while somebody binds and searches.

:mod:`keystead.wire.ldap_ber` spells them.
"""

import enum
from typing import Final, NamedTuple, TypeAlias

import msgspec

from keystead.wire.ldapfilter import Filter

START_TLS: Final = "1.3.6.1.4.1.1466.20037"
"""RFC 4511 §4.14."""
DISCONNECTION: Final = "1.3.6.1.4.1.1466.20036"
"""RFC 4511 §4.4.1: what a server says unasked before it hangs up."""
PAGED: Final = "1.2.840.113556.1.4.319"
"""RFC 2696."""
ALL_USER_ATTRIBUTES: Final = "*"


class Code(enum.IntEnum):
    """Results (RFC 4511 §4.1.9) that are told apart here; there are more."""

    SUCCESS = 0
    OPERATIONS_ERROR = 1
    PROTOCOL_ERROR = 2
    TIME_LIMIT = 3
    SIZE_LIMIT = 4
    AUTH_METHOD = 7
    STRONGER_AUTH = 8
    REFERRAL = 10
    ADMIN_LIMIT = 11
    CONFIDENTIALITY = 13
    NO_SUCH_OBJECT = 32
    INVALID_DN = 34
    INAPPROPRIATE_AUTH = 48
    INVALID_CREDENTIALS = 49
    INSUFFICIENT_ACCESS = 50
    BUSY = 51
    UNAVAILABLE = 52
    UNWILLING = 53


class Scope(enum.IntEnum):
    """How far below its base a search looks."""

    BASE = 0
    ONE = 1
    SUBTREE = 2


class Deref(enum.IntEnum):
    """Whether aliases are followed."""

    NEVER = 0
    SEARCHING = 1
    FINDING = 2
    ALWAYS = 3


class Control(msgspec.Struct, frozen=True):
    """What is asked or told beside an operation (RFC 4511 §4.1.11)."""

    oid: str
    critical: bool = False
    value: bytes | None = None


class Result(msgspec.Struct, frozen=True):
    """How an operation ended (RFC 4511 §4.1.9).

    :param code: a :class:`Code`, or another number.
    :param matched: how much of a name that is not there is.
    """

    code: int
    matched: str = ""
    message: str = ""
    referrals: tuple[str, ...] = ()


class BindRequest(msgspec.Struct, frozen=True):
    """Somebody says who they are.

    :param password: None where they prove it otherwise, by ``mechanism``.
    """

    name: str
    password: bytes | None = b""
    mechanism: str = ""
    credentials: bytes | None = None
    version: int = 3


class BindResponse(msgspec.Struct, frozen=True):
    """Whether they are believed."""

    result: Result
    credentials: bytes | None = None


class UnbindRequest(msgspec.Struct, frozen=True):
    """The client leaves."""


class SearchRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Which objects, and what of them.

    :param size: at most so many; 0: no limit.
    :param time: seconds; 0: no limit.
    """

    base: str
    filter: Filter
    scope: Scope = Scope.SUBTREE
    deref: Deref = Deref.NEVER
    size: int = 0
    time: int = 0
    types_only: bool = False
    attributes: tuple[str, ...] = ()


class Attribute(NamedTuple):
    """An attribute of an object."""

    name: str
    values: tuple[bytes, ...]


class SearchEntry(msgspec.Struct, frozen=True):
    """An object that was found."""

    name: str
    attributes: tuple[Attribute, ...] = ()


class SearchReference(msgspec.Struct, frozen=True):
    """Where the search could go on."""

    uris: tuple[str, ...]


class SearchDone(msgspec.Struct, frozen=True):
    """There is no more."""

    result: Result


class ExtendedRequest(msgspec.Struct, frozen=True):
    """Something that LDAP itself does not have."""

    oid: str
    value: bytes | None = None


class ExtendedResponse(msgspec.Struct, frozen=True):
    """What came of it; or something that a server says unasked, in a message with the number 0."""

    result: Result
    oid: str | None = None
    value: bytes | None = None


Operation: TypeAlias = (
    BindRequest
    | BindResponse
    | UnbindRequest
    | SearchRequest
    | SearchEntry
    | SearchReference
    | SearchDone
    | ExtendedRequest
    | ExtendedResponse
)


class Message(msgspec.Struct, frozen=True):
    """An operation, or an answer to the one with the same number."""

    id: int
    operation: Operation
    controls: tuple[Control, ...] = ()
