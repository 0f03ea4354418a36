"""Access requests: the rules are kept and say what may be asked for; asking itself says that it is not built."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from keystead.base import rand
from keystead.policies.binding import PolicyBinding
from keystead.policies.expression import ExpressionPolicy
from keystead.providers.requests.grant import GrantRequest, RequestStatus
from tests.client import Client
from tests.engines import Engine
from tests.house import House, fresh_house

RULES, BINDINGS, CHILDREN = "requests/rules", "requests/rule-bindings", "requests/rule-child-bindings"
REQUESTS = "/api/v3/requests/grant-requests/"
REQUESTABLE = "/api/v3/core/applications/requestable/"


async def made(client: Client, path: str, **body: object) -> dict[str, Any]:
    """A new object."""
    answered = await client.post(f"/api/v3/{path}/", body)
    assert answered.status in {200, 201}, (path, answered.text)
    found: dict[str, Any] = answered.json
    return found


@pytest.fixture
async def house(engine: Engine) -> AsyncIterator[House]:
    """An installation on each engine in turn."""
    async with fresh_house(engine) as opened:
        yield opened


async def bind(house: House, target: str, answer: str) -> None:
    policy = ExpressionPolicy(pk=rand.uuid4(), name=rand.hex128(), expression=f"return {answer}")
    await house.put(policy)
    await house.put(PolicyBinding(pk=rand.uuid4(), policy=policy.pk, target=target, order=0))


async def test_rules_say_what_may_be_asked_for_and_what_comes_with_it(house: House) -> None:
    admin = house.admin
    app, more = (
        await made(admin, "core/applications", name="a", slug="a"),
        await made(admin, "core/applications", name="b", slug="b"),
    )
    flow = await made(admin, "flows/instances", name="f", slug="ask", title="F", designation="authorization")
    rule = await made(admin, RULES, name="r", request_flow=flow["pk"])
    assert (rule["pbm_uuid"], rule["targets"]) == (rule["uuid"], [])
    binding = await made(admin, BINDINGS, rule=rule["uuid"], target=app["pk"])
    await made(admin, CHILDREN, binding=binding["uuid"], target=more["pk"])
    shown = (await admin.get(f"/api/v3/{BINDINGS}/{binding['uuid']}/")).json
    assert shown["rule_obj"]["targets"] == [app["pk"]]
    assert shown["related"] == [more["pk"]]
    assert [(one["label"], one["meta_model_name"]) for one in shown["related_obj"]] == [
        ("b", "authentik_core.application")
    ]
    for query, count in (("request_flow__slug=ask", 1), ("request_flow__slug=x", 0), (f"pbm_uuid={rule['uuid']}", 1)):
        assert (await admin.get(f"/api/v3/{RULES}/?{query}")).json["pagination"]["count"] == count
    own = await admin.put(f"/api/v3/{RULES}/{rule['uuid']}/", {"name": "r", "uuid": rand.uuid4()})
    assert own.json["uuid"] == rule["uuid"], "a key is not the client's to choose"
    assert (await admin.delete(f"/api/v3/core/applications/{app['slug']}/")).status == 204
    for path in (BINDINGS, CHILDREN):
        assert (await admin.get(f"/api/v3/{path}/")).json["results"] == []


async def test_only_applications_are_asked_for_and_once(house: House) -> None:
    admin = house.admin
    app = await made(admin, "core/applications", name="a", slug="a")
    flow = await made(admin, "flows/instances", name="f", slug="f", title="F", designation="authorization")
    rule = await made(admin, RULES, name="r")
    binding = await made(admin, BINDINGS, rule=rule["uuid"], target=app["pk"])
    for path, body in (
        (BINDINGS, {"rule": rule["uuid"], "target": flow["pk"]}),
        (BINDINGS, {"rule": rule["uuid"], "target": app["pk"]}),
        (CHILDREN, {"binding": binding["uuid"], "target": app["pk"]}),
        (CHILDREN, {"binding": binding["uuid"], "target": flow["pk"]}),
    ):
        refused = await admin.post(f"/api/v3/{path}/", body)
        assert (refused.status, "target" in refused.json) == (400, True), body
    refused = await admin.patch(f"/api/v3/{BINDINGS}/{binding['uuid']}/", {"expiry_pending": "soon"})
    assert (refused.status, "expiry_pending" in refused.json) == (400, True)


async def names(client: Client, **query: str) -> list[str]:
    answered = await client.get(REQUESTABLE, query=query)
    assert answered.status == 200, answered.text
    return [one["name"] for one in answered.json["results"]]


async def test_one_may_ask_for_what_one_has_not(house: House) -> None:
    admin = house.admin
    rule = await made(admin, RULES, name="r")
    apps: dict[str, dict[str, Any]] = {}
    # name: may it be used, may it be asked for (None: no rule names it)
    for name, usable, askable in (
        ("a", False, True),
        ("b", True, True),
        ("c", False, False),
        ("d", False, None),
        ("e", False, True),
    ):
        apps[name] = await made(admin, "core/applications", name=name, slug=name, group="g")
        await bind(house, apps[name]["pk"], str(usable))
        if askable is not None:
            binding = await made(admin, BINDINGS, rule=rule["uuid"], target=apps[name]["pk"])
            await bind(house, binding["uuid"], str(askable))
    assert await names(house.user) == ["a", "e"]
    assert await names(house.user, search="e") == ["e"]
    assert await names(house.user, name="a", group="g") == ["a"]
    assert await names(house.user, page_size="1", page="2") == ["e"]
    assert (await house.user.get(REQUESTABLE, query={"page": "3"})).status == 404
    assert (await house.nobody.get(REQUESTABLE)).status == 403


async def test_one_may_ask_for_entitlements_one_has_not(house: House) -> None:
    admin = house.admin
    rule = await made(admin, RULES, name="r")
    app = await made(admin, "core/applications", name="a", slug="a")
    for name, bound in (("unbound", None), ("mine", True), ("theirs", False)):
        one = await made(admin, "core/application_entitlements", name=name, app=app["pk"])
        if bound is not None:
            await bind(house, one["pbm_uuid"], str(bound))
        await made(admin, BINDINGS, rule=rule["uuid"], target=one["pbm_uuid"])
    await made(admin, "core/application_entitlements", name="no rule", app=app["pk"])
    place = "/api/v3/core/application_entitlements/requestable/"
    found = (await house.user.get(place)).json["results"]
    assert [one["label"] for one in found] == ["theirs", "unbound"]
    assert found[0]["parent"]["slug"] == "a"
    assert [one["label"] for one in (await house.user.get(place, query={"name": "theirs"})).json["results"]] == [
        "theirs"
    ]
    assert (await house.nobody.get(place)).status == 403


async def request(house: House, by: int, target: str, **more: Any) -> GrantRequest:  # noqa: ANN401 - members of a request
    one = GrantRequest(uuid=rand.uuid4(), created=house.clock.now(), requester=by, targets=(target,), **more)
    await house.put(one)
    return one


async def test_people_see_what_they_asked_for(house: House) -> None:
    app = await made(house.admin, "core/applications", name="a", slug="a")
    later = house.clock.now() + timedelta(hours=1)
    mine = await request(house, house.plain.pk, app["pk"], status=RequestStatus.APPROVED, expires=later)
    await request(house, house.superuser.pk, app["pk"])
    (shown,) = (await house.user.get(REQUESTS)).json["results"]
    assert (shown["uuid"], shown["is_active"], shown["created_by"]["username"]) == (mine.uuid, True, "plain")
    assert shown["target_objs"][0]["label"] == "a"
    house.clock.move(hours=1)
    assert (await house.user.get(f"{REQUESTS}{mine.uuid}/")).json["is_active"] is False
    assert (await house.admin.get(REQUESTS)).json["pagination"]["count"] == 2
    for query, count in (("status=approved", 1), (f"created_by={house.plain.pk}", 1), ("agent_owner=1", 0)):
        assert (await house.admin.get(f"{REQUESTS}?{query}")).json["pagination"]["count"] == count
    (waiting,) = (await house.admin.get(f"{REQUESTS}pending_review/")).json["results"]
    assert waiting["created_by"]["username"] == "akadmin"
    assert (await house.user.get(f"{REQUESTS}pending_review/")).json["results"] == []
    assert (await house.nobody.get(f"{REQUESTS}pending_review/")).status == 403


async def test_asking_and_deciding_are_not_built_and_say_so(house: House) -> None:
    app = await made(house.admin, "core/applications", name="a", slug="a")
    mine = await request(house, house.plain.pk, app["pk"])
    for path in ("", "agent/"):
        assert (await house.user.post(REQUESTS + path, {"pbms": [app["pk"]]})).status == 501
        assert (await house.nobody.post(REQUESTS + path, {"pbms": [app["pk"]]})).status == 403
    fulfil, revoke = f"{REQUESTS}{mine.uuid}/fulfill/", f"{REQUESTS}{mine.uuid}/revoke/"
    assert (await house.admin.patch(fulfil, {"status": "approved"})).status == 501
    assert (await house.admin.delete(revoke)).status == 501
    assert (await house.user.patch(fulfil, {"status": "approved"})).status == 403
    assert (await house.user.delete(revoke)).status == 403
    assert (await house.user.delete(f"{REQUESTS}{mine.uuid}/")).status == 204
