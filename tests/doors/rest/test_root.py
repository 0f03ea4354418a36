"""What the installation tells of itself."""

import pytest

from keystead import __version__
from keystead.base.config.database import Cache
from keystead.base.config.settings import Config as Settings
from keystead.doors.rest.root import CapabilitiesEnum, named
from keystead.kinds.changes import Changes
from keystead.people.session import start
from tests.doors.rest.contract import contract
from tests.house import House


async def test_anybody_may_ask_for_the_configuration(house: House) -> None:
    answered = await house.nobody.get("/api/v3/root/config/")
    assert answered.status == 200
    assert answered.json == {
        "error_reporting": {
            "enabled": False,
            "sentry_dsn": "",
            "environment": "customer",
            "send_pii": False,
            "traces_sample_rate": 0.0,
        },
        "capabilities": ["can_save_media", "is_enterprise", "can_impersonate"],
        "cache_timeout": 300,
        "cache_timeout_flows": 300,
        "cache_timeout_policies": 300,
    }


async def test_the_configuration_is_that_of_the_process(house: House) -> None:
    house.site.debug = True
    house.site.extras["config"] = Settings(cache=Cache(timeout=7))
    told = (await house.user.get("/api/v3/root/config/")).json
    assert told["cache_timeout"] == 7
    assert CapabilitiesEnum.CAN_DEBUG in told["capabilities"]


@pytest.mark.parametrize("path", ["admin/version/", "admin/apps/", "admin/models/", "outposts/", "core/sessions/"])
async def test_strangers_learn_nothing_else(house: House, path: str) -> None:
    assert (await house.nobody.get(f"/api/v3/{path}")).status == 403


async def test_the_version_is_the_package_s(house: House) -> None:
    told = (await house.user.get("/api/v3/admin/version/")).json
    assert told["version_current"] == told["version_latest"] == __version__
    assert told["version_latest_valid"] is told["outdated"] is told["outpost_outdated"] is False


async def test_apps_have_the_contract_s_names(house: House) -> None:
    told = (await house.user.get("/api/v3/admin/apps/")).json
    names = {one["name"] for one in told}
    assert {"authentik.core", "authentik.policies.expression", "authentik.stages.user_login"} <= names
    assert names <= set(contract()["components"]["schemas"]["AppEnum"]["enum"])
    assert all(one["label"] for one in told)


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("authentik_core", "authentik.core"),
        ("authentik_policies", "authentik.policies"),
        ("authentik_policies_event_matcher", "authentik.policies.event_matcher"),
        ("authentik_endpoints_connectors_agent", "authentik.endpoints.connectors.agent"),
        ("authentik_stages_authenticator_totp", "authentik.stages.authenticator_totp"),
        ("authentik_policies_unique_password", "authentik.enterprise.policies.unique_password"),
        ("authentik_reports", "authentik.enterprise.reports"),
        ("authentik_providers_radius", "authentik.providers.radius"),
        ("authentik_coffee", "authentik.coffee"),
    ],
)
def test_app_names(label: str, name: str) -> None:
    assert named(label) == name


async def test_models_are_those_of_the_kinds(house: House) -> None:
    told = {one["name"]: one["label"] for one in (await house.user.get("/api/v3/admin/models/")).json}
    assert told == {kind.model: kind.title[0] for kind in house.state.kinds.values()}
    some = {one["name"] for one in (await house.user.get("/api/v3/admin/models/?filter_has_attributes=true")).json}
    assert {"authentik_core.user", "authentik_core.group", "authentik_brands.brand"} <= some
    others = {one["name"] for one in (await house.user.get("/api/v3/admin/models/?filter_has_attributes=0")).json}
    assert some | others == told.keys()
    assert not some & others


async def test_the_short_path_lists_the_same_sessions(house: House) -> None:
    session, writes = start(house.call, house.plain.pk, "a session key", expires=house.clock.move(hours=1), auth={})
    changes = Changes()
    changes.write(*writes)
    house.clock.move(hours=-1)
    await house.state.commit(changes, house.clock.now())
    short = await house.admin.get("/api/v3/core/sessions/?page=1&page_size=5&user__username=plain")
    assert short.json == (await house.admin.get("/api/v3/core/authenticated_sessions/")).json
    assert [one["uuid"] for one in short.json["results"]] == [session.uuid]
    assert (await house.user.get("/api/v3/core/sessions/")).json["pagination"]["count"] == 1
    assert (await house.admin.get("/api/v3/core/sessions/?user__username=akadmin")).json["results"] == []


async def test_the_outposts_index_names_what_is_below(house: House) -> None:
    told = (await house.user.get("/api/v3/outposts/")).json
    below = {kind.path for kind in house.state.kinds.values() if kind.path.startswith("outposts/")}
    assert set(told) == {path.removeprefix("outposts/") for path in below}
    assert set(told.values()) == {f"http://localhost:9000/api/v3/{path}/" for path in below}
