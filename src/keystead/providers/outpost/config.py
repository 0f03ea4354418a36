"""What an outpost is told about its work: the keys of its ``config`` and their defaults (outposts.md §2)."""

import enum
from typing import Final

import msgspec

from keystead.base import duration
from keystead.kinds.field import plain


class LogLevel(enum.StrEnum):
    """The least important messages that an outpost logs."""

    TRACE = "trace"
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class OutpostConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything an outpost may be told."""

    authentik_host: str = ""
    authentik_host_insecure: bool = False
    authentik_host_browser: str = ""
    log_level: LogLevel = LogLevel.INFO
    object_naming_template: str = "ak-outpost-%(name)s"
    refresh_interval: str = "minutes=5"
    container_image: str | None = None
    docker_network: str | None = None
    docker_map_ports: bool = True
    docker_labels: dict[str, str] | None = None
    kubernetes_replicas: int = 1
    kubernetes_namespace: str = "default"
    kubernetes_ingress_annotations: dict[str, str] = {}
    kubernetes_ingress_secret_name: str = "authentik-outpost-tls"  # noqa: S105 - the name of a Kubernetes object
    kubernetes_ingress_class_name: str | None = None
    kubernetes_ingress_path_type: str | None = None
    kubernetes_httproute_annotations: dict[str, str] = {}
    kubernetes_httproute_parent_refs: list[dict[str, object]] = []
    kubernetes_service_type: str = "ClusterIP"
    kubernetes_disabled_components: list[str] = []
    kubernetes_image_pull_secrets: list[str] = []
    kubernetes_json_patches: dict[str, object] | None = None


DEFAULTS: Final[dict[str, object]] = msgspec.to_builtins(OutpostConfig())


def whole(given: dict[str, object]) -> dict[str, object]:
    """``given`` with the defaults of the keys that are not in it.

    :raises ValueError: a key is none of those there are, or its value is of another type or form.
    """
    try:
        found = msgspec.convert(given, OutpostConfig)
    except msgspec.ValidationError as exc:
        raise ValueError(f"{plain(exc)} Accepted keys: {', '.join(DEFAULTS)}.") from None
    duration.parse(found.refresh_interval)
    if "%(name)s" not in found.object_naming_template and "%(uuid)s" not in found.object_naming_template:
        raise ValueError("object_naming_template must hold %(name)s or %(uuid)s.")
    kept: dict[str, object] = msgspec.to_builtins(found)
    return kept


def refresh_seconds(config: dict[str, object]) -> int:
    """How often an outpost with this ``config`` asks for news."""
    return int(duration.parse(str(config.get("refresh_interval", DEFAULTS["refresh_interval"]))).total_seconds())
