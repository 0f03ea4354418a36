"""Proxy providers: what each mode demands, and what is drawn for them (rest.md §11)."""

import pytest

from tests.house import House
from tests.providers import asked

PATH = "providers/proxy"
OUTSIDE = "https://wiki.example.org"


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ({}, "internal_host"),
        ({"mode": "proxy", "internal_host": ""}, "internal_host"),
        ({"internal_host": "wiki"}, "internal_host"),
        ({"mode": "forward_single", "external_host": "wiki.example.org"}, "external_host"),
        (
            {"mode": "forward_single", "basic_auth_enabled": True, "basic_auth_password_attribute": "p"},
            "basic_auth_user_attribute",
        ),
        (
            {"mode": "forward_single", "basic_auth_enabled": True, "basic_auth_user_attribute": "u"},
            "basic_auth_password_attribute",
        ),
        ({"mode": "forward_single", "skip_path_regex": "^/ok\n^/(broken"}, "skip_path_regex"),
        ({"mode": "forward_single", "access_token_validity": "soon"}, "access_token_validity"),
        ({"mode": "sideways"}, "mode"),
    ],
)
async def test_what_a_proxy_lacks_is_named(house: House, body: dict[str, object], member: str) -> None:
    answered = await asked.post(house, PATH, **{"external_host": OUTSIDE, **body})
    assert asked.refused(answered, member), answered.text


async def test_its_client_is_drawn_and_its_secrets_stay_inside(house: House) -> None:
    first = await asked.made(house, PATH, external_host=f"{OUTSIDE}/", mode="forward_single", client_id="mine")
    second = await asked.made(house, PATH, external_host=OUTSIDE, internal_host="http://wiki:8080")
    assert len(first["client_id"]) == 40
    assert first["client_id"] != second["client_id"]
    assert not {"client_secret", "cookie_secret"} & set(first)
    for one in (first, second):
        assert one["redirect_uris"] == [
            {
                "matching_mode": "strict",
                "url": f"{OUTSIDE}{path}?X-authentik-auth-callback=true",
                "redirect_uri_type": "authorization",
            }
            for path in ("/outpost.goauthentik.io/callback", "")
        ]
    changed = await house.admin.patch(f"{asked.API}/{PATH}/{first['pk']}/", {"name": "other", "client_id": "x"})
    assert changed.json["client_id"] == first["client_id"]


async def test_its_application_opens_where_people_reach_it(house: House) -> None:
    provider = await asked.made(house, PATH, external_host=OUTSIDE, mode="forward_single")
    await asked.application(house, "wiki", provider["pk"])
    assert (await asked.shown(house, "core/applications", "wiki"))["launch_url"] == OUTSIDE


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"name__iexact": "PLAIN"}, ["plain"]),
        ({"external_host__iexact": OUTSIDE.upper()}, ["plain"]),
        ({"mode__iexact": "forward_domain"}, ["wide"]),
        ({"basic_auth_enabled__iexact": "true"}, []),
        ({"application__isnull": "true"}, ["plain"]),
        ({"application__isnull": "false"}, ["wide"]),
        ({"authorization_flow__slug__iexact": "GO"}, ["plain"]),
        ({"certificate__name__iexact": "Pair"}, ["wide"]),
        ({"cookie_domain__iexact": "Example.org"}, ["wide"]),
    ],
)
async def test_filters(house: House, query: dict[str, str], found: list[str]) -> None:
    go, leave = await asked.flow(house, "go"), await asked.flow(house, "leave")
    flows = {"authorization_flow": go.pk, "invalidation_flow": leave.pk}
    await asked.made(house, PATH, name="plain", external_host=OUTSIDE, mode="forward_single", **flows)
    key = await asked.pair(house)
    await house.admin.patch(f"{asked.API}/crypto/certificatekeypairs/{key}/", {"name": "pair"})
    wide = await asked.made(
        house,
        PATH,
        name="wide",
        external_host="https://auth.example.org",
        mode="forward_domain",
        cookie_domain="example.org",
        certificate=key,
    )
    await asked.application(house, "wide", wide["pk"])
    assert [one["name"] for one in await asked.listed(house.admin, PATH, **query)] == found
