"""Trials of policies and mappings of every type: what they answer, and that only who may change them may run them."""

from typing import Any

import pytest

from keystead.base import rand
from keystead.people.group import Group
from keystead.policies.dummy import DummyPolicy
from keystead.policies.expression import ExpressionPolicy
from keystead.providers.oidc.mapping import ScopeMapping
from tests.house import House

POLICIES = "/api/v3/policies/all/"
MAPPINGS = "/api/v3/propertymappings/all/"


async def policy(house: House, expression: str) -> str:
    made = ExpressionPolicy(pk=rand.uuid4(), name=rand.hex128(), expression=expression)
    await house.put(made)
    return f"{POLICIES}{made.pk}/test/"


async def mapping(house: House, expression: str) -> str:
    made = ScopeMapping(pk=rand.uuid4(), name=rand.hex128(), expression=expression, scope_name="x")
    await house.put(made)
    return f"{MAPPINGS}{made.pk}/test/"


async def test_how_a_policy_judges_somebody(house: House) -> None:
    url = await policy(
        house, "ak_message('seen: ' + context['word'])\nprint('aside')\nreturn request.user.username == 'plain'"
    )
    body: dict[str, Any] = {"user": house.plain.pk, "context": {"word": "hello"}}
    answered = await house.admin.post(url, body)
    assert answered.status == 200, answered.text
    assert (answered.json["passing"], answered.json["messages"]) == (True, ["seen: hello"])
    other = await house.admin.post(url, body | {"user": house.superuser.pk})
    assert other.json["passing"] is False
    lacking = await house.admin.post(url, {"user": house.plain.pk})
    assert lacking.json["passing"] is False
    (line,) = lacking.json["log_messages"]
    assert "word" in line["event"]
    assert line["log_level"] == "info"


async def test_policies_of_every_type_can_be_tried(house: House) -> None:
    made = DummyPolicy(pk=rand.uuid4(), name="dummy", result=True, wait_min=0, wait_max=0)
    await house.put(made)
    answered = await house.admin.post(f"{POLICIES}{made.pk}/test/", {"user": house.plain.pk, "context": None})
    assert answered.json["passing"] is True


@pytest.mark.parametrize("body", [{}, {"user": "x"}, {"user": 0}, {"user": 10**9}, {"user": None}, {"user": 10**30}])
async def test_a_trial_is_about_somebody(house: House, body: dict[str, Any]) -> None:
    refused = await house.admin.post(await policy(house, "return True"), body)
    assert refused.status == 400
    assert "user" in refused.json


async def test_who_may_not_change_a_policy_does_not_run_it(house: House) -> None:
    url = await policy(house, "return True")
    body = {"user": house.plain.pk}
    viewer = await house.client_with("authentik_policies_expression.view_expressionpolicy")
    assert (await house.nobody.post(url, body)).status == 403
    assert (await house.user.post(url, body)).status == 404
    assert (await viewer.post(url, body)).status == 403
    writer = await house.client_with("authentik_policies_expression.change_expressionpolicy")
    assert (await writer.post(url, body)).status == 400, "that there is such a user is not theirs to know"
    both = await house.client_with("authentik_policies_expression.change_expressionpolicy", "authentik_core.view_user")
    assert (await both.post(url, body)).status == 200
    assert (await both.post(url, {"user": house.superuser.pk})).status == 403, "it could be tried out on their password"
    for key in ("x", rand.uuid4(), "%00"):
        assert (await house.admin.post(f"{POLICIES}{key}/test/", body)).status == 404


async def test_what_a_mapping_gives(house: House) -> None:
    group = Group(pk=rand.uuid4(), name="staff", num_pk=77)
    await house.put(group)
    url = await mapping(house, "return {'who': user.username, 'group': group.name, 'colour': colour}")
    body: dict[str, Any] = {"user": house.plain.pk, "group": group.pk, "context": {"colour": "red"}}
    answered = await house.admin.post(url, body)
    assert answered.json == {"result": '{"who":"plain","group":"staff","colour":"red"}', "successful": True}
    indented = await house.admin.post(url, body, query={"format_result": "true"})
    assert indented.json["result"].startswith('{\n    "who": "plain"')
    for unknown in ({"user": 10**9}, {"group": rand.uuid4()}, {"group": "x"}):
        refused = await house.admin.post(url, body | unknown)
        assert refused.status == 400
        assert set(unknown) <= set(refused.json)


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("return 1 / 0", "division"),
        ("return user.username", "username"),
        ("return ak_user_by(username='x')", "not built"),
        ("while True:\n    pass", ""),
    ],
)
async def test_a_mapping_that_fails_says_why(house: House, expression: str, told: str) -> None:
    answered = await house.admin.post(await mapping(house, expression), {})
    assert answered.status == 200
    assert answered.json["successful"] is False
    assert told in answered.json["result"]


async def test_the_servers_own_names_are_not_overruled(house: House) -> None:
    url = await mapping(house, "return [request.user.username, user.username, request.context['user']]")
    body = {"user": house.plain.pk, "context": {"user": "forged", "request": "forged"}}
    assert (await house.admin.post(url, body)).json["result"] == '["plain","plain","forged"]'


async def test_who_may_not_change_a_mapping_does_not_run_it(house: House) -> None:
    url = await mapping(house, "return {}")
    viewer = await house.client_with("authentik_providers_oauth2.view_scopemapping")
    writer = await house.client_with("authentik_providers_oauth2.change_scopemapping")
    assert [(await client.post(url, {})).status for client in (house.nobody, house.user, viewer, writer)] == [
        403,
        404,
        403,
        200,
    ]


async def test_no_answer_is_ever_kept(house: House) -> None:
    viewer = await house.client_with("authentik_policies.view_policy_cache")
    assert (await house.admin.get(f"{POLICIES}cache_info/")).json == {"count": 0}
    assert (await viewer.get(f"{POLICIES}cache_info/")).json == {"count": 0}
    assert (await house.user.get(f"{POLICIES}cache_info/")).status == 403
    assert (await house.nobody.get(f"{POLICIES}cache_info/")).status == 403
    assert (await house.admin.post(f"{POLICIES}cache_clear/")).status == 204
    assert (await viewer.post(f"{POLICIES}cache_clear/")).status == 403


async def test_everybody_may_know_the_countries(house: House) -> None:
    found = (await house.nobody.get("/api/v3/policies/geoip_iso3166/")).json
    assert len(found) == 249
    assert {"code": "CH", "name": "Switzerland"} in found
