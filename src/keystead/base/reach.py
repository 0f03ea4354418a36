"""Whom Keystead reaches by itself: which addresses and ports may be connected to, whoever typed them in.

Whoever may choose an address must not reach through us what only we can reach: names are resolved, their addresses
judged, and connections go to the very addresses that were judged.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, TypeAlias, TypeVar

from keystead.base.addresses import Network, parse_listen

UNREACHED: Final = "The address could not be reached, or may not be."

Address: TypeAlias = IPv4Address | IPv6Address
Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
T = TypeVar("T")

_PRIVILEGED: Final = 1024
_SPOKEN_FOR: Final = frozenset(
    # Fetch standard §2.9 "Port blocking", above 1023
    {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080}
    # databases and caches, which take lines of text for commands
    | {1433, 1521, 2379, 2380, 3306, 5432, 6379, 6380, 9042, 11211, 27017}
)
_UNICAST: Final = IPv6Network("2000::/3")  # RFC 4291 §2.4 and the registry of IANA
# What the registries of special addresses say and older Pythons have not heard.
_SPECIAL: Final = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"), IPv6Network("3fff::/20"))
_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052 §2.1
_CONNECT: Final = 2.0
"""Seconds for one of several addresses, before the next one is tried."""


class Unreached(Exception):  # noqa: N818 - what happened, and mostly no fault of the program
    """There is no answer. The text is the same whatever the cause, so that nobody scans networks through us.

    :param reason: the cause, for logs and for those who look after the service.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(UNREACHED)
        self.reason = reason


def host_of(text: str) -> str:
    """The host of a URL, read strictly: of all ways to write an IPv4 address this takes the usual one only.

    :param text: a name or an address, without brackets.
    :raises Unreached: it is neither.
    """
    bare = text.removesuffix(".")
    if not bare:
        raise Unreached("there is no host")
    try:
        host = parse_listen(f"[{text}]:0" if ":" in text else f"{bare}:0").host
    except ValueError as exc:
        raise Unreached(str(exc)) from None
    if "%" in host or re.fullmatch(r"0x[0-9a-f]*", host.rpartition(".")[2]):
        raise Unreached("the host is neither a name nor an address as addresses are usually written")
    return host


def check_port(port: int, usual: Collection[int], what: str) -> None:
    """Let through ``usual`` ports, and those from 1024 on that belong to no other protocol.

    What takes lines of text for commands would take ours for some.

    :param what: the protocol that is spoken.
    :raises Unreached: another one.
    """
    if port not in usual and (port < _PRIVILEGED or port in _SPOKEN_FOR):
        raise Unreached(f"port {port} is not one at which {what} is spoken")


def public(address: Address) -> bool:
    """Whether ``address`` is one of the Internet's, open to everybody (RFC 6890 and what has been added since)."""
    if any(address in network for network in _SPECIAL):
        return False
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast and not address.is_reserved
    if address in _NAT64:
        return public(IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _UNICAST and address.is_global and address.sixtofour is None and address.teredo is None


def plainest(address: Address) -> Address:
    """``address``, or the IPv4 address that an IPv6 one stands for (RFC 4291 §2.5.5.2)."""
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


async def resolved(host: str, port: int) -> Sequence[str]:
    """The addresses of a name."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=1)  # SOCK_STREAM
    return [str(sockaddr[0]) for *_, sockaddr in found]


class Reach:
    """Connects to others.

    :param allowed: networks that may be reached although they are not the Internet's.
    :param resolve: the addresses of a name.
    """

    def __init__(self, allowed: Sequence[Network] = (), resolve: Resolve = resolved) -> None:
        self._allowed = tuple(allowed)
        self._resolve = resolve

    def may_reach(self, address: Address) -> bool:
        """Whether connections may go to ``address``."""
        address = plainest(address)
        return public(address) or any(address in network for network in self._allowed)

    async def connect(self, host: str, port: int, opened: Callable[[str], Awaitable[T]]) -> T:
        """What ``opened`` gives for the first address of ``host`` that may be reached and answers.

        :param opened: connects to an address.
        :raises Unreached: no address may be reached.
        :raises OSError: none answers, or the name has no address.
        """
        found = dict.fromkeys(ip_address(one) for one in await self._resolve(host, port))
        good = [address for address in found if self.may_reach(address)]
        if not good:
            raise Unreached(
                f"{host} is at {', '.join(map(str, found)) or 'no address'}, where none may be reached; "
                "KEYSTEAD_OUTBOUND__ALLOWED_CIDRS names networks beside the Internet that may"
            )
        for address in good[:-1]:
            try:
                async with asyncio.timeout(_CONNECT):
                    return await opened(str(address))
            except OSError:  # a timeout, too
                continue
        return await opened(str(good[-1]))
