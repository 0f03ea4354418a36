"""Servers that are none of LDAP, or none that anybody should trust: given up in time, with little read."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias

import pytest

from keystead.base.secret import Secret
from keystead.sources.ldap import tls
from keystead.sources.ldap.client import Directory, opened
from keystead.sources.ldap.failure import DirectoryError
from keystead.sources.ldap.line import Limits
from keystead.sources.ldap.servers import servers
from keystead.wire import ber, ldap_ber
from keystead.wire.ldap import (
    DISCONNECTION,
    START_TLS,
    Attribute,
    BindRequest,
    BindResponse,
    Code,
    ExtendedRequest,
    ExtendedResponse,
    Message,
    Operation,
    Result,
    SearchDone,
    SearchEntry,
    SearchReference,
    SearchRequest,
    UnbindRequest,
)
from keystead.wire.ldapfilter import Present
from tests.patience import PATIENCE, until
from tests.sources.slapd import resolving
from tests.strangers import Authority, Spoken, listening

LIMITS: Final = Limits(step=PATIENCE, search=PATIENCE, message=64 * 1024, total=512 * 1024)
QUICK: Final = Limits(step=0.5, search=1.0)
GOOD: Final = Result(Code.SUCCESS)
ENTRY: Final = SearchEntry("cn=x", (Attribute("cn", (b"x",)),))
SECRET: Final = "the password"

Writer: TypeAlias = asyncio.StreamWriter
Answering: TypeAlias = Callable[[Message, Writer], Awaitable[None]]


def sent(number: int, operation: Operation, cookie: bytes | None = None) -> bytes:
    return ldap_ber.encode(Message(number, operation, () if cookie is None else (ldap_ber.paged(0, cookie),)))


async def heard(reader: asyncio.StreamReader) -> Message:
    """The next message of a client."""
    head = await reader.readexactly(2)
    while (size := ber.whole(head)) is None:
        head += await reader.readexactly(1)
    return ldap_ber.decode(head + await reader.readexactly(size - len(head)))


def binding(then: Answering) -> Spoken:
    """Takes whoever binds, and answers what they say after that as ``then`` does."""

    async def speak(reader: asyncio.StreamReader, writer: Writer) -> None:
        writer.write(sent((await heard(reader)).id, BindResponse(GOOD)))
        try:
            while True:
                await then(await heard(reader), writer)
        except asyncio.IncompleteReadError:
            pass

    return speak


def once(*said: bytes | Callable[[int], bytes]) -> Spoken:
    """Says this to whatever comes after a bind."""

    async def then(message: Message, writer: Writer) -> None:
        if isinstance(message.operation, SearchRequest):
            writer.write(b"".join(one if isinstance(one, bytes) else one(message.id) for one in said))
            await writer.drain()

    return binding(then)


def saying(said: bytes) -> Spoken:
    """Says this to whatever comes first, and then nothing more."""

    async def speak(reader: asyncio.StreamReader, writer: Writer) -> None:
        await reader.read(1)
        writer.write(said)
        await reader.read(-1)

    return speak


async def searched(wanted: Directory, most: int, limits: Limits) -> None:
    async with opened(resolving(), wanted, limits) as session:
        async for _ in session.search("dc=x", Present("cn"), ("*",), most=most):
            pass


async def given_up(spoken: Spoken, *, most: int = 10, start_tls: bool = False, limits: Limits = LIMITS) -> str:
    """Why such a server is, whatever is asked of it."""
    async with listening(spoken) as port:
        there = servers(f"ldap://directory.example:{port}")
        wanted = Directory(there, "cn=me", Secret(SECRET), start_tls, ssl.create_default_context)
        with pytest.raises(DirectoryError) as caught:
            await searched(wanted, most, limits)
    assert SECRET not in caught.value.reason
    assert "directory.example" in caught.value.reason
    return caught.value.reason


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not LDAP"),
        (b"220 mail ESMTP\r\n", "not LDAP"),
        (b"-ERR unknown command\r\n", "not LDAP"),
        (b"\xff" * 100, "not LDAP"),
        (b"\x30\x80", "not LDAP"),
        (b"\x30\x89" + b"\x01" * 20, "not LDAP"),
        (b"\x30\x03\x02\x01\x01", "not LDAP"),
        (b"\x30\x84\x7f\xff\xff\xff\x02\x01\x01", "2147483653 octets"),
        (b"\x30\x84\xff\xff\xff\xff", "octets"),
        (sent(7, BindResponse(GOOD)), "what was not asked"),
        (sent(0, BindResponse(GOOD)), "what was not asked"),
        (sent(1, SearchDone(GOOD)), "something else"),
        (sent(1, BindResponse(Result(Code.UNAVAILABLE, "", "later\x00\x1b[2J"))), "unavailable, later"),
        (sent(0, ExtendedResponse(Result(Code.UNAVAILABLE), DISCONNECTION)), "ends the connection"),
        (sent(1, BindResponse(Result(123456, "", "x" * 5000))), "result 123456, xxx"),
    ],
)
async def test_what_a_bind_is_answered(said: bytes, words: str) -> None:
    reason = await given_up(saying(said))
    assert words in reason
    assert len(reason) < 1000
    assert "\x1b" not in reason


@pytest.mark.parametrize("said", [b"", b"\x30", b"\x30\x7f\x02\x01\x01"])
async def test_who_says_nothing_more(said: bytes) -> None:
    assert "binding took longer than 0.5 seconds" in await given_up(saying(said), limits=QUICK)

    async def speak(reader: asyncio.StreamReader, writer: Writer) -> None:
        await heard(reader)
        writer.write(said)

    assert "hangs up" in await given_up(speak)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ((lambda number: sent(number + 1, ENTRY),), "what was not asked"),
        ((lambda number: sent(number - 1, BindResponse(GOOD)),), "what was not asked"),
        ((lambda number: sent(number, BindResponse(GOOD)),), "something else"),
        ((lambda number: sent(number, ENTRY) * 11,), "more objects"),
        ((lambda number: sent(number, SearchEntry("x" * 70_000)),), "octets"),
        ((lambda number: sent(number, SearchDone(Result(Code.BUSY))),), "busy"),
        ((lambda number: sent(number, SearchDone(Result(Code.REFERRAL, referrals=("ldap://evil",)))),), "elsewhere"),
        ((b"\x30\x06\x02\x01\x02\x64\x01\x00",), "not LDAP"),
    ],
)
async def test_what_a_search_is_answered(said: Sequence[bytes | Callable[[int], bytes]], words: str) -> None:
    assert words in await given_up(once(*said))


async def test_a_server_that_gives_no_more_than_its_limit() -> None:
    spoken = once(lambda number: sent(number, ENTRY) + sent(number, SearchDone(Result(Code.SIZE_LIMIT))))
    assert "at once or in pages" in await given_up(spoken, most=0)


async def test_objects_without_end() -> None:
    written = 0

    async def endless(message: Message, writer: Writer) -> None:
        nonlocal written
        both = sent(message.id, ENTRY) * 500 + sent(message.id, SearchReference(("ldap://x",))) * 500
        while True:
            writer.write(both)
            written += len(both)
            await writer.drain()

    assert "read at most" in await given_up(binding(endless), most=0)
    assert written < LIMITS.total + 32 * 2**20, "more than what the system keeps on its way"


async def test_pages_without_end() -> None:
    for said, words in (((), "nothing in them"), ((ENTRY,), "read at most")):

        async def then(message: Message, writer: Writer, said: Sequence[Operation] = said) -> None:
            parts = [sent(message.id, one) for one in said] + [sent(message.id, SearchDone(GOOD), b"again")]
            writer.write(b"".join(parts))

        assert words in await given_up(binding(then), most=0)


async def test_an_answer_that_drips() -> None:
    async def drip(message: Message, writer: Writer) -> None:
        for one in sent(message.id, SearchEntry("cn=" + "x" * 5000)):
            writer.write(bytes((one,)))
            await writer.drain()
            await asyncio.sleep(0.02)

    assert "searching took longer than 1 seconds" in await given_up(binding(drip), limits=QUICK)
    assert "searching took longer than 1 seconds" in await given_up(
        once(lambda number: sent(number, ENTRY)), limits=QUICK
    )


@pytest.mark.parametrize("code", [Code.PROTOCOL_ERROR, Code.UNAVAILABLE, Code.UNWILLING])
async def test_no_password_is_sent_where_tls_is_not_begun(code: Code) -> None:
    told: list[Message] = []

    async def speak(reader: asyncio.StreamReader, writer: Writer) -> None:
        told.append(await heard(reader))
        writer.write(sent(1, ExtendedResponse(Result(code, "", "no TLS here"))))
        told.extend([await heard(reader)])

    assert "no TLS here" in await given_up(speak, start_tls=True)
    assert [one.operation for one in told] == [ExtendedRequest(START_TLS)]


@pytest.mark.parametrize("together", [True, False])
async def test_what_is_said_before_tls_does_not_count(authority: Authority, together: bool) -> None:  # noqa: FBT001 - a case
    """SECURITY LD-10: an answer to a bind, put in by somebody on the way, is no answer."""
    context = authority.serving("directory.example")
    bound = []

    async def speak(reader: asyncio.StreamReader, writer: Writer) -> None:
        await heard(reader)
        writer.write(sent(1, ExtendedResponse(GOOD, START_TLS)) + (sent(2, BindResponse(GOOD)) if together else b""))
        await writer.drain()
        await writer.start_tls(context)
        bound.append((await heard(reader)).operation)
        writer.write(sent(2, BindResponse(Result(Code.INVALID_CREDENTIALS))))

    async with listening(speak) as port:
        there = servers(f"ldap://directory.example:{port}")
        wanted = Directory(there, "cn=me", Secret(SECRET), True, lambda: tls.context(authority.pem, None))  # noqa: FBT003 - a member
        words = "more than it was asked before TLS" if together else "invalid credentials"
        with pytest.raises(DirectoryError, match=words):
            await searched(wanted, 1, LIMITS)
    assert bound == ([] if together else [BindRequest("cn=me", SECRET.encode())])


async def test_what_is_put_into_the_beginning_of_tls_does_not_count() -> None:
    async def speak(reader: asyncio.StreamReader, writer: Writer) -> None:
        await heard(reader)
        writer.write(sent(1, ExtendedResponse(GOOD, START_TLS)))
        await reader.read(1)  # the client begins
        writer.write(sent(2, BindResponse(GOOD)))
        await reader.read(-1)

    assert "does not speak TLS" in await given_up(speak, start_tls=True)


async def test_nobody_is_asked_with_a_name_alone() -> None:
    """RFC 4513 §5.1.2: a server may take that for nobody, and say that it is fine."""
    asked = []

    async def speak(reader: asyncio.StreamReader, writer: Writer) -> None:
        asked.append(await reader.read(100))
        writer.write(sent(1, BindResponse(GOOD)))

    async with listening(speak) as port:
        there = servers(f"ldap://directory.example:{port}")
        for begun in (True, False):
            with pytest.raises(DirectoryError, match="takes a password"):
                await searched(Directory(there, "cn=me", Secret(""), begun, ssl.create_default_context), 1, LIMITS)
        assert asked == []
        nobody = Directory(there, "", Secret("left over"), False, ssl.create_default_context)  # noqa: FBT003 - a member
        async with opened(resolving(), nobody):
            pass
    assert ldap_ber.decode(asked[0]).operation == BindRequest("")


async def test_we_take_leave() -> None:
    heard_last: list[Operation] = []

    async def then(message: Message, writer: Writer) -> None:
        heard_last.append(message.operation)
        if isinstance(message.operation, SearchRequest):
            writer.write(sent(message.id, SearchDone(GOOD)))

    async with listening(binding(then)) as port:
        there = servers(f"ldap://directory.example:{port}")
        wanted = Directory(there, "cn=me", Secret(SECRET), False, ssl.create_default_context)  # noqa: FBT003 - as above
        await searched(wanted, 1, LIMITS)
        await until(lambda: [type(one) for one in heard_last], [SearchRequest, UnbindRequest])


async def test_old_tls_is_not_spoken(authority: Authority) -> None:
    context = authority.serving("directory.example")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    async with listening(saying(b""), context) as port:
        there = servers(f"ldaps://directory.example:{port}")
        wanted = Directory(there, "", Secret(""), True, lambda: tls.context(authority.pem, None))  # noqa: FBT003 - as above
        with pytest.raises(DirectoryError, match="TLS"):
            await searched(wanted, 1, LIMITS)
