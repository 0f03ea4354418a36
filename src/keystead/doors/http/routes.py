"""The dispatch table: a dictionary for paths without parameters, a small tree for those with; built once."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from keystead.doors.http.message import Request, Response
from keystead.doors.http.site import Site
from keystead.kinds.call import Call

Handler: TypeAlias = Callable[[Request, Call, Site, dict[str, str]], Awaitable[Response]]
ErrorPage: TypeAlias = Callable[[Request, Site, BaseException], Response]
MAX_BODY: Final = 1024 * 1024
"""Bytes a body may have unless the route says otherwise."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where one method of one path leads.

    :param errors: how this door says what went wrong.
    :param identify: whether the caller's session or token is looked up first; hot lanes do their own.
    :param max_body: bytes.
    :param fresh: whether what another process has changed in the settings counts at once, as clients of the API may
        rely on. Where it need not, it counts as soon as the announcement of it is here.
    """

    run: Handler
    errors: ErrorPage
    identify: bool = True
    max_body: int = MAX_BODY
    csrf: bool = False
    fresh: bool = True


class Found(NamedTuple):
    """A path's methods and the values of its parameters."""

    methods: dict[str, Endpoint]
    params: dict[str, str]


@dataclass(slots=True)
class _Node:
    children: dict[str, "_Node"] = field(default_factory=dict)
    any: "_Node | None" = None
    rest: "_Node | None" = None
    names: tuple[str, ...] = ()
    methods: dict[str, Endpoint] = field(default_factory=dict)


class Routes:
    """All paths we answer."""

    def __init__(self) -> None:
        self._exact: dict[str, dict[str, Endpoint]] = {}
        self._tree = _Node()
        self.templates: list[tuple[str, str]] = []

    def add(self, method: str, template: str, endpoint: Endpoint) -> None:
        """Answer ``method`` on ``template``, such as ``/api/v3/core/users/{id}/``.

        ``{*path}`` at the end takes all that follows.

        :raises ValueError: something answers there already, or other methods there call its parameters otherwise.
        """
        self.templates.append((method, template))
        if "{" not in template:
            self._set(self._exact.setdefault(template, {}), method, template, endpoint)
            return
        node = self._tree
        names: list[str] = []
        for part in template.split("/")[1:]:
            if part.startswith("{*"):
                names.append(part[2:-1])
                node.rest = node.rest or _Node()
                node = node.rest
            elif part.startswith("{"):
                names.append(part[1:-1])
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.children.setdefault(part, _Node())
        known = tuple(names) == node.names or not node.methods
        self._set(node.methods, method, template, endpoint)
        if not known:
            raise ValueError(f"{template} calls its parameters otherwise than before: {', '.join(node.names)}")
        node.names = tuple(names)

    @staticmethod
    def _set(methods: dict[str, Endpoint], method: str, template: str, endpoint: Endpoint) -> None:
        if method in methods:
            raise ValueError(f"{method} {template} is answered twice")
        methods[method] = endpoint

    def find(self, path: str) -> Found | None:
        """What answers on ``path``; literal parts win over parameters."""
        exact = self._exact.get(path)
        if exact is not None:
            return Found(exact, {})
        values: list[str] = []
        node = self._walk(self._tree, path.split("/")[1:], 0, values)
        return Found(node.methods, dict(zip(node.names, values, strict=True))) if node else None

    def _walk(self, node: _Node, parts: list[str], index: int, values: list[str]) -> _Node | None:
        if index == len(parts):
            return node if node.methods else None
        part = parts[index]
        child = node.children.get(part)
        if child is not None and (found := self._walk(child, parts, index + 1, values)) is not None:
            return found
        if node.any is not None and part:
            values.append(part)
            if (found := self._walk(node.any, parts, index + 1, values)) is not None:
                return found
            values.pop()
        if node.rest is not None:
            values.append("/".join(parts[index:]))
            return node.rest
        return None
