"""Brands: which one answers for a host, and that there is one default at most."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystead.kinds.snapshot import Snapshot
from keystead.people.brand import BRAND, FALLBACK, Brand, brand_for, themed
from tests.house import House

BRANDS = "/api/v3/core/brands/"
DOMAINS = ("example.org", "a.example.org", "Upper.Example", "authentik-default", "localhost", "[::1]")


def snapshot(*domains: str, default: str = "authentik-default") -> Snapshot:
    brands = [
        Brand(brand_uuid=f"00000000-0000-4000-8000-0000000000{n:02}", domain=domain, default=domain == default)
        for n, domain in enumerate(domains)
    ]
    return Snapshot({BRAND.model: BRAND}).changed(1, [(BRAND, one.brand_uuid, one) for one in brands])


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("example.org", "example.org"),
        ("EXAMPLE.ORG:9443", "example.org"),
        ("b.example.org", "example.org"),
        ("a.example.org", "a.example.org"),
        ("x.a.example.org", "a.example.org"),
        ("upper.example", "Upper.Example"),
        ("evilexample.org", "authentik-default"),
        ("example.org.evil.tld", "authentik-default"),
        ("org", "authentik-default"),
        ("example.org.", "example.org"),
        ("localhost:9000", "localhost"),
        ("[::1]:9000", "[::1]"),
        ("[::1]", "[::1]"),
        ("", "authentik-default"),
        (".", "authentik-default"),
        ("." * 5000, "authentik-default"),
    ],
)
def test_the_brand_with_the_longest_domain_above_answers(host: str, domain: str) -> None:
    assert brand_for(snapshot(*DOMAINS), host).domain == domain


def test_without_a_default_something_answers_all_the_same() -> None:
    assert brand_for(snapshot("example.org"), "elsewhere.example") is FALLBACK
    assert brand_for(snapshot(), "elsewhere.example") is FALLBACK


@given(st.lists(st.text(st.sampled_from("abx.:-"), max_size=20), max_size=20))
def test_hosts_that_callers_invent_are_not_remembered(hosts: list[str]) -> None:
    """SECURITY DS-09: a cache whose keys strangers choose would grow with them."""
    settings = snapshot(*DOMAINS)
    brand_for(settings, "warm.example.org")
    before = len(settings._memo)  # noqa: SLF001 - its size is what is asked
    for host in hosts:
        brand_for(settings, host)
    assert len(settings._memo) <= before + 1  # noqa: SLF001 - as above


async def test_there_is_one_default_at_most(house: House) -> None:
    assert "default" in (await house.admin.post(BRANDS, {"domain": "second", "default": True})).json
    made = await house.admin.post(BRANDS, {"domain": "second"})
    assert made.status == 201
    url = f"{BRANDS}{made.json['brand_uuid']}/"
    assert (await house.admin.patch(url, {"default": True})).status == 400
    first = f"{BRANDS}{house.brand.brand_uuid}/"
    assert (await house.admin.patch(first, {"default": True})).status == 200, "it is it already"
    assert (await house.admin.patch(first, {"default": False})).status == 200
    assert (await house.admin.patch(url, {"default": True})).status == 200


async def test_everybody_is_told_the_brand_of_their_host(house: House) -> None:
    flow = {"name": "r", "title": "r", "slug": "way-back", "designation": "recovery"}
    pk = (await house.admin.post("/api/v3/flows/instances/", flow)).json["pk"]
    body = {
        "domain": "shop.example",
        "branding_title": "Shop",
        "flow_recovery": pk,
        "branding_logo": "/l-%(theme)s.svg",
    }
    assert (await house.admin.post(BRANDS, body)).status == 201
    shown = (await house.nobody.get(f"{BRANDS}current/", headers={"host": "eu.shop.example:9443"})).json
    assert (shown["matched_domain"], shown["branding_title"]) == ("shop.example", "Shop")
    assert shown["flow_recovery"] == "way-back"
    assert "flow_unenrollment" not in shown
    assert shown["branding_logo_themed_urls"] == {"light": "/l-light.svg", "dark": "/l-dark.svg"}
    other = (await house.nobody.get(f"{BRANDS}current/")).json
    assert other["matched_domain"] == "authentik-default"
    assert other["flags"] == {"flows_continuous_login": False, "flows_refresh_others": False}


async def test_events_carry_the_brand_they_happened_under(house: House) -> None:
    await house.admin.post(BRANDS, {"domain": "shop.example"})
    made = await house.admin.post("/api/v3/rbac/roles/", {"name": "r"}, headers={"host": "shop.example"})
    assert made.status == 201
    told = (await house.admin.get("/api/v3/events/events/?action=model_created&context_model_name=role")).json
    assert told["results"][0]["brand"]["name"] == "shop.example"
    named = await house.admin.get("/api/v3/events/events/?brand_name=shop.example")
    assert named.json["pagination"]["count"] == 1


def test_a_picture_without_themes_has_none() -> None:
    assert themed("/a.svg") is None
