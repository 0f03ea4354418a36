"""Looking into a directory through the API: what is shown of it, to whom, and what is said where it cannot be."""

import threading
from typing import Any

import pytest

from keystead.base.outbound import Outbound
from keystead.sources.ldap import debug, look
from keystead.sources.ldap.source import LDAP_SOURCE
from keystead.trust.keypair import KEYPAIR
from tests.client import Client
from tests.house import House
from tests.sources.slapd import BASE, NAME, PASSWORD, READER, Slapd, resolving
from tests.strangers import UNREACHABLE

API = "/api/v3"
URL = f"{API}/sources/ldap/d/"
ANNA, CARL = f"uid=anna,ou=people,{BASE}", f"uid=carl,ou=people,{BASE}"
STAFF = f"cn=staff,ou=groups,{BASE}"
CHANGE = "authentik_sources_ldap.change_ldapsource"
VIEW = "authentik_sources_ldap.view_ldapsource"


async def source(house: House, slapd: Slapd, **members: Any) -> dict[str, Any]:  # noqa: ANN401 - members of a source
    """A source for slapd."""
    house.state.outbound = resolving()
    pair = {"name": "authority", "certificate_data": slapd.authority.pem}
    trusted = (await house.admin.post(f"{API}/crypto/certificatekeypairs/", pair)).json["pk"]
    body = {
        "name": "Directory",
        "slug": "d",
        "server_uri": slapd.tls_uri,
        "peer_certificate": trusted,
        "bind_cn": READER,
        "bind_password": PASSWORD,
        "base_dn": BASE,
        "additional_user_dn": "ou=people",
        "additional_group_dn": "ou=groups",
        "user_object_filter": "(objectClass=inetOrgPerson)",
        "group_object_filter": "(objectClass=groupOfNames)",
        "object_uniqueness_field": "entryUUID",
        "lookup_groups_from_user": False,
        **members,
    }
    made = await house.admin.post(f"{API}/sources/ldap/", body)
    assert made.status == 201, made.text
    found: dict[str, Any] = made.json
    return found


async def seen(client: Client) -> dict[str, Any]:
    answered = await client.get(f"{URL}debug/")
    assert answered.status == 200, answered.text
    found: dict[str, Any] = answered.json
    assert list(found) == ["user", "group", "membership"]
    assert all(set(one) == {"dn", "attributes"} for objects in found.values() for one in objects)
    return found


async def refused(client: Client) -> tuple[str, str]:
    """The setting that is told of, and what."""
    answered = await client.get(f"{URL}debug/")
    assert answered.status == 400, answered.text
    assert PASSWORD not in answered.text
    ((member, (words,)),) = ((key, value) for key, value in answered.json.items() if key != "code")
    return member, words


def names(objects: list[dict[str, Any]]) -> set[str]:
    return {one["dn"] for one in objects}


async def test_people_groups_and_what_links_them(house: House, slapd: Slapd) -> None:
    for more in ({}, {"server_uri": slapd.uri}):
        await source(house, slapd) if not more else await house.admin.patch(URL, more)
        found = await seen(house.admin)
        assert len(found["user"]) == 3
        assert names(found["user"]) >= {ANNA, CARL}
        assert names(found["group"]) == {STAFF, f"cn=empty,ou=groups,{BASE}"}
        assert names(found["membership"]) == names(found["group"])
        (anna,) = (one["attributes"] for one in found["user"] if one["dn"] == ANNA)
        assert anna["cn"] == ["Anna Müller"]
        assert anna["jpegPhoto"][0].startswith("AAECAwQF")
        assert len(anna["entryUUID"][0]) == 36
        (staff,) = (one["attributes"] for one in found["membership"] if one["dn"] == STAFF)
        assert list(staff) == ["member"]
        assert (len(staff["member"]), ANNA in staff["member"]) == (2, True)


async def test_membership_that_users_tell_of(house: House, slapd: Slapd) -> None:
    await source(house, slapd, lookup_groups_from_user=True, group_membership_field="memberOf")
    found = await seen(house.admin)
    assert len(found["membership"]) == 2
    assert {tuple(one["attributes"]["memberOf"]) for one in found["membership"]} == {(STAFF,)}
    assert CARL not in names(found["membership"])


async def test_passwords_are_not_shown(house: House, slapd: Slapd) -> None:
    """The reader may read them, and does."""
    await source(house, slapd, user_object_filter="(userPassword=*)", object_uniqueness_field="userPassword")
    text = (await house.admin.get(f"{URL}debug/")).text
    assert ANNA in text
    assert "assword" not in text


