"""The small policies: a given answer, events, places."""

from typing import Any

import pytest

from keystead.base import rand
from keystead.people.event import Event
from keystead.policies.countries import CountryCodeEnum
from keystead.policies.dummy import DummyPolicy
from keystead.policies.event_matcher import EventMatcherPolicy
from keystead.policies.event_words import AppEnum, ModelEnum
from keystead.policies.geoip import GeoIPPolicy
from keystead.policies.values import event_view
from tests.house import BEGIN, House
from tests.policies.asking import ask

CREATED = Event(
    pk=rand.uuid4(),
    action="model_created",
    app="authentik_core",
    context={"model": {"pk": 7, "app": "authentik_core", "name": "anna", "model_name": "user"}},
    client_ip="192.0.2.7",
    created=BEGIN,
    expires=BEGIN,
)


@pytest.mark.parametrize("result", [True, False])
async def test_a_given_answer(house: House, result: bool) -> None:  # noqa: FBT001 - the answer
    policy = DummyPolicy(pk=rand.uuid4(), name="p", result=result, wait_min=0, wait_max=0)
    assert (await ask(house, policy)).passing is result
    backwards = DummyPolicy(pk=rand.uuid4(), name="p", result=result, wait_min=0, wait_max=-5)
    assert (await ask(house, backwards)).passing is result


@pytest.mark.parametrize(
    ("members", "passes"),
    [
        ({}, True),
        ({"action": "model_created", "model": "authentik_core.user"}, True),
        ({"action": "model_created", "model": "authentik_core.group"}, False),
        ({"action": "model_deleted", "model": "authentik_core.user"}, False),
        ({"app": "authentik.core", "client_ip": "192.0.2.7"}, True),
        ({"app": "authentik.events"}, False),
        ({"client_ip": "192.0.2.70"}, False),
        ({"action": "custom_"}, False),
        ({"query": "action = 'login'"}, False),
    ],
)
async def test_an_event_has_everything_asked_for(house: House, members: dict[str, Any], passes: bool) -> None:  # noqa: FBT001 - a table's column
    kinds: dict[str, Any] = {"app": AppEnum, "model": ModelEnum}
    typed = {name: kinds[name](value) if name in kinds else value for name, value in members.items()}
    policy = EventMatcherPolicy(pk=rand.uuid4(), name="p", **typed)
    assert (await ask(house, policy, event=event_view(CREATED))).passing is passes
    assert not (await ask(house, policy)).passing
    assert not (await ask(house, policy, event={"action": "model_created"})).passing


async def test_actions_of_ones_own_are_matched_by_how_they_begin(house: House) -> None:
    made = await house.admin.post("/api/v3/policies/event_matcher/", {"name": "p", "action": "custom_"})
    policy = house.state.settings.by(house.kind_of(_matcher()), "name", "p")
    assert made.status == 201
    own = Event(pk=rand.uuid4(), action="custom_coffee", app="x", created=BEGIN, expires=BEGIN)
    assert (await ask(house, policy, event=event_view(own))).passing


def _matcher() -> EventMatcherPolicy:
    return EventMatcherPolicy(pk=rand.uuid4(), name="q")


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ({"client_ip": "192.0.2.0/24"}, "client_ip"),
        ({"client_ip": "here"}, "client_ip"),
        ({"query": "action = 'login'"}, "query"),
        ({"app": "authentik.coffee"}, "app"),
        ({"model": "authentik_core.coffee"}, "model"),
        ({"action": "coffee"}, "action"),
    ],
)
async def test_what_no_event_can_be_is_refused(house: House, body: dict[str, str], member: str) -> None:
    refused = await house.admin.post("/api/v3/policies/event_matcher/", {"name": "p", **body})
    assert refused.status == 400
    assert member in refused.json


@pytest.mark.parametrize(
    ("app", "label"),
    [
        (AppEnum.CORE, "authentik_core"),
        (AppEnum.ENTERPRISE, "authentik_enterprise"),
        (AppEnum.ENTERPRISE_REPORTS, "authentik_reports"),
        (AppEnum.ENDPOINTS_CONNECTORS_AGENT, "authentik_endpoints_connectors_agent"),
    ],
)
def test_an_app_has_a_label(app: AppEnum, label: str) -> None:
    assert app.label == label


async def test_while_no_place_is_known_nobody_comes_from_an_allowed_one(house: House) -> None:
    policy = GeoIPPolicy(pk=rand.uuid4(), name="p", countries=tuple(CountryCodeEnum))
    result = await ask(house, policy, house.plain)
    assert not result.passing
    assert "no database of places" in result.log[0]
    body = {"name": "p", "countries": ["DE", "CI"]}
    made = await house.admin.post("/api/v3/policies/geoip/", body)
    assert made.json["countries_obj"] == [{"code": "DE", "name": "Germany"}, {"code": "CI", "name": "Côte d'Ivoire"}]
    assert (await house.admin.post("/api/v3/policies/geoip/", body | {"name": "q", "countries": ["XX"]})).status == 400
