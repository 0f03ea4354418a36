"""The tenants' API: its own key, and nothing at all unless it is configured."""

import pytest

from keystead.base.config.services import Tenants
from keystead.base.config.settings import Config
from keystead.base.secret import Secret
from tests.client import Client
from tests.house import House

TENANTS, DOMAINS = "/api/v3/tenants/tenants/", "/api/v3/tenants/domains/"


@pytest.fixture
def keyed(house: House) -> Client:
    """A client with the key of a house that has one."""
    house.site.extras["config"] = Config(tenants=Tenants(enabled=True, api_key=Secret("the key of the tenants")))
    return Client(house.app, "the key of the tenants")


async def test_without_a_key_in_the_configuration_there_is_nothing(house: House) -> None:
    for client in (house.admin, house.nobody, Client(house.app, "")):
        assert (await client.get(TENANTS)).status == 404
        assert (await client.post(DOMAINS, {})).status == 404
    house.site.extras["config"] = Config(tenants=Tenants(enabled=True))
    assert (await Client(house.app).get(TENANTS, headers={"authorization": "Bearer "})).status == 404
    house.site.extras["config"] = Config(tenants=Tenants(api_key=Secret("key")))
    assert (await Client(house.app, "key").get(TENANTS)).status == 404


async def test_only_the_key_opens_it(house: House, keyed: Client) -> None:
    for client in (house.admin, house.user, house.nobody, Client(house.app, "the key of the tenant")):
        assert (await client.get(TENANTS)).status == 403
    assert (await keyed.get(TENANTS)).status == 200
    assert (await keyed.get("/api/v3/core/users/")).status == 403, "the key opens nothing else"


async def test_tenants_and_domains_are_kept(keyed: Client) -> None:
    made = await keyed.post(TENANTS, {"name": "Acme", "schema_name": "t_acme"})
    assert made.status == 201, made.text
    one = f"{TENANTS}{made.json['tenant_uuid']}/"
    domain = await keyed.post(DOMAINS, {"domain": "acme.example.org", "tenant": made.json["tenant_uuid"]})
    assert domain.status == 201, domain.text
    assert isinstance(domain.json["id"], int)
    assert (await keyed.patch(one, {"name": "Acme Ltd"})).json["name"] == "Acme Ltd"
    assert "schema_name" in (await keyed.patch(one, {"schema_name": "t_other"})).json
    assert "schema_name" in (await keyed.post(TENANTS, {"name": "x", "schema_name": "pg_catalog"})).json
    assert "domain" in (await keyed.post(DOMAINS, {"domain": "a b", "tenant": made.json["tenant_uuid"]})).json
    assert (await keyed.post(f"{one}create_admin_group/", {"user": "a"})).status == 501
    assert (await keyed.post(f"{one}create_recovery_key/", {"user": "a", "duration_days": 1})).status == 501
    assert (await keyed.delete(one)).status == 204
    assert (await keyed.get(DOMAINS)).json["pagination"]["count"] == 0
