"""The Python SDK of the contract, ``authentik-client`` from PyPI, as its users call it."""

import contextlib
import importlib
import inspect
from collections.abc import Iterator, Mapping
from functools import cache
from types import ModuleType
from typing import Any

from tests.journeys.server import TOKEN, Node


@cache
def library() -> ModuleType:
    """The SDK. Importing its thousand modules takes seconds, so it happens once, and only when it is called."""
    return importlib.import_module("authentik_client")


class Sdk:
    """The SDK, speaking to one server."""

    def __init__(self, node: Node, token: str = TOKEN) -> None:
        made = library()
        self.client = made.ApiClient(made.Configuration(host=f"{node.url}/api/v3", access_token=token))
        self._apis = {
            name.removesuffix("Api").lower(): getattr(made, name) for name in made.__all__ if name.endswith("Api")
        }

    def __getattr__(self, operation: str) -> Any:  # noqa: ANN401 - one function for each operation
        """The function for an operation, such as ``core_users_list``."""
        api = self._apis[operation.partition("_")[0]](self.client)
        return getattr(api, operation)

    def knows(self, operation: str) -> bool:
        """Whether the SDK has a function for an operation."""
        return hasattr(self._apis.get(operation.partition("_")[0]), operation)

    def raw(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """What a path below ``/api/v3`` answers, not decoded: for challenges, which the SDK cannot read."""
        return self.client.call_api(*self.client.param_serialize("GET", path, auth_settings=["authentik"]))


def required(function: Any) -> list[str]:  # noqa: ANN401 - as above
    """The parameters that a function of the SDK cannot do without."""
    return [
        name for name, one in inspect.signature(function).parameters.items() if one.default is inspect.Parameter.empty
    ]


def model(name: str, members: Mapping[str, object]) -> Any:  # noqa: ANN401 - one class for each schema
    """An object of the SDK's."""
    return getattr(library(), name)(**members)


@contextlib.contextmanager
def refused(status: int) -> Iterator[None]:
    """The body of the ``with`` meets an answer of ``status``, told as an exception of the SDK."""
    try:
        yield
    except library().ApiException as exc:
        met = exc.status
    else:
        met = None
    assert met == status
