"""Property mappings of a fresh installation: under the names clients look up, and each works (defaults.md §6)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from keystead import app
from keystead.doors.worker.defaults.providers import mappings
from keystead.kinds.call import SYSTEM, Call
from keystead.kinds.kind import Kind
from keystead.kinds.snapshot import Snapshot
from keystead.people.person import Person
from keystead.policies.judge import Request
from keystead.policies.sandbox import compile_expression, make_view
from keystead.policies.values import evaluate_mapping, names_for_mapping
from keystead.providers.assertion.mapping import SAMLPropertyMapping
from keystead.providers.rac.mapping import RACPropertyMapping
from tests.house import new_user

AT = datetime(2026, 9, 1, tzinfo=UTC)
MANAGED = "goauthentik.io/providers/"
GROUP = make_view("group", {"name": "name", "pk": "pk"}, text=str, key=id)


class _Team:
    name = "team"
    pk = "0" * 32


def by_managed() -> dict[str, Any]:
    return {one.managed.removeprefix(MANAGED): one for one in mappings()}  # type: ignore[attr-defined]  # all have it


def told(managed: str, **members: Any) -> object:  # noqa: ANN401 - members of a user
    """What a mapping tells of somebody, or of a group."""
    mapping = by_managed()[managed]
    person = Person(new_user(7, "anna", name="Anna van Dijk", **members), "uid-of-anna", (), ())
    names = names_for_mapping(Request(Call(SYSTEM, AT, Snapshot({})), person, {}), group=GROUP(_Team()))
    return evaluate_mapping(mapping.expression, mapping.name, names)


def test_the_names_are_those_that_clients_look_up() -> None:
    assert {name: one.name for name, one in by_managed().items()} == {
        "saml/upn": "authentik default SAML Mapping: UPN",
        "saml/name": "authentik default SAML Mapping: Name",
        "saml/email": "authentik default SAML Mapping: Email",
        "saml/username": "authentik default SAML Mapping: Username",
        "saml/uid": "authentik default SAML Mapping: User ID",
        "saml/groups": "authentik default SAML Mapping: Groups",
        "saml/ms-windowsaccountname": "authentik default SAML Mapping: WindowsAccountname (Username)",
        "scim/user": "authentik default SCIM Mapping: User",
        "scim/group": "authentik default SCIM Mapping: Group",
        "microsoft_entra/user": "authentik default Microsoft Entra Mapping: User",
        "microsoft_entra/group": "authentik default Microsoft Entra Mapping: Group",
        "google_workspace/user": "authentik default Google Workspace Mapping: User",
        "google_workspace/group": "authentik default Google Workspace Mapping: Group",
        "rac/rdp-default": "authentik default RAC Mapping: RDP Default settings",
        "rac/rdp-high-fidelity": "authentik default RAC Mapping: RDP High Fidelity",
        "rac/ssh-default": "authentik default RAC Mapping: SSH Default settings",
    }


def test_every_one_is_of_a_kind_and_passes_its_rules() -> None:
    kinds: dict[type, Kind[Any]] = {kind.struct: kind for kind in app.KINDS}
    for one in mappings():
        assert kinds[type(one)].family == "propertymappings"
        if not isinstance(one, RACPropertyMapping):
            compile_expression(one.expression, name=one.name)  # type: ignore[attr-defined]  # all have one


@pytest.mark.parametrize(
    ("managed", "saml_name", "value"),
    [
        ("saml/upn", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn", "anna@example.org"),
        ("saml/name", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name", "Anna van Dijk"),
        ("saml/email", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress", "anna@example.org"),
        ("saml/username", "http://schemas.goauthentik.io/2021/02/saml/username", "anna"),
        ("saml/uid", "http://schemas.goauthentik.io/2021/02/saml/uid", 7),
        ("saml/groups", "http://schemas.xmlsoap.org/claims/Group", []),
        (
            "saml/ms-windowsaccountname",
            "http://schemas.microsoft.com/ws/2008/06/identity/claims/windowsaccountname",
            "anna",
        ),
    ],
)
def test_attributes_of_assertions(managed: str, saml_name: str, value: object) -> None:
    mapping = by_managed()[managed]
    assert isinstance(mapping, SAMLPropertyMapping)
    assert mapping.saml_name == saml_name
    assert told(managed) == value


def test_an_upn_of_ones_own_comes_first() -> None:
    assert told("saml/upn", attributes={"upn": "anna@corp"}) == "anna@corp"


def test_what_other_systems_are_told_of_a_person() -> None:
    assert told("scim/user") == {
        "userName": "anna",
        "externalId": "uid-of-anna",
        "displayName": "Anna van Dijk",
        "name": {"formatted": "Anna van Dijk", "givenName": "Anna", "familyName": "van Dijk"},
        "emails": [{"value": "anna@example.org", "type": "other", "primary": True}],
        "active": True,
    }
    assert told("google_workspace/user", is_active=False) == {
        "primaryEmail": "anna@example.org",
        "name": {"givenName": "Anna", "familyName": "van Dijk", "displayName": "Anna van Dijk"},
        "suspended": True,
    }
    assert told("microsoft_entra/user") == {
        "displayName": "Anna van Dijk",
        "userPrincipalName": "anna@example.org",
        "mailNickname": "anna",
        "accountEnabled": True,
    }


def test_what_other_systems_are_told_of_a_group() -> None:
    assert told("scim/group") == {"displayName": "team", "externalId": "0" * 32}
    assert told("google_workspace/group") == {"name": "team"}
    assert told("microsoft_entra/group") == {
        "displayName": "team",
        "mailNickname": "0" * 32,
        "mailEnabled": False,
        "securityEnabled": True,
    }
