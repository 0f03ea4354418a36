"""OAuth sources: vendors and their addresses, what must be given, what is never shown."""

import pytest

from keystead.sources.oauth.vendors import VENDORS, ProviderTypeEnum
from tests.house import House

OAUTH = "/api/v3/sources/oauth/"
BODY: dict[str, object] = {"name": "o", "slug": "o", "consumer_key": "k", "consumer_secret": "canary-secret"}
URLS = {
    "authorization_url": "https://idp.example.org/authorize",
    "access_token_url": "https://idp.example.org/token",
    "profile_url": "https://idp.example.org/me",
}


def test_every_vendor_is_known() -> None:
    assert set(VENDORS) == set(ProviderTypeEnum)
    for vendor in VENDORS.values():
        urls = [getattr(vendor, name) for name in vendor.__struct_fields__ if name.endswith("_url")]
        assert all(url is None or url.startswith("https://") for url in urls), vendor.name
        assert vendor.urls_customizable or vendor.authorization_url, f"{vendor.name} leads nowhere"


async def test_vendors_are_told_to_whoever_is_signed_in(house: House) -> None:
    listed = await house.user.get(f"{OAUTH}source_types/")
    assert [one["name"] for one in listed.json] == [one.value for one in ProviderTypeEnum]
    (github,) = (await house.user.get(f"{OAUTH}source_types/", query={"name": "github"})).json
    assert github["access_token_url"] == "https://github.com/login/oauth/access_token"
    assert github["urls_customizable"] is True
    assert (await house.user.get(f"{OAUTH}source_types/", query={"name": "none"})).json == []
    assert (await house.nobody.get(f"{OAUTH}source_types/")).status == 403


@pytest.mark.parametrize("vendor", list(ProviderTypeEnum))
async def test_a_vendor_asks_for_what_it_does_not_publish(house: House, vendor: ProviderTypeEnum) -> None:
    answered = await house.admin.post(OAUTH, {**BODY, "provider_type": vendor.value})
    if vendor in {ProviderTypeEnum.OPENIDCONNECT, ProviderTypeEnum.OKTA, ProviderTypeEnum.MAILCOW}:
        assert answered.status == 400
        assert set(answered.json) - {"code"} == set(URLS)
        given = await house.admin.post(OAUTH, {**BODY, "provider_type": vendor.value, **URLS})
        assert given.status == 201, given.text
        assert given.json["profile_url"] == URLS["profile_url"]
    else:
        assert answered.status == 201, answered.text
        assert answered.json["type"]["name"] == vendor.value


async def test_what_is_missing_is_named(house: House) -> None:
    body = {**BODY, "provider_type": "openidconnect", **URLS, "access_token_url": None}
    refused = await house.admin.post(OAUTH, body)
    assert set(refused.json) - {"code"} == {"access_token_url"}
    known = {"oidc_well_known_url": "https://idp.example.org/.well-known/openid-configuration"}
    assert (await house.admin.post(OAUTH, {**BODY, "provider_type": "openidconnect", **known})).status == 201


async def test_the_name_of_earlier_releases_is_taken(house: House) -> None:
    made = await house.admin.post(OAUTH, {**BODY, "provider_type": "azuread"})
    assert (made.status, made.json["provider_type"]) == (201, "entraid")
    found = await house.admin.get(OAUTH, query={"provider_type": "entraid"})
    assert found.json["pagination"]["count"] == 1


async def test_the_address_to_come_back_to_is_absolute(house: House) -> None:
    made = await house.admin.post(OAUTH, {**BODY, "provider_type": "github"})
    assert made.json["callback_url"] == "http://localhost:9000/source/oauth/callback/o/"


@pytest.mark.parametrize("keys", [{"keys": "x"}, {"keys": [1]}, {"keys": [{"kid": "1"}]}, {"a": 1}])
async def test_keys_are_a_key_set(house: House, keys: dict[str, object]) -> None:
    refused = await house.admin.post(OAUTH, {**BODY, "provider_type": "github", "oidc_jwks": keys})
    assert next(iter(refused.json)) == "oidc_jwks"


async def test_sources_with_keys_are_found(house: House) -> None:
    keys = {"oidc_jwks": {"keys": [{"kty": "RSA"}]}}
    await house.admin.post(OAUTH, {**BODY, "provider_type": "github", **keys})
    await house.admin.post(OAUTH, {**BODY, "slug": "p", "provider_type": "github"})
    for value, slugs in (("true", ["o"]), ("false", ["p"])):
        listed = await house.admin.get(OAUTH, query={"has_jwks": value})
        assert [one["slug"] for one in listed.json["results"]] == slugs


async def test_a_secret_may_not_be_blank(house: House) -> None:
    refused = await house.admin.post(OAUTH, {**BODY, "provider_type": "github", "consumer_secret": "  "})
    assert next(iter(refused.json)) == "consumer_secret"
    assert (await house.admin.post(OAUTH, {**BODY, "provider_type": "github"})).status == 201
    assert (await house.admin.patch(f"{OAUTH}o/", {"consumer_secret": ""})).status == 400
