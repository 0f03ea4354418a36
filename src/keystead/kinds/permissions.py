"""Permissions: what a role may be allowed, derived from the kinds, and the numbers by which the API names them."""

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

import msgspec

from keystead.kinds.kind import PERMISSION, Kind

_BRAND: Final = "authentik_"
_FOLDERS: Final = ("enterprise", "endpoints_connectors", "policies", "providers", "sources", "stages")
"""Parts of which each room is an app of its own: ``authentik_stages_user_login`` is ``authentik.stages.user_login``."""
_SYSTEM_APP: Final = "authentik_rbac"
ADMIN_INTERFACE: Final = f"{_SYSTEM_APP}.access_admin_interface"
SYSTEM_INFO: Final = f"{_SYSTEM_APP}.view_system_info"
VIEW_SETTINGS: Final = f"{_SYSTEM_APP}.view_system_settings"
SYSTEM_SETTINGS: Final = f"{_SYSTEM_APP}.edit_system_settings"
SYSTEM: Final[Mapping[str, str]] = MappingProxyType(
    {
        ADMIN_INTERFACE: "Can open the administrators' pages",
        SYSTEM_INFO: "Can view information about the running installation",
        VIEW_SETTINGS: "Can view the settings of the installation",
        SYSTEM_SETTINGS: "Can change the settings of the installation",
    }
)
"""Permissions on the installation as a whole, which is no kind of object, and what each lets one do."""
_FAMILIES: Final = frozenset({"stages", "policies", "propertymappings", "providers", "sources"})
_APPS: Final = frozenset(
    f"{_BRAND}{app}" for app in ("flows", "policies", "brands", "crypto", "blueprints", "outposts", "tenants")
)
_CODE: Final = "expression"
_STRONG: Final = frozenset({SYSTEM_SETTINGS, "authentik_core.enable_group_superuser", "authentik_flows.import_flow"})
_WORDS: Final = tuple(dict.fromkeys(PERMISSION.values()))


class Permission(msgspec.Struct, frozen=True):
    """Something a role may be allowed.

    :param full: its full name, such as ``authentik_core.view_user``.
    :param name: what it lets one do, as people read it.
    :param model: the model of the objects it is about, such as ``user``.
    :param strong: whether who holds it can find a way to become an administrator (SECURITY AP-09).
    """

    id: int
    full: str
    name: str
    model: str
    model_title: str
    strong: bool = False

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
    strong = {kind.permission(word) for word in _WORDS if word != "view" and decides(kind)} | _STRONG
    return [_permission(full, name, kind.name, kind.title[0], strong=full in strong) for full, name in named.items()]


def decides(kind: Kind[Any]) -> bool:
    """Whether objects of ``kind`` decide who gets in and as whom, or hold code that does.

    Who writes such objects can find a way to become an administrator, so the permission to is as good as being one.
    """
    return kind.family in _FAMILIES or kind.app in _APPS or any(_CODE in name for name in kind.struct.__struct_fields__)


def _permission(full: str, name: str, model: str, title: str, *, strong: bool) -> Permission:
    told = f"{name} (amounts to an administrator's power)" if strong else name
    return Permission(number(full), full, told, model, title, strong)


class Permissions:
    """Every permission there is, by number and by full name, in the order of their names.

    :raises ValueError: two of them have the same number.
    """

    def __init__(self, kinds: Iterable[Kind[Any]]) -> None:
        found = [one for kind in kinds for one in of_kind(kind)]
        found += [
            _permission(full, name, "systempermission", "System", strong=full in _STRONG)
            for full, name in SYSTEM.items()
        ]
        self.by_name = {one.full: one for one in sorted(found, key=lambda one: one.full)}
        self.by_id = {one.id: one for one in self.by_name.values()}
        if len(self.by_id) != len(self.by_name):
            raise ValueError("two permissions have the same number: the names of one must change")
