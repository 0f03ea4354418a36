"""An LDAP client: the servers of a directory in turn, bind, search page by page (RFC 4511, 4513, 2696).

One operation at a time. Referrals are not followed: where a directory leads is not where an administrator has sent us.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

import msgspec

from keystead.base.reach import Reach
from keystead.base.secret import Secret
from keystead.sources.ldap.failure import DirectoryError
from keystead.sources.ldap.line import LIMITS, Limits, Line, step
from keystead.sources.ldap.servers import Server
from keystead.wire.ber import BerError
from keystead.wire.ldap import (
    START_TLS,
    BindRequest,
    BindResponse,
    Code,
    Control,
    ExtendedRequest,
    ExtendedResponse,
    Message,
    Operation,
    Result,
    Scope,
    SearchDone,
    SearchEntry,
    SearchReference,
    SearchRequest,
    UnbindRequest,
)
from keystead.wire.ldap_ber import page_of, paged
from keystead.wire.ldapfilter import Filter

PAGE: Final = 50
"""Objects asked for at once."""
_SHOWN: Final = 300
_EMPTY: Final = 100
"""Pages without an object, one after the other, until a search is given up that has no end."""
_NONE: Final = "non_field_errors"
_TRY_ANOTHER: Final = frozenset({Code.BUSY, Code.UNAVAILABLE})
_BIND_MEMBERS: Final[dict[int, str]] = {
    Code.INVALID_CREDENTIALS: "bind_password",
    Code.CONFIDENTIALITY: "start_tls",
    Code.STRONGER_AUTH: "start_tls",
}


class Directory(msgspec.Struct, frozen=True):
    """A directory and how it is entered.

    :param name: whom we bind as; empty: nobody.
    :param start_tls: where TLS is not spoken from the beginning, it begins before anything is asked.
    :param tls: makes what servers are verified with, in a thread.
    """

    servers: tuple[Server, ...]
    name: str
    password: Secret
    start_tls: bool
    tls: Callable[[], ssl.SSLContext]


@contextlib.asynccontextmanager
async def opened(reach: Reach, directory: Directory, limits: Limits = LIMITS) -> AsyncIterator["Session"]:
    """A session with the first server that takes us, ended with the body.

    :raises DirectoryError: none does; the reasons of all are told.
    """
    check_credentials(directory.name, directory.password)
    secured = directory.start_tls or any(server.tls for server in directory.servers)
    context = await asyncio.to_thread(directory.tls) if secured else None
    failed: list[DirectoryError] = []
    for server in directory.servers:
        try:
            session = await _session(reach, server, directory, context, limits)
        except DirectoryError as exc:
            if not exc.on_the_way:
                raise
            failed.append(exc)
            continue
        try:
            yield session
        finally:
            await session.unbind()
        return
    raise DirectoryError(" ".join(exc.reason for exc in failed), failed[0].member, on_the_way=True)


def check_credentials(name: str, password: Secret) -> None:
    """Refuse a name without a password: a server may take that for nobody, and call it success (RFC 4513 §5.1.2).

    :raises DirectoryError: on ``bind_password``.
    """
    if name and not password:
        raise DirectoryError(
            "To bind with a name takes a password; leave both blank to bind as nobody.", "bind_password"
        )


async def _session(
    reach: Reach, server: Server, directory: Directory, context: ssl.SSLContext | None, limits: Limits
) -> "Session":
    session = Session(await Line.open(reach, server, limits))
    try:
        if context is not None and (server.tls or directory.start_tls):
            await session.secure(context)
        await session.bind(directory.name, directory.password)
    except BaseException:
        session.close()
        raise
    return session


class Session:
    """A connection on which somebody is, or will be, bound."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._number = 0

    @property
    def server(self) -> Server:
        """With whom."""
        return self._line.server

    async def secure(self, context: ssl.SSLContext) -> None:
        """Begin TLS: at once where the server is like that, else by asking for it (RFC 4511 §4.14).

        :raises DirectoryError: it does not begin, or with somebody else.
        """
        if not self.server.tls:
            async with step(self.server, "asking for TLS", self._line.limits.step):
                answer = await self._ask(ExtendedRequest(START_TLS))
            if not isinstance(answer.operation, ExtendedResponse):
                raise self._nonsense()
            if answer.operation.result.code != Code.SUCCESS:
                raise self._refused("does not begin TLS", answer.operation.result, "start_tls")
        await self._line.secure(context)

    async def bind(self, name: str, password: Secret) -> None:
        """Say who we are; with an empty name, that we are nobody.

        :raises DirectoryError: we are not believed.
        """
        check_credentials(name, password)
        request = BindRequest(name, password.reveal().encode() if name else b"")
        async with step(self.server, "binding", self._line.limits.step):
            answer = await self._ask(request)
        if not isinstance(answer.operation, BindResponse):
            raise self._nonsense()
        result = answer.operation.result
        if result.code == Code.INVALID_CREDENTIALS:
            raise self._refused(f"does not take this password for “{name[:_SHOWN]}”", result, "bind_password")
        if result.code != Code.SUCCESS:
            whom = f"“{name[:_SHOWN]}”" if name else "nobody in particular"
            raise self._refused(f"does not let us bind as {whom}", result, _BIND_MEMBERS.get(result.code, "bind_cn"))

    async def search(
        self,
        base: str,
        wanted: Filter,
        attributes: Sequence[str],
        *,
        scope: Scope = Scope.SUBTREE,
        most: int = 0,
        page: int = PAGE,
    ) -> AsyncIterator[SearchEntry]:
        """The objects below ``base`` that ``wanted`` holds for, asked for page by page as they are used.

        :param most: no more than these; 0: all. A server that has more is not asked for them.
        :raises DirectoryError: they cannot be had; what has been given until then is a part of them.
        """
        cookie, given, empty = b"", 0, 0
        while True:
            size = min(page, most - given) if most else page
            request = SearchRequest(
                base=base,
                filter=wanted,
                scope=scope,
                size=most,
                time=max(1, int(self._line.limits.search)),
                attributes=tuple(attributes),
            )
            found, cookie = await self._page(request, paged(size, cookie))
            for entry in found[: most - given] if most else found:
                yield entry
            given += len(found)
            empty = 0 if found else empty + 1
            if empty == _EMPTY:
                raise DirectoryError(f"{self.server} has more pages and more, and nothing in them.", on_the_way=True)
            if not cookie or (most and given >= most):
                return

    async def _page(self, request: SearchRequest, control: Control) -> tuple[list[SearchEntry], bytes]:
        found: list[SearchEntry] = []
        async with step(self.server, "searching", self._line.limits.search):
            answer = await self._ask(request, control)
            while not isinstance(answer.operation, SearchDone):
                if isinstance(answer.operation, SearchEntry):
                    found.append(answer.operation)
                elif not isinstance(answer.operation, SearchReference):
                    raise self._nonsense()
                if request.size and len(found) > request.size:
                    raise DirectoryError(f"{self.server} sends more objects than it was asked for.", on_the_way=True)
                answer = await self._answer()
            following = page_of(answer.controls)
        result = answer.operation.result
        if result.code == Code.SIZE_LIMIT and request.size:
            return found, b""
        if result.code != Code.SUCCESS:
            raise self._unsearched(request.base, result)
        return found, following[1] if following else b""

    async def _ask(self, operation: Operation, *controls: Control) -> Message:
        self._number += 1
        self._line.send(Message(self._number, operation, controls))
        return await self._answer()

    async def _answer(self) -> Message:
        message = await self._line.receive()
        if message.id == 0 and isinstance(message.operation, ExtendedResponse):  # RFC 4511 §4.4
            raise self._refused("ends the connection", message.operation.result, "server_uri", on_the_way=True)
        if message.id != self._number:
            raise BerError("It answers what was not asked.")
        return message

    def _nonsense(self) -> DirectoryError:
        return DirectoryError(f"{self.server}: what it says is not LDAP: it answers something else.", on_the_way=True)

    def _refused(self, what: str, result: Result, member: str, *, on_the_way: bool = False) -> DirectoryError:
        return DirectoryError(
            f"{self.server} {what}: {_words(result)}.", member, on_the_way=on_the_way or result.code in _TRY_ANOTHER
        )

    def _unsearched(self, base: str, result: Result) -> DirectoryError:
        shown = f"“{base[:_SHOWN]}”"
        if result.code == Code.NO_SUCH_OBJECT:
            return self._refused(f"has nothing at {shown}, or does not show it to us", result, "base_dn")
        if result.code == Code.INVALID_DN:
            return self._refused(f"does not take {shown} for a name", result, "base_dn")
        if result.code == Code.REFERRAL:
            return self._refused(f"has {shown} elsewhere, and we follow nobody there", result, "base_dn")
        if result.code == Code.SIZE_LIMIT:
            return self._refused(f"does not give everything below {shown} at once or in pages", result, _NONE)
        return self._refused(f"does not search below {shown}", result, _NONE)

    async def unbind(self) -> None:
        """Take leave (RFC 4511 §4.3) and hang up."""
        self._number += 1
        self._line.send(Message(self._number, UnbindRequest()))
        await asyncio.sleep(0)  # loops that send at the end of a turn have sent it then
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._line.close()


def _words(result: Result) -> str:
    """A result as people can look it up, with what the server says of it."""
    name = next((code.name.lower().replace("_", " ") for code in Code if code == result.code), "")
    said = "".join(char if char.isprintable() else " " for char in result.message[:_SHOWN]).strip().rstrip(".")
    return ", ".join(one for one in (f"result {result.code}", name, said) if one)
