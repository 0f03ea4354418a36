"""Network addresses as settings write them: where to listen, and whom to trust.

A listen address is ``host:port`` with IPv6 hosts in brackets (RFC 3986 §3.2.2); an empty host means every address of
the machine. A trusted list is a list of networks in CIDR form (RFC 4632, RFC 4291 §2.3) or the words of
:data:`NETWORK_WORDS`.
"""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final, NamedTuple, TypeAlias

Network: TypeAlias = IPv4Network | IPv6Network

EVERYWHERE: Final = "::"
LISTEN_ACCEPTED: Final = (
    "host:port with a port from 0 to 65535, such as [::]:9000, 0.0.0.0:9000, localhost:9000 or :9000; "
    "several joined by commas; empty for none"
)
NETWORKS_ACCEPTED: Final = (
    "networks such as 10.0.0.0/8 or 2001:db8::/32, single addresses, or the words loopback and private; "
    "several joined by commas; empty for none"
)

_LOOPBACK: Final = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
_PRIVATE: Final = (
    IPv4Network("10.0.0.0/8"),
    IPv4Network("172.16.0.0/12"),
    IPv4Network("192.168.0.0/16"),
    IPv6Network("fc00::/7"),
    IPv6Network("fe80::/10"),
)
NETWORK_WORDS: Final[dict[str, tuple[Network, ...]]] = {"loopback": _LOOPBACK, "private": _LOOPBACK + _PRIVATE}
"""``private`` is loopback, RFC 1918, RFC 4193 and IPv6 link-local (RFC 4291 §2.5.6) together."""

_PORT_MAX: Final = 65535
_HOST_MAX: Final = 253
_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_ZONE: Final = re.compile(r"[A-Za-z0-9._~-]+", re.ASCII)
_DIGITS: Final = re.compile(r"[0-9]{1,5}", re.ASCII)


class ListenAddress(NamedTuple):
    """Where a listener waits.

    :ivar host: an IPv4 or IPv6 address without brackets, or a host name; ``::`` means every address of the machine,
        IPv4 ones too (who binds it falls back to ``0.0.0.0`` where the machine has no IPv6).
    :ivar port: 0 to 65535; 0 lets the system choose.
    """

    host: str
    port: int

    @property
    def everywhere(self) -> bool:
        """Whether this is every address of the machine, of both families."""
        return self.host == EVERYWHERE

    def __str__(self) -> str:
        """The form that :func:`parse_listen` reads."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_listen(text: str) -> ListenAddress:
    """One listen address; hosts are lower-cased, IPv6 addresses shortened (RFC 5952), an empty host becomes ``::``.

    :raises ValueError: no port, a port out of range, or a host that is neither an address nor a host name.
    """
    host, colon, port = text.strip().rpartition(":")
    if not colon:
        raise ValueError(f"{text.strip()!r} has no port (write host:port, or :port for every address)")
    if not _DIGITS.fullmatch(port) or int(port) > _PORT_MAX:
        raise ValueError(f"the port {port!r} is not a number from 0 to {_PORT_MAX}")
    if host.startswith("[") and host.endswith("]"):
        return ListenAddress(_ipv6(host[1:-1]), int(port))
    if ":" in host:
        raise ValueError(f"the IPv6 address in {text.strip()!r} needs brackets, as in [::1]:9000")
    return ListenAddress(_name_or_ipv4(host) if host else EVERYWHERE, int(port))


def parse_listen_list(text: str) -> tuple[ListenAddress, ...]:
    """The addresses of a comma-separated list; an empty text is the empty list: do not listen.

    :raises ValueError: as :func:`parse_listen`, or an empty or repeated entry.
    """
    found: list[ListenAddress] = []
    for part in text.split(",") if text.strip() else ():
        if not part.strip():
            raise ValueError("there is an empty entry between two commas")
        address = parse_listen(part)
        if address in found and address.port:
            raise ValueError(f"{address} stands there twice")
        found.append(address)
    return tuple(found)


def parse_networks(text: str) -> tuple[Network, ...]:
    """The networks of a comma-separated list, without repeats and in the order given; an empty text is the empty list.

    :raises ValueError: an entry is no network, no address and none of :data:`NETWORK_WORDS`, or has bits set beyond
        its prefix.
    """
    found: dict[Network, None] = {}
    for part in text.split(",") if text.strip() else ():
        entry = part.strip()
        words = NETWORK_WORDS.get(entry.lower())
        found.update(dict.fromkeys(words if words is not None else (_network(entry),)))
    return tuple(found)


def _network(entry: str) -> Network:
    try:
        return ip_network(entry)
    except ValueError:
        pass
    try:
        meant = ip_network(entry, strict=False)
    except ValueError:
        raise ValueError(f"{entry!r} is not a network") from None
    raise ValueError(f"{entry!r} has bits set beyond its prefix; write {meant}")


def _ipv6(text: str) -> str:
    address, percent, zone = text.partition("%")
    try:
        found = str(IPv6Address(address))
    except ValueError:
        raise ValueError(f"{text!r} is not an IPv6 address") from None
    if percent and not _ZONE.fullmatch(zone):
        raise ValueError(f"{zone!r} is not an IPv6 zone")
    return found + percent + zone


def _name_or_ipv4(text: str) -> str:
    host = text.lower()
    labels = host.removesuffix(".").split(".")
    # A last label of digits makes it an IPv4 address or nothing: no top-level domain is a number (RFC 3696 §2).
    if labels[-1].isdigit():
        try:
            return str(IPv4Address(host))
        except ValueError:
            raise ValueError(f"{text!r} is not an IPv4 address") from None
    if len(host) > _HOST_MAX or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{text!r} is neither an address nor a host name")
    return host
