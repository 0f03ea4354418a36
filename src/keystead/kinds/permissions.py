"""Permissions: what a role may be allowed, derived from the kinds, and the numbers by which the API names them."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from keystead.kinds.kind import PERMISSION, Kind

_BRAND: Final = "authentik_"
_FOLDERS: Final = ("enterprise", "endpoints_connectors", "policies", "providers", "sources", "stages")
"""Parts of which each room is an app of its own: ``authentik_stages_user_login`` is ``authentik.stages.user_login``."""
_SYSTEM_APP: Final = "authentik_rbac"
ADMIN_INTERFACE: Final = f"{_SYSTEM_APP}.access_admin_interface"
SYSTEM_INFO: Final = f"{_SYSTEM_APP}.view_system_info"
SYSTEM_SETTINGS: Final = f"{_SYSTEM_APP}.edit_system_settings"
SYSTEM: Final[Mapping[str, str]] = MappingProxyType(
    {
        ADMIN_INTERFACE: "Can open the administrators' pages",
        SYSTEM_INFO: "Can view information about the running installation",
        SYSTEM_SETTINGS: "Can change the settings of the installation",
    }
)
"""Permissions on the installation as a whole, which is no kind of object, and what each lets one do."""
_WORDS: Final = tuple(dict.fromkeys(PERMISSION.values()))


@dataclass(frozen=True, slots=True)
class Permission:
    """Something a role may be allowed.

    :param full: its full name, such as ``authentik_core.view_user``.
    :param name: what it lets one do, as people read it.
    :param model: the model of the objects it is about, such as ``user``.
    """

    id: int
    full: str
    name: str
    model: str
    model_title: str

    @property
    def app(self) -> str:
        """The app label."""
        return self.full.partition(".")[0]

    @property
    def codename(self) -> str:
        """The name within its app."""
        return self.full.partition(".")[2]


@cache
def number(full: str) -> int:
    """The number of the permission with this full name: the same in every installation and version."""
    return int.from_bytes(hashlib.sha256(full.encode()).digest()[:4], "big") >> 1


def app_name(label: str) -> str:
    """The dotted name of an app: ``authentik_policies_event_matcher`` -> ``authentik.policies.event_matcher``."""
    bare = label.removeprefix(_BRAND)
    for folder in _FOLDERS:
        if bare.startswith(f"{folder}_"):
            return f"authentik.{folder.replace('_', '.')}.{bare.removeprefix(f'{folder}_')}"
    return f"authentik.{bare}"


def app_title(label: str) -> str:
    """An app's name, as people read it."""
    return " · ".join(part.replace("_", " ").capitalize() for part in app_name(label).split(".")[1:])


def of_kind(kind: Kind[Any]) -> list[Permission]:
    """The permissions on objects of ``kind``: the four that every kind has, and its own."""
    named = {kind.permission(word): f"Can {word} {kind.title[0]}" for word in _WORDS}
    named |= {f"{kind.app}.{codename}": name for codename, name in kind.permissions}
    return [Permission(number(full), full, name, kind.name, kind.title[0]) for full, name in named.items()]


class Permissions:
    """Every permission there is, by number and by full name, in the order of their names.

    :raises ValueError: two of them have the same number.
    """

    def __init__(self, kinds: Iterable[Kind[Any]]) -> None:
        found = [one for kind in kinds for one in of_kind(kind)]
        found += [Permission(number(full), full, name, "systempermission", "System") for full, name in SYSTEM.items()]
        self.by_name = {one.full: one for one in sorted(found, key=lambda one: one.full)}
        self.by_id = {one.id: one for one in self.by_name.values()}
        if len(self.by_id) != len(self.by_name):
            raise ValueError("two permissions have the same number: the names of one must change")
