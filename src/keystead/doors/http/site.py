"""``Site``: what every door needs of the running installation, put together once by ``app.py``."""

import ipaddress
from dataclasses import dataclass, field

from keystead.base.secret import Vault
from keystead.kinds.state import State


@dataclass(slots=True)
class Site:
    """The running installation as doors see it.

    :param state: settings and store.
    :param root_path: the path prefix under which we are mounted, without a slash at the end.
    :param base_url: the address links in mails use and clients see, when configured.
    :param trusted: networks of proxies whose forwarding headers count.
    :param cookie_domain: the domain cookies are set for, or empty for this host only.
    :param ready: whether the store answered last time and start-up is over.
    """

    state: State
    root_path: str = ""
    base_url: str = ""
    trusted: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    cookie_domain: str = ""
    ready: bool = False
    debug: bool = False
    extras: dict[str, object] = field(default_factory=dict)

    @property
    def vault(self) -> Vault:
        """The installation's sealing and signing keys."""
        return self.state.vault
