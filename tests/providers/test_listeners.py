"""LDAP and RADIUS providers: what their listeners could not work with is refused, and lists are narrowed."""

import pytest

from tests.house import House
from tests.providers import asked

LDAP, RADIUS = "providers/ldap", "providers/radius"


@pytest.mark.parametrize(
    ("path", "member", "value"),
    [
        (LDAP, "base_dn", "example.org"),
        (LDAP, "base_dn", ""),
        (LDAP, "uid_start_number", 2**31),
        (LDAP, "search_mode", "sometimes"),
        (RADIUS, "client_networks", "10.0.0.1"),
        (RADIUS, "client_networks", ""),
        (RADIUS, "shared_secret", "   "),
        (RADIUS, "mfa_support", "yes"),
    ],
)
async def test_what_a_listener_could_not_work_with(house: House, path: str, member: str, value: object) -> None:
    assert asked.refused(await asked.post(house, path, **{member: value}), member)


async def test_a_secret_is_drawn_where_none_is_given(house: House) -> None:
    first, second = await asked.made(house, RADIUS), await asked.made(house, RADIUS)
    assert len(first["shared_secret"]) == 40
    assert first["shared_secret"] != second["shared_secret"]
    viewer = await house.client_with("authentik_providers_radius.view_radiusprovider")
    assert "shared_secret" not in (await viewer.get(f"{asked.API}/{RADIUS}/{first['pk']}/")).json


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"base_dn__iexact": "dc=B"}, ["b"]),
        ({"uid_start_number__iexact": "3000"}, ["b"]),
        ({"gid_start_number__iexact": "4000"}, ["a", "b"]),
        ({"tls_server_name__iexact": "LDAP.example.org"}, ["a"]),
        ({"certificate__kp_uuid__iexact": "00000000-0000-4000-8000-000000000000"}, []),
        ({"application__isnull": "true"}, ["a"]),
    ],
)
async def test_directories_are_found(house: House, query: dict[str, str], found: list[str]) -> None:
    await asked.made(house, LDAP, name="a", base_dn="DC=a", tls_server_name="ldap.example.org")
    other = await asked.made(house, LDAP, name="b", base_dn="DC=b", uid_start_number=3000)
    await asked.application(house, "behind", None, other["pk"])
    assert [one["name"] for one in await asked.listed(house.admin, LDAP, **query)] == found