async def test_a_few_of_many(house: House, slapd: Slapd) -> None:
    await source(house, slapd, additional_user_dn="ou=many", user_object_filter="(objectClass=device)")
    found = await seen(house.admin)
    assert (len(found["user"]), len(found["membership"])) == (look.SOME, 2)


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "password": ({"bind_password": "wrong"}, "bind_password", "invalid credentials"),
    "no password": ({"bind_password": ""}, "bind_password", "takes a password"),
    "name": ({"bind_cn": "cn=else"}, "bind_password", "invalid credentials"),
    "base": ({"base_dn": "dc=example,dc=net"}, "base_dn", "no such object"),
    "users": ({"additional_user_dn": "ou=nowhere"}, "base_dn", f"ou=nowhere,{BASE}"),
    "groups": ({"additional_group_dn": "ou=hidden"}, "base_dn", f"ou=hidden,{BASE}"),
    "authority": ({"peer_certificate": None}, "peer_certificate", "certificate is not accepted"),
    "host": ({"server_uri": "ldaps://other.example:{tls}"}, "server_uri", "other.example"),
    "port": ({"server_uri": "ldaps://{name}:1636"}, "server_uri", "refused"),
    "no LDAP": ({"server_uri": "ldaps://{name}:25"}, "server_uri", "port 25"),
    "no TLS": ({"server_uri": "ldap://{name}:{plain}", "start_tls": False}, "start_tls", "confidentiality"),
}


@pytest.mark.parametrize("what", WRONG)
async def test_what_is_set_wrongly(house: House, slapd: Slapd, what: str) -> None:
    given, member, words = WRONG[what]
    if "server_uri" in given:
        uri = given["server_uri"].format(tls=slapd.tls_port, plain=slapd.port, name=NAME)
        given = {**given, "server_uri": uri}
    await source(house, slapd, **given)
    told = await refused(house.admin)
    assert (told[0], words in told[1]) == (member, True), told


async def test_where_it_may_not_be_reached(house: House, slapd: Slapd) -> None:
    """SECURITY: whoever sets a source up learns nothing of networks but what somebody with all rights tells them."""
    await source(house, slapd)
    helper = await house.client_with(CHANGE, VIEW)
    assert len((await seen(helper))["user"]) == 3
    hidden = set()
    for outbound, words in (
        (Outbound(resolve=resolving()._resolve), "KEYSTEAD_OUTBOUND__ALLOWED_CIDRS"),  # noqa: SLF001 - every name is there
        (UNREACHABLE, "no address"),
        (resolving("127.0.0.9"), "refused"),
    ):
        house.state.outbound = outbound
        member, told = await refused(house.admin)
        assert (member, words in told) == ("server_uri", True), told
        hidden.add(await refused(helper))
    ((member, told),) = hidden
    assert (member, "could not be reached, or may not be" in told) == ("server_uri", True)
    house.state.outbound = resolving()
    await house.admin.patch(URL, {"bind_password": "wrong"})
    assert await refused(helper) == await refused(house.admin), "what the directory says is for both"


async def test_who_may_look(house: House, slapd: Slapd) -> None:
    await source(house, slapd)
    for client in (house.nobody, await house.client_with(VIEW)):
        assert (await client.get(f"{URL}debug/")).status == 403
    assert (await house.user.get(f"{URL}debug/")).status in {403, 404}
    assert (await house.admin.get(f"{API}/sources/ldap/other/debug/")).status == 404


async def test_not_too_many_at_once(house: House, slapd: Slapd, monkeypatch: pytest.MonkeyPatch) -> None:
    await source(house, slapd)
    monkeypatch.setattr(debug, "_places", threading.BoundedSemaphore(1))
    for _ in range(3):
        await seen(house.admin)  # each leaves its place
    monkeypatch.setattr(debug, "_places", threading.BoundedSemaphore(0))
    answered = await house.admin.get(f"{URL}debug/")
    assert (answered.status, answered.header("retry-after")) == (503, "5")


async def test_all_in_all_it_has_a_time(house: House, slapd: Slapd, monkeypatch: pytest.MonkeyPatch) -> None:
    await source(house, slapd)
    monkeypatch.setattr(debug, "WITHIN", 0.0)
    assert "All in all" in (await refused(house.admin))[1]


async def test_a_client_certificate_is_used(house: House, slapd: Slapd) -> None:
    """One that cannot be used is told of before anybody is asked."""
    own = {"common_name": "ours", "validity_days": 1, "alg": "ecdsa"}
    pair = (await house.admin.post(f"{API}/crypto/certificatekeypairs/generate/", own)).json["pk"]
    made = await source(house, slapd, client_certificate=pair)
    assert made["client_certificate"] == pair
    assert len((await seen(house.admin))["user"]) == 3
    wanted = look.directory_of(house.state.settings, await _kept(house))
    assert wanted.tls().verify_mode.name == "CERT_REQUIRED"
    assert house.state.settings.get(KEYPAIR, pair) is not None


async def _kept(house: House) -> Any:  # noqa: ANN401 - the source
    return house.state.settings.by(LDAP_SOURCE, "slug", "d")
