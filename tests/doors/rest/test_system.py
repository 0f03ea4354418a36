"""The installation's settings and what acts by them; what it runs on; which versions it has run."""

from datetime import timedelta

import pytest

from keystead import __version__
from keystead.people.installation.version import remember
from tests.house import BEGIN, House

SETTINGS = "/api/v3/admin/settings/"


async def test_settings_are_there_before_anybody_sets_them(house: House) -> None:
    found = (await house.admin.get(SETTINGS)).json
    assert "pk" not in found
    assert found["default_token_length"] == 60
    assert found["footer_links"] == []
    assert set(found["flags"]) == {
        "core_default_app_access",
        "enterprise_audit_include_expanded_diff",
        "flows_continuous_login",
        "flows_refresh_others",
    }


async def test_put_keeps_what_is_left_out_and_patch_takes_any(house: House) -> None:
    assert (await house.admin.put(SETTINGS, {})).status == 400
    changed = await house.admin.put(SETTINGS, {"flags": {"flows_refresh_others": True}, "avatars": "none"})
    assert changed.status == 200, changed.text
    assert changed.json["flags"]["flows_refresh_others"] is True
    assert changed.json["flags"]["core_default_app_access"] is True
    again = await house.admin.patch(SETTINGS, {"gdpr_compliance": False})
    assert (again.json["avatars"], again.json["gdpr_compliance"]) == ("none", False)
    assert (await house.admin.get(SETTINGS)).json == again.json
    actions = [one["action"] for one in (await house.admin.get("/api/v3/events/events/")).json["results"]]
    assert sorted(actions) == ["model_created", "model_updated"]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("avatars", "gravatar,nonsense"),
        ("avatars", ""),
        ("base_url", "ftp://example.org"),
        ("base_url", "https://example.org/?a"),
        ("footer_links", [{"href": "https://example.org"}]),
        ("footer_links", [{"name": "x", "href": "javascript:alert(1)"}]),
        ("footer_links", "text"),
        ("event_retention", "fortnights=1"),
        ("event_retention", "days=0"),
        ("default_token_duration", "days=0"),
        ("default_token_length", 5),
        ("reputation_upper_limit", -1),
        ("pagination_max_page_size", -1),
        ("flags", {"flows_refresh_others": "perhaps"}),
    ],
)
async def test_what_is_no_setting_is_refused(house: House, member: str, value: object) -> None:
    refused = await house.admin.patch(SETTINGS, {member: value})
    assert refused.status == 400, refused.text
    assert member in refused.json


async def test_who_may(house: House) -> None:
    for client in (house.user, house.nobody):
        assert (await client.get(SETTINGS)).status == 403
        assert (await client.patch(SETTINGS, {})).status == 403
        assert (await client.get("/api/v3/admin/system/")).status == 403
        assert (await client.get("/api/v3/admin/version/history/")).status == 403
    viewer = await house.client_with("authentik_rbac.view_system_settings")
    assert (await viewer.get(SETTINGS)).status == 200
    assert (await viewer.patch(SETTINGS, {})).status == 403
    editor = await house.client_with("authentik_rbac.edit_system_settings")
    assert (await editor.patch(SETTINGS, {"avatars": "initials"})).status == 200


async def test_page_sizes_act(house: House) -> None:
    await house.person("third")
    await house.admin.patch(SETTINGS, {"pagination_default_page_size": 1, "pagination_max_page_size": 2})
    users = "/api/v3/core/users/"
    assert len((await house.admin.get(users)).json["results"]) == 1
    assert len((await house.admin.get(users, query={"page_size": "50"})).json["results"]) == 2
    assert (await house.admin.get("/api/v3/stages/all/")).status == 200
    await house.admin.patch(SETTINGS, {"pagination_default_page_size": 0, "pagination_max_page_size": 0})
    assert len((await house.admin.get(users)).json["results"]) == 3


