"""Kubernetes service connection: a cluster in which outposts can be deployed."""

from typing import Annotated

import msgspec

from keystead.base.errors import invalid
from keystead.kinds.call import Call
from keystead.kinds.kind import Kind
from keystead.kinds.marks import READ_ONLY, UNIQUE, Json, Text, Uuid
from keystead.kinds.state import State


class KubernetesServiceConnection(msgspec.Struct, frozen=True, kw_only=True):
    """A Kubernetes cluster.

    :param local: the one this program runs in.
    :param kubeconfig: the cluster and the credentials, as kubectl has them; empty for the local cluster.
    :param verify_ssl: whether the cluster's certificate is verified.
    """

    pk: Annotated[Uuid, READ_ONLY]
    name: Annotated[Text, UNIQUE]
    local: bool = False
    kubeconfig: Json = {}
    verify_ssl: bool = True


async def rules(
    _call: Call, _state: State, _old: KubernetesServiceConnection | None, new: KubernetesServiceConnection
) -> KubernetesServiceConnection:
    """A kubeconfig that names where it leads to."""
    if new.kubeconfig:
        missing = [name for name in ("contexts", "clusters", "users") if name not in new.kubeconfig]
        if missing:
            raise invalid({"kubeconfig": [f"A kubeconfig has {missing[0]}; these have none."]})
    elif not new.local:
        raise invalid({"kubeconfig": ["A cluster that is not the local one needs a kubeconfig."]})
    return new


KUBERNETES = Kind(
    model="authentik_outposts.kubernetesserviceconnection",
    struct=KubernetesServiceConnection,
    path="outposts/service_connections/kubernetes",
    title=("Kubernetes Service-Connection", "Kubernetes Service-Connections"),
    key_name="uuid",
    family="service_connections",
    component="ak-service-connection-kubernetes-form",
    rules=rules,
    filters=("local", "name"),
    stored_only="Nothing is deployed in Kubernetes yet.",
)
