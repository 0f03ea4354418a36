"""The servers of a directory, as settings name them."""

from typing import Final, NamedTuple
from urllib.parse import urlsplit

from keystead.base.reach import Unreached, check_port, host_of
from keystead.sources.ldap.failure import DirectoryError

_PORTS: Final = {"ldap": 389, "ldaps": 636}


class Server(NamedTuple):
    """A server of a directory.

    :param tls: TLS is spoken from the beginning.
    :param host: a name or an address, without brackets.
    """

    tls: bool
    host: str
    port: int

    def __str__(self) -> str:
        """As people write it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'ldaps' if self.tls else 'ldap'}://{host}:{self.port}"


def servers(text: str) -> tuple[Server, ...]:
    """The servers that ``text`` names, parted by commas.

    :raises DirectoryError: there is one that LDAP is not spoken with.
    """
    return tuple(_server(one.strip()) for one in text.split(","))


def _server(uri: str) -> Server:
    try:
        parts = urlsplit(uri)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:
        scheme, host, port = "", None, None
    if scheme not in _PORTS or not host or "@" in uri:
        raise DirectoryError(f"{uri}: write an address like ldaps://dc1.example.org.")
    port = _PORTS[scheme] if port is None else port
    try:
        check_port(port, _PORTS.values(), "LDAP")
        return Server(scheme == "ldaps", host_of(host), port)
    except Unreached as exc:
        raise DirectoryError(f"{uri}: {exc.reason}.") from None
