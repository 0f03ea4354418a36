"""The list of permissions: four for every kind and what rooms ask for besides; numbers that stay."""

import re
from pathlib import Path

import pytest

import keystead
from keystead import app
from keystead.doors.rest.blueprints.sought import BASES
from keystead.kinds import permissions
from keystead.kinds.kind import PERMISSION
from keystead.kinds.models import ModelEnum
from keystead.kinds.permissions import SYSTEM, Permissions, app_title, number, of_kind
from keystead.people.installation.blueprint_text import META_APPLY, META_PASSWORD
from keystead.people.token import TOKEN

EVERY = Permissions(app.KINDS)
SOURCE = {path: path.read_text() for path in Path(keystead.__file__).parent.rglob("*.py")}
NAMED = re.compile(r"[\"'](authentik_[a-z0-9_]+\.[a-z0-9_]+)[\"']")
ASKED = re.compile(r"\b(?:require|may|permitted)\(\w+, [A-Z_]+, f?\"([a-z_]+)\"")
NEEDED = {
    "authentik_providers_ldap.search_full_directory",
    "authentik_core.impersonate",
    "authentik_core.reset_user_password",
    "authentik_events.add_event",
}
"""What the contract names (rest.md §9)."""


def test_every_kind_has_four_and_its_own() -> None:
    for kind in app.KINDS:
        names = {one.full for one in of_kind(kind)}
        assert {kind.permission(word) for word in PERMISSION.values()} <= names
        assert names == kind.codenames
        assert names <= set(EVERY.by_name)
    own = {one.codename: one for one in of_kind(TOKEN)}
    assert own["view_token"].name == "Can view Token"
    assert own["view_token_key"].model == "token"
    assert (own["add_token"].app, own["add_token"].model_title) == ("authentik_core", "Token")
    assert set(SYSTEM) <= set(EVERY.by_name)


def test_what_the_contract_names_is_there() -> None:
    built = {kind.app for kind in app.KINDS}
    for name in NEEDED:
        assert name in EVERY.by_name or name.partition(".")[0] not in built, name
    assert [one.full for one in EVERY.by_name.values() if one.codename == "access_admin_interface"]
    for word in ("enable", "disable"):
        assert f"authentik_core.{word}_group_superuser" in EVERY.by_name


def test_numbers_are_the_same_for_ever() -> None:
    assert number("authentik_core.view_user") == 2087042462
    assert number("authentik_flows.inspect_flow") == 1253227674
    assert all(0 < one.id < 2**31 for one in EVERY.by_name.values())
    assert list(EVERY.by_name) == sorted(EVERY.by_name)


def test_two_permissions_of_one_number_are_noticed_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permissions, "number", lambda _full: 7)
    with pytest.raises(ValueError, match="same number"):
        Permissions(app.KINDS)


def test_an_action_asks_for_nothing_that_cannot_be_given() -> None:
    for action in app.ACTIONS:
        if action.permission:
            full = action.permission if "." in action.permission else action.kind.permission(action.permission)
            assert full in EVERY.by_name, f"{full}: add its codename to permissions= of {action.kind.model}"


@pytest.mark.parametrize("path", SOURCE, ids=lambda path: str(path.relative_to(Path(keystead.__file__).parent)))
def test_no_room_asks_for_what_cannot_be_given(path: Path) -> None:
    """Add a permission that rooms ask for to ``permissions=`` of its kind, or it can be given to nobody."""
    models = {kind.model for kind in app.KINDS} | {one.value for one in ModelEnum} | {*BASES, META_APPLY, META_PASSWORD}
    unknown = {name for name in NAMED.findall(SOURCE[path]) if name not in EVERY.by_name and name not in models}
    assert not unknown
    codenames = {one.codename for one in EVERY.by_name.values()}
    words = {word for word in ASKED.findall(SOURCE[path]) if not any(one.startswith(f"{word}_") for one in codenames)}
    assert not words


def test_what_makes_an_administrator_says_so() -> None:
    """SECURITY AP-09: each of these stays classed, whatever is added."""
    families = {"stages", "policies", "propertymappings", "providers", "sources"}
    for kind in app.KINDS:
        runs = any("expression" in name for name in kind.fields)
        for word in ("add", "change", "delete"):
            one = EVERY.by_name[kind.permission(word)]
            assert one.strong or not (runs or kind.family in families), one.full
            assert ("administrator" in one.name) is one.strong
        assert not EVERY.by_name[kind.permission("view")].strong
    for name in (
        "authentik_flows.change_flow",
        "authentik_flows.add_flowstagebinding",
        "authentik_policies.delete_policybinding",
        "authentik_brands.change_brand",
        "authentik_crypto.change_certificatekeypair",
        "authentik_core.enable_group_superuser",
        "authentik_rbac.edit_system_settings",
    ):
        assert EVERY.by_name[name].strong, name
    for name in ("authentik_core.change_user", "authentik_rbac.change_role", "authentik_core.add_token"):
        assert not EVERY.by_name[name].strong, f"{name}: guarded by what each person holds themselves"


def test_apps_have_titles() -> None:
    assert app_title("authentik_core") == "Core"
    assert app_title("authentik_stages_user_login") == "Stages · User login"
