"""The sockets of a process, by what is served on them."""

import socket
from dataclasses import dataclass, field

from keystead.base.config import Config
from keystead.doors.http.runtime import bind, multiplied


@dataclass(slots=True)
class Sockets:
    """Listening sockets; each list may be empty."""

    http: list[socket.socket] = field(default_factory=list)
    https: list[socket.socket] = field(default_factory=list)
    metrics: list[socket.socket] = field(default_factory=list)

    def shared(self, processes: int) -> "list[Sockets]":
        """The same addresses for each of ``processes``, which share what comes in; these sockets are closed."""
        http, https, metrics = (multiplied(one, processes) for one in (self.http, self.https, self.metrics))
        return [Sockets(*parts) for parts in zip(http, https, metrics, strict=True)]

    def close(self) -> None:
        """Stop listening."""
        for one in (*self.http, *self.https, *self.metrics):
            one.close()


def listening(config: Config, *, https: bool = True) -> Sockets:
    """Sockets on the configured addresses.

    :raises CannotListen: one of them cannot be had; none is held then.
    """
    made = Sockets()
    try:
        made.http = bind(config.listen.http, "listen.http")
        made.https = bind(config.listen.https, "listen.https") if https else []
        made.metrics = bind(config.listen.metrics, "listen.metrics")
    except BaseException:
        made.close()
        raise
    return made
