"""Docker service connection: a Docker host on which outposts can be deployed."""

from typing import Annotated, Final

import msgspec

from keystead.base.errors import invalid
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, OnDelete, Ref, Text, Uuid
from keystead.kinds.state import State

Pair = Annotated[Uuid, Ref("authentik_crypto.certificatekeypair", OnDelete.SET_NULL)]
SOCKET: Final = "http+unix:///var/run/docker.sock"
_SCHEMES: Final = ("http+unix://", "unix://", "http://", "https://", "tcp://", "ssh://")


class DockerServiceConnection(msgspec.Struct, frozen=True, kw_only=True):
    """A Docker host.

    :param local: the one this program runs on.
    :param url: where its API answers.
    :param tls_verification: whose certificate signed the host's.
    :param tls_authentication: the pair we show the host.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    local: bool = False
    url: Text
    tls_verification: Pair | None = None
    tls_authentication: Pair | None = None


async def rules(
    _call: Call, _state: State, _old: DockerServiceConnection | None, new: DockerServiceConnection
) -> DockerServiceConnection:
    """An address that a Docker host can have."""
    if not new.url.startswith(_SCHEMES):
        raise invalid({"url": [f"Write an address that begins with one of {', '.join(_SCHEMES)}; such as {SOCKET}."]})
    return new


DOCKER = Kind(
    model="authentik_outposts.dockerserviceconnection",
    struct=DockerServiceConnection,
    path="outposts/service_connections/docker",
    title=("Docker Service-Connection", "Docker Service-Connections"),
    key_name="uuid",
    family="service_connections",
    component="ak-service-connection-docker-form",
    rules=rules,
    filters=("local", "name", "tls_authentication", "tls_verification", "url"),
    stored_only="Nothing is deployed on Docker hosts yet.",
)