async def test_token_length_and_life_act(house: House) -> None:
    await house.admin.patch(SETTINGS, {"default_token_length": 40, "default_token_duration": "hours=2"})
    made = (await house.user.post("/api/v3/core/tokens/", {"identifier": "mine"})).json
    assert made["expires"].startswith((BEGIN + timedelta(hours=2)).isoformat()[:19])
    assert len((await house.user.get("/api/v3/core/tokens/mine/view_key/")).json["key"]) == 40


async def test_retention_acts(house: House) -> None:
    await house.admin.patch(SETTINGS, {"event_retention": "days=2"})
    await house.admin.post("/api/v3/core/groups/", {"name": "made"})
    told = (await house.admin.get("/api/v3/events/events/", query={"context_model_name": "group"})).json
    assert told["results"][0]["expires"].startswith((BEGIN + timedelta(days=2)).isoformat()[:19])


@pytest.mark.parametrize(
    ("avatars", "begins"),
    [
        ("none", "data:image/svg+xml"),
        ("initials", "data:image/svg+xml"),
        ("gravatar", "https://www.gravatar.com/avatar/"),
        ("attributes.photo.url,none", "https://photos.example.org/p"),
        ("attributes.none, initials", "data:image/svg+xml"),
        ("https://a.example.org/%(upn)s,https://a.example.org/%(username)s?x", "https://a.example.org/seen?x"),
    ],
)
async def test_pictures_come_from_the_first_source_that_has_one(house: House, avatars: str, begins: str) -> None:
    await house.admin.patch(SETTINGS, {"avatars": avatars})
    user = await house.person("seen", attributes={"photo": {"url": "https://photos.example.org/p"}})
    shown = (await house.admin.get(f"/api/v3/core/users/{user.pk}/")).json
    assert shown["avatar"].startswith(begins)


async def test_footer_flags_and_address_act(house: House) -> None:
    await house.admin.patch(
        SETTINGS,
        {
            "footer_links": [{"name": "Help", "href": "https://help.example.org"}, {"name": "Text"}],
            "flags": {"flows_continuous_login": True},
            "base_url": "https://id.example.org/auth/",
        },
    )
    brand = (await house.nobody.get("/api/v3/core/brands/current/")).json
    assert brand["ui_footer_links"] == [
        {"name": "Help", "href": "https://help.example.org"},
        {"name": "Text", "href": None},
    ]
    assert brand["flags"] == {"flows_continuous_login": True, "flows_refresh_others": False}
    below = (await house.admin.get("/api/v3/outposts/")).json
    assert all(url.startswith("https://id.example.org/auth/api/v3/") for url in below.values())
    assert (await house.admin.get("/api/v3/admin/system/")).json["base_url"] == "https://id.example.org/auth"


async def test_the_system_tells_what_it_runs_on(house: House) -> None:
    found = (await house.admin.get("/api/v3/admin/system/")).json
    assert found["runtime"]["authentik_version"] == __version__
    assert found["http_host"] == "localhost:9000"
    assert found["http_is_secure"] is False
    assert found["brand"] == house.brand.domain
    assert house.admin.token not in str(found), "what authenticates is shown"
    again = await house.admin.post("/api/v3/admin/system/")
    assert (again.status, again.json["runtime"]) == (200, found["runtime"])
    assert (await house.user.post("/api/v3/admin/system/")).status == 403


async def test_versions_are_remembered_once_each(house: House) -> None:
    state = house.state
    assert await remember(state, "1.0")
    assert not await remember(state, "1.0")
    assert await remember(state, "1.1")
    assert await remember(state, "1.0"), "going back is a change too"
    found = (await house.admin.get("/api/v3/admin/version/history/")).json
    assert [(one["id"], one["version"]) for one in found] == [(3, "1.0"), (2, "1.1"), (1, "1.0")]
    assert len((await house.admin.get("/api/v3/admin/version/history/", query={"version": "1.1"})).json) == 1
    assert (await house.admin.get("/api/v3/admin/version/history/2/")).json["version"] == "1.1"
    assert (await house.admin.get("/api/v3/admin/version/history/9/")).status == 404
